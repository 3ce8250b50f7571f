#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "services/iam/records.h"
#include "storage/shard.h"

// All of IAM's keys. Below Space::iam, the account and "aws-global" (IAM has no regions):
//   'u' | 'r' | 'g' name → user, role, group      'p' name → customer managed policy
//   'i' name → instance profile     'a' → account alias     'o' → what the account's root has
//   'c' host and path → OpenID Connect provider     'w' → password policy
//   's' name → SAML provider        'e' → credential report
//   'm' name → virtual MFA device   't' name → server certificate
//   'h' | 'x' | 'd' id → a user's SSH public key, signing certificate, service's password
// Names are in lower case in keys: IAM's names are unique without regard to case.
// Source: IAM User Guide, "IAM and AWS STS quotas", name requirements. And, without an account, 'k'
// id → access key.
namespace virga::iam {

// Objects that only their operations look into: a format byte and JSON.
enum class DocumentKind : char {
  oidc_provider = 'c',
  password_policy = 'w',
  saml_provider = 's',
  credential_report = 'e',
  mfa_device = 'm',
  server_certificate = 't',
  ssh_public_key = 'h',
  signing_certificate = 'x',
  service_credential = 'd'
};

// Reads from a view (a snapshot or a transaction); lives no longer than it.
class IamReader {
 public:
  IamReader(const storage::View& view, std::string_view account) : view_(view), account_(account) {}

  // Errors: NoSuchEntity in IAM's words.
  Result<Entity> entity(Kind kind, std::string_view name) const;
  Result<std::optional<Entity>> find_entity(Kind kind, std::string_view name) const;
  Result<std::optional<PolicyRecord>> find_policy(std::string_view name) const;
  // By ARN of this account, path included; nullopt for anything else.
  Result<std::optional<PolicyRecord>> find_policy_by_arn(std::string_view arn) const;
  Result<InstanceProfileRecord> instance_profile(std::string_view name) const;
  Result<std::optional<InstanceProfileRecord>> find_instance_profile(std::string_view name) const;
  Result<std::optional<std::string>> alias() const;

  Result<std::optional<Document>> find_document(DocumentKind kind, std::string_view name) const;
  Result<void> each_document(DocumentKind kind, const std::function<void(Document&&)>& visit) const;

  // In the order of their names, from the first name greater than `after` (lower case) on; `visit`
  // returns false to stop.
  Result<void> each_entity(Kind kind, std::string_view after,
                           const std::function<bool(Entity&&)>& visit) const;
  Result<void> each_policy(const std::function<bool(PolicyRecord&&)>& visit) const;
  Result<void> each_instance_profile(
      const std::function<bool(InstanceProfileRecord&&)>& visit) const;

 private:
  const storage::View& view_;
  std::string account_;
};

Result<std::optional<AccessKeyRecord>> find_access_key(const storage::View& view,
                                                       std::string_view id);

// Writes into a transaction; reads see them.
class IamWriter : public IamReader {
 public:
  IamWriter(storage::Txn& txn, std::string_view account)
      : IamReader(txn, account), txn_(txn), account_(account) {}

  void put(const Entity& e);
  void put(const PolicyRecord& p);
  void put(const InstanceProfileRecord& p);
  void put(const AccessKeyRecord& k);
  void erase_entity(Kind kind, std::string_view name);
  void erase_policy(std::string_view name);
  void erase_instance_profile(std::string_view name);
  void erase_access_key(std::string_view id);
  void put_document(DocumentKind kind, std::string_view name, const Document& d);
  void erase_document(DocumentKind kind, std::string_view name);
  void put_alias(std::string_view alias);
  void erase_alias();
  storage::Txn& txn() { return txn_; }

 private:
  storage::Txn& txn_;
  std::string account_;
};

// arn:aws:iam::ACCOUNT:policy/path/name
std::string policy_arn(std::string_view partition, std::string_view account, const PolicyRecord& p);
std::string entity_arn(std::string_view partition, std::string_view account, const Entity& e);
std::string instance_profile_arn(std::string_view partition, std::string_view account,
                                 const InstanceProfileRecord& p);

}  // namespace virga::iam
