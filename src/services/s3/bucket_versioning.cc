#include "api/s3/get_bucket_versioning.h"
#include "api/s3/put_bucket_versioning.h"
#include "services/s3/errors.h"
#include "services/s3/service.h"

namespace virga::s3 {

// Source: S3 API Reference, PutBucketVersioning; recorded answers.
Task<api::PutBucketVersioningOutput> Service::put_bucket_versioning(
    Ctx ctx, api::PutBucketVersioningInput input) {
  const api::VersioningConfiguration& wanted = input.versioning_configuration;
  if (wanted.mfa_delete == "Enabled") {
    co_return fail(errors::make(
        "NotImplemented", 501,
        "A header you provided implies functionality that is not implemented: MfaDelete"));
  }
  if (!wanted.status) {
    co_return fail(errors::make("IllegalVersioningConfigurationException", 400,
                                "The Versioning element must be specified"));
  }
  if (*wanted.status != "Enabled" && *wanted.status != "Suspended")
    co_return fail(errors::malformed_xml());
  const bool enable = *wanted.status == "Enabled";
  const auto body = [&](S3Transaction& s3) -> Result<bool> {
    VIRGA_TRY(bucket, s3.bucket(input.bucket));
    if (bucket.object_lock && !enable) {
      return fail(errors::make("InvalidBucketState", 409,
                               "An Object Lock configuration is present on this bucket, so the "
                               "versioning state cannot be changed."));
    }
    bucket.versioning = enable ? Versioning::enabled : Versioning::suspended;
    s3.put(bucket);
    return true;
  };
  const bool done = co_await write(ctx, body);
  ignore(done, "always");
  co_return api::PutBucketVersioningOutput{};
}

// A bucket that never had versioning answers an empty configuration.
Task<api::GetBucketVersioningOutput> Service::get_bucket_versioning(
    Ctx ctx, api::GetBucketVersioningInput input) {
  const Bucket bucket = co_await bucket_named(input.bucket);
  api::GetBucketVersioningOutput output;
  if (bucket.versioning == Versioning::enabled) output.status = "Enabled";
  if (bucket.versioning == Versioning::suspended) output.status = "Suspended";
  co_return std::move(output);
}

}  // namespace virga::s3
