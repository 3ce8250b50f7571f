#include <algorithm>

#include "api/iam/add_user_to_group.h"
#include "api/iam/create_group.h"
#include "api/iam/delete_group.h"
#include "api/iam/get_group.h"
#include "api/iam/list_groups.h"
#include "api/iam/list_groups_for_user.h"
#include "api/iam/remove_user_from_group.h"
#include "api/iam/update_group.h"
#include "base/strings.h"
#include "services/iam/errors.h"
#include "services/iam/ids.h"
#include "services/iam/service.h"
#include "services/iam/support.h"

namespace virga::iam {
namespace {

constexpr size_t kGroupsPerUser = 10;  // IAM User Guide, "IAM and AWS STS quotas"

bool is_member(const Entity& user, std::string_view group) {
  return std::any_of(user.groups.begin(), user.groups.end(),
                     [&](const std::string& g) { return iequals(g, group); });
}

Result<std::vector<Entity>> members_of(const IamReader& iam, std::string_view group) {
  std::vector<Entity> users;
  VIRGA_TRY_VOID(iam.each_entity(Kind::user, "", [&](Entity&& e) {
    if (is_member(e, group)) users.push_back(std::move(e));
    return true;
  }));
  return users;
}

std::string order(const Entity& e) {
  return to_lower(e.name);
}

}  // namespace

Task<api::CreateGroupOutput> Service::create_group(Ctx ctx, api::CreateGroupInput input) {
  Entity group{.kind = Kind::group, .name = input.group_name, .path = input.path.value_or("/")};
  group.id = new_unique_id("AGPA", ctx->env->random);
  group.created = ctx->now.at;
  co_await write(ctx, [&](IamWriter& iam) -> Result<void> {
    VIRGA_TRY(found, iam.find_entity(Kind::group, group.name));
    if (found) return fail(errors::already_exists(Kind::group, group.name));
    iam.put(group);
    return {};
  });
  api::CreateGroupOutput output;
  output.group = to_group(*ctx, group);
  co_return output;
}

Task<api::GetGroupOutput> Service::get_group(Ctx ctx, api::GetGroupInput input) {
  const auto view = shard_.snapshot();
  const IamReader reader(*view, ctx->account);
  const Entity group = co_await reader.entity(Kind::group, input.group_name);
  const std::vector<Entity> users = co_await members_of(reader, group.name);
  api::GetGroupOutput output;
  output.group = to_group(*ctx, group);
  const auto page = co_await page_of(users, input.marker, input.max_items, output, order);
  for (const Entity& e : page) output.users.push_back(to_user(*ctx, e, Detail::listed));
  co_return output;
}

Task<api::ListGroupsOutput> Service::list_groups(Ctx ctx, api::ListGroupsInput input) {
  const std::string prefix = input.path_prefix.value_or("/");
  std::vector<Entity> all;
  co_await read(ctx, [&](const IamReader& iam) {
    return iam.each_entity(Kind::group, "", [&](Entity&& e) {
      if (e.path.starts_with(prefix)) all.push_back(std::move(e));
      return true;
    });
  });
  api::ListGroupsOutput output;
  const auto page = co_await page_of(all, input.marker, input.max_items, output, order);
  for (const Entity& e : page) output.groups.push_back(to_group(*ctx, e));
  co_return output;
}

Task<api::UpdateGroupOutput> Service::update_group(Ctx ctx, api::UpdateGroupInput input) {
  co_await write(ctx, [&](IamWriter& iam) -> Result<void> {
    VIRGA_TRY(group, iam.entity(Kind::group, input.group_name));
    if (input.new_path) group.path = *input.new_path;
    if (input.new_group_name && *input.new_group_name != group.name) {
      if (!iequals(*input.new_group_name, group.name)) {
        VIRGA_TRY(taken, iam.find_entity(Kind::group, *input.new_group_name));
        if (taken) return fail(errors::already_exists(Kind::group, *input.new_group_name));
      }
      VIRGA_TRY(users, members_of(iam, group.name));
      for (Entity& user : users) {
        std::erase_if(user.groups, [&](const std::string& g) { return iequals(g, group.name); });
        user.groups.push_back(*input.new_group_name);
        iam.put(user);
      }
      iam.erase_entity(Kind::group, group.name);
      group.name = *input.new_group_name;
    }
    iam.put(group);
    return {};
  });
  co_return api::UpdateGroupOutput();
}

Task<api::DeleteGroupOutput> Service::delete_group(Ctx ctx, api::DeleteGroupInput input) {
  co_await write(ctx, [&](IamWriter& iam) -> Result<void> {
    VIRGA_TRY(group, iam.entity(Kind::group, input.group_name));
    VIRGA_TRY(users, members_of(iam, group.name));
    if (!users.empty())
      return fail(
          errors::delete_conflict("Cannot delete entity, must remove users from group first."));
    if (!group.inline_policies.empty())
      return fail(errors::delete_conflict("Cannot delete entity, must delete policies first."));
    if (!group.attached.empty())
      return fail(errors::delete_conflict("Cannot delete entity, must detach all policies first."));
    iam.txn().allow_in_low_space();
    iam.erase_entity(Kind::group, group.name);
    return {};
  });
  co_return api::DeleteGroupOutput();
}

// A user who is in the group already stays so, without an error.
Task<api::AddUserToGroupOutput> Service::add_user_to_group(Ctx ctx,
                                                           api::AddUserToGroupInput input) {
  co_await write(ctx, [&](IamWriter& iam) -> Result<void> {
    VIRGA_TRY(group, iam.entity(Kind::group, input.group_name));
    VIRGA_TRY(user, iam.entity(Kind::user, input.user_name));
    if (is_member(user, group.name)) return {};
    if (user.groups.size() >= kGroupsPerUser)
      return fail(errors::limit_exceeded("Cannot exceed quota for GroupsPerUser: 10"));
    user.groups.push_back(group.name);
    iam.put(user);
    return {};
  });
  co_return api::AddUserToGroupOutput();
}

Task<api::RemoveUserFromGroupOutput> Service::remove_user_from_group(
    Ctx ctx, api::RemoveUserFromGroupInput input) {
  co_await write(ctx, [&](IamWriter& iam) -> Result<void> {
    VIRGA_TRY(group, iam.entity(Kind::group, input.group_name));
    VIRGA_TRY(user, iam.entity(Kind::user, input.user_name));
    std::erase_if(user.groups, [&](const std::string& g) { return iequals(g, group.name); });
    iam.put(user);
    return {};
  });
  co_return api::RemoveUserFromGroupOutput();
}

Task<api::ListGroupsForUserOutput> Service::list_groups_for_user(
    Ctx ctx, api::ListGroupsForUserInput input) {
  const auto view = shard_.snapshot();
  const IamReader reader(*view, ctx->account);
  const Entity user = co_await reader.entity(Kind::user, input.user_name);
  std::vector<Entity> groups;
  for (const std::string& name : user.groups) {
    auto group = co_await reader.find_entity(Kind::group, name);
    if (group) groups.push_back(std::move(*group));
  }
  std::sort(groups.begin(), groups.end(),
            [](const Entity& a, const Entity& b) { return order(a) < order(b); });
  api::ListGroupsForUserOutput output;
  const auto page = co_await page_of(groups, input.marker, input.max_items, output, order);
  for (const Entity& e : page) output.groups.push_back(to_group(*ctx, e));
  co_return output;
}

}  // namespace virga::iam
