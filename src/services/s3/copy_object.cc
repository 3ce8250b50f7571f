#include "api/s3/copy_object.h"

#include "base/strings.h"
#include "services/s3/checksum_members.h"
#include "services/s3/copy_source.h"
#include "services/s3/object_attributes.h"
#include "services/s3/service.h"

// Source: S3 API Reference, CopyObject.
namespace virga::s3 {
namespace {

constexpr uint64_t kCopyBytesMax = uint64_t{5} << 30;

Result<bool> replaces(const std::optional<std::string>& directive, const char* header,
                      const char* what) {
  if (!directive || *directive == "COPY") return false;
  if (*directive == "REPLACE") return true;
  return fail(
      errors::invalid_argument(std::string("Unknown ") + what + " directive.", header, *directive));
}

// The headers of the copy: the source's, or the request's own.
Result<ObjectHeaders> copied_headers(const api::CopyObjectInput& input, const ObjectVersion& source,
                                     bool replace) {
  VIRGA_TRY(own, headers_of(input));
  if (replace) return own;
  ObjectHeaders headers = source.headers;
  headers.storage_class = own.storage_class;
  headers.website_redirect = own.website_redirect;
  return headers;
}

bool changes_nothing(const api::CopyObjectInput& input, const OpenSource& source, bool replace) {
  const bool itself = source.bucket.name == input.bucket && source.object.key == input.key;
  const bool older = input.copy_source.find("?versionId=") != std::string::npos;
  return itself && !older && !replace && !input.storage_class && !input.website_redirect_location &&
         !input.server_side_encryption && !input.sse_customer_algorithm &&
         !input.checksum_algorithm;
}

}  // namespace

Task<api::CopyObjectOutput> Service::copy_object(Ctx ctx, api::CopyObjectInput input) {
  co_await check_key(input.key);
  const auto view = shard_.snapshot();
  const S3Reader s3(*view);
  const Bucket bucket = co_await open_bucket(s3, input.bucket, input.expected_bucket_owner);
  const OpenSource source = co_await open_copy_source(s3, input, ctx->now.at);
  const bool replace_metadata =
      co_await replaces(input.metadata_directive, "x-amz-metadata-directive", "metadata");
  const bool replace_tags =
      co_await replaces(input.tagging_directive, "x-amz-tagging-directive", "tagging");
  if (changes_nothing(input, source, replace_metadata)) {
    co_return fail(errors::invalid_request(
        "This copy request is illegal because it is trying to copy an object to itself without "
        "changing the object's metadata, "
        "storage class, website redirect location or encryption attributes."));
  }
  if (source.object.size > kCopyBytesMax) {
    co_return fail(errors::invalid_request(
        "The specified copy source is larger than the maximum allowable size for a copy source: " +
        std::to_string(kCopyBytesMax)));
  }
  const std::optional<CustomerKey> key = co_await parse_customer_key(
      input.sse_customer_algorithm, input.sse_customer_key, input.sse_customer_key_md5);

  ObjectVersion object;
  object.key = input.key;
  co_await apply_acl(s3, owners_, bucket, *ctx, input, object);
  object.modified_millis = stamp(*ctx);
  object.headers = co_await copied_headers(input, source.object, replace_metadata);
  EncryptionWish wish = encryption_wish(input);
  if (!key) wish = co_await with_bucket_default(s3, bucket, std::move(wish));
  object.encryption = co_await choose_encryption(wish, key, *ctx);
  object.tags = source.object.tags;
  if (replace_tags) object.tags = co_await parse_tagging(input.tagging.value_or(""));
  co_await apply_lock(s3, bucket, *ctx, lock_wish(input), object);

  ContentOptions options;
  options.size_max = kCopyBytesMax;
  const std::string algorithm = input.checksum_algorithm.value_or(source.object.checksum.algorithm);
  const auto kept = aws::checksum_algorithm(algorithm);
  if (!kept && input.checksum_algorithm)
    co_return fail(errors::not_implemented_header("x-amz-checksum-algorithm"));
  options.kept = kept.value_or(aws::ChecksumAlgorithm::crc64nvme);
  if (key) {
    options.key = &*key;
    options.nonce = env_.random.bytes(16);
  }
  const aws::ChecksumAlgorithm of_copy = options.kept;
  const auto content_source =
      open_content(blobs_, spans_of(source.extents, 0, source.object.size), source.key);
  StoredContent content =
      co_await store_content(blobs_, pool_, *content_source, std::move(options));
  object.size = content.size;
  object.etag = etag_of(content.md5, object.encryption, env_.random.bytes(16));
  object.checksum = {std::string(aws::name_of(of_copy)), to_base64(content.checksum), false};
  object.encryption.nonce = content.nonce;
  object.content = std::move(content.blob);

  Placement placement{.bucket = input.bucket,
                      .if_match = input.if_match,
                      .if_none_match = input.if_none_match,
                      .event = "ObjectCreated:Copy"};
  const Placed placed = co_await place(ctx, std::move(placement), std::move(object));
  api::CopyObjectOutput output;
  auto& result = output.copy_object_result.emplace();
  result.e_tag = quoted(placed.object.etag);
  result.last_modified = Timestamp::from_millis(placed.object.modified_millis);
  set_checksum(result, placed.object.checksum);
  result.checksum_type = std::string(placed.object.checksum.type());
  show_encryption(output, placed.object.encryption);
  if (placed.versioning != Versioning::off) output.version_id = placed.object.version_id;
  output.expiration = placed.expiration;
  if (source.bucket.versioning != Versioning::off)
    output.copy_source_version_id = source.object.version_id;
  co_return std::move(output);
}

}  // namespace virga::s3
