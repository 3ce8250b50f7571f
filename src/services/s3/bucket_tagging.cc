#include <set>

#include "api/s3/delete_bucket_tagging.h"
#include "api/s3/get_bucket_tagging.h"
#include "api/s3/put_bucket_tagging.h"
#include "base/strings.h"
#include "services/s3/bucket_tags.h"
#include "services/s3/configurations.h"
#include "services/s3/errors.h"
#include "services/s3/service.h"

namespace virga::s3 {
namespace {

constexpr size_t kTagsMax = 50;
constexpr size_t kKeyMax = 128;
constexpr size_t kValueMax = 256;

size_t characters(std::string_view utf8) {
  size_t count = 0;
  for (const char c : utf8) count += (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  return count;
}

}  // namespace

Result<void> check_bucket_tags(const std::vector<api::Tag>& tags) {
  if (tags.size() > kTagsMax)
    return fail(errors::make("BadRequest", 400, "Bucket tag count cannot be greater than 50"));
  std::set<std::string_view> seen;
  for (const api::Tag& tag : tags) {
    if (tag.key.empty() || characters(tag.key) > kKeyMax) {
      return fail(errors::make("InvalidTag", 400, "The TagKey you have provided is invalid",
                               "TagKey", tag.key));
    }
    if (characters(tag.value) > kValueMax) {
      return fail(errors::make("InvalidTag", 400, "The TagValue you have provided is invalid",
                               "TagValue", tag.value));
    }
    if (to_lower(tag.key).starts_with("aws:")) {
      return fail(
          errors::make("InvalidTag", 400, "System tags cannot be added/updated by requester"));
    }
    if (!seen.insert(tag.key).second) {
      return fail(errors::make("InvalidTag", 400, "Cannot provide multiple Tags with the same key",
                               "TagKey", tag.key));
    }
  }
  return {};
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
