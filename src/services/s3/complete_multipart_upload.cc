#include "api/s3/complete_multipart_upload.h"

#include "base/document.h"
#include "base/hashing.h"
#include "base/strings.h"
#include "services/s3/checksum_members.h"
#include "services/s3/conditions.h"
#include "services/s3/lifecycle.h"
#include "services/s3/object_access.h"
#include "services/s3/object_attributes.h"
#include "services/s3/service.h"

// Source: S3 API Reference, CompleteMultipartUpload; S3 User Guide, "Checking object integrity".
namespace virga::s3 {
namespace {

constexpr uint64_t kPartBytesMin = uint64_t{5} << 20;  // but for the last

AwsError with(std::string code, std::string message, Document detail) {
  return {.code = std::move(code),
          .http_status = 400,
          .message = std::move(message),
          .detail = std::make_shared<const Document>(std::move(detail))};
}

AwsError invalid_part(const Upload& upload, const api::CompletedPart& named) {
  return with("InvalidPart",
              "One or more of the specified parts could not be found.  The part may not have been "
              "uploaded, or the specified entity "
              "tag may not match the part's entity tag.",
              Document::object()
                  .set("UploadId", upload.upload_id)
                  .set("PartNumber", static_cast<int64_t>(named.part_number.value_or(0)))
                  .set("ETag", bare_etag(named.e_tag.value_or(""))));
}

AwsError too_small(const Part& part) {
  return with("EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size",
              Document::object()
                  .set("ProposedSize", static_cast<int64_t>(part.size))
                  .set("MinSizeAllowed", static_cast<int64_t>(kPartBytesMin))
                  .set("PartNumber", static_cast<int64_t>(part.number))
                  .set("ETag", part.etag));
}

Result<void> check_named_checksum(const Upload& upload, const api::CompletedPart& named,
                                  const Part& part) {
  VIRGA_TRY(given, given_checksum(named));
  const auto algorithm = aws::checksum_algorithm(upload.checksum_algorithm);
  if (!given) {
    if (!upload.checksum_composite) return {};
    return fail(errors::invalid_request("The upload was created using a " +
                                        to_lower(upload.checksum_algorithm) +
                                        " checksum. The complete request must include the checksum "
                                        "for each part. It was missing for "
                                        "part " +
                                        std::to_string(part.number) + " in the request."));
  }
  if (!algorithm || given->algorithm != *algorithm)
    return {};  // of another algorithm: not what is kept
  return given->value == part.extent.checksum.value ? Result<void>()
                                                    : fail(invalid_part(upload, named));
}

// The parts that the request names, checked one by one.
Result<std::vector<Part>> named_parts(const S3Reader& s3, const Bucket& bucket,
                                      const Upload& upload,
                                      const std::vector<api::CompletedPart>& names) {
  std::vector<Part> parts;
  int32_t before = 0;
  for (const auto& named : names) {
    const int32_t number = named.part_number.value_or(0);
    if (number <= before) {
      return fail(with(
          "InvalidPartOrder",
          "The list of parts was not in ascending order. Parts must be ordered by part number.",
          Document::object().set("UploadId", upload.upload_id)));
    }
    before = number;
    VIRGA_TRY(part, s3.part(bucket, upload, static_cast<uint32_t>(number)));
    if (!part || bare_etag(named.e_tag.value_or("")) != part->etag)
      return fail(invalid_part(upload, named));
    VIRGA_TRY_VOID(check_named_checksum(upload, named, *part));
    parts.push_back(std::move(*part));
  }
  for (size_t i = 0; i + 1 < parts.size(); ++i) {
    if (parts[i].size < kPartBytesMin) return fail(too_small(parts[i]));
  }
  return parts;
}

// MD5 of the parts' MD5s, and how many they are.
std::string etag_of_parts(const std::vector<Part>& parts) {
  std::string digests;
  for (const Part& part : parts) digests += from_hex(part.etag).value_or("");
  return to_hex(md5(digests)) + "-" + std::to_string(parts.size());
}

Checksum checksum_of_parts(const Upload& upload, const std::vector<Part>& parts) {
  const auto algorithm = aws::checksum_algorithm(parts.front().extent.checksum.algorithm)
                             .value_or(aws::ChecksumAlgorithm::crc64nvme);
  std::string whole;
  for (size_t i = 0; i < parts.size(); ++i) {
    const std::string one = from_base64(parts[i].extent.checksum.value).value_or("");
    if (upload.checksum_composite) {
      whole += one;
    } else {
      whole = i == 0 ? one : aws::combine(algorithm, whole, one, parts[i].size);
    }
  }
  Checksum out{std::string(aws::name_of(algorithm)), {}, upload.checksum_composite};
  out.value = upload.checksum_composite
                  ? to_base64(aws::checksum(algorithm, whole)) + "-" + std::to_string(parts.size())
                  : to_base64(whole);
  return out;
}

// What the request says of the whole object.
Result<void> check_whole(const api::CompleteMultipartUploadInput& input,
                         const ObjectVersion& object) {
  if (input.mpu_object_size && static_cast<uint64_t>(*input.mpu_object_size) != object.size) {
    return fail(errors::invalid_request(
        "The provided 'x-amz-mp-object-size' header does not match what was computed: " +
        std::to_string(object.size)));
  }
  if (input.checksum_type && *input.checksum_type != object.checksum.type()) {
    return fail(errors::invalid_request(
        "The upload was created using the " + std::string(object.checksum.type()) +
        " checksum mode. The complete request must use the same checksum mode."));
  }
  VIRGA_TRY(given, given_checksum(input));
  if (!given || aws::name_of(given->algorithm) != object.checksum.algorithm) return {};
  const bool same =
      given->value == object.checksum.value ||
      given->value == object.checksum.value.substr(0, object.checksum.value.find('-'));
  if (same) return {};
  return fail(errors::make("BadDigest", 400,
                           "The " + object.checksum.algorithm +
                               " you specified did not match the calculated checksum."));
}

ObjectVersion object_of(const Upload& upload, const std::vector<Part>& parts) {
  ObjectVersion object;
  object.key = upload.key;
  object.upload_id = upload.upload_id;
  object.owner = upload.owner;
  for (const Part& part : parts) object.size += part.size;
  object.etag = etag_of_parts(parts);
  object.parts = static_cast<uint32_t>(parts.size());
  object.checksum = checksum_of_parts(upload, parts);
  object.encryption = upload.encryption;
  object.headers = upload.headers;
  object.tags = upload.tags;
  object.lock_mode = upload.lock_mode;
  object.retain_until_millis = upload.retain_until_millis;
  object.legal_hold = upload.legal_hold;
  object.acl = upload.acl;
  return object;
}

// A client that did not hear the first answer asks again, and is told the same. Source: S3 User
// Guide, "Uploading and copying objects using multipart upload".
Result<Placed> completed_before(const S3Reader& s3, const Bucket& bucket,
                                const api::CompleteMultipartUploadInput& input) {
  VIRGA_TRY(made, s3.made_of_upload(bucket, input.key, input.upload_id));
  if (!made) return fail(errors::no_such_upload(input.upload_id));
  return Placed{std::move(*made), bucket.versioning};
}

}  // namespace

Task<api::CompleteMultipartUploadOutput> Service::complete_multipart_upload(
    Ctx ctx, api::CompleteMultipartUploadInput input) {
  const Bucket there =
      co_await open_bucket(S3Reader(*shard_.snapshot()), input.bucket, input.expected_bucket_owner);
  if (!input.multipart_upload || !input.multipart_upload->parts ||
      input.multipart_upload->parts->empty()) {
    co_return fail(errors::malformed_xml());
  }
  const std::string chance = env_.random.bytes(16);
  const int64_t now_millis = stamp(*ctx);
  const auto body = [&](S3Transaction& s3) -> Result<Placed> {
    VIRGA_TRY(bucket, s3.bucket(there.name));
    VIRGA_TRY(upload, s3.find_upload(bucket, input.key, input.upload_id));
    if (!upload) return completed_before(s3, bucket, input);
    VIRGA_TRY(parts, named_parts(s3, bucket, *upload, *input.multipart_upload->parts));
    ObjectVersion object = object_of(*upload, parts);
    object.modified_millis = now_millis;
    VIRGA_TRY_VOID(check_whole(input, object));
    VIRGA_TRY(before, s3.current(bucket, object.key));
    const ObjectVersion* const present = before && !before->delete_marker ? &*before : nullptr;
    VIRGA_TRY_VOID(check_write(input.if_match, input.if_none_match, present, object.key));
    std::vector<uint32_t> used;
    for (const Part& part : parts) used.push_back(part.number);
    VIRGA_TRY_VOID(s3.erase(bucket, *upload, used));
    VIRGA_TRY_VOID(s3.put_version(bucket, object, parts, chance));
    VIRGA_TRY_VOID(notifications_.publish(
        s3, *ctx, bucket, object_event("ObjectCreated:CompleteMultipartUpload", bucket, object)));
    VIRGA_TRY(rules, lifecycle_of(s3, bucket));
    auto expiration = expiration_of(rules, object);
    return Placed{std::move(object), bucket.versioning, std::move(expiration)};
  };
  const Placed placed = co_await write(ctx, body);
  api::CompleteMultipartUploadOutput output;
  output.location =
      ctx->endpoint.url() + "/" + input.bucket + "/" + percent_encode(input.key, KeepSlash::yes);
  output.bucket = input.bucket;
  output.key = input.key;
  output.e_tag = quoted(placed.object.etag);
  set_checksum(output, placed.object.checksum);
  output.checksum_type = std::string(placed.object.checksum.type());
  show_encryption(output, placed.object.encryption);
  if (placed.versioning != Versioning::off) output.version_id = placed.object.version_id;
  output.expiration = placed.expiration;
  co_return std::move(output);
}

}  // namespace virga::s3
