#include "api/iam/create_role.h"
#include "api/iam/delete_role.h"
#include "api/iam/get_role.h"
#include "api/iam/list_roles.h"
#include "api/iam/update_assume_role_policy.h"
#include "api/iam/update_role.h"
#include "api/iam/update_role_description.h"
#include "base/strings.h"
#include "platform/policy.h"
#include "services/iam/errors.h"
#include "services/iam/ids.h"
#include "services/iam/policy_rules.h"
#include "services/iam/service.h"
#include "services/iam/support.h"

namespace virga::iam {
namespace {

Result<void> check_trust(const std::string& document) {
  VIRGA_TRY(policy, platform::PolicyDocument::parse(document, platform::PolicyKind::trust));
  return check_trust_size(document);
}

// Source: IAM User Guide, "Create a service-linked role"; the refusal as clients' issue trackers
// quote it.
Result<void> must_be_ours(const Entity& role) {
  if (!role.path.starts_with(kServiceLinkedPath)) return {};
  return fail(errors::unmodifiable("Cannot perform the operation on the protected role '" +
                                   role.name + "' - this role is only modifiable by AWS"));
}

Result<void> may_delete(const IamReader& iam, const Entity& role) {
  VIRGA_TRY_VOID(must_be_ours(role));
  if (!role.attached.empty())
    return fail(errors::delete_conflict("Cannot delete entity, must detach all policies first."));
  if (!role.inline_policies.empty())
    return fail(errors::delete_conflict("Cannot delete entity, must delete policies first."));
  bool in_profile = false;
  VIRGA_TRY_VOID(iam.each_instance_profile([&](InstanceProfileRecord&& p) {
    in_profile = in_profile || iequals(p.role, role.name);
    return !in_profile;
  }));
  if (in_profile)
    return fail(errors::delete_conflict(
        "Cannot delete entity, must remove roles from instance profile first."));
  return {};
}

}  // namespace

Task<api::CreateRoleOutput> Service::create_role(Ctx ctx, api::CreateRoleInput input) {
  if (input.path.value_or("/").starts_with(kServiceLinkedPath)) {
    co_return fail(errors::invalid_input("The path " + *input.path +
                                         " is reserved for service-linked roles."));
  }
  co_await check_trust(input.assume_role_policy_document);
  Entity role{.kind = Kind::role, .name = input.role_name, .path = input.path.value_or("/")};
  role.id = new_unique_id("AROA", ctx->env->random);
  role.created = ctx->now.at;
  role.trust = input.assume_role_policy_document;
  role.has_description = input.description.has_value();
  role.description = input.description.value_or("");
  role.max_session_seconds = input.max_session_duration.value_or(3600);
  role.boundary = input.permissions_boundary.value_or("");
  if (input.tags) co_await add_tags(role.tags, *input.tags, "TagsPerRole");
  co_await write(ctx, [&](IamWriter& iam) -> Result<void> {
    VIRGA_TRY(found, iam.find_entity(Kind::role, role.name));
    if (found) return fail(errors::already_exists(Kind::role, role.name));
    if (!role.boundary.empty()) VIRGA_TRY_VOID(check_boundary(iam, role.boundary));
    iam.put(role);
    return {};
  });
  api::CreateRoleOutput output;
  output.role = to_role(*ctx, role, Detail::full);
  output.role.role_last_used.reset();
  co_return output;
}

Task<api::GetRoleOutput> Service::get_role(Ctx ctx, api::GetRoleInput input) {
  const Entity role = co_await read(
      ctx, [&](const IamReader& iam) { return iam.entity(Kind::role, input.role_name); });
  api::GetRoleOutput output;
  output.role = to_role(*ctx, role, Detail::full);
  co_return output;
}

Task<api::ListRolesOutput> Service::list_roles(Ctx ctx, api::ListRolesInput input) {
  const std::string prefix = input.path_prefix.value_or("/");
  std::vector<Entity> all;
  co_await read(ctx, [&](const IamReader& iam) {
    return iam.each_entity(Kind::role, "", [&](Entity&& e) {
      if (e.path.starts_with(prefix)) all.push_back(std::move(e));
      return true;
    });
  });
  api::ListRolesOutput output;
  const auto page = co_await page_of(all, input.marker, input.max_items, output,
                                     [](const Entity& e) { return to_lower(e.name); });
  for (const Entity& e : page) output.roles.push_back(to_role(*ctx, e, Detail::listed));
  co_return output;
}

Task<api::UpdateRoleOutput> Service::update_role(Ctx ctx, api::UpdateRoleInput input) {
  co_await write(ctx, [&](IamWriter& iam) -> Result<void> {
    VIRGA_TRY(role, iam.entity(Kind::role, input.role_name));
    if (input.description) {
      role.has_description = true;
      role.description = *input.description;
    }
    if (input.max_session_duration) role.max_session_seconds = *input.max_session_duration;
    iam.put(role);
    return {};
  });
  co_return api::UpdateRoleOutput();
}

Task<api::UpdateRoleDescriptionOutput> Service::update_role_description(
    Ctx ctx, api::UpdateRoleDescriptionInput input) {
  const Entity role = co_await write(ctx, [&](IamWriter& iam) -> Result<Entity> {
    VIRGA_TRY(found, iam.entity(Kind::role, input.role_name));
    found.has_description = true;
    found.description = input.description;
    iam.put(found);
    return std::move(found);
  });
  api::UpdateRoleDescriptionOutput output;
  output.role = to_role(*ctx, role, Detail::listed);
  co_return output;
}

Task<api::UpdateAssumeRolePolicyOutput> Service::update_assume_role_policy(
    Ctx ctx, api::UpdateAssumeRolePolicyInput input) {
  co_await check_trust(input.policy_document);
  co_await write(ctx, [&](IamWriter& iam) -> Result<void> {
    VIRGA_TRY(role, iam.entity(Kind::role, input.role_name));
    VIRGA_TRY_VOID(must_be_ours(role));
    role.trust = input.policy_document;
    iam.put(role);
    return {};
  });
  co_return api::UpdateAssumeRolePolicyOutput();
}

Task<api::DeleteRoleOutput> Service::delete_role(Ctx ctx, api::DeleteRoleInput input) {
  co_await write(ctx, [&](IamWriter& iam) -> Result<void> {
    VIRGA_TRY(role, iam.entity(Kind::role, input.role_name));
    VIRGA_TRY_VOID(may_delete(iam, role));
    iam.txn().allow_in_low_space();
    iam.erase_entity(Kind::role, role.name);
    return {};
  });
  co_return api::DeleteRoleOutput();
}

}  // namespace virga::iam
