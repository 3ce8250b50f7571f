// What infrastructure tools read back on every refresh of a bucket, and what S3 answers where
// nothing of it is set: nothing here can be set yet. Source: S3 API Reference, the operations'
// pages; "Error responses"; recorded answers.
#include "api/s3/delete_bucket_lifecycle.h"
#include "api/s3/delete_bucket_replication.h"
#include "api/s3/delete_bucket_website.h"
#include "api/s3/get_bucket_accelerate_configuration.h"
#include "api/s3/get_bucket_analytics_configuration.h"
#include "api/s3/get_bucket_intelligent_tiering_configuration.h"
#include "api/s3/get_bucket_inventory_configuration.h"
#include "api/s3/get_bucket_lifecycle_configuration.h"
#include "api/s3/get_bucket_logging.h"
#include "api/s3/get_bucket_metrics_configuration.h"
#include "api/s3/get_bucket_replication.h"
#include "api/s3/get_bucket_request_payment.h"
#include "api/s3/get_bucket_website.h"
#include "api/s3/get_object_lock_configuration.h"
#include "api/s3/list_bucket_analytics_configurations.h"
#include "api/s3/list_bucket_intelligent_tiering_configurations.h"
#include "api/s3/list_bucket_inventory_configurations.h"
#include "api/s3/list_bucket_metrics_configurations.h"
#include "api/s3/put_bucket_request_payment.h"
#include "services/s3/errors.h"
#include "services/s3/service.h"

namespace virga::s3 {
namespace {

AwsError not_set(std::string code, std::string message, std::string_view bucket) {
  return errors::make(std::move(code), 404, std::move(message), "BucketName", bucket);
}

AwsError no_such_configuration() {
  return errors::make("NoSuchConfiguration", 404, "The specified configuration does not exist.");
}

}  // namespace

Task<api::GetBucketLifecycleConfigurationOutput> Service::get_bucket_lifecycle_configuration(
    Ctx ctx, api::GetBucketLifecycleConfigurationInput input) {
  const Bucket bucket = co_await bucket_named(input.bucket);
  co_return fail(not_set("NoSuchLifecycleConfiguration",
                         "The lifecycle configuration does not exist", bucket.name));
}

Task<api::DeleteBucketLifecycleOutput> Service::delete_bucket_lifecycle(
    Ctx ctx, api::DeleteBucketLifecycleInput input) {
  const Bucket bucket = co_await bucket_named(input.bucket);
  co_return api::DeleteBucketLifecycleOutput{};
}

Task<api::GetBucketWebsiteOutput> Service::get_bucket_website(Ctx ctx,
                                                              api::GetBucketWebsiteInput input) {
  const Bucket bucket = co_await bucket_named(input.bucket);
  co_return fail(not_set("NoSuchWebsiteConfiguration",
                         "The specified bucket does not have a website configuration",
                         bucket.name));
}

Task<api::DeleteBucketWebsiteOutput> Service::delete_bucket_website(
    Ctx ctx, api::DeleteBucketWebsiteInput input) {
  const Bucket bucket = co_await bucket_named(input.bucket);
  co_return api::DeleteBucketWebsiteOutput{};
}

Task<api::GetBucketReplicationOutput> Service::get_bucket_replication(
    Ctx ctx, api::GetBucketReplicationInput input) {
  const Bucket bucket = co_await bucket_named(input.bucket);
  co_return fail(not_set("ReplicationConfigurationNotFoundError",
                         "The replication configuration was not found", bucket.name));
}

Task<api::DeleteBucketReplicationOutput> Service::delete_bucket_replication(
    Ctx ctx, api::DeleteBucketReplicationInput input) {
  const Bucket bucket = co_await bucket_named(input.bucket);
  co_return api::DeleteBucketReplicationOutput{};
}

// Empty: off.
Task<api::GetBucketLoggingOutput> Service::get_bucket_logging(Ctx ctx,
                                                              api::GetBucketLoggingInput input) {
  const Bucket bucket = co_await bucket_named(input.bucket);
  co_return api::GetBucketLoggingOutput{};
}

// Empty: never set.
Task<api::GetBucketAccelerateConfigurationOutput> Service::get_bucket_accelerate_configuration(
    Ctx ctx, api::GetBucketAccelerateConfigurationInput input) {
  const Bucket bucket = co_await bucket_named(input.bucket);
  co_return api::GetBucketAccelerateConfigurationOutput{};
}

Task<api::GetBucketRequestPaymentOutput> Service::get_bucket_request_payment(
    Ctx ctx, api::GetBucketRequestPaymentInput input) {
  const Bucket bucket = co_await bucket_named(input.bucket);
  api::GetBucketRequestPaymentOutput output;
  output.payer = "BucketOwner";
  co_return std::move(output);
}

// The bucket owner pays: that is how it is. Requester Pays is not there.
Task<api::PutBucketRequestPaymentOutput> Service::put_bucket_request_payment(
    Ctx ctx, api::PutBucketRequestPaymentInput input) {
  const Bucket bucket = co_await bucket_named(input.bucket);
  const std::string& payer = input.request_payment_configuration.payer;
  if (payer == "Requester")
    co_return fail(errors::make("NotImplemented", 501,
                                "NotImplemented: s3 Requester Pays is not implemented by Virga."));
  if (payer != "BucketOwner") co_return fail(errors::malformed_xml());
  co_return api::PutBucketRequestPaymentOutput{};
}

Task<api::GetObjectLockConfigurationOutput> Service::get_object_lock_configuration(
    Ctx ctx, api::GetObjectLockConfigurationInput input) {
  const Bucket bucket = co_await bucket_named(input.bucket);
  if (!bucket.object_lock) {
    co_return fail(not_set("ObjectLockConfigurationNotFoundError",
                           "Object Lock configuration does not exist for this bucket",
                           bucket.name));
  }
  api::GetObjectLockConfigurationOutput output;
  output.object_lock_configuration.emplace().object_lock_enabled = "Enabled";
  co_return std::move(output);
}

Task<api::GetBucketAnalyticsConfigurationOutput> Service::get_bucket_analytics_configuration(
    Ctx ctx, api::GetBucketAnalyticsConfigurationInput input) {
  const Bucket bucket = co_await bucket_named(input.bucket);
  co_return fail(no_such_configuration());
}

Task<api::ListBucketAnalyticsConfigurationsOutput> Service::list_bucket_analytics_configurations(
    Ctx ctx, api::ListBucketAnalyticsConfigurationsInput input) {
  const Bucket bucket = co_await bucket_named(input.bucket);
  api::ListBucketAnalyticsConfigurationsOutput output;
  output.is_truncated = false;
  co_return std::move(output);
}

Task<api::GetBucketInventoryConfigurationOutput> Service::get_bucket_inventory_configuration(
    Ctx ctx, api::GetBucketInventoryConfigurationInput input) {
  const Bucket bucket = co_await bucket_named(input.bucket);
  co_return fail(no_such_configuration());
}

Task<api::ListBucketInventoryConfigurationsOutput> Service::list_bucket_inventory_configurations(
    Ctx ctx, api::ListBucketInventoryConfigurationsInput input) {
  const Bucket bucket = co_await bucket_named(input.bucket);
  api::ListBucketInventoryConfigurationsOutput output;
  output.is_truncated = false;
  co_return std::move(output);
}

Task<api::GetBucketMetricsConfigurationOutput> Service::get_bucket_metrics_configuration(
    Ctx ctx, api::GetBucketMetricsConfigurationInput input) {
  const Bucket bucket = co_await bucket_named(input.bucket);
  co_return fail(no_such_configuration());
}

Task<api::ListBucketMetricsConfigurationsOutput> Service::list_bucket_metrics_configurations(
    Ctx ctx, api::ListBucketMetricsConfigurationsInput input) {
  const Bucket bucket = co_await bucket_named(input.bucket);
  api::ListBucketMetricsConfigurationsOutput output;
  output.is_truncated = false;
  co_return std::move(output);
}

Task<api::GetBucketIntelligentTieringConfigurationOutput>
Service::get_bucket_intelligent_tiering_configuration(
    Ctx ctx, api::GetBucketIntelligentTieringConfigurationInput input) {
  const Bucket bucket = co_await bucket_named(input.bucket);
  co_return fail(no_such_configuration());
}

Task<api::ListBucketIntelligentTieringConfigurationsOutput>
Service::list_bucket_intelligent_tiering_configurations(
    Ctx ctx, api::ListBucketIntelligentTieringConfigurationsInput input) {
  const Bucket bucket = co_await bucket_named(input.bucket);
  api::ListBucketIntelligentTieringConfigurationsOutput output;
  output.is_truncated = false;
  co_return std::move(output);
}

}  // namespace virga::s3
