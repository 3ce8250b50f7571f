#include <algorithm>

#include "api/iam/create_policy.h"
#include "api/iam/delete_policy.h"
#include "api/iam/get_policy.h"
#include "api/iam/list_policies.h"
#include "base/strings.h"
#include "platform/managed_policies.h"
#include "services/iam/errors.h"
#include "services/iam/ids.h"
#include "services/iam/policy_rules.h"
#include "services/iam/service.h"
#include "services/iam/support.h"

namespace virga::iam {
namespace {

// AWS's own policies carry the day of IAM's managed policies. DIFFERS: AWS has a date for each.
constexpr Timestamp kManagedCreated = Timestamp::from_seconds(1423171162);

api::Policy aws_policy(const RequestContext& context, const platform::ManagedPolicy& p,
                       const PolicyUse& use) {
  api::Policy out;
  out.policy_name = p.name;
  out.policy_id = p.id;
  out.arn = p.arn(context.partition);
  out.path = p.path;
  out.default_version_id = "v1";
  out.attachment_count = use.attachments;
  out.permissions_boundary_usage_count = use.boundaries;
  out.is_attachable = true;
  out.create_date = kManagedCreated;
  out.update_date = kManagedCreated;
  return out;
}

PolicyUse use_of(const std::map<std::string, PolicyUse>& uses, const std::string& arn) {
  const auto it = uses.find(arn);
  return it == uses.end() ? PolicyUse() : it->second;
}

// Every policy that a list shows: the account's own and AWS's, by scope.
Result<std::vector<api::Policy>> gather(const RequestContext& context, const IamReader& iam,
                                        const std::string& scope) {
  VIRGA_TRY(uses, policy_uses(iam));
  std::vector<api::Policy> all;
  if (scope != "AWS") {
    VIRGA_TRY_VOID(iam.each_policy([&](PolicyRecord&& p) {
      const PolicyUse use = use_of(uses, policy_arn(context.partition, context.account, p));
      all.push_back(to_policy(context, p, use.attachments, use.boundaries, Detail::listed));
      return true;
    }));
  }
  if (scope != "Local") {
    for (const platform::ManagedPolicy& p : platform::managed_policies()) {
      all.push_back(aws_policy(context, p, use_of(uses, p.arn(context.partition))));
    }
  }
  return all;
}

}  // namespace

Task<api::CreatePolicyOutput> Service::create_policy(Ctx ctx, api::CreatePolicyInput input) {
  co_await platform::PolicyDocument::parse(input.policy_document, platform::PolicyKind::identity);
  co_await check_managed_size(input.policy_document);
  PolicyRecord policy{.name = input.policy_name, .path = input.path.value_or("/")};
  policy.id = new_unique_id("ANPA", ctx->env->random);
  policy.description = input.description.value_or("");
  policy.created = policy.updated = ctx->now.at;
  policy.versions.push_back({1, input.policy_document, ctx->now.at});
  if (input.tags) co_await add_tags(policy.tags, *input.tags, "TagsPerPolicy");
  co_await write(ctx, [&](IamWriter& iam) -> Result<void> {
    VIRGA_TRY(found, iam.find_policy(policy.name));
    if (found)
      return fail(errors::already_exists_text("A policy called " + policy.name +
                                              " already exists. Duplicate names are not allowed."));
    iam.put(policy);
    return {};
  });
  api::CreatePolicyOutput output;
  output.policy = to_policy(*ctx, policy, 0, 0, Detail::full);
  output.policy->description.reset();
  if (policy.tags.empty()) output.policy->tags.reset();
  co_return output;
}

Task<api::GetPolicyOutput> Service::get_policy(Ctx ctx, api::GetPolicyInput input) {
  const auto view = shard_.snapshot();
  const IamReader reader(*view, ctx->account);
  const auto uses = co_await policy_uses(reader);
  const PolicyUse use = use_of(uses, input.policy_arn);
  api::GetPolicyOutput output;
  if (const platform::ManagedPolicy* managed = platform::find_managed_policy(input.policy_arn)) {
    output.policy = aws_policy(*ctx, *managed, use);
    output.policy->tags.emplace();
    co_return output;
  }
  const auto own = co_await reader.find_policy_by_arn(input.policy_arn);
  if (!own) co_return fail(errors::policy_not_found(input.policy_arn));
  output.policy = to_policy(*ctx, *own, use.attachments, use.boundaries, Detail::full);
  co_return output;
}

Task<api::ListPoliciesOutput> Service::list_policies(Ctx ctx, api::ListPoliciesInput input) {
  const std::string scope = input.scope.value_or("All");
  const std::string prefix = input.path_prefix.value_or("/");
  std::vector<api::Policy> all =
      co_await read(ctx, [&](const IamReader& iam) { return gather(*ctx, iam, scope); });
  const bool boundary = input.policy_usage_filter.value_or("") == "PermissionsBoundary";
  std::erase_if(all, [&](const api::Policy& p) {
    if (!p.path->starts_with(prefix)) return true;
    return input.only_attached.value_or(false) &&
           (boundary ? *p.permissions_boundary_usage_count : *p.attachment_count) == 0;
  });
  const auto order = [](const api::Policy& p) { return to_lower(*p.policy_name) + '\0' + *p.arn; };
  std::sort(all.begin(), all.end(),
            [&](const api::Policy& a, const api::Policy& b) { return order(a) < order(b); });
  api::ListPoliciesOutput output;
  output.policies = co_await page_of(all, input.marker, input.max_items, output, order);
  co_return output;
}

Task<api::DeletePolicyOutput> Service::delete_policy(Ctx ctx, api::DeletePolicyInput input) {
  co_await write(ctx, [&](IamWriter& iam) -> Result<void> {
    VIRGA_TRY(policy, iam.find_policy_by_arn(input.policy_arn));
    if (!policy) return fail(errors::policy_not_found(input.policy_arn));
    VIRGA_TRY(uses, policy_uses(iam));
    const PolicyUse use = use_of(uses, input.policy_arn);
    if (use.attachments + use.boundaries > 0)
      return fail(errors::delete_conflict("Cannot delete a policy attached to entities."));
    if (policy->versions.size() > 1) {
      return fail(
          errors::delete_conflict("This policy has more than one version. Before you delete a "
                                  "policy, you must delete the policy's versions. The default "
                                  "version is deleted with the policy."));
    }
    iam.txn().allow_in_low_space();
    iam.erase_policy(policy->name);
    return {};
  });
  co_return api::DeletePolicyOutput();
}

}  // namespace virga::iam
