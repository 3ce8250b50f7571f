#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/s3/shapes/access_control_policy.h"
#include "base/error.h"
#include "services/s3/owners.h"

// Access control lists of buckets and objects. Source: S3 User Guide, "Access control list (ACL)
// overview".
namespace virga::s3 {

inline constexpr std::string_view kAllUsers = "http://acs.amazonaws.com/groups/global/AllUsers";
inline constexpr std::string_view kAuthenticatedUsers =
    "http://acs.amazonaws.com/groups/global/AuthenticatedUsers";
inline constexpr std::string_view kLogDelivery = "http://acs.amazonaws.com/groups/s3/LogDelivery";

enum class Permission { full_control, read, write, read_acp, write_acp };
enum class AclTarget { bucket, object };

struct Grant {
  bool group = false;
  std::string grantee;  // canonical id, or the group's URI
  Permission permission = Permission::read;
  friend bool operator==(const Grant&, const Grant&) = default;
};

struct Acl {
  std::string owner;  // canonical id
  std::vector<Grant> grants;
  friend bool operator==(const Acl&, const Acl&) = default;

  // Grants something to everybody, or to every AWS account.
  bool is_public() const;
  // As if the public grants were not there (IgnorePublicAcls).
  Acl without_public_grants() const;
  // `caller` is a canonical id; empty for anonymous callers.
  bool allows(std::string_view caller, Permission permission) const;
};

// What an object or bucket has when nothing was said: full control for its owner.
Acl private_acl(std::string_view owner);

// The x-amz-acl header and the x-amz-grant-… ones of a request.
struct AclHeaders {
  std::optional<std::string> canned;
  std::optional<std::string> grant_full_control, grant_read, grant_write, grant_read_acp,
      grant_write_acp;
  bool any_grant() const {
    return grant_full_control || grant_read || grant_write || grant_read_acp || grant_write_acp;
  }
  bool empty() const { return !canned && !any_grant(); }
};
// The headers of any input that has them.
template <class Input>
AclHeaders acl_headers(const Input& input) {
  AclHeaders out{.canned = input.acl,
                 .grant_full_control = input.grant_full_control,
                 .grant_read = input.grant_read};
  out.grant_read_acp = input.grant_read_acp;
  out.grant_write_acp = input.grant_write_acp;
  if constexpr (requires { input.grant_write; }) out.grant_write = input.grant_write;
  return out;
}

struct AclContext {
  const Owners& owners;
  std::string owner;         // canonical id of whom the list's subject belongs to
  std::string bucket_owner;  // canonical id
  AclTarget target = AclTarget::object;
};

// The list that the headers ask for; private when there are none.
// Errors: InvalidArgument (unknown canned list, group, id), InvalidRequest (both kinds of headers),
// UnresolvableGrantByEmailAddress.
Result<Acl> acl_of_headers(const AclHeaders& headers, const AclContext& context);
// The list of a request's body. Errors beside those: MalformedACLError; AccessDenied when it names
// another owner.
Result<Acl> acl_of_policy(const api::AccessControlPolicy& policy, const AclContext& context);

// What GetBucketAcl and GetObjectAcl answer.
api::Owner to_api_owner(const Owners& owners, std::string_view canonical_id);
std::vector<api::Grant> to_api_grants(const Owners& owners, const Acl& acl);

// As stored: "owner\n" and a line "G|C permission grantee" each.
std::string encode_acl(const Acl& acl);
Acl decode_acl(std::string_view text);

}  // namespace virga::s3
