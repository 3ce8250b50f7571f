#include "api/s3/get_object_attributes.h"

#include <algorithm>

#include "services/s3/checksum_members.h"
#include "services/s3/object_access.h"
#include "services/s3/service.h"

// Source: S3 API Reference, GetObjectAttributes.
namespace virga::s3 {
namespace {

constexpr int32_t kPartsMax = 1000;
constexpr std::string_view kKnown[] = {"ETag", "Checksum", "ObjectParts", "StorageClass",
                                       "ObjectSize"};

void show_parts(const api::GetObjectAttributesInput& input, const ObjectVersion& object,
                const std::vector<Part>& parts, api::GetObjectAttributesParts& out) {
  out.total_parts_count = static_cast<int32_t>(parts.size());
  // Parts are listed where each has a checksum of its own that clients sent.
  if (!object.checksum.composite) return;
  const uint32_t marker = static_cast<uint32_t>(std::max(input.part_number_marker.value_or(0), 0));
  const size_t limit =
      static_cast<size_t>(std::clamp(input.max_parts.value_or(kPartsMax), 0, kPartsMax));
  out.part_number_marker = static_cast<int32_t>(marker);
  out.max_parts = static_cast<int32_t>(limit);
  out.is_truncated = false;
  auto& lines = out.parts.emplace();
  for (const Part& part : parts) {
    if (part.number <= marker) continue;
    if (lines.size() == limit) {
      out.is_truncated = true;
      break;
    }
    api::ObjectPart& line = lines.emplace_back();
    line.part_number = static_cast<int32_t>(part.number);
    line.size = static_cast<int64_t>(part.size);
    set_checksum(line, part.extent.checksum);
  }
  out.next_part_number_marker = lines.empty() ? 0 : *lines.back().part_number;
}

}  // namespace

Task<api::GetObjectAttributesOutput> Service::get_object_attributes(
    Ctx ctx, api::GetObjectAttributesInput input) {
  const auto& wanted = input.object_attributes;
  for (const std::string& name : wanted) {
    if (std::find(std::begin(kKnown), std::end(kKnown), name) == std::end(kKnown)) {
      co_return fail(errors::invalid_argument("Invalid attribute name specified.",
                                              "x-amz-object-attributes", name));
    }
  }
  if (wanted.empty()) {
    co_return fail(errors::invalid_argument(
        "The x-amz-object-attributes header specifying the attributes to be retrieved is either "
        "missing or empty",
        "x-amz-object-attributes", ""));
  }
  const auto asked = [&](std::string_view name) {
    return std::find(wanted.begin(), wanted.end(), name) != wanted.end();
  };
  const auto view = shard_.snapshot();
  const S3Reader s3(*view);
  const Bucket bucket = co_await open_bucket(s3, input.bucket, input.expected_bucket_owner);
  const ObjectVersion object = co_await find_object(s3, bucket, input.key, input.version_id, "GET");
  const auto key = co_await matching_key(object.encryption, input.sse_customer_algorithm,
                                         input.sse_customer_key, input.sse_customer_key_md5);
  ignore(key, "it fits");

  api::GetObjectAttributesOutput output;
  output.last_modified = Timestamp::from_millis(object.modified_millis);
  if (bucket.versioning != Versioning::off) output.version_id = object.version_id;
  if (asked("ETag")) output.e_tag = object.etag;
  if (asked("Checksum") && !object.checksum.algorithm.empty()) {
    auto& checksum = output.checksum.emplace();
    set_checksum(checksum, object.checksum);
    checksum.checksum_type = std::string(object.checksum.type());
  }
  if (asked("ObjectParts") && object.manifest != 0) {
    const std::vector<Part> parts = co_await s3.manifest(bucket, object.manifest);
    show_parts(input, object, parts, output.object_parts.emplace());
  }
  if (asked("StorageClass")) output.storage_class = object.headers.storage_class;
  if (asked("ObjectSize")) output.object_size = static_cast<int64_t>(object.size);
  co_return std::move(output);
}

}  // namespace virga::s3
