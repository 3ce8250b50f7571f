#include "api/s3/create_multipart_upload.h"

#include "api/s3/abort_multipart_upload.h"
#include "base/strings.h"
#include "services/s3/checksum_members.h"
#include "services/s3/object_access.h"
#include "services/s3/object_attributes.h"
#include "services/s3/service.h"

// The beginning of a multipart upload and its end without an object. Source: S3 API Reference,
// CreateMultipartUpload, AbortMultipartUpload; S3 User Guide, "Checking object integrity", "Full
// object and composite checksum types".
namespace virga::s3 {
namespace {

Result<void> choose_checksum(const api::CreateMultipartUploadInput& input, Upload& upload) {
  if (!input.checksum_algorithm) {
    if (input.checksum_type) {
      return fail(
          errors::invalid_request("The x-amz-checksum-type header can only be used with the "
                                  "x-amz-checksum-algorithm header."));
    }
    return {};
  }
  const auto algorithm = aws::checksum_algorithm(*input.checksum_algorithm);
  if (!algorithm) {
    return fail(errors::invalid_request(
        "Checksum algorithm provided is unsupported. Please try again with any of the valid types: "
        "[CRC32, CRC32C, CRC64NVME, SHA1, SHA256]"));
  }
  const std::string lower = to_lower(aws::name_of(*algorithm));
  const bool only_whole = *algorithm == aws::ChecksumAlgorithm::crc64nvme;
  const std::string type = input.checksum_type.value_or(only_whole ? "FULL_OBJECT" : "COMPOSITE");
  if (type != "FULL_OBJECT" && type != "COMPOSITE") {
    return fail(errors::invalid_request("Value for x-amz-checksum-type header is invalid."));
  }
  if ((type == "COMPOSITE" && only_whole) || (type == "FULL_OBJECT" && !aws::is_crc(*algorithm))) {
    return fail(errors::invalid_request("The " + type + " checksum type cannot be used with the " +
                                        lower + " checksum algorithm."));
  }
  upload.checksum_algorithm = aws::name_of(*algorithm);
  upload.checksum_composite = type == "COMPOSITE";
  return {};
}

}  // namespace

Task<api::CreateMultipartUploadOutput> Service::create_multipart_upload(
    Ctx ctx, api::CreateMultipartUploadInput input) {
  co_await check_key(input.key);
  const auto view = shard_.snapshot();
  const S3Reader reader(*view);
  const Bucket there = co_await open_bucket(reader, input.bucket, input.expected_bucket_owner);
  const std::optional<CustomerKey> key = co_await parse_customer_key(
      input.sse_customer_algorithm, input.sse_customer_key, input.sse_customer_key_md5);
  Upload upload;
  upload.key = input.key;
  co_await apply_acl(reader, owners_, there, *ctx, input, upload);
  upload.initiator = ctx->principal.arn;
  upload.initiated_millis = stamp(*ctx);
  upload.headers = co_await headers_of(input);
  EncryptionWish wish = encryption_wish(input);
  if (!key) wish = co_await with_bucket_default(reader, there, std::move(wish));
  upload.encryption = co_await choose_encryption(wish, key, *ctx);
  if (input.tagging) upload.tags = co_await parse_tagging(*input.tagging);
  co_await apply_lock(reader, there, *ctx, lock_wish(input), upload);
  co_await choose_checksum(input, upload);
  upload.upload_id = env_.random.bytes(16);
  const auto body = [&](S3Transaction& s3) -> Result<bool> {
    VIRGA_TRY(bucket, s3.bucket(there.name));
    s3.add(bucket, upload);
    return true;
  };
  const bool made = co_await write(ctx, body);
  ignore(made, "always");
  api::CreateMultipartUploadOutput output;
  output.bucket = input.bucket;
  output.key = input.key;
  output.upload_id = upload.upload_id;
  show_encryption(output, upload.encryption);
  if (!upload.checksum_algorithm.empty()) {
    output.checksum_algorithm = upload.checksum_algorithm;
    output.checksum_type = upload.checksum_composite ? "COMPOSITE" : "FULL_OBJECT";
  }
  co_return std::move(output);
}

Task<api::AbortMultipartUploadOutput> Service::abort_multipart_upload(
    Ctx ctx, api::AbortMultipartUploadInput input) {
  const Bucket there =
      co_await open_bucket(S3Reader(*shard_.snapshot()), input.bucket, input.expected_bucket_owner);
  const auto body = [&](S3Transaction& s3) -> Result<bool> {
    VIRGA_TRY(upload, s3.upload(there, input.key, input.upload_id));
    VIRGA_TRY_VOID(s3.erase(there, upload, {}));
    return true;
  };
  const bool done = co_await write(ctx, body);
  ignore(done, "always");
  co_return api::AbortMultipartUploadOutput{};
}

}  // namespace virga::s3
