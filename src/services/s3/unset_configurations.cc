// What infrastructure tools read back on every refresh of a bucket, and what S3 answers where
// nothing of it is set: nothing here can be set yet. Source: S3 API Reference, the operations'
// pages; "Error responses"; recorded answers.
#include "api/s3/delete_bucket_analytics_configuration.h"
#include "api/s3/delete_bucket_intelligent_tiering_configuration.h"
#include "api/s3/delete_bucket_inventory_configuration.h"
#include "api/s3/delete_bucket_metrics_configuration.h"
#include "api/s3/delete_bucket_replication.h"
#include "api/s3/delete_bucket_website.h"
#include "api/s3/get_bucket_accelerate_configuration.h"
#include "api/s3/get_bucket_analytics_configuration.h"
#include "api/s3/get_bucket_intelligent_tiering_configuration.h"
#include "api/s3/get_bucket_inventory_configuration.h"
#include "api/s3/get_bucket_logging.h"
#include "api/s3/get_bucket_metrics_configuration.h"
#include "api/s3/get_bucket_replication.h"
#include "api/s3/get_bucket_request_payment.h"
#include "api/s3/get_bucket_website.h"
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

template <class Output>
Task<Output> Service::unset(std::string bucket, Result<Output> answer) {
  const Bucket there = co_await bucket_named(std::move(bucket));
  co_return std::move(answer);
}

Task<api::GetBucketWebsiteOutput> Service::get_bucket_website(Ctx,
                                                              api::GetBucketWebsiteInput input) {
  return unset<api::GetBucketWebsiteOutput>(
      input.bucket,
      fail(not_set("NoSuchWebsiteConfiguration",
                   "The specified bucket does not have a website configuration", input.bucket)));
}

Task<api::DeleteBucketWebsiteOutput> Service::delete_bucket_website(
    Ctx, api::DeleteBucketWebsiteInput input) {
  return unset<api::DeleteBucketWebsiteOutput>(input.bucket, api::DeleteBucketWebsiteOutput());
}

Task<api::GetBucketReplicationOutput> Service::get_bucket_replication(
    Ctx, api::GetBucketReplicationInput input) {
  return unset<api::GetBucketReplicationOutput>(
      input.bucket, fail(not_set("ReplicationConfigurationNotFoundError",
                                 "The replication configuration was not found", input.bucket)));
}

Task<api::DeleteBucketReplicationOutput> Service::delete_bucket_replication(
    Ctx, api::DeleteBucketReplicationInput input) {
  return unset<api::DeleteBucketReplicationOutput>(input.bucket,
                                                   api::DeleteBucketReplicationOutput());
}

Task<api::GetBucketLoggingOutput> Service::get_bucket_logging(Ctx,
                                                              api::GetBucketLoggingInput input) {
  return unset<api::GetBucketLoggingOutput>(input.bucket, api::GetBucketLoggingOutput());
}

Task<api::GetBucketAccelerateConfigurationOutput> Service::get_bucket_accelerate_configuration(
    Ctx, api::GetBucketAccelerateConfigurationInput input) {
  return unset<api::GetBucketAccelerateConfigurationOutput>(
      input.bucket, api::GetBucketAccelerateConfigurationOutput());
}

Task<api::GetBucketRequestPaymentOutput> Service::get_bucket_request_payment(
    Ctx, api::GetBucketRequestPaymentInput input) {
  api::GetBucketRequestPaymentOutput output;
  output.payer = "BucketOwner";
  return unset<api::GetBucketRequestPaymentOutput>(input.bucket, std::move(output));
}

// The bucket owner pays: that is how it is. Requester Pays is not there.
Task<api::PutBucketRequestPaymentOutput> Service::put_bucket_request_payment(
    Ctx, api::PutBucketRequestPaymentInput input) {
  using Output = api::PutBucketRequestPaymentOutput;
  const std::string& payer = input.request_payment_configuration.payer;
  if (payer == "Requester") {
    return unset<Output>(
        input.bucket,
        fail(errors::make("NotImplemented", 501,
                          "NotImplemented: s3 Requester Pays is not implemented by Virga.")));
  }
  if (payer != "BucketOwner") return unset<Output>(input.bucket, fail(errors::malformed_xml()));
  return unset<Output>(input.bucket, Output());
}

// ---- configurations with names: none has been made

Task<api::GetBucketAnalyticsConfigurationOutput> Service::get_bucket_analytics_configuration(
    Ctx, api::GetBucketAnalyticsConfigurationInput input) {
  return unset<api::GetBucketAnalyticsConfigurationOutput>(input.bucket,
                                                           fail(no_such_configuration()));
}

Task<api::DeleteBucketAnalyticsConfigurationOutput> Service::delete_bucket_analytics_configuration(
    Ctx, api::DeleteBucketAnalyticsConfigurationInput input) {
  return unset<api::DeleteBucketAnalyticsConfigurationOutput>(input.bucket,
                                                              fail(no_such_configuration()));
}

Task<api::ListBucketAnalyticsConfigurationsOutput> Service::list_bucket_analytics_configurations(
    Ctx, api::ListBucketAnalyticsConfigurationsInput input) {
  api::ListBucketAnalyticsConfigurationsOutput output;
  output.is_truncated = false;
  return unset<api::ListBucketAnalyticsConfigurationsOutput>(input.bucket, std::move(output));
}

Task<api::GetBucketInventoryConfigurationOutput> Service::get_bucket_inventory_configuration(
    Ctx, api::GetBucketInventoryConfigurationInput input) {
  return unset<api::GetBucketInventoryConfigurationOutput>(input.bucket,
                                                           fail(no_such_configuration()));
}

Task<api::DeleteBucketInventoryConfigurationOutput> Service::delete_bucket_inventory_configuration(
    Ctx, api::DeleteBucketInventoryConfigurationInput input) {
  return unset<api::DeleteBucketInventoryConfigurationOutput>(input.bucket,
                                                              fail(no_such_configuration()));
}

Task<api::ListBucketInventoryConfigurationsOutput> Service::list_bucket_inventory_configurations(
    Ctx, api::ListBucketInventoryConfigurationsInput input) {
  api::ListBucketInventoryConfigurationsOutput output;
  output.is_truncated = false;
  return unset<api::ListBucketInventoryConfigurationsOutput>(input.bucket, std::move(output));
}

Task<api::GetBucketMetricsConfigurationOutput> Service::get_bucket_metrics_configuration(
    Ctx, api::GetBucketMetricsConfigurationInput input) {
  return unset<api::GetBucketMetricsConfigurationOutput>(input.bucket,
                                                         fail(no_such_configuration()));
}

Task<api::DeleteBucketMetricsConfigurationOutput> Service::delete_bucket_metrics_configuration(
    Ctx, api::DeleteBucketMetricsConfigurationInput input) {
  return unset<api::DeleteBucketMetricsConfigurationOutput>(input.bucket,
                                                            fail(no_such_configuration()));
}

Task<api::ListBucketMetricsConfigurationsOutput> Service::list_bucket_metrics_configurations(
    Ctx, api::ListBucketMetricsConfigurationsInput input) {
  api::ListBucketMetricsConfigurationsOutput output;
  output.is_truncated = false;
  return unset<api::ListBucketMetricsConfigurationsOutput>(input.bucket, std::move(output));
}

Task<api::GetBucketIntelligentTieringConfigurationOutput>
Service::get_bucket_intelligent_tiering_configuration(
    Ctx, api::GetBucketIntelligentTieringConfigurationInput input) {
  return unset<api::GetBucketIntelligentTieringConfigurationOutput>(input.bucket,
                                                                    fail(no_such_configuration()));
}

Task<api::DeleteBucketIntelligentTieringConfigurationOutput>
Service::delete_bucket_intelligent_tiering_configuration(
    Ctx, api::DeleteBucketIntelligentTieringConfigurationInput input) {
  return unset<api::DeleteBucketIntelligentTieringConfigurationOutput>(
      input.bucket, fail(no_such_configuration()));
}

Task<api::ListBucketIntelligentTieringConfigurationsOutput>
Service::list_bucket_intelligent_tiering_configurations(
    Ctx, api::ListBucketIntelligentTieringConfigurationsInput input) {
  api::ListBucketIntelligentTieringConfigurationsOutput output;
  output.is_truncated = false;
  return unset<api::ListBucketIntelligentTieringConfigurationsOutput>(input.bucket,
                                                                      std::move(output));
}

}  // namespace virga::s3
