#include "api/s3/delete_bucket_ownership_controls.h"
#include "api/s3/get_bucket_ownership_controls.h"
#include "api/s3/put_bucket_ownership_controls.h"
#include "services/s3/bucket_access.h"
#include "services/s3/configurations.h"
#include "services/s3/errors.h"
#include "services/s3/service.h"

namespace virga::s3 {

// Source: S3 User Guide, "Controlling ownership of objects", "Prerequisites for disabling ACLs": a
// bucket whose list grants something to others keeps its lists.
Task<api::PutBucketOwnershipControlsOutput> Service::put_bucket_ownership_controls(
    Ctx ctx, api::PutBucketOwnershipControlsInput input) {
  if (input.ownership_controls.rules.size() != 1) co_return fail(errors::malformed_xml());
  const auto ownership = parse_ownership(input.ownership_controls.rules.front().object_ownership);
  if (!ownership) co_return fail(errors::malformed_xml());
  const auto body = [&](S3Transaction& s3) -> Result<bool> {
    VIRGA_TRY(bucket, s3.bucket(input.bucket));
    VIRGA_TRY(access, load_access(s3, owners_, bucket));
    const bool others = access.acl != private_acl(access.acl.owner);
    if (*ownership == Ownership::bucket_owner_enforced && !access.acls_disabled() && others) {
      return fail(errors::make(
          "InvalidBucketAclWithObjectOwnership", 400,
          "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting"));
    }
    s3.put_config(bucket, config::kOwnership, ownership_name(*ownership));
    return true;
  };
  const bool done = co_await write(ctx, body);
  ignore(done, "always");
  co_return api::PutBucketOwnershipControlsOutput{};
}

Task<api::GetBucketOwnershipControlsOutput> Service::get_bucket_ownership_controls(
    Ctx ctx, api::GetBucketOwnershipControlsInput input) {
  const auto ownership = co_await config_of(input.bucket, config::kOwnership);
  if (!ownership) {
    co_return fail(errors::make("OwnershipControlsNotFoundError", 404,
                                "The bucket ownership controls were not found", "BucketName",
                                input.bucket));
  }
  api::GetBucketOwnershipControlsOutput output;
  output.ownership_controls.emplace().rules.emplace_back().object_ownership = *ownership;
  co_return std::move(output);
}

Task<api::DeleteBucketOwnershipControlsOutput> Service::delete_bucket_ownership_controls(
    Ctx ctx, api::DeleteBucketOwnershipControlsInput input) {
  co_await drop_config(ctx, input.bucket, config::kOwnership);
  co_return api::DeleteBucketOwnershipControlsOutput{};
}

}  // namespace virga::s3
