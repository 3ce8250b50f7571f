#include "api/s3/get_bucket_accelerate_configuration.h"
#include "api/s3/put_bucket_accelerate_configuration.h"
#include "services/s3/configurations.h"
#include "services/s3/errors.h"
#include "services/s3/service.h"

namespace virga::s3 {

// Kept and told: there are no edge locations to go through. Once set it can be suspended only.
// Source: S3 API Reference, PutBucketAccelerateConfiguration.
Task<api::PutBucketAccelerateConfigurationOutput> Service::put_bucket_accelerate_configuration(
    Ctx ctx, api::PutBucketAccelerateConfigurationInput input) {
  const std::string status = input.accelerate_configuration.status.value_or("");
  if (status != "Enabled" && status != "Suspended") co_return fail(errors::malformed_xml());
  if (input.bucket.find('.') != std::string::npos) {
    co_return fail(
        errors::invalid_request("S3 Transfer Acceleration is not supported for buckets with "
                                "periods (.) in their names"));
  }
  co_await set_config(ctx, input.bucket, config::kAccelerate, status);
  co_return api::PutBucketAccelerateConfigurationOutput();
}

Task<api::GetBucketAccelerateConfigurationOutput> Service::get_bucket_accelerate_configuration(
    Ctx, api::GetBucketAccelerateConfigurationInput input) {
  api::GetBucketAccelerateConfigurationOutput output;
  output.status = co_await config_of(input.bucket, config::kAccelerate);
  co_return std::move(output);
}

}  // namespace virga::s3
