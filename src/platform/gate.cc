#include "platform/gate.h"

#include "base/strings.h"
#include "platform/resource_arns.h"

namespace virga::platform {
namespace {

bool has_identity(const Principal& principal) {
  return principal.kind != Principal::Kind::anonymous && principal.kind != Principal::Kind::service;
}

}  // namespace

Task<void> Gate::check(GateQuestion question) {
  const RequestContext& request = *question.request;
  PrincipalPolicies policies;
  if (has_identity(request.principal)) {
    Principal principal = request.principal;
    policies = co_await identity_.policies_for(std::move(principal), nullptr);
  }
  for (const std::string& asked : question.resources) {
    ResourceFacts facts = co_await facts_of(asked);
    const std::string resource = facts.arn.empty() ? asked : std::move(facts.arn);
    const std::string owner = facts.account.empty()
                                  ? std::string(account_of_arn(resource, request.account))
                                  : std::move(facts.account);
    ConditionContext conditions = question.conditions;
    add_global_keys(conditions, request, policies, owner, env_.wall.now(), question.transport);
    if (!question.source_arn.empty()) conditions.set("aws:SourceArn", question.source_arn);
    if (!question.source_account.empty())
      conditions.set("aws:SourceAccount", question.source_account);
    for (const auto& [key, value] : facts.tags) conditions.set("aws:ResourceTag/" + key, value);
    const AuthorizeRequest one{.principal = request.principal,
                               .policies = policies,
                               .action = question.action,
                               .resources = {&resource, 1},
                               .context = conditions,
                               .resource_account = owner,
                               .resource_policy = facts.policy.get(),
                               .style = question.style};
    co_await authorize(one);
  }
  co_return ok();
}

Task<Principal> Gate::assume(std::string role_arn, std::string service, std::string session_name) {
  const bool trusted = co_await identity_.service_may_assume(role_arn, service);
  const auto role = co_await identity_.find_role(role_arn);
  if (!trusted || !role) {
    co_return fail("AccessDeniedException", 403,
                   "The role " + role_arn + " cannot be assumed by " + service + ".");
  }
  co_return assumed_role_principal(role->arn, role->role_id, session_name);
}

Task<ResourceFacts> Gate::facts_of(std::string arn) {
  const auto parts = split(arn, ':');
  const auto found = parts.size() < 6 ? catalogs_.end() : catalogs_.find(parts[2]);
  if (found == catalogs_.end()) co_return ResourceFacts();
  ResourceFacts facts = co_await found->second->facts_of(arn);
  co_return std::move(facts);
}

}  // namespace virga::platform
