#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "services/s3/acl.h"
#include "services/s3/s3_store.h"

// What decides, beside identities' own policies, who may do what to a bucket and its objects.
namespace virga::s3 {

// Source: S3 User Guide, "Controlling ownership of objects and disabling ACLs for your bucket".
enum class Ownership { bucket_owner_enforced, bucket_owner_preferred, object_writer };
std::string_view ownership_name(Ownership ownership);
std::optional<Ownership> parse_ownership(std::string_view name);

// Source: S3 User Guide, "Blocking public access to your Amazon S3 storage".
struct PublicAccessBlock {
  bool block_public_acls = false;
  bool ignore_public_acls = false;
  bool block_public_policy = false;
  bool restrict_public_buckets = false;
};
// Of new buckets, since April 2023.
inline constexpr PublicAccessBlock kBlockAll{true, true, true, true};

struct BucketAccess {
  Acl acl;
  std::string policy;  // text; empty: none
  bool public_policy = false;
  Ownership ownership =
      Ownership::object_writer;  // of a bucket whose ownership controls were deleted
  PublicAccessBlock block;

  bool acls_disabled() const { return ownership == Ownership::bucket_owner_enforced; }
};

Result<BucketAccess> load_access(const S3Reader& reader, const Owners& owners,
                                 const Bucket& bucket);
// nullopt: the configuration was deleted.
Result<std::optional<PublicAccessBlock>> load_public_access_block(const S3Reader& reader,
                                                                  const Bucket& bucket);
void store_public_access_block(S3Transaction& s3, const Bucket& bucket,
                               const PublicAccessBlock& block);

// Whether a list grants what an action on the bucket or an object needs. `caller`: canonical id,
// empty for anonymous. Source: S3 User Guide, "Access control list (ACL) overview", "Mapping of ACL
// permissions and access policy permissions".
bool acl_grants(const BucketAccess& access, const std::optional<Acl>& object,
                std::string_view caller, std::string_view action);
// Whether the action is one that objects' own lists decide.
bool is_object_acl_action(std::string_view action);

// The list that a request gives to a new object, checked against the bucket's settings, as kept in
// ObjectVersion::acl (empty: the owner's alone), and whose the object will be. Errors: those of
// acl_of_headers; AccessControlListNotSupported; AccessDenied for a public one that is blocked.
struct NewObjectAcl {
  std::string owner;  // account
  std::string acl;
};
Result<NewObjectAcl> new_object_acl(const S3Reader& reader, const Owners& owners,
                                    const Bucket& bucket, std::string_view writer_account,
                                    const AclHeaders& headers);

// AccessControlListNotSupported, 400.
AwsError acl_not_supported();

}  // namespace virga::s3
