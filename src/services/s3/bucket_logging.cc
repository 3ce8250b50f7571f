#include "api/s3/get_bucket_logging.h"
#include "api/s3/put_bucket_logging.h"
#include "services/s3/configurations.h"
#include "services/s3/enum_values.h"
#include "services/s3/errors.h"
#include "services/s3/service.h"

namespace virga::s3 {
namespace {

// Source: S3 API Reference, "Error responses"; answers that users report.
Result<void> check_log_target(const S3Transaction& s3, const Bucket& source,
                              const api::LoggingEnabled& logging) {
  const auto refused = [&](std::string message) {
    return fail(errors::make("InvalidTargetBucketForLogging", 400, std::move(message),
                             "TargetBucket", logging.target_bucket));
  };
  VIRGA_TRY(target, s3.find_bucket(logging.target_bucket));
  if (!target) return refused("The target bucket for logging does not exist");
  if (target->owner != source.owner) {
    return refused("The owner for the bucket to be logged and the target bucket must be the same.");
  }
  if (target->region != source.region) {
    return fail(errors::make("CrossLocationLoggingProhibited", 403,
                             "Cross S3 location logging not allowed. ", "TargetBucketLocation",
                             target->region));
  }
  return {};
}

}  // namespace

// Kept and told: access logs, which S3 delivers "on a best-effort basis", are not delivered. An
// empty status turns logging off. Source: S3 API Reference, PutBucketLogging.
Task<api::PutBucketLoggingOutput> Service::put_bucket_logging(Ctx ctx,
                                                              api::PutBucketLoggingInput input) {
  co_await check_enum_values(input.bucket_logging_status);
  const auto& logging = input.bucket_logging_status.logging_enabled;
  if (logging && logging->target_object_key_format) {
    const auto& format = *logging->target_object_key_format;
    if (static_cast<bool>(format.simple_prefix) == static_cast<bool>(format.partitioned_prefix))
      co_return fail(errors::malformed_xml());
  }
  const auto body = [&](S3Transaction& s3) -> Result<bool> {
    VIRGA_TRY(bucket, s3.bucket(input.bucket));
    if (!logging) {
      s3.erase_config(bucket, config::kLogging);
      return true;
    }
    VIRGA_TRY_VOID(check_log_target(s3, bucket, *logging));
    s3.put_config(bucket, config::kLogging, encode_config(input.bucket_logging_status));
    return true;
  };
  const bool done = co_await write(ctx, body);
  ignore(done, "always");
  co_return api::PutBucketLoggingOutput();
}

Task<api::GetBucketLoggingOutput> Service::get_bucket_logging(Ctx,
                                                              api::GetBucketLoggingInput input) {
  const auto bytes = co_await config_of(input.bucket, config::kLogging);
  api::GetBucketLoggingOutput output;
  if (!bytes) co_return std::move(output);
  api::BucketLoggingStatus status = co_await decode_config<api::BucketLoggingStatus>(*bytes);
  output.logging_enabled = std::move(status.logging_enabled);
  co_return std::move(output);
}

}  // namespace virga::s3
