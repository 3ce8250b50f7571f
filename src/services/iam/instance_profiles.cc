#include "api/iam/add_role_to_instance_profile.h"
#include "api/iam/create_instance_profile.h"
#include "api/iam/delete_instance_profile.h"
#include "api/iam/get_instance_profile.h"
#include "api/iam/list_instance_profiles.h"
#include "api/iam/list_instance_profiles_for_role.h"
#include "api/iam/remove_role_from_instance_profile.h"
#include "base/strings.h"
#include "services/iam/errors.h"
#include "services/iam/ids.h"
#include "services/iam/service.h"
#include "services/iam/support.h"

namespace virga::iam {
namespace {

std::string order(const InstanceProfileRecord& p) {
  return to_lower(p.name);
}

Result<std::vector<api::InstanceProfile>> to_list(const RequestContext& context,
                                                  const IamReader& iam,
                                                  const std::vector<InstanceProfileRecord>& page) {
  std::vector<api::InstanceProfile> out;
  for (const InstanceProfileRecord& p : page) {
    VIRGA_TRY(one, to_instance_profile(context, iam, p));
    out.push_back(std::move(one));
  }
  return out;
}

}  // namespace

Task<void> Service::edit_profile(Ctx ctx, std::string name,
                                 std::function<Result<void>(InstanceProfileRecord&)> edit) {
  co_await write(ctx, [&](IamWriter& iam) -> Result<void> {
    VIRGA_TRY(profile, iam.instance_profile(name));
    VIRGA_TRY_VOID(edit(profile));
    iam.put(profile);
    return {};
  });
  co_return ok();
}

Task<api::CreateInstanceProfileOutput> Service::create_instance_profile(
    Ctx ctx, api::CreateInstanceProfileInput input) {
  InstanceProfileRecord profile{.name = input.instance_profile_name,
                                .path = input.path.value_or("/")};
  profile.id = new_unique_id("AIPA", ctx->env->random);
  profile.created = ctx->now.at;
  if (input.tags) co_await add_tags(profile.tags, *input.tags, "TagsPerInstanceProfile");
  api::CreateInstanceProfileOutput output;
  output.instance_profile =
      co_await write(ctx, [&](IamWriter& iam) -> Result<api::InstanceProfile> {
        VIRGA_TRY(found, iam.find_instance_profile(profile.name));
        if (found)
          return fail(
              errors::already_exists_text("Instance Profile " + profile.name + " already exists."));
        iam.put(profile);
        return to_instance_profile(*ctx, iam, profile);
      });
  co_return output;
}

Task<api::GetInstanceProfileOutput> Service::get_instance_profile(
    Ctx ctx, api::GetInstanceProfileInput input) {
  api::GetInstanceProfileOutput output;
  output.instance_profile =
      co_await read(ctx, [&](const IamReader& iam) -> Result<api::InstanceProfile> {
        VIRGA_TRY(profile, iam.instance_profile(input.instance_profile_name));
        return to_instance_profile(*ctx, iam, profile);
      });
  co_return output;
}

Task<api::ListInstanceProfilesOutput> Service::list_instance_profiles(
    Ctx ctx, api::ListInstanceProfilesInput input) {
  const std::string prefix = input.path_prefix.value_or("/");
  const auto view = shard_.snapshot();
  const IamReader reader(*view, ctx->account);
  std::vector<InstanceProfileRecord> all;
  co_await reader.each_instance_profile([&](InstanceProfileRecord&& p) {
    if (p.path.starts_with(prefix)) all.push_back(std::move(p));
    return true;
  });
  api::ListInstanceProfilesOutput output;
  const auto page = co_await page_of(all, input.marker, input.max_items, output, order);
  output.instance_profiles = co_await to_list(*ctx, reader, page);
  co_return output;
}

Task<api::DeleteInstanceProfileOutput> Service::delete_instance_profile(
    Ctx ctx, api::DeleteInstanceProfileInput input) {
  co_await write(ctx, [&](IamWriter& iam) -> Result<void> {
    VIRGA_TRY(profile, iam.instance_profile(input.instance_profile_name));
    if (!profile.role.empty())
      return fail(errors::delete_conflict(
          "Cannot delete entity, must remove roles from instance profile first."));
    iam.txn().allow_in_low_space();
    iam.erase_instance_profile(profile.name);
    return {};
  });
  co_return api::DeleteInstanceProfileOutput();
}

Task<api::AddRoleToInstanceProfileOutput> Service::add_role_to_instance_profile(
    Ctx ctx, api::AddRoleToInstanceProfileInput input) {
  co_await write(ctx, [&](IamWriter& iam) -> Result<void> {
    VIRGA_TRY(profile, iam.instance_profile(input.instance_profile_name));
    VIRGA_TRY(role, iam.entity(Kind::role, input.role_name));
    if (!profile.role.empty())
      return fail(
          errors::limit_exceeded("Cannot exceed quota for InstanceSessionsPerInstanceProfile: 1"));
    profile.role = role.name;
    iam.put(profile);
    return {};
  });
  co_return api::AddRoleToInstanceProfileOutput();
}

Task<api::RemoveRoleFromInstanceProfileOutput> Service::remove_role_from_instance_profile(
    Ctx ctx, api::RemoveRoleFromInstanceProfileInput input) {
  co_await write(ctx, [&](IamWriter& iam) -> Result<void> {
    VIRGA_TRY(profile, iam.instance_profile(input.instance_profile_name));
    if (!iequals(profile.role, input.role_name))
      return fail(errors::no_such_entity(Kind::role, input.role_name));
    profile.role.clear();
    iam.put(profile);
    return {};
  });
  co_return api::RemoveRoleFromInstanceProfileOutput();
}

Task<api::ListInstanceProfilesForRoleOutput> Service::list_instance_profiles_for_role(
    Ctx ctx, api::ListInstanceProfilesForRoleInput input) {
  const auto view = shard_.snapshot();
  const IamReader reader(*view, ctx->account);
  const Entity role = co_await reader.entity(Kind::role, input.role_name);
  std::vector<InstanceProfileRecord> all;
  co_await reader.each_instance_profile([&](InstanceProfileRecord&& p) {
    if (iequals(p.role, role.name)) all.push_back(std::move(p));
    return true;
  });
  api::ListInstanceProfilesForRoleOutput output;
  const auto page = co_await page_of(all, input.marker, input.max_items, output, order);
  output.instance_profiles = co_await to_list(*ctx, reader, page);
  co_return output;
}

}  // namespace virga::iam
