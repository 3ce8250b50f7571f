#include "api/s3/list_multipart_uploads.h"

#include <algorithm>

#include "services/s3/errors.h"
#include "services/s3/initiator.h"
#include "services/s3/listed_object.h"
#include "services/s3/listing.h"
#include "services/s3/object_access.h"
#include "services/s3/service.h"

// Source: S3 API Reference, ListMultipartUploads.
namespace virga::s3 {
namespace {

constexpr int32_t kUploadsMax = 1000;

void show_upload(const Owners& owners, const Upload& upload, const KeyText& text,
                 api::MultipartUpload& line) {
  line.upload_id = upload.upload_id;
  line.key = text(upload.key);
  line.initiated = Timestamp::from_millis(upload.initiated_millis);
  line.storage_class = upload.headers.storage_class;
  line.owner = to_api_owner(owners, owners.of_account(upload.owner).canonical_id);
  line.initiator = to_api_initiator(owners, upload.initiator);
  if (upload.checksum_algorithm.empty()) return;
  line.checksum_algorithm = upload.checksum_algorithm;
  line.checksum_type = upload.checksum_composite ? "COMPOSITE" : "FULL_OBJECT";
}

}  // namespace

Task<api::ListMultipartUploadsOutput> Service::list_multipart_uploads(
    Ctx ctx, api::ListMultipartUploadsInput input) {
  const auto view = shard_.snapshot();
  const S3Reader s3(*view);
  const Bucket bucket = co_await open_bucket(s3, input.bucket, input.expected_bucket_owner);
  const int32_t asked = input.max_uploads.value_or(kUploadsMax);
  if (asked < 0) {
    co_return fail(
        errors::invalid_argument("Argument max-uploads must be an integer between 0 and 2147483647",
                                 "max-uploads", std::to_string(asked)));
  }
  co_await check_encoding_type(input.encoding_type);
  const size_t limit = static_cast<size_t>(std::min(asked, kUploadsMax));
  const std::string prefix = input.prefix.value_or("");
  const std::string delimiter = input.delimiter.value_or("");
  const std::string key_marker = input.key_marker.value_or("");
  const std::string id_marker = key_marker.empty() ? "" : input.upload_id_marker.value_or("");
  const KeyText text(input.encoding_type);

  api::ListMultipartUploadsOutput output;
  output.bucket = input.bucket;
  output.key_marker = text(key_marker);
  output.upload_id_marker = id_marker;
  if (!prefix.empty()) output.prefix = text(prefix);
  if (!delimiter.empty()) output.delimiter = text(delimiter);
  output.encoding_type = input.encoding_type;
  output.max_uploads = static_cast<int32_t>(limit);
  output.is_truncated = false;

  std::vector<api::MultipartUpload> uploads;
  std::vector<std::string> prefixes;
  std::string last_key, last_id;
  // Without an upload's id all uploads of the marker's key have been seen.
  const uint64_t after =
      id_marker.empty() ? UINT64_MAX : sequence_of(id_marker).value_or(UINT64_MAX);
  const std::string from = std::max(key_marker, prefix);
  const bool from_marker = from == key_marker && !key_marker.empty();
  co_await s3.each_upload(bucket, from, from_marker ? after : 0, [&](Upload&& upload) {
    if (!upload.key.starts_with(prefix)) return upload.key < prefix;
    std::string common;
    if (!delimiter.empty()) {
      const auto cut = upload.key.find(delimiter, prefix.size());
      if (cut != std::string::npos) common = upload.key.substr(0, cut + delimiter.size());
    }
    if (!common.empty() &&
        (common == key_marker || (!prefixes.empty() && prefixes.back() == common)))
      return true;
    if (uploads.size() + prefixes.size() == limit) {
      output.is_truncated = limit != 0;
      return false;
    }
    if (!common.empty()) {
      prefixes.push_back(common);
      last_key = common;
      last_id.clear();
      return true;
    }
    last_key = upload.key;
    last_id = upload.upload_id;
    show_upload(owners_, upload, text, uploads.emplace_back());
    return true;
  });
  output.next_key_marker = text(last_key);
  output.next_upload_id_marker = last_id;
  if (!uploads.empty()) output.uploads = std::move(uploads);
  for (const std::string& common : prefixes) {
    if (!output.common_prefixes) output.common_prefixes.emplace();
    output.common_prefixes->emplace_back().prefix = text(common);
  }
  co_return std::move(output);
}

}  // namespace virga::s3
