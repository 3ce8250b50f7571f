#include "api/s3/put_object.h"

#include "base/strings.h"
#include "platform/s3_form.h"
#include "services/s3/checksum_members.h"
#include "services/s3/conditions.h"
#include "services/s3/content.h"
#include "services/s3/lifecycle.h"
#include "services/s3/object_access.h"
#include "services/s3/object_attributes.h"
#include "services/s3/service.h"
#include "storage/latest_view.h"

namespace virga::s3 {

// What a single request may carry. Source: S3 User Guide, "Uploading objects".
constexpr uint64_t kObjectBytesMax = uint64_t{5} << 30;

// Source: S3 API Reference, PutObject.
Task<api::PutObjectOutput> Service::put_object(Ctx ctx, api::PutObjectInput input) {
  co_await check_key(input.key);
  const storage::LatestView latest(shard_);
  const S3Reader s3(latest);
  const Bucket bucket = co_await open_bucket(s3, input.bucket, input.expected_bucket_owner);
  if (input.write_offset_bytes)
    co_return fail(errors::not_implemented_header("x-amz-write-offset-bytes"));
  const std::optional<CustomerKey> key = co_await parse_customer_key(
      input.sse_customer_algorithm, input.sse_customer_key, input.sse_customer_key_md5);

  ObjectVersion object;
  object.key = input.key;
  co_await apply_acl(s3, owners_, bucket, *ctx, input, object);
  object.modified_millis = stamp(*ctx);
  object.headers = co_await headers_of(input);
  EncryptionWish wish = encryption_wish(input);
  if (!key) wish = co_await with_bucket_default(s3, bucket, std::move(wish));
  object.encryption = co_await choose_encryption(wish, key, *ctx);
  if (input.tagging) object.tags = co_await parse_tagging(*input.tagging);
  co_await apply_lock(s3, bucket, *ctx, lock_wish(input), object);

  ContentOptions options;
  options.claims = co_await claims_of(input, input.body.get());
  co_await check_locked_claims(object, options.claims, "Object");
  options.kept = options.claims.algorithm.value_or(aws::ChecksumAlgorithm::crc64nvme);
  options.size_max = kObjectBytesMax;
  if (key) {
    options.key = &*key;
    options.nonce = env_.random.bytes(16);
  }
  const aws::ChecksumAlgorithm kept = options.kept;
  StoredContent content = co_await store_content(blobs_, pool_, *input.body, std::move(options));
  object.size = content.size;
  object.etag = etag_of(content.md5, object.encryption, env_.random.bytes(16));
  object.checksum = {std::string(aws::name_of(kept)), to_base64(content.checksum), false};
  object.encryption.nonce = content.nonce;
  object.content = std::move(content.blob);

  Placement placement{
      .bucket = input.bucket, .if_match = input.if_match, .if_none_match = input.if_none_match};
  if (ctx->operation == platform::kBrowserUpload) placement.event = "ObjectCreated:Post";
  const Placed placed = co_await place(ctx, std::move(placement), std::move(object));
  api::PutObjectOutput output;
  output.e_tag = quoted(placed.object.etag);
  set_checksum(output, placed.object.checksum);
  output.checksum_type = std::string(placed.object.checksum.type());
  show_encryption(output, placed.object.encryption);
  if (placed.versioning != Versioning::off) output.version_id = placed.object.version_id;
  output.expiration = placed.expiration;
  co_return std::move(output);
}

// Makes an object of one content visible, or lets go of the content.
Task<Placed> Service::place(Ctx ctx, Placement placement, ObjectVersion object) {
  const std::string chance = env_.random.bytes(16);
  Placed placed;
  const auto body = [&](S3Transaction& s3) -> Result<bool> {
    VIRGA_TRY(bucket, s3.bucket(placement.bucket));
    if (placement.if_match || placement.if_none_match) {
      VIRGA_TRY(before, s3.current(bucket, object.key));
      const ObjectVersion* const there = before && !before->delete_marker ? &*before : nullptr;
      VIRGA_TRY_VOID(check_write(placement.if_match, placement.if_none_match, there, object.key));
    }
    VIRGA_TRY_VOID(s3.put_version(bucket, object, {}, chance));
    VIRGA_TRY_VOID(
        notifications_.publish(s3, *ctx, bucket, object_event(placement.event, bucket, object)));
    VIRGA_TRY(rules, lifecycle_of(s3, bucket));
    placed.versioning = bucket.versioning;
    placed.expiration = expiration_of(rules, object);
    return true;
  };
  const Result<bool> done = co_await as_result(write(ctx, body));
  if (!done) {
    const Result<void> dropped = co_await as_result(blobs_.discard(object.content));
    ignore(dropped, "the next opening collects it");
    co_return fail(done.error());
  }
  placed.object = std::move(object);
  co_return std::move(placed);
}

}  // namespace virga::s3
