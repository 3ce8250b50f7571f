#include "api/iam/delete_group_policy.h"
#include "api/iam/delete_role_policy.h"
#include "api/iam/delete_user_policy.h"
#include "api/iam/get_group_policy.h"
#include "api/iam/get_role_policy.h"
#include "api/iam/get_user_policy.h"
#include "api/iam/list_group_policies.h"
#include "api/iam/list_role_policies.h"
#include "api/iam/list_user_policies.h"
#include "api/iam/put_group_policy.h"
#include "api/iam/put_role_policy.h"
#include "api/iam/put_user_policy.h"
#include "base/strings.h"
#include "platform/policy.h"
#include "services/iam/errors.h"
#include "services/iam/policy_rules.h"
#include "services/iam/service.h"
#include "services/iam/support.h"

namespace virga::iam {
namespace {

const std::string* find_inline(const Entity& e, const std::string& name) {
  const auto it = e.inline_policies.find(name);
  return it == e.inline_policies.end() ? nullptr : &it->second;
}

template <class Output>
Result<std::vector<std::string>> page_of_names(const Entity& e,
                                               const std::optional<std::string>& marker,
                                               const std::optional<int32_t>& max_items,
                                               Output& output) {
  std::vector<std::string> names;
  for (const auto& [name, document] : e.inline_policies) names.push_back(name);
  return page_of(names, marker, max_items, output, [](const std::string& n) { return n; });
}

}  // namespace

Task<void> Service::put_inline(Ctx ctx, Kind kind, std::string name, std::string policy,
                               std::string document) {
  co_await platform::PolicyDocument::parse(document, platform::PolicyKind::identity);
  co_await write(ctx, [&](IamWriter& iam) -> Result<void> {
    VIRGA_TRY(e, iam.entity(kind, name));
    e.inline_policies[policy] = document;
    VIRGA_TRY_VOID(check_inline_size(e));
    iam.put(e);
    return {};
  });
  co_return ok();
}

Task<void> Service::delete_inline(Ctx ctx, Kind kind, std::string name, std::string policy) {
  co_await write(ctx, [&](IamWriter& iam) -> Result<void> {
    VIRGA_TRY(e, iam.entity(kind, name));
    if (e.inline_policies.erase(policy) == 0)
      return fail(errors::no_such_inline_policy(kind, policy));
    iam.txn().allow_in_low_space();
    iam.put(e);
    return {};
  });
  co_return ok();
}

Task<api::PutUserPolicyOutput> Service::put_user_policy(Ctx ctx, api::PutUserPolicyInput input) {
  co_await put_inline(ctx, Kind::user, input.user_name, input.policy_name, input.policy_document);
  co_return api::PutUserPolicyOutput();
}

Task<api::GetUserPolicyOutput> Service::get_user_policy(Ctx ctx, api::GetUserPolicyInput input) {
  const Entity e = co_await read(
      ctx, [&](const IamReader& iam) { return iam.entity(Kind::user, input.user_name); });
  const std::string* document = find_inline(e, input.policy_name);
  if (!document) co_return fail(errors::no_such_inline_policy(Kind::user, input.policy_name));
  api::GetUserPolicyOutput output;
  output.user_name = e.name;
  output.policy_name = input.policy_name;
  output.policy_document = percent_encode(*document);
  co_return output;
}

Task<api::DeleteUserPolicyOutput> Service::delete_user_policy(Ctx ctx,
                                                              api::DeleteUserPolicyInput input) {
  co_await delete_inline(ctx, Kind::user, input.user_name, input.policy_name);
  co_return api::DeleteUserPolicyOutput();
}

Task<api::ListUserPoliciesOutput> Service::list_user_policies(Ctx ctx,
                                                              api::ListUserPoliciesInput input) {
  const Entity e = co_await read(
      ctx, [&](const IamReader& iam) { return iam.entity(Kind::user, input.user_name); });
  api::ListUserPoliciesOutput output;
  output.policy_names = co_await page_of_names(e, input.marker, input.max_items, output);
  co_return output;
}

Task<api::PutRolePolicyOutput> Service::put_role_policy(Ctx ctx, api::PutRolePolicyInput input) {
  co_await put_inline(ctx, Kind::role, input.role_name, input.policy_name, input.policy_document);
  co_return api::PutRolePolicyOutput();
}

Task<api::GetRolePolicyOutput> Service::get_role_policy(Ctx ctx, api::GetRolePolicyInput input) {
  const Entity e = co_await read(
      ctx, [&](const IamReader& iam) { return iam.entity(Kind::role, input.role_name); });
  const std::string* document = find_inline(e, input.policy_name);
  if (!document) co_return fail(errors::no_such_inline_policy(Kind::role, input.policy_name));
  api::GetRolePolicyOutput output;
  output.role_name = e.name;
  output.policy_name = input.policy_name;
  output.policy_document = percent_encode(*document);
  co_return output;
}

Task<api::DeleteRolePolicyOutput> Service::delete_role_policy(Ctx ctx,
                                                              api::DeleteRolePolicyInput input) {
  co_await delete_inline(ctx, Kind::role, input.role_name, input.policy_name);
  co_return api::DeleteRolePolicyOutput();
}

Task<api::ListRolePoliciesOutput> Service::list_role_policies(Ctx ctx,
                                                              api::ListRolePoliciesInput input) {
  const Entity e = co_await read(
      ctx, [&](const IamReader& iam) { return iam.entity(Kind::role, input.role_name); });
  api::ListRolePoliciesOutput output;
  output.policy_names = co_await page_of_names(e, input.marker, input.max_items, output);
  co_return output;
}

Task<api::PutGroupPolicyOutput> Service::put_group_policy(Ctx ctx, api::PutGroupPolicyInput input) {
  co_await put_inline(ctx, Kind::group, input.group_name, input.policy_name, input.policy_document);
  co_return api::PutGroupPolicyOutput();
}

Task<api::GetGroupPolicyOutput> Service::get_group_policy(Ctx ctx, api::GetGroupPolicyInput input) {
  const Entity e = co_await read(
      ctx, [&](const IamReader& iam) { return iam.entity(Kind::group, input.group_name); });
  const std::string* document = find_inline(e, input.policy_name);
  if (!document) co_return fail(errors::no_such_inline_policy(Kind::group, input.policy_name));
  api::GetGroupPolicyOutput output;
  output.group_name = e.name;
  output.policy_name = input.policy_name;
  output.policy_document = percent_encode(*document);
  co_return output;
}

Task<api::DeleteGroupPolicyOutput> Service::delete_group_policy(Ctx ctx,
                                                                api::DeleteGroupPolicyInput input) {
  co_await delete_inline(ctx, Kind::group, input.group_name, input.policy_name);
  co_return api::DeleteGroupPolicyOutput();
}

Task<api::ListGroupPoliciesOutput> Service::list_group_policies(Ctx ctx,
                                                                api::ListGroupPoliciesInput input) {
  const Entity e = co_await read(
      ctx, [&](const IamReader& iam) { return iam.entity(Kind::group, input.group_name); });
  api::ListGroupPoliciesOutput output;
  output.policy_names = co_await page_of_names(e, input.marker, input.max_items, output);
  co_return output;
}

}  // namespace virga::iam
