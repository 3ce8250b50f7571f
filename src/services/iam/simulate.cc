#include <algorithm>

#include "api/iam/shapes/context_entry.h"
#include "api/iam/shapes/evaluation_result.h"
#include "api/iam/shapes/permissions_boundary_decision_detail.h"
#include "api/iam/shapes/simulate_policy_response.h"
#include "api/iam/simulate_custom_policy.h"
#include "api/iam/simulate_principal_policy.h"
#include "base/strings.h"
#include "platform/policy.h"
#include "services/iam/errors.h"
#include "services/iam/service.h"

namespace virga::iam {
namespace {

using platform::ConditionContext;
using platform::PolicyDocument;
using platform::PolicyKind;
using platform::PolicyRef;
using platform::PolicyVerdict;

// What a simulation asks, whoever it is about.
struct Question {
  std::vector<PolicyRef> policies;
  std::vector<PolicyRef> boundaries;
  std::vector<std::string> actions;
  std::vector<std::string> resources;
  ConditionContext context;
};

Result<void> add_documents(const Maybe<std::vector<std::string>>& documents,
                           std::vector<PolicyRef>& out) {
  if (!documents) return {};
  for (const std::string& text : *documents) {
    auto parsed = PolicyDocument::parse(text, PolicyKind::identity);
    if (!parsed) return fail(errors::invalid_input(parsed.error().message));
    out.push_back(std::move(*parsed));
  }
  return {};
}

template <class Input>
Result<void> add_common(const Input& input, Question& q) {
  VIRGA_TRY_VOID(add_documents(input.permissions_boundary_policy_input_list, q.boundaries));
  q.actions = input.action_names;
  q.resources = input.resource_arns ? *input.resource_arns : std::vector<std::string>{"*"};
  if (!input.context_entries) return {};
  for (const api::ContextEntry& e : *input.context_entries) {
    if (e.context_key_name && e.context_key_values)
      q.context.set_all(*e.context_key_name, *e.context_key_values);
  }
  return {};
}

PolicyVerdict evaluate(const std::vector<PolicyRef>& policies,
                       const platform::PolicyRequest& request) {
  PolicyVerdict all;
  for (const PolicyRef& p : policies) {
    const PolicyVerdict v = p->evaluate(request);
    all.denied = all.denied || v.denied;
    all.grant = std::max(all.grant, v.grant);
  }
  return all;
}

// Source: IAM API Reference, EvaluationResult. DIFFERS: the matched statements are not listed.
api::EvaluationResult decide(const Question& q, const std::string& action,
                             const std::string& resource) {
  const platform::PolicyRequest request{
      .action = action, .resource = resource, .context = q.context, .caller = {}};
  const PolicyVerdict identity = evaluate(q.policies, request);
  api::EvaluationResult out;
  out.eval_action_name = action;
  out.eval_resource_name = resource;
  bool allowed = identity.allowed();
  bool denied = identity.denied;
  if (!q.boundaries.empty()) {
    const PolicyVerdict boundary = evaluate(q.boundaries, request);
    denied = denied || boundary.denied;
    allowed = allowed && boundary.allowed();
    out.permissions_boundary_decision_detail.emplace().allowed_by_permissions_boundary =
        boundary.allowed() && !boundary.denied;
  }
  out.eval_decision = denied ? "explicitDeny" : allowed ? "allowed" : "implicitDeny";
  out.matched_statements.emplace();
  out.missing_context_values.emplace();
  return out;
}

api::SimulatePolicyResponse answer(const Question& q) {
  api::SimulatePolicyResponse out;
  auto& results = out.evaluation_results.emplace();
  for (const std::string& action : q.actions) {
    for (const std::string& resource : q.resources) results.push_back(decide(q, action, resource));
  }
  out.is_truncated = false;
  return out;
}

// The principal that an ARN of this account names.
Result<Principal> principal_of(const RequestContext& context, const IamReader& iam,
                               const std::string& arn) {
  const auto parts = split(arn, ':');
  const bool user = parts.size() == 6 && parts[5].starts_with("user/");
  const bool role = parts.size() == 6 && parts[5].starts_with("role/");
  if (!user && !role)
    return fail(errors::invalid_input("Invalid Entity Arn: " + arn +
                                      " does not clearly define entity type and name."));
  const std::string_view name = parts[5].substr(parts[5].rfind('/') + 1);
  VIRGA_TRY(e, iam.entity(user ? Kind::user : Kind::role, name));
  if (role)
    return platform::assumed_role_principal(entity_arn(context.partition, context.account, e), e.id,
                                            "simulation");
  Principal p;
  p.kind = Principal::Kind::user;
  p.account = context.account;
  p.arn = entity_arn(context.partition, context.account, e);
  p.user_id = e.id;
  return p;
}

}  // namespace

Task<api::SimulateCustomPolicyOutput> Service::simulate_custom_policy(
    Ctx ctx, api::SimulateCustomPolicyInput input) {
  Question q;
  Maybe<std::vector<std::string>> documents = input.policy_input_list;
  co_await add_documents(documents, q.policies);
  co_await add_common(input, q);
  co_return answer(q);
}

Task<api::SimulatePrincipalPolicyOutput> Service::simulate_principal_policy(
    Ctx ctx, api::SimulatePrincipalPolicyInput input) {
  Principal principal = co_await read(
      ctx, [&](const IamReader& iam) { return principal_of(*ctx, iam, input.policy_source_arn); });
  auto policies = co_await identity_.policies_for(std::move(principal), nullptr);
  Question q;
  q.policies = std::move(policies.identity);
  co_await add_documents(input.policy_input_list, q.policies);
  co_await add_common(input, q);
  if (q.boundaries.empty() && policies.boundary) q.boundaries.push_back(policies.boundary);
  co_return answer(q);
}

}  // namespace virga::iam
