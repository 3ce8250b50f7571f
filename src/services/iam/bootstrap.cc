// Keys that exist before anyone can ask for them: those of the configuration file, and the first
// root key.
#include <algorithm>

#include "services/iam/identity.h"
#include "services/iam/ids.h"

namespace virga::iam {
namespace {

Result<void> preload_one(storage::Txn& txn, const BootstrapKey& wanted, async::Env& env) {
  IamWriter iam(txn, wanted.account);
  const Kind kind = wanted.user.empty() ? Kind::root : Kind::user;
  VIRGA_TRY(owner, iam.find_entity(kind, wanted.user));
  if (!owner) {
    owner = Entity{.kind = kind, .name = wanted.user};
    owner->id = kind == Kind::root ? wanted.account : new_unique_id("AIDA", env.random);
    owner->created = env.cloud.now().at;
    owner->attached = wanted.policy_arns;
  }
  if (std::find(owner->access_keys.begin(), owner->access_keys.end(), wanted.access_key_id) ==
      owner->access_keys.end()) {
    owner->access_keys.push_back(wanted.access_key_id);
    iam.put(*owner);
  }
  VIRGA_TRY(key, find_access_key(txn, wanted.access_key_id));
  if (key && key->account == wanted.account && key->user == owner->name &&
      key->secret == wanted.secret)
    return {};
  iam.put(AccessKeyRecord{.id = wanted.access_key_id,
                          .account = wanted.account,
                          .user = owner->name,
                          .secret = wanted.secret,
                          .active = true,
                          .created = env.cloud.now().at});
  return {};
}

}  // namespace

Task<void> Identity::preload(std::vector<BootstrapKey> keys) {
  storage::Committed<void> done = co_await shard_.transact(
      storage::CommitClass::durable, [&](storage::Txn& txn) -> Result<void> {
        changing(txn.lsn());
        for (const BootstrapKey& key : keys) VIRGA_TRY_VOID(preload_one(txn, key, env_));
        return {};
      });
  co_await std::move(done.result);
  co_await shard_.wait_durable(done.lsn);
  co_return ok();
}

Task<std::optional<platform::Credential>> Identity::ensure_root_key(std::string account) {
  AccessKeyRecord key{.id = new_access_key_id("AKIA", account, env_.random),
                      .account = account,
                      .user = "",
                      .secret = new_secret(),
                      .active = true,
                      .created = env_.cloud.now().at};
  storage::Committed<bool> done = co_await shard_.transact(
      storage::CommitClass::durable, [&](storage::Txn& txn) -> Result<bool> {
        changing(txn.lsn());
        IamWriter iam(txn, account);
        VIRGA_TRY(root, iam.find_entity(Kind::root, ""));
        if (root && !root->access_keys.empty()) return false;
        if (!root) root = Entity{.kind = Kind::root};
        root->id = account;
        root->access_keys.push_back(key.id);
        iam.put(*root);
        iam.put(key);
        return true;
      });
  const bool made = co_await std::move(done.result);
  co_await shard_.wait_durable(done.lsn);
  if (!made) co_return std::optional<platform::Credential>();
  auto credential = co_await find_access_key(key.id, "");
  co_return std::move(credential);
}

}  // namespace virga::iam
