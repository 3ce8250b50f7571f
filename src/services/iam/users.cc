#include "api/iam/create_user.h"
#include "api/iam/delete_user.h"
#include "api/iam/get_user.h"
#include "api/iam/list_users.h"
#include "api/iam/update_user.h"
#include "base/strings.h"
#include "services/iam/errors.h"
#include "services/iam/ids.h"
#include "services/iam/policy_rules.h"
#include "services/iam/service.h"
#include "services/iam/support.h"
#include "services/iam/user_credentials.h"

namespace virga::iam {
namespace {

// GetUser of the account itself. DIFFERS: AWS leaves the name out; the model requires one.
api::User root_user(const RequestContext& context) {
  api::User u;
  u.path = "/";
  u.user_name = "root";
  u.user_id = context.account;
  u.arn = "arn:" + context.partition + ":iam::" + context.account + ":root";
  return u;
}

Result<void> may_delete(const Entity& user) {
  if (!user.access_keys.empty())
    return fail(errors::delete_conflict("Cannot delete entity, must delete access keys first."));
  if (!user.login.empty())
    return fail(errors::delete_conflict("Cannot delete entity, must delete login profile first."));
  if (!user.groups.empty())
    return fail(
        errors::delete_conflict("Cannot delete entity, must remove user from group first."));
  if (!user.inline_policies.empty())
    return fail(errors::delete_conflict("Cannot delete entity, must delete policies first."));
  if (!user.attached.empty())
    return fail(errors::delete_conflict("Cannot delete entity, must detach all policies first."));
  return {};
}

}  // namespace

Task<api::CreateUserOutput> Service::create_user(Ctx ctx, api::CreateUserInput input) {
  Entity user{.kind = Kind::user, .name = input.user_name, .path = input.path.value_or("/")};
  user.id = new_unique_id("AIDA", ctx->env->random);
  user.created = ctx->now.at;
  if (input.tags) co_await add_tags(user.tags, *input.tags, "TagsPerUser");
  user.boundary = input.permissions_boundary.value_or("");
  co_await write(ctx, [&](IamWriter& iam) -> Result<void> {
    VIRGA_TRY(found, iam.find_entity(Kind::user, user.name));
    if (found) return fail(errors::already_exists(Kind::user, user.name));
    if (!user.boundary.empty()) VIRGA_TRY_VOID(check_boundary(iam, user.boundary));
    iam.put(user);
    return {};
  });
  api::CreateUserOutput output;
  output.user = to_user(*ctx, user, Detail::full);
  co_return output;
}

Task<api::GetUserOutput> Service::get_user(Ctx ctx, api::GetUserInput input) {
  api::GetUserOutput output;
  if (!input.user_name && ctx->principal.kind == Principal::Kind::root) {
    output.user = root_user(*ctx);
    co_return output;
  }
  const std::optional<std::string> name = input.user_name ? input.user_name : calling_user(*ctx);
  if (!name) co_return fail(errors::must_specify_user_name());
  const Entity user =
      co_await read(ctx, [&](const IamReader& iam) { return iam.entity(Kind::user, *name); });
  output.user = to_user(*ctx, user, Detail::full);
  co_return output;
}

Task<api::ListUsersOutput> Service::list_users(Ctx ctx, api::ListUsersInput input) {
  const std::string prefix = input.path_prefix.value_or("/");
  std::vector<Entity> all;
  co_await read(ctx, [&](const IamReader& iam) {
    return iam.each_entity(Kind::user, "", [&](Entity&& e) {
      if (e.path.starts_with(prefix)) all.push_back(std::move(e));
      return true;
    });
  });
  api::ListUsersOutput output;
  const auto page = co_await page_of(all, input.marker, input.max_items, output,
                                     [](const Entity& e) { return to_lower(e.name); });
  for (const Entity& e : page) output.users.push_back(to_user(*ctx, e, Detail::listed));
  co_return output;
}

// Renames and moves. The user keeps its id, keys, groups and policies.
Task<api::UpdateUserOutput> Service::update_user(Ctx ctx, api::UpdateUserInput input) {
  co_await write(ctx, [&](IamWriter& iam) -> Result<void> {
    VIRGA_TRY(user, iam.entity(Kind::user, input.user_name));
    if (input.new_path) user.path = *input.new_path;
    if (input.new_user_name && *input.new_user_name != user.name) {
      if (!iequals(*input.new_user_name, user.name)) {
        VIRGA_TRY(taken, iam.find_entity(Kind::user, *input.new_user_name));
        if (taken) return fail(errors::already_exists(Kind::user, *input.new_user_name));
      }
      iam.erase_entity(Kind::user, user.name);
      user.name = *input.new_user_name;
      for (const std::string& id : user.access_keys) {
        VIRGA_TRY(key, find_access_key(iam.txn(), id));
        if (!key) continue;
        key->user = user.name;
        iam.put(*key);
      }
    }
    iam.put(user);
    return {};
  });
  co_return api::UpdateUserOutput();
}

Task<api::DeleteUserOutput> Service::delete_user(Ctx ctx, api::DeleteUserInput input) {
  co_await write(ctx, [&](IamWriter& iam) -> Result<void> {
    VIRGA_TRY(user, iam.entity(Kind::user, input.user_name));
    VIRGA_TRY_VOID(may_delete(user));
    VIRGA_TRY_VOID(owns_no_credentials(iam, user));
    iam.txn().allow_in_low_space();
    iam.erase_entity(Kind::user, user.name);
    return {};
  });
  co_return api::DeleteUserOutput();
}

}  // namespace virga::iam
