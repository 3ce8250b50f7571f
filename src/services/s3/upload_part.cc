#include "api/s3/upload_part.h"

#include "api/s3/upload_part_copy.h"
#include "base/strings.h"
#include "services/s3/checksum_members.h"
#include "services/s3/copy_source.h"
#include "services/s3/object_attributes.h"
#include "services/s3/ranges.h"
#include "services/s3/service.h"

// Source: S3 API Reference, UploadPart, UploadPartCopy; S3 User Guide, "Amazon S3 multipart upload
// limits".
namespace virga::s3 {
namespace {

constexpr uint64_t kPartBytesMax = uint64_t{5} << 30;
constexpr int32_t kPartNumberMax = 10'000;

Result<void> check_number(int32_t number) {
  if (number >= 1 && number <= kPartNumberMax) return {};
  return fail(
      errors::invalid_argument("Part number must be an integer between 1 and 10000, inclusive",
                               "partNumber", std::to_string(number)));
}

// The algorithm that a part's checksum is kept in; the upload's own, when it has one.
Result<aws::ChecksumAlgorithm> kept_algorithm(const Upload& upload, const ContentClaims& claims) {
  const auto wanted = aws::checksum_algorithm(upload.checksum_algorithm);
  if (!wanted) return aws::ChecksumAlgorithm::crc64nvme;
  const bool other = claims.algorithm && claims.algorithm != wanted;
  // A whole object's checksum can be had from parts that bring none; a composite one is of what
  // clients said.
  if (other || (!claims.algorithm && upload.checksum_composite)) {
    return fail(errors::invalid_request(
        "Checksum Type mismatch occurred, expected checksum Type: " +
        to_lower(upload.checksum_algorithm) +
        ", actual checksum Type: " + (other ? to_lower(aws::name_of(*claims.algorithm)) : "null")));
  }
  return *wanted;
}

}  // namespace

// Stores the source as a part of the upload.
Task<Part> Service::store_part(Ctx ctx, PartTarget target, async::ByteSource* source,
                               ContentClaims claims) {
  ContentOptions options;
  options.kept = target.kept;
  options.claims = std::move(claims);
  options.size_max = kPartBytesMax;
  if (target.key) {
    options.key = &*target.key;
    options.nonce = env_.random.bytes(16);
  }
  StoredContent content = co_await store_content(blobs_, pool_, *source, std::move(options));
  Part part;
  part.number = static_cast<uint32_t>(target.number);
  part.size = content.size;
  part.etag = etag_of(content.md5, target.upload.encryption, env_.random.bytes(16));
  part.modified_millis = stamp(*ctx);
  part.extent.blob = content.blob;
  part.extent.nonce = content.nonce;
  part.extent.checksum = {std::string(aws::name_of(target.kept)), to_base64(content.checksum),
                          false};
  const auto body = [&](S3Transaction& s3) -> Result<bool> {
    VIRGA_TRY(upload, s3.upload(target.bucket, target.upload.key,
                                target.upload.upload_id));  // not aborted meanwhile
    VIRGA_TRY_VOID(s3.put_part(target.bucket, upload, part));
    return true;
  };
  const Result<bool> placed = co_await as_result(write(ctx, body));
  if (!placed) {
    const Result<void> dropped = co_await as_result(blobs_.discard(part.extent.blob));
    ignore(dropped, "the next opening collects it");
    co_return fail(placed.error());
  }
  co_return std::move(part);
}

Task<api::UploadPartOutput> Service::upload_part(Ctx ctx, api::UploadPartInput input) {
  co_await check_number(input.part_number);
  PartTarget target;
  {
    const auto view = shard_.snapshot();
    const S3Reader s3(*view);
    target.bucket = co_await open_bucket(s3, input.bucket, input.expected_bucket_owner);
    target.upload = co_await s3.upload(target.bucket, input.key, input.upload_id);
  }
  target.number = input.part_number;
  target.key = co_await matching_part_key(target.upload.encryption, input.sse_customer_algorithm,
                                          input.sse_customer_key, input.sse_customer_key_md5);
  ContentClaims claims = co_await claims_of(input, input.body.get());
  co_await check_locked_claims(target.upload, claims, "Part");
  target.kept = co_await kept_algorithm(target.upload, claims);
  const auto sent = claims.algorithm;
  const Encryption encryption = target.upload.encryption;
  const std::optional<std::string> value = claims.value;
  const bool same = sent == target.kept;
  const Part part =
      co_await store_part(ctx, std::move(target), input.body.get(), std::move(claims));
  api::UploadPartOutput output;
  output.e_tag = quoted(part.etag);
  if (same || !sent) {
    set_checksum(output, part.extent.checksum);
  } else if (value) {
    set_checksum(output, *sent, *value);
  }
  show_encryption(output, encryption);
  co_return std::move(output);
}

Task<api::UploadPartCopyOutput> Service::upload_part_copy(Ctx ctx, api::UploadPartCopyInput input) {
  co_await check_number(input.part_number);
  const auto view = shard_.snapshot();
  const S3Reader s3(*view);
  PartTarget target;
  target.bucket = co_await open_bucket(s3, input.bucket, input.expected_bucket_owner);
  target.upload = co_await s3.upload(target.bucket, input.key, input.upload_id);
  target.number = input.part_number;
  target.key = co_await matching_part_key(target.upload.encryption, input.sse_customer_algorithm,
                                          input.sse_customer_key, input.sse_customer_key_md5);
  target.kept = aws::checksum_algorithm(target.upload.checksum_algorithm)
                    .value_or(aws::ChecksumAlgorithm::crc64nvme);
  const OpenSource source = co_await open_copy_source(s3, input, ctx->now.at);
  ByteRange range{0, source.object.size};
  if (input.copy_source_range)
    range = co_await parse_copy_range(*input.copy_source_range, source.object.size);
  if (range.count > kPartBytesMax) {
    co_return fail(errors::invalid_request(
        "The specified copy source is larger than the maximum allowable size for a copy source: " +
        std::to_string(kPartBytesMax)));
  }
  const Encryption encryption = target.upload.encryption;
  const auto content =
      open_content(blobs_, spans_of(source.extents, range.begin, range.count), source.key);
  const bool show = !target.upload.checksum_algorithm.empty();
  const Part part = co_await store_part(ctx, std::move(target), content.get(), {});
  api::UploadPartCopyOutput output;
  auto& result = output.copy_part_result.emplace();
  result.e_tag = quoted(part.etag);
  result.last_modified = Timestamp::from_millis(part.modified_millis);
  if (show) set_checksum(result, part.extent.checksum);
  show_encryption(output, encryption);
  if (source.bucket.versioning != Versioning::off)
    output.copy_source_version_id = source.object.version_id;
  co_return std::move(output);
}

}  // namespace virga::s3
