#include <algorithm>

#include "api/iam/attach_group_policy.h"
#include "api/iam/attach_role_policy.h"
#include "api/iam/attach_user_policy.h"
#include "api/iam/detach_group_policy.h"
#include "api/iam/detach_role_policy.h"
#include "api/iam/detach_user_policy.h"
#include "api/iam/list_attached_group_policies.h"
#include "api/iam/list_attached_role_policies.h"
#include "api/iam/list_attached_user_policies.h"
#include "api/iam/list_entities_for_policy.h"
#include "api/iam/shapes/attached_policy.h"
#include "api/iam/shapes/policy_group.h"
#include "api/iam/shapes/policy_role.h"
#include "api/iam/shapes/policy_user.h"
#include "base/strings.h"
#include "services/iam/errors.h"
#include "services/iam/policy_rules.h"
#include "services/iam/service.h"
#include "services/iam/support.h"

namespace virga::iam {
namespace {

constexpr size_t kPoliciesPerEntity = 10;  // IAM User Guide, "IAM and AWS STS quotas"

// "/service-role/Name" of an ARN.
std::string_view full_name(std::string_view arn) {
  const size_t at = arn.find(":policy/");
  return at == std::string_view::npos ? std::string_view() : arn.substr(at + 7);
}

// One page of what is attached, in the order of the ARNs.
template <class Input, class Output>
Result<std::vector<api::AttachedPolicy>> page_of_attached(const Entity& e, const Input& input,
                                                          Output& output) {
  const std::string prefix = input.path_prefix.value_or("/");
  std::vector<std::string> arns;
  for (const std::string& arn : e.attached) {
    if (full_name(arn).starts_with(prefix)) arns.push_back(arn);
  }
  std::sort(arns.begin(), arns.end());
  VIRGA_TRY(page, page_of(arns, input.marker, input.max_items, output,
                          [](const std::string& arn) { return arn; }));
  std::vector<api::AttachedPolicy> out;
  for (const std::string& arn : page) {
    api::AttachedPolicy& p = out.emplace_back();
    p.policy_name = arn.substr(arn.rfind('/') + 1);
    p.policy_arn = arn;
  }
  return out;
}

const char* quota_of(Kind kind) {
  return kind == Kind::user   ? "PoliciesPerUser"
         : kind == Kind::role ? "PoliciesPerRole"
                              : "PoliciesPerGroup";
}

}  // namespace

// Attaching twice is no error.
Task<void> Service::attach(Ctx ctx, Kind kind, std::string name, std::string arn) {
  co_await check_policy_arn_form(arn);
  co_await write(ctx, [&](IamWriter& iam) -> Result<void> {
    VIRGA_TRY(e, iam.entity(kind, name));
    VIRGA_TRY(exists, policy_exists(iam, arn));
    if (!exists) return fail(errors::policy_not_attachable(arn));
    if (std::find(e.attached.begin(), e.attached.end(), arn) != e.attached.end()) return {};
    if (e.attached.size() >= kPoliciesPerEntity) {
      return fail(errors::limit_exceeded(std::string("Cannot exceed quota for ") + quota_of(kind) +
                                         ": 10"));
    }
    e.attached.push_back(arn);
    iam.put(e);
    return {};
  });
  co_return ok();
}

Task<void> Service::detach(Ctx ctx, Kind kind, std::string name, std::string arn) {
  co_await check_policy_arn_form(arn);
  co_await write(ctx, [&](IamWriter& iam) -> Result<void> {
    VIRGA_TRY(e, iam.entity(kind, name));
    if (std::erase(e.attached, arn) == 0) return fail(errors::policy_not_found(arn));
    iam.txn().allow_in_low_space();
    iam.put(e);
    return {};
  });
  co_return ok();
}

Task<api::AttachUserPolicyOutput> Service::attach_user_policy(Ctx ctx,
                                                              api::AttachUserPolicyInput input) {
  co_await attach(ctx, Kind::user, input.user_name, input.policy_arn);
  co_return api::AttachUserPolicyOutput();
}

Task<api::DetachUserPolicyOutput> Service::detach_user_policy(Ctx ctx,
                                                              api::DetachUserPolicyInput input) {
  co_await detach(ctx, Kind::user, input.user_name, input.policy_arn);
  co_return api::DetachUserPolicyOutput();
}

Task<api::ListAttachedUserPoliciesOutput> Service::list_attached_user_policies(
    Ctx ctx, api::ListAttachedUserPoliciesInput input) {
  const Entity e = co_await read(
      ctx, [&](const IamReader& iam) { return iam.entity(Kind::user, input.user_name); });
  api::ListAttachedUserPoliciesOutput output;
  output.attached_policies = co_await page_of_attached(e, input, output);
  co_return output;
}

Task<api::AttachRolePolicyOutput> Service::attach_role_policy(Ctx ctx,
                                                              api::AttachRolePolicyInput input) {
  co_await attach(ctx, Kind::role, input.role_name, input.policy_arn);
  co_return api::AttachRolePolicyOutput();
}

Task<api::DetachRolePolicyOutput> Service::detach_role_policy(Ctx ctx,
                                                              api::DetachRolePolicyInput input) {
  co_await detach(ctx, Kind::role, input.role_name, input.policy_arn);
  co_return api::DetachRolePolicyOutput();
}

Task<api::ListAttachedRolePoliciesOutput> Service::list_attached_role_policies(
    Ctx ctx, api::ListAttachedRolePoliciesInput input) {
  const Entity e = co_await read(
      ctx, [&](const IamReader& iam) { return iam.entity(Kind::role, input.role_name); });
  api::ListAttachedRolePoliciesOutput output;
  output.attached_policies = co_await page_of_attached(e, input, output);
  co_return output;
}

Task<api::AttachGroupPolicyOutput> Service::attach_group_policy(Ctx ctx,
                                                                api::AttachGroupPolicyInput input) {
  co_await attach(ctx, Kind::group, input.group_name, input.policy_arn);
  co_return api::AttachGroupPolicyOutput();
}

Task<api::DetachGroupPolicyOutput> Service::detach_group_policy(Ctx ctx,
                                                                api::DetachGroupPolicyInput input) {
  co_await detach(ctx, Kind::group, input.group_name, input.policy_arn);
  co_return api::DetachGroupPolicyOutput();
}

Task<api::ListAttachedGroupPoliciesOutput> Service::list_attached_group_policies(
    Ctx ctx, api::ListAttachedGroupPoliciesInput input) {
  const Entity e = co_await read(
      ctx, [&](const IamReader& iam) { return iam.entity(Kind::group, input.group_name); });
  api::ListAttachedGroupPoliciesOutput output;
  output.attached_policies = co_await page_of_attached(e, input, output);
  co_return output;
}

// Users, then roles, then groups that have the policy, attached or as their boundary.
Task<api::ListEntitiesForPolicyOutput> Service::list_entities_for_policy(
    Ctx ctx, api::ListEntitiesForPolicyInput input) {
  const std::string filter = input.entity_filter.value_or("");
  const std::string usage = input.policy_usage_filter.value_or("");
  const std::string prefix = input.path_prefix.value_or("/");
  std::vector<Entity> all;
  co_await read(ctx, [&](const IamReader& iam) -> Result<void> {
    VIRGA_TRY(exists, policy_exists(iam, input.policy_arn));
    if (!exists) return fail(errors::policy_not_found(input.policy_arn));
    const std::pair<Kind, const char*> kinds[] = {
        {Kind::user, "User"}, {Kind::role, "Role"}, {Kind::group, "Group"}};
    for (const auto& [kind, word] : kinds) {
      if (filter == "AWSManagedPolicy" || filter == "LocalManagedPolicy" ||
          (!filter.empty() && filter != word))
        continue;
      VIRGA_TRY_VOID(iam.each_entity(kind, "", [&](Entity&& e) {
        const bool attached =
            std::find(e.attached.begin(), e.attached.end(), input.policy_arn) != e.attached.end();
        const bool bounded = e.boundary == input.policy_arn;
        const bool wanted = usage == "PermissionsPolicy"     ? attached
                            : usage == "PermissionsBoundary" ? bounded
                                                             : attached || bounded;
        if (wanted && e.path.starts_with(prefix)) all.push_back(std::move(e));
        return true;
      }));
    }
    return {};
  });
  const auto order = [](const Entity& e) {
    const char* kind = e.kind == Kind::user ? "1" : e.kind == Kind::role ? "2" : "3";
    return kind + to_lower(e.name);
  };
  api::ListEntitiesForPolicyOutput output;
  const auto page = co_await page_of(all, input.marker, input.max_items, output, order);
  output.policy_users.emplace();
  output.policy_roles.emplace();
  output.policy_groups.emplace();
  for (const Entity& e : page) {
    if (e.kind == Kind::user) {
      api::PolicyUser& u = output.policy_users->emplace_back();
      u.user_name = e.name;
      u.user_id = e.id;
    } else if (e.kind == Kind::role) {
      api::PolicyRole& r = output.policy_roles->emplace_back();
      r.role_name = e.name;
      r.role_id = e.id;
    } else {
      api::PolicyGroup& g = output.policy_groups->emplace_back();
      g.group_name = e.name;
      g.group_id = e.id;
    }
  }
  co_return output;
}

}  // namespace virga::iam
