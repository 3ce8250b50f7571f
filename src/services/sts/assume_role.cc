#include "api/sts/assume_role.h"

#include "api/sts/shapes/assumed_role_user.h"
#include "platform/authorizer.h"
#include "services/sts/errors.h"
#include "services/sts/service.h"
#include "services/sts/sessions.h"

namespace virga::sts {
namespace {

constexpr int32_t kRoleSessionDefault = 3600;
constexpr int32_t kChainedDurationMax =
    3600;  // IAM User Guide, "Roles terms and concepts", role chaining

// Condition keys of AssumeRole. Source: Service Authorization Reference, AWS Security Token
// Service.
void add_sts_keys(platform::ConditionContext& context, const api::AssumeRoleInput& input) {
  context.set("sts:RoleSessionName", input.role_session_name);
  if (input.external_id) context.set("sts:ExternalId", *input.external_id);
  if (input.source_identity) context.set("sts:SourceIdentity", *input.source_identity);
  if (input.transitive_tag_keys)
    context.set_all("sts:TransitiveTagKeys", *input.transitive_tag_keys);
  if (input.tags) {
    for (const api::Tag& t : *input.tags) {
      context.set("aws:RequestTag/" + t.key, t.value);
      context.add("aws:TagKeys", t.key);
    }
  }
}

}  // namespace

Task<platform::RoleInfo> Service::authorized_role(Ctx ctx, const api::AssumeRoleInput* input) {
  if (ctx->principal.kind == Principal::Kind::root)
    co_return fail(errors::access_denied("Roles may not be assumed by root accounts."));
  auto role = co_await identity_.find_role(input->role_arn);
  if (!role || !role->trust)
    co_return fail(errors::may_not_assume(ctx->principal.arn, input->role_arn));
  const auto policies = co_await identity_.policies_for(ctx->principal, nullptr);
  const Principal target =
      platform::assumed_role_principal(role->arn, role->role_id, input->role_session_name);
  platform::ConditionContext context;
  platform::add_global_keys(context, *ctx, policies, target.account, ctx->env->wall.now(), {});
  add_sts_keys(context, *input);
  for (const auto& [key, value] : role->tags) context.set("aws:ResourceTag/" + key, value);
  const std::vector<std::string> resources{role->arn};
  for (const std::string_view action :
       {"sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"}) {
    if (action == "sts:TagSession" && (!input->tags || input->tags->empty())) continue;
    if (action == "sts:SetSourceIdentity" && !input->source_identity) continue;
    const platform::AuthorizeRequest request{.principal = ctx->principal,
                                             .policies = policies,
                                             .action = action,
                                             .resources = resources,
                                             .context = context,
                                             .resource_account = target.account,
                                             .resource_policy = role->trust.get(),
                                             .resource_policy_decides = true,
                                             .style = platform::DenialStyle::query};
    co_await platform::authorize(request);
  }
  co_return std::move(*role);
}

Task<api::AssumeRoleOutput> Service::assume_role(Ctx ctx, api::AssumeRoleInput input) {
  if (platform::role_name_of(input.role_arn).empty())
    co_return fail(errors::validation("Request ARN is invalid"));
  platform::RoleInfo role;
  if (mode_ == platform::AuthMode::strict) {
    role = co_await authorized_role(ctx, &input);
  } else {
    auto found = co_await identity_.find_role(input.role_arn);
    if (found) role = std::move(*found);
    if (!found) role = stand_in_role(input.role_arn);
  }
  const int32_t duration = input.duration_seconds.value_or(kRoleSessionDefault);
  if (duration > role.max_session_seconds) co_return fail(errors::duration_over_roles_maximum());
  if (ctx->principal.kind == Principal::Kind::assumed_role && duration > kChainedDurationMax) {
    co_return fail(
        errors::validation("The requested DurationSeconds exceeds the 1 hour session limit for "
                           "roles assumed by role chaining"));
  }
  platform::SessionRequest request;
  request.principal =
      platform::assumed_role_principal(role.arn, role.role_id, input.role_session_name);
  request.role_arn = role.arn;
  request.duration_seconds = duration;
  const auto packed =
      co_await add_policies_and_tags(input.policy, input.policy_arns, input.tags, request);
  api::AssumeRoleOutput output;
  auto& user = output.assumed_role_user.emplace();
  user.arn = request.principal.arn;
  user.assumed_role_id = request.principal.user_id;
  const auto credential = co_await identity_.issue_session(std::move(request));
  output.credentials = to_credentials(credential);
  output.packed_policy_size = packed;
  output.source_identity = input.source_identity;
  co_return output;
}

}  // namespace virga::sts
