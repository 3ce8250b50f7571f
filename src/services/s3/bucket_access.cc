#include "services/s3/bucket_access.h"

#include <array>

#include "services/s3/bucket_policy.h"
#include "services/s3/configurations.h"
#include "services/s3/errors.h"

namespace virga::s3 {
namespace {

constexpr std::array<std::string_view, 3> kOwnershipNames{"BucketOwnerEnforced",
                                                          "BucketOwnerPreferred", "ObjectWriter"};

struct Mapping {
  std::string_view action;
  AclTarget target;
  Permission permission;
};

constexpr std::array kMappings{
    Mapping{"s3:ListBucket", AclTarget::bucket, Permission::read},
    Mapping{"s3:ListBucketVersions", AclTarget::bucket, Permission::read},
    Mapping{"s3:ListBucketMultipartUploads", AclTarget::bucket, Permission::read},
    Mapping{"s3:PutObject", AclTarget::bucket, Permission::write},
    Mapping{"s3:DeleteObject", AclTarget::bucket, Permission::write},
    Mapping{"s3:AbortMultipartUpload", AclTarget::bucket, Permission::write},
    Mapping{"s3:ListMultipartUploadParts", AclTarget::bucket, Permission::write},
    Mapping{"s3:GetBucketAcl", AclTarget::bucket, Permission::read_acp},
    Mapping{"s3:PutBucketAcl", AclTarget::bucket, Permission::write_acp},
    Mapping{"s3:GetObject", AclTarget::object, Permission::read},
    Mapping{"s3:GetObjectVersion", AclTarget::object, Permission::read},
    Mapping{"s3:GetObjectAttributes", AclTarget::object, Permission::read},
    Mapping{"s3:GetObjectVersionAttributes", AclTarget::object, Permission::read},
    Mapping{"s3:GetObjectAcl", AclTarget::object, Permission::read_acp},
    Mapping{"s3:GetObjectVersionAcl", AclTarget::object, Permission::read_acp},
    Mapping{"s3:PutObjectAcl", AclTarget::object, Permission::write_acp},
    Mapping{"s3:PutObjectVersionAcl", AclTarget::object, Permission::write_acp},
};

const Mapping* mapping_of(std::string_view action) {
  for (const Mapping& m : kMappings) {
    if (m.action == action) return &m;
  }
  return nullptr;
}

}  // namespace

std::string_view ownership_name(Ownership ownership) {
  return kOwnershipNames[static_cast<size_t>(ownership)];
}

std::optional<Ownership> parse_ownership(std::string_view name) {
  for (size_t i = 0; i < kOwnershipNames.size(); ++i) {
    if (kOwnershipNames[i] == name) return static_cast<Ownership>(i);
  }
  return std::nullopt;
}

Result<std::optional<PublicAccessBlock>> load_public_access_block(const S3Reader& reader,
                                                                  const Bucket& bucket) {
  VIRGA_TRY(bytes, reader.config(bucket, config::kPublicAccessBlock));
  if (!bytes || bytes->size() != 4) return std::optional<PublicAccessBlock>();
  const auto on = [&](size_t i) { return (*bytes)[i] == '1'; };
  return std::optional(PublicAccessBlock{on(0), on(1), on(2), on(3)});
}

void store_public_access_block(S3Transaction& s3, const Bucket& bucket,
                               const PublicAccessBlock& block) {
  std::string bytes;
  for (const bool on : {block.block_public_acls, block.ignore_public_acls,
                        block.block_public_policy, block.restrict_public_buckets}) {
    bytes.push_back(on ? '1' : '0');
  }
  s3.put_config(bucket, config::kPublicAccessBlock, bytes);
}

Result<BucketAccess> load_access(const S3Reader& reader, const Owners& owners,
                                 const Bucket& bucket) {
  BucketAccess out;
  VIRGA_TRY(acl, reader.config(bucket, config::kAcl));
  VIRGA_TRY(policy, reader.config(bucket, config::kPolicy));
  VIRGA_TRY(ownership, reader.config(bucket, config::kOwnership));
  VIRGA_TRY(block, load_public_access_block(reader, bucket));
  out.acl = acl ? decode_acl(*acl) : private_acl(owners.of_account(bucket.owner).canonical_id);
  if (policy) {
    out.policy = std::move(*policy);
    out.public_policy = is_public_policy(out.policy);
  }
  if (ownership) out.ownership = parse_ownership(*ownership).value_or(Ownership::object_writer);
  if (block) out.block = *block;
  return out;
}

bool acl_grants(const BucketAccess& access, const std::optional<Acl>& object,
                std::string_view caller, std::string_view action) {
  const Mapping* m = mapping_of(action);
  if (!m || access.acls_disabled()) return false;
  if (m->target == AclTarget::object && !object) return false;
  const Acl& acl = m->target == AclTarget::object ? *object : access.acl;
  return (access.block.ignore_public_acls ? acl.without_public_grants() : acl)
      .allows(caller, m->permission);
}

bool is_object_acl_action(std::string_view action) {
  const Mapping* m = mapping_of(action);
  return m && m->target == AclTarget::object;
}

Result<NewObjectAcl> new_object_acl(const S3Reader& reader, const Owners& owners,
                                    const Bucket& bucket, std::string_view writer_account,
                                    const AclHeaders& headers) {
  VIRGA_TRY(ownership_text, reader.config(bucket, config::kOwnership));
  const auto ownership =
      parse_ownership(ownership_text.value_or("")).value_or(Ownership::object_writer);
  NewObjectAcl out{.owner = bucket.owner, .acl = ""};
  if (ownership == Ownership::bucket_owner_enforced && headers.empty()) return out;
  const bool to_bucket_owner = headers.canned == "bucket-owner-full-control";
  const Owner bucket_owner = owners.of_account(bucket.owner);
  if (ownership == Ownership::bucket_owner_enforced) {
    const bool full_control_only =
        headers.grant_full_control == "id=\"" + bucket_owner.canonical_id + "\"" &&
        !headers.canned && !headers.grant_read && !headers.grant_read_acp &&
        !headers.grant_write_acp;
    if (!to_bucket_owner && !full_control_only) return fail(acl_not_supported());
    return out;
  }
  if (!(ownership == Ownership::bucket_owner_preferred && to_bucket_owner) &&
      !writer_account.empty())
    out.owner = writer_account;
  const AclContext context{.owners = owners,
                           .owner = owners.of_account(out.owner).canonical_id,
                           .bucket_owner = bucket_owner.canonical_id,
                           .target = AclTarget::object};
  VIRGA_TRY(acl, acl_of_headers(headers, context));
  if (acl == private_acl(context.owner)) return out;
  if (acl.is_public()) {
    VIRGA_TRY(block, load_public_access_block(reader, bucket));
    if (block && block->block_public_acls) return fail(errors::access_denied());
  }
  out.acl = encode_acl(acl);
  return out;
}

AwsError acl_not_supported() {
  return errors::make("AccessControlListNotSupported", 400, "The bucket does not allow ACLs");
}

}  // namespace virga::s3
