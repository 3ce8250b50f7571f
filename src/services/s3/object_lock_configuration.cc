#include "api/s3/get_object_lock_configuration.h"
#include "api/s3/put_object_lock_configuration.h"
#include "base/document.h"
#include "services/s3/configurations.h"
#include "services/s3/errors.h"
#include "services/s3/service.h"

// Whether a bucket's versions can be locked, and how long new ones are by default. Source: S3 API
// Reference, PutObjectLockConfiguration, GetObjectLockConfiguration; S3 User Guide, "Locking
// objects with Object Lock"; recorded answers for the refusals.
namespace virga::s3 {
namespace {

constexpr int32_t kDaysMax = 36'500;
constexpr int32_t kYearsMax = 100;

Result<void> check_period(const std::optional<int32_t>& period, int32_t most, const char* unit) {
  if (!period || (*period > 0 && *period <= most)) return {};
  return fail(errors::make("InvalidArgument", 400,
                           *period <= 0
                               ? "Default retention period must be a positive integer value."
                               : "Default retention period too large.",
                           "ArgumentName", unit));
}

Result<void> check_configuration(const api::ObjectLockConfiguration& configuration) {
  if (configuration.object_lock_enabled != "Enabled") return fail(errors::malformed_xml());
  if (!configuration.rule) return {};
  if (!configuration.rule->default_retention) return fail(errors::malformed_xml());
  const api::DefaultRetention& retention = *configuration.rule->default_retention;
  const bool known_mode = retention.mode == "GOVERNANCE" || retention.mode == "COMPLIANCE";
  if (!known_mode || retention.days.has_value() == retention.years.has_value())
    return fail(errors::malformed_xml());
  VIRGA_TRY_VOID(check_period(retention.days, kDaysMax, "Days"));
  return check_period(retention.years, kYearsMax, "Years");
}

}  // namespace

// A bucket that was made without locks gets them with its first configuration, for good.
Task<api::PutObjectLockConfigurationOutput> Service::put_object_lock_configuration(
    Ctx ctx, api::PutObjectLockConfigurationInput input) {
  const Bucket there = co_await bucket_named(input.bucket);
  if (!input.object_lock_configuration) co_return fail(errors::malformed_xml());
  const api::ObjectLockConfiguration& configuration = *input.object_lock_configuration;
  co_await check_configuration(configuration);
  const auto body = [&](S3Transaction& s3) -> Result<bool> {
    VIRGA_TRY(bucket, s3.bucket(there.name));
    if (bucket.versioning != Versioning::enabled) {
      return fail(errors::make(
          "InvalidBucketState", 409,
          "Versioning must be 'Enabled' on the bucket to apply a Object Lock configuration"));
    }
    if (!bucket.object_lock) {
      bucket.object_lock = true;
      s3.put(bucket);
    }
    s3.put_config(bucket, config::kObjectLock, encode_config(configuration));
    return true;
  };
  const bool done = co_await write(ctx, body);
  ignore(done, "always");
  co_return api::PutObjectLockConfigurationOutput{};
}

Task<api::GetObjectLockConfigurationOutput> Service::get_object_lock_configuration(
    Ctx ctx, api::GetObjectLockConfigurationInput input) {
  const Bucket bucket = co_await bucket_named(input.bucket);
  if (!bucket.object_lock) {
    co_return fail(errors::make("ObjectLockConfigurationNotFoundError", 404,
                                "Object Lock configuration does not exist for this bucket",
                                "BucketName", bucket.name));
  }
  const auto bytes = co_await config_of(bucket.name, config::kObjectLock);
  api::GetObjectLockConfigurationOutput output;
  api::ObjectLockConfiguration& configuration = output.object_lock_configuration.emplace();
  if (bytes) configuration = co_await decode_config<api::ObjectLockConfiguration>(*bytes);
  configuration.object_lock_enabled = "Enabled";
  co_return std::move(output);
}

}  // namespace virga::s3
