#include "api/s3/create_bucket.h"
#include "api/s3/delete_bucket.h"
#include "api/s3/head_bucket.h"
#include "api/s3/list_buckets.h"
#include "services/s3/bucket_name.h"
#include "services/s3/errors.h"
#include "services/s3/service.h"

namespace virga::s3 {
namespace {

constexpr int32_t kMaxBucketsDefault = 10'000;

// Where the bucket shall be. us-east-1's endpoint makes buckets anywhere, the others only at home.
// Source: S3 API Reference, CreateBucket, "LocationConstraint"; recorded answers.
Result<std::string> bucket_region(std::string_view caller_region,
                                  const api::CreateBucketInput& input) {
  std::string wanted;
  if (input.create_bucket_configuration && input.create_bucket_configuration->location_constraint) {
    wanted = *input.create_bucket_configuration->location_constraint;
  }
  if (wanted == "EU") wanted = "eu-west-1";
  if (caller_region == "us-east-1") {
    if (wanted == "us-east-1") {
      return fail(errors::make("InvalidLocationConstraint", 400,
                               "The specified location-constraint is not valid",
                               "LocationConstraint", wanted));
    }
    return wanted.empty() ? std::string(caller_region) : wanted;
  }
  if (wanted != caller_region) {
    return fail(errors::make("IllegalLocationConstraintException", 400,
                             "The " + (wanted.empty() ? "unspecified" : wanted) +
                                 " location constraint is incompatible for the region specific "
                                 "endpoint this request was "
                                 "sent to."));
  }
  return wanted;
}

}  // namespace

// Source: S3 API Reference, CreateBucket.
Task<api::CreateBucketOutput> Service::create_bucket(Ctx ctx, api::CreateBucketInput input) {
  if (!is_legal_bucket_name(input.bucket))
    co_return fail(errors::invalid_bucket_name(input.bucket));
  Bucket bucket;
  bucket.name = input.bucket;
  bucket.owner = ctx->account;
  bucket.region = co_await bucket_region(ctx->region, input);
  bucket.created_millis = ctx->now.at.millis();
  bucket.object_lock = input.object_lock_enabled_for_bucket.value_or(false);
  if (bucket.object_lock) bucket.versioning = Versioning::enabled;
  const std::string caller_region = ctx->region;
  const auto body = [&](S3Transaction& s3) -> Result<bool> {
    VIRGA_TRY(there, s3.find_bucket(bucket.name));
    if (there) {
      if (there->owner != bucket.owner) return fail(errors::bucket_already_exists(bucket.name));
      // In us-east-1 creating one's own bucket again changes nothing and succeeds.
      if (caller_region == "us-east-1" && there->region == "us-east-1") return false;
      return fail(errors::bucket_already_owned(bucket.name));
    }
    s3.add(bucket);
    return true;
  };
  const bool made = co_await write(ctx, body);
  ignore(made, "an owner's second request succeeds too");
  api::CreateBucketOutput output;
  output.location = "/" + bucket.name;
  if (bucket.region != "us-east-1")
    output.location = "http://" + bucket.name + ".s3.amazonaws.com/";
  co_return std::move(output);
}

// Source: S3 API Reference, HeadBucket.
Task<api::HeadBucketOutput> Service::head_bucket(Ctx ctx, api::HeadBucketInput input) {
  const auto view = shard_.snapshot();
  const Bucket bucket = co_await S3Reader(*view).bucket(input.bucket);
  api::HeadBucketOutput output;
  output.bucket_region = bucket.region;
  output.access_point_alias = false;
  co_return std::move(output);
}

// Source: S3 API Reference, DeleteBucket.
Task<api::DeleteBucketOutput> Service::delete_bucket(Ctx ctx, api::DeleteBucketInput input) {
  const auto body = [&](S3Transaction& s3) -> Result<bool> {
    VIRGA_TRY(bucket, s3.bucket(input.bucket));
    VIRGA_TRY(empty, s3.is_empty(bucket));
    if (!empty) return fail(errors::bucket_not_empty(bucket.name));
    VIRGA_TRY_VOID(s3.erase(bucket));
    return true;
  };
  const bool done = co_await write(ctx, body);
  ignore(done, "always");
  co_return api::DeleteBucketOutput{};
}

// Source: S3 API Reference, ListBuckets.
Task<api::ListBucketsOutput> Service::list_buckets(Ctx ctx, api::ListBucketsInput input) {
  const int32_t limit = input.max_buckets.value_or(kMaxBucketsDefault);
  if (limit < 1 || limit > kMaxBucketsDefault) {
    co_return fail(
        errors::invalid_argument("Argument max-buckets must be an integer between 1 and 10000",
                                 "max-buckets", std::to_string(limit)));
  }
  const auto view = shard_.snapshot();
  api::ListBucketsOutput output;
  auto& buckets = output.buckets.emplace();
  const std::string prefix = input.prefix.value_or("");
  const bool paged = input.max_buckets.has_value();
  co_await S3Reader(*view).each_bucket(
      ctx->account, input.continuation_token.value_or(""), [&](Bucket&& bucket) {
        if (!bucket.name.starts_with(prefix)) return true;
        if (input.bucket_region && bucket.region != *input.bucket_region) return true;
        if (buckets.size() == static_cast<size_t>(limit)) {
          output.continuation_token = buckets.back().name;
          return false;
        }
        api::Bucket& one = buckets.emplace_back();
        one.name = bucket.name;
        one.creation_date = Timestamp::from_millis(bucket.created_millis);
        if (paged || input.prefix || input.bucket_region) one.bucket_region = bucket.region;
        return true;
      });
  if (input.prefix) output.prefix = prefix;
  output.owner.emplace().id = canonical_user_id(ctx->account);
  co_return std::move(output);
}

}  // namespace virga::s3
