// A package that lies in a bucket. Source: Lambda API Reference, FunctionCode: S3Bucket, S3Key,
// S3ObjectVersion.
#include "api/s3/client.h"
#include "api/s3/get_object.h"
#include "services/lambda/code_package.h"
#include "services/lambda/errors.h"
#include "services/lambda/service.h"

namespace virga::lambda {

// Read as the caller, who must be allowed to.
Task<std::string> Service::zip_from_s3(Ctx ctx, CodeLocation from) {
  if (!from.bucket || !from.key) {
    co_return fail(errors::invalid_parameter("Please provide a source for function code."));
  }
  if (!door_) co_return fail(internal_failure("lambda: no door to S3"));
  s3::api::GetObjectInput input;
  input.bucket = *from.bucket;
  input.key = *from.key;
  input.version_id = from.version;
  aws::CallContext call;
  call.principal = ctx->principal;
  call.account = ctx->account;
  call.region = ctx->region;
  call.endpoint = ctx->endpoint;
  const s3::api::Client client(*door_);
  Result<s3::api::GetObjectOutput> got =
      co_await as_result(client.get_object(std::move(call), std::move(input)));
  if (!got) {
    const AwsError& e = got.error();
    if (e.http_status >= 500) co_return fail(e);
    co_return fail(errors::invalid_parameter("Error occurred while GetObject. S3 Error Code: " +
                                             e.code + ". S3 Error Message: " + e.message));
  }
  AwsError too_large = errors::invalid_parameter("Unzipped size must be smaller than " +
                                                 std::to_string(kUnzippedBytesMax) + " bytes");
  std::string zip = co_await async::read_all(*got->body, kUnzippedBytesMax, std::move(too_large));
  co_return std::move(zip);
}

}  // namespace virga::lambda
