#include <utility>

#include "api/s3/get_bucket_acl.h"
#include "api/s3/get_object_acl.h"
#include "api/s3/put_bucket_acl.h"
#include "api/s3/put_object_acl.h"
#include "services/s3/bucket_access.h"
#include "services/s3/configurations.h"
#include "services/s3/errors.h"
#include "services/s3/object_access.h"
#include "services/s3/service.h"

namespace virga::s3 {
namespace {

// The list that PutBucketAcl or PutObjectAcl asks for. Source: S3 API Reference, PutBucketAcl;
// recorded answers.
template <class Input>
Result<Acl> wanted_acl(const Input& input, const BucketAccess& access, const AclContext& context) {
  const AclHeaders headers = acl_headers(input);
  const bool body = static_cast<bool>(input.access_control_policy);
  if (!headers.empty() && body)
    return fail(errors::make("UnexpectedContent", 400, "This request does not support content"));
  if (headers.empty() && !body) {
    return fail(errors::make("MissingSecurityHeader", 400,
                             "Your request was missing a required header", "MissingHeaderName",
                             "x-amz-acl"));
  }
  if (access.acls_disabled()) return fail(acl_not_supported());
  VIRGA_TRY(acl, body ? acl_of_policy(*input.access_control_policy, context)
                      : acl_of_headers(headers, context));
  if (access.block.block_public_acls && acl.is_public()) return fail(errors::access_denied());
  return acl;
}

Result<ObjectVersion> object_version(const S3Reader& reader, const Bucket& bucket,
                                     const std::string& key,
                                     const std::optional<std::string>& version_id) {
  VIRGA_TRY_VOID(check_version_id(version_id));
  VIRGA_TRY(object,
            version_id ? reader.version(bucket, key, *version_id) : reader.current(bucket, key));
  if (!object && version_id) return fail(errors::no_such_version(key, *version_id));
  if (!object || (object->delete_marker && !version_id)) return fail(errors::no_such_key(key));
  if (object->delete_marker) return fail(errors::method_not_allowed("GET", "DeleteMarker"));
  return std::move(*object);
}

}  // namespace

Task<api::PutBucketAclOutput> Service::put_bucket_acl(Ctx ctx, api::PutBucketAclInput input) {
  const auto body = [&](S3Transaction& s3) -> Result<bool> {
    VIRGA_TRY(bucket, s3.bucket(input.bucket));
    VIRGA_TRY(access, load_access(s3, owners_, bucket));
    const std::string owner = owners_.of_account(bucket.owner).canonical_id;
    VIRGA_TRY(acl, wanted_acl(input, access,
                              {.owners = owners_,
                               .owner = owner,
                               .bucket_owner = owner,
                               .target = AclTarget::bucket}));
    s3.put_config(bucket, config::kAcl, encode_acl(acl));
    return true;
  };
  const bool done = co_await write(ctx, body);
  ignore(done, "always");
  co_return api::PutBucketAclOutput{};
}

// With lists disabled, the owner's full control is all that shows.
Task<api::GetBucketAclOutput> Service::get_bucket_acl(Ctx ctx, api::GetBucketAclInput input) {
  const auto view = shard_.snapshot();
  const S3Reader reader(*view);
  const Bucket bucket = co_await reader.bucket(input.bucket);
  const BucketAccess access = co_await load_access(reader, owners_, bucket);
  const Acl acl = access.acls_disabled() ? private_acl(access.acl.owner) : access.acl;
  api::GetBucketAclOutput output;
  output.owner = to_api_owner(owners_, acl.owner);
  output.grants = to_api_grants(owners_, acl);
  co_return std::move(output);
}

Task<api::PutObjectAclOutput> Service::put_object_acl(Ctx ctx, api::PutObjectAclInput input) {
  const auto body = [&](S3Transaction& s3) -> Result<bool> {
    VIRGA_TRY(bucket, s3.bucket(input.bucket));
    VIRGA_TRY(object, object_version(s3, bucket, input.key, input.version_id));
    VIRGA_TRY(access, load_access(s3, owners_, bucket));
    const AclContext context{.owners = owners_,
                             .owner = owners_.of_account(object.owner).canonical_id,
                             .bucket_owner = owners_.of_account(bucket.owner).canonical_id,
                             .target = AclTarget::object};
    VIRGA_TRY(acl, wanted_acl(input, access, context));
    const std::string before = std::exchange(object.acl, encode_acl(acl));
    if (before == object.acl) return true;  // nobody is told of what stays as it was
    VIRGA_TRY_VOID(s3.update(bucket, object));
    VIRGA_TRY_VOID(
        notifications_.publish(s3, *ctx, bucket, object_event("ObjectAcl:Put", bucket, object)));
    return true;
  };
  const bool done = co_await write(ctx, body);
  ignore(done, "always");
  co_return api::PutObjectAclOutput{};
}

Task<api::GetObjectAclOutput> Service::get_object_acl(Ctx ctx, api::GetObjectAclInput input) {
  const auto view = shard_.snapshot();
  const S3Reader reader(*view);
  const Bucket bucket = co_await reader.bucket(input.bucket);
  const ObjectVersion object = co_await object_version(reader, bucket, input.key, input.version_id);
  const BucketAccess access = co_await load_access(reader, owners_, bucket);
  const std::string owner =
      owners_.of_account(access.acls_disabled() ? bucket.owner : object.owner).canonical_id;
  const Acl acl =
      access.acls_disabled() || object.acl.empty() ? private_acl(owner) : decode_acl(object.acl);
  api::GetObjectAclOutput output;
  output.owner = to_api_owner(owners_, acl.owner);
  output.grants = to_api_grants(owners_, acl);
  co_return std::move(output);
}

}  // namespace virga::s3
