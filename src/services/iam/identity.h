#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "platform/identity.h"
#include "services/iam/iam_store.h"
#include "storage/shard.h"

namespace virga::iam {

// A key from the configuration file.
struct BootstrapKey {
  std::string account;  // 12 digits
  std::string user;     // empty: the account's root
  std::string access_key_id;
  std::string secret;
  std::vector<std::string> policy_arns;  // attached to the user if it has to be made
};

// Who stands behind keys, for the door: IAM's state with a cache in front. Temporary credentials
// are not stored: the token holds what they are and a MAC by a key that the shard keeps, the secret
// is derived from it. Any loop may ask; the cache is behind one mutex that is never held over
// anything slow. An entry counts only if it was read at or after the last write.
class Identity final : public platform::IdentityStore {
 public:
  // Creates the MAC key if the shard has none. Both arguments outlive the object.
  static Task<std::unique_ptr<Identity>> open(storage::Shard& shard, async::Env& env);

  Task<std::optional<platform::Credential>> find_access_key(std::string access_key_id,
                                                            std::string session_token) override;
  Task<std::optional<std::string>> account_of_access_key(std::string access_key_id) override;
  Task<platform::PrincipalPolicies> policies_for(
      Principal principal, std::shared_ptr<const platform::SessionInfo> session) override;
  Task<std::optional<platform::RoleInfo>> find_role(std::string role_arn) override;
  Task<platform::Credential> issue_session(platform::SessionRequest request) override;

  // Users and keys that must be there; what exists stays as it is, but for a key's secret. Durable
  // when it returns.
  Task<void> preload(std::vector<BootstrapKey> keys);
  // The account's first root key, made now; nullopt when the account's root has a key already. To
  // be shown once.
  Task<std::optional<platform::Credential>> ensure_root_key(std::string account);

  // A transaction that changes IAM's state is about to commit with this LSN: nothing read before
  // counts any more.
  void changing(storage::Lsn lsn);

 private:
  Identity(storage::Shard& shard, async::Env& env) : shard_(shard), env_(env) {}

  struct Stamp {
    storage::Lsn lsn;
    storage::Generation generation;
  };
  template <class T>
  struct Cached {
    Stamp at;
    T value;
  };
  Stamp now() const;
  bool valid(const Stamp& at) const;

  Result<std::optional<platform::Credential>> load_key(const std::string& id) const;
  std::optional<platform::Credential> open_token(const std::string& id,
                                                 const std::string& token) const;
  Result<platform::PrincipalPolicies> load_policies(const Principal& principal) const;
  std::shared_ptr<const platform::SessionInfo> seen_session(const Principal& principal) const;
  // Adds what the session brings: its policies, its tags.
  Result<void> apply_session(const Principal& principal, const platform::SessionInfo& session,
                             platform::PrincipalPolicies& out) const;
  Result<std::optional<platform::RoleInfo>> load_role(const std::string& arn) const;

  storage::Shard& shard_;
  async::Env& env_;
  std::string mac_key_;
  std::atomic<storage::Lsn> last_write_{0};

  mutable std::mutex mutex_;
  std::unordered_map<std::string, Cached<std::optional<platform::Credential>>> keys_;
  std::unordered_map<std::string, Cached<platform::PrincipalPolicies>>
      policies_;                                                  // by principal ARN
  std::unordered_map<std::string, platform::Credential> tokens_;  // by key id; they never change
};

}  // namespace virga::iam
