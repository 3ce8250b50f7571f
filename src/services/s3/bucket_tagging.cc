#include "api/s3/delete_bucket_tagging.h"
#include "api/s3/get_bucket_tagging.h"
#include "api/s3/put_bucket_tagging.h"
#include "services/s3/bucket_tags.h"
#include "services/s3/configurations.h"
#include "services/s3/errors.h"
#include "services/s3/object_attributes.h"
#include "services/s3/service.h"

namespace virga::s3 {
namespace {

constexpr size_t kTagsMax = 50;

}  // namespace

Result<void> check_bucket_tags(const std::vector<api::Tag>& tags) {
  if (tags.size() > kTagsMax)
    return fail(errors::make("BadRequest", 400, "Bucket tag count cannot be greater than 50"));
  Tags pairs;
  for (const api::Tag& tag : tags) pairs.emplace_back(tag.key, tag.value);
  return check_tags(pairs);
}

Task<api::PutBucketTaggingOutput> Service::put_bucket_tagging(Ctx ctx,
                                                              api::PutBucketTaggingInput input) {
  co_await check_bucket_tags(input.tagging.tag_set);
  co_await set_config(ctx, input.bucket, config::kTagging, encode_config(input.tagging));
  co_return api::PutBucketTaggingOutput{};
}

Task<api::GetBucketTaggingOutput> Service::get_bucket_tagging(Ctx ctx,
                                                              api::GetBucketTaggingInput input) {
  const auto bytes = co_await config_of(input.bucket, config::kTagging);
  api::Tagging tagging;
  if (bytes) tagging = co_await decode_config<api::Tagging>(*bytes);
  if (tagging.tag_set.empty())
    co_return fail(
        errors::make("NoSuchTagSet", 404, "The TagSet does not exist", "BucketName", input.bucket));
  api::GetBucketTaggingOutput output;
  output.tag_set = tagging.tag_set;
  co_return std::move(output);
}

Task<api::DeleteBucketTaggingOutput> Service::delete_bucket_tagging(
    Ctx ctx, api::DeleteBucketTaggingInput input) {
  co_await drop_config(ctx, input.bucket, config::kTagging);
  co_return api::DeleteBucketTaggingOutput{};
}

}  // namespace virga::s3
