#include "api/s3/delete_bucket_policy.h"
#include "api/s3/get_bucket_policy.h"
#include "api/s3/get_bucket_policy_status.h"
#include "api/s3/put_bucket_policy.h"
#include "services/s3/bucket_access.h"
#include "services/s3/bucket_policy.h"
#include "services/s3/configurations.h"
#include "services/s3/errors.h"
#include "services/s3/service.h"

namespace virga::s3 {
namespace {

AwsError no_such_policy(std::string_view bucket) {
  return errors::make("NoSuchBucketPolicy", 404, "The bucket policy does not exist", "BucketName",
                      bucket);
}

AwsError public_policy_blocked(const RequestContext& context, std::string_view bucket) {
  return errors::make("AccessDenied", 403,
                      "User: " + context.principal.arn +
                          " is not authorized to perform: s3:PutBucketPolicy on resource: \"arn:" +
                          context.partition + ":s3:::" + std::string(bucket) +
                          "\" because public policies are prevented by the BlockPublicPolicy "
                          "setting in S3 Block Public Access.");
}

}  // namespace

// Source: S3 API Reference, PutBucketPolicy.
Task<api::PutBucketPolicyOutput> Service::put_bucket_policy(Ctx ctx,
                                                            api::PutBucketPolicyInput input) {
  const Bucket there = co_await bucket_named(input.bucket);
  const auto compiled = co_await parse_bucket_policy(input.policy, there.name, ctx->partition);
  const bool is_public = is_public_policy(input.policy);
  const auto body = [&](S3Transaction& s3) -> Result<bool> {
    VIRGA_TRY(bucket, s3.bucket(input.bucket));
    VIRGA_TRY(block, load_public_access_block(s3, bucket));
    if (is_public && block && block->block_public_policy)
      return fail(public_policy_blocked(*ctx, bucket.name));
    s3.put_config(bucket, config::kPolicy, input.policy);
    return true;
  };
  const bool done = co_await write(ctx, body);
  ignore(done, "always");
  co_return api::PutBucketPolicyOutput{};
}

Task<api::GetBucketPolicyOutput> Service::get_bucket_policy(Ctx ctx,
                                                            api::GetBucketPolicyInput input) {
  const auto policy = co_await config_of(input.bucket, config::kPolicy);
  if (!policy) co_return fail(no_such_policy(input.bucket));
  api::GetBucketPolicyOutput output;
  output.policy = *policy;
  co_return std::move(output);
}

Task<api::DeleteBucketPolicyOutput> Service::delete_bucket_policy(
    Ctx ctx, api::DeleteBucketPolicyInput input) {
  co_await drop_config(ctx, input.bucket, config::kPolicy);
  co_return api::DeleteBucketPolicyOutput{};
}

Task<api::GetBucketPolicyStatusOutput> Service::get_bucket_policy_status(
    Ctx ctx, api::GetBucketPolicyStatusInput input) {
  const auto policy = co_await config_of(input.bucket, config::kPolicy);
  if (!policy) co_return fail(no_such_policy(input.bucket));
  api::GetBucketPolicyStatusOutput output;
  output.policy_status.emplace().is_public = is_public_policy(*policy);
  co_return std::move(output);
}

}  // namespace virga::s3
