#include "api/s3/list_parts.h"

#include "services/s3/checksum_members.h"
#include "services/s3/conditions.h"
#include "services/s3/initiator.h"
#include "services/s3/object_access.h"
#include "services/s3/service.h"

// Source: S3 API Reference, ListParts.
namespace virga::s3 {

constexpr int32_t kPartsMax = 1000;

Task<api::ListPartsOutput> Service::list_parts(Ctx ctx, api::ListPartsInput input) {
  const auto view = shard_.snapshot();
  const S3Reader s3(*view);
  const Bucket bucket = co_await open_bucket(s3, input.bucket, input.expected_bucket_owner);
  const Upload upload = co_await s3.upload(bucket, input.key, input.upload_id);
  const int32_t asked = input.max_parts.value_or(kPartsMax);
  if (asked < 0) {
    co_return fail(
        errors::invalid_argument("Argument max-parts must be an integer between 0 and 2147483647",
                                 "max-parts", std::to_string(asked)));
  }
  const int32_t marker = input.part_number_marker.value_or(0);
  if (marker < 0) {
    co_return fail(errors::invalid_argument(
        "Argument part-number-marker must be an integer between 0 and 2147483647",
        "part-number-marker", std::to_string(marker)));
  }
  const size_t limit = static_cast<size_t>(std::min(asked, kPartsMax));
  const bool checksums = !upload.checksum_algorithm.empty();

  api::ListPartsOutput output;
  output.bucket = input.bucket;
  output.key = input.key;
  output.upload_id = input.upload_id;
  output.part_number_marker = marker;
  output.max_parts = static_cast<int32_t>(limit);
  output.is_truncated = false;
  auto& parts = output.parts.emplace();
  co_await s3.each_part(bucket, upload, static_cast<uint32_t>(marker), [&](Part&& part) {
    if (parts.size() == limit) {
      output.is_truncated = true;
      return false;
    }
    api::Part& line = parts.emplace_back();
    line.part_number = static_cast<int32_t>(part.number);
    line.last_modified = Timestamp::from_millis(part.modified_millis);
    line.e_tag = quoted(part.etag);
    line.size = static_cast<int64_t>(part.size);
    if (checksums) set_checksum(line, part.extent.checksum);
    return true;
  });
  output.next_part_number_marker = parts.empty() ? 0 : *parts.back().part_number;
  if (parts.empty()) output.parts.reset();
  output.initiator = to_api_initiator(owners_, upload.initiator);
  output.owner = to_api_owner(owners_, owners_.of_account(upload.owner).canonical_id);
  output.storage_class = upload.headers.storage_class;
  if (checksums) {
    output.checksum_algorithm = upload.checksum_algorithm;
    output.checksum_type = upload.checksum_composite ? "COMPOSITE" : "FULL_OBJECT";
  }
  co_return std::move(output);
}

}  // namespace virga::s3
