#include <algorithm>

#include "api/iam/create_access_key.h"
#include "api/iam/delete_access_key.h"
#include "api/iam/get_access_key_last_used.h"
#include "api/iam/list_access_keys.h"
#include "api/iam/shapes/access_key.h"
#include "api/iam/shapes/access_key_last_used.h"
#include "api/iam/shapes/access_key_metadata.h"
#include "api/iam/update_access_key.h"
#include "services/iam/errors.h"
#include "services/iam/ids.h"
#include "services/iam/service.h"
#include "services/iam/support.h"

namespace virga::iam {
namespace {

constexpr size_t kKeysPerUser = 2;  // IAM User Guide, "IAM and AWS STS quotas"

// Whose keys a call means: the named user's, else the caller's own; the root's under an empty name.
struct Owner {
  Kind kind = Kind::user;
  std::string name;
};

Result<Owner> owner_of(const RequestContext& context, const std::optional<std::string>& user_name) {
  if (user_name) return Owner{Kind::user, *user_name};
  if (context.principal.kind == Principal::Kind::root) return Owner{Kind::root, ""};
  const auto own = calling_user(context);
  if (!own) return fail(errors::must_specify_user_name());
  return Owner{Kind::user, *own};
}

// The root has a record only once it has keys.
Result<Entity> load_owner(const IamReader& iam, const Owner& owner) {
  if (owner.kind == Kind::user) return iam.entity(Kind::user, owner.name);
  VIRGA_TRY(found, iam.find_entity(Kind::root, ""));
  if (found) return std::move(*found);
  return Entity{.kind = Kind::root};
}

// The key, if it is this owner's.
Result<AccessKeyRecord> key_of(IamWriter& iam, const Owner& owner, const std::string& id) {
  VIRGA_TRY(entity, load_owner(iam, owner));
  VIRGA_TRY(key, find_access_key(iam.txn(), id));
  const bool own = key && std::find(entity.access_keys.begin(), entity.access_keys.end(), id) !=
                              entity.access_keys.end();
  if (!own) return fail(errors::no_such_access_key(id));
  return std::move(*key);
}

}  // namespace

Task<api::CreateAccessKeyOutput> Service::create_access_key(Ctx ctx,
                                                            api::CreateAccessKeyInput input) {
  const Owner owner = co_await owner_of(*ctx, input.user_name);
  AccessKeyRecord key{.id = new_access_key_id("AKIA", ctx->account, ctx->env->random),
                      .account = ctx->account,
                      .user = "",
                      .secret = new_secret(),
                      .active = true,
                      .created = ctx->now.at};
  co_await write(ctx, [&](IamWriter& iam) -> Result<void> {
    VIRGA_TRY(entity, load_owner(iam, owner));
    if (entity.access_keys.size() >= kKeysPerUser)
      return fail(errors::limit_exceeded("Cannot exceed quota for AccessKeysPerUser: 2"));
    VIRGA_TRY(taken, find_access_key(iam.txn(), key.id));
    if (taken) return fail(internal_failure("a new access key id was taken"));
    key.user = entity.name;
    entity.access_keys.push_back(key.id);
    iam.put(entity);
    iam.put(key);
    return {};
  });
  api::CreateAccessKeyOutput output;
  output.access_key.user_name = key.user.empty() ? "root" : key.user;
  output.access_key.access_key_id = key.id;
  output.access_key.status = "Active";
  output.access_key.secret_access_key = key.secret;
  output.access_key.create_date = key.created;
  co_return output;
}

Task<api::UpdateAccessKeyOutput> Service::update_access_key(Ctx ctx,
                                                            api::UpdateAccessKeyInput input) {
  const Owner owner = co_await owner_of(*ctx, input.user_name);
  co_await write(ctx, [&](IamWriter& iam) -> Result<void> {
    VIRGA_TRY(key, key_of(iam, owner, input.access_key_id));
    key.active = input.status == "Active";
    iam.put(key);
    return {};
  });
  co_return api::UpdateAccessKeyOutput();
}

Task<api::DeleteAccessKeyOutput> Service::delete_access_key(Ctx ctx,
                                                            api::DeleteAccessKeyInput input) {
  const Owner owner = co_await owner_of(*ctx, input.user_name);
  co_await write(ctx, [&](IamWriter& iam) -> Result<void> {
    VIRGA_TRY(key, key_of(iam, owner, input.access_key_id));
    VIRGA_TRY(entity, load_owner(iam, owner));
    std::erase(entity.access_keys, key.id);
    iam.txn().allow_in_low_space();
    iam.put(entity);
    iam.erase_access_key(key.id);
    return {};
  });
  co_return api::DeleteAccessKeyOutput();
}

Task<api::ListAccessKeysOutput> Service::list_access_keys(Ctx ctx, api::ListAccessKeysInput input) {
  const Owner owner = co_await owner_of(*ctx, input.user_name);
  const auto view = shard_.snapshot();
  const IamReader reader(*view, ctx->account);
  const Entity entity = co_await load_owner(reader, owner);
  std::vector<std::string> ids = entity.access_keys;
  std::sort(ids.begin(), ids.end());
  api::ListAccessKeysOutput output;
  const auto page = co_await page_of(ids, input.marker, input.max_items, output,
                                     [](const std::string& id) { return id; });
  for (const std::string& id : page) {
    const auto key = co_await find_access_key(*view, id);
    if (!key) continue;
    api::AccessKeyMetadata& m = output.access_key_metadata.emplace_back();
    m.user_name = key->user.empty() ? "root" : key->user;
    m.access_key_id = key->id;
    m.status = key->active ? "Active" : "Inactive";
    m.create_date = key->created;
  }
  co_return output;
}

// DIFFERS: the use of keys is not recorded; AWS answers N/A for a key that was never used, and so
// do we for all.
Task<api::GetAccessKeyLastUsedOutput> Service::get_access_key_last_used(
    Ctx ctx, api::GetAccessKeyLastUsedInput input) {
  const auto view = shard_.snapshot();
  const auto key = co_await find_access_key(*view, input.access_key_id);
  if (!key || key->account != ctx->account)
    co_return fail(errors::no_such_access_key(input.access_key_id));
  api::GetAccessKeyLastUsedOutput output;
  if (!key->user.empty()) output.user_name = key->user;
  api::AccessKeyLastUsed used;
  used.service_name = "N/A";
  used.region = "N/A";
  output.access_key_last_used = used;
  co_return output;
}

}  // namespace virga::iam
