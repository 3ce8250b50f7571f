#include "api/s3/get_bucket_request_payment.h"
#include "api/s3/put_bucket_request_payment.h"
#include "services/s3/configurations.h"
#include "services/s3/errors.h"
#include "services/s3/service.h"

namespace virga::s3 {

// What follows from it: AccessControl::open_call.
// Source: S3 User Guide, "Using Requester Pays general purpose buckets for storage transfers and
// usage".
Task<api::PutBucketRequestPaymentOutput> Service::put_bucket_request_payment(
    Ctx ctx, api::PutBucketRequestPaymentInput input) {
  const std::string& payer = input.request_payment_configuration.payer;
  if (payer == "Requester") {
    co_await set_config(ctx, input.bucket, config::kRequestPayment, payer);
  } else if (payer == "BucketOwner") {
    co_await drop_config(ctx, input.bucket, config::kRequestPayment);
  } else {
    co_return fail(errors::malformed_xml());
  }
  co_return api::PutBucketRequestPaymentOutput();
}

Task<api::GetBucketRequestPaymentOutput> Service::get_bucket_request_payment(
    Ctx, api::GetBucketRequestPaymentInput input) {
  const auto payer = co_await config_of(input.bucket, config::kRequestPayment);
  api::GetBucketRequestPaymentOutput output;
  output.payer = payer.value_or("BucketOwner");
  co_return std::move(output);
}

}  // namespace virga::s3
