#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "aws/context.h"
#include "base/time.h"
#include "services/s3/bucket_access.h"
#include "services/s3/customer_key.h"
#include "services/s3/records.h"
#include "services/s3/s3_store.h"

// What a request says about the object it makes, beside its content; the same members in PutObject,
// CopyObject and CreateMultipartUpload.
namespace virga::s3 {

using Tags = std::vector<std::pair<std::string, std::string>>;

// "a=1&b=2", as x-amz-tagging has it. Errors: InvalidArgument, InvalidTag, BadRequest.
Result<Tags> parse_tagging(std::string_view text);
// At most 10, with legal names and values. Source: S3 User Guide, "Categorizing your objects using
// tags".
Result<void> check_object_tags(const Tags& tags);
// Keys of 1 to 128 and values of up to 256 legal characters, each key once, none of AWS's own.
// Error: InvalidTag.
Result<void> check_tags(const Tags& tags);

Result<void> check_key(std::string_view key);  // KeyTooLongError
// User-defined metadata between header fields and their text in UTF-8. Source: S3 User Guide,
// "Working with object metadata". Error: MetadataTooLarge.
using Metadata = std::map<std::string, std::string>;
Result<Metadata> metadata_from_headers(const Metadata& fields);
Metadata metadata_to_headers(const Metadata& metadata);
Result<std::string> check_storage_class(
    const std::optional<std::string>& name);  // InvalidStorageClass; default STANDARD

// InvalidRedirectLocation unless it begins with "/", "http://" or "https://".
Result<void> check_redirect(const std::optional<std::string>& location);

struct EncryptionWish {
  std::optional<std::string> algorithm, kms_key, kms_context;
  std::optional<bool> bucket_key;
};
// What the bucket adds to what the request does not say (PutBucketEncryption).
Result<EncryptionWish> with_bucket_default(const S3Reader& s3, const Bucket& bucket,
                                           EncryptionWish wish);
// Errors: InvalidArgument. `key` is the customer's, if any.
Result<Encryption> choose_encryption(const EncryptionWish& wish,
                                     const std::optional<CustomerKey>& key,
                                     const RequestContext& request);

struct LockWish {
  std::optional<std::string> mode, legal_hold;
  std::optional<Timestamp> until;
};
// Errors: InvalidRequest for a bucket without locks, InvalidArgument.
Result<void> check_lock(const LockWish& wish, const Bucket& bucket, const RequestContext& request);
// What the bucket's default retention adds to a wish that names no mode
// (PutObjectLockConfiguration).
Result<LockWish> with_default_retention(const S3Reader& s3, const Bucket& bucket,
                                        const RequestContext& request, LockWish wish);

// Without "aws-chunked", which is of the transfer.
std::string object_encoding(const std::optional<std::string>& header);

template <class Input>
Result<ObjectHeaders> headers_of(const Input& input) {
  ObjectHeaders h;
  h.content_type = input.content_type.value_or("binary/octet-stream");
  h.cache_control = input.cache_control.value_or("");
  h.content_disposition = input.content_disposition.value_or("");
  h.content_encoding = object_encoding(input.content_encoding);
  h.content_language = input.content_language.value_or("");
  h.expires = input.expires.value_or("");
  VIRGA_TRY_VOID(check_redirect(input.website_redirect_location));
  h.website_redirect = input.website_redirect_location.value_or("");
  VIRGA_TRY(storage_class, check_storage_class(input.storage_class));
  h.storage_class = std::move(storage_class);
  if (input.metadata) {
    VIRGA_TRY(metadata, metadata_from_headers(*input.metadata));
    h.metadata = std::move(metadata);
  }
  return h;
}

template <class Input>
EncryptionWish encryption_wish(const Input& input) {
  return {input.server_side_encryption, input.ssekms_key_id, input.ssekms_encryption_context,
          input.bucket_key_enabled};
}

template <class Input>
LockWish lock_wish(const Input& input) {
  return {input.object_lock_mode, input.object_lock_legal_hold_status,
          input.object_lock_retain_until_date};
}

template <class Record>
Result<void> apply_lock(const S3Reader& s3, const Bucket& bucket, const RequestContext& request,
                        const LockWish& wish, Record& record) {
  VIRGA_TRY_VOID(check_lock(wish, bucket, request));
  VIRGA_TRY(lock, with_default_retention(s3, bucket, request, wish));
  record.lock_mode = lock.mode.value_or("");
  if (lock.until) record.retain_until_millis = lock.until->millis();
  if (lock.legal_hold)
    record.legal_hold = *lock.legal_hold == "ON" ? LegalHold::on : LegalHold::off;
  return {};
}

// Whose the new object is and who may use it, by the request's ACL headers and the bucket's
// settings.
template <class Input, class Record>
Result<void> apply_acl(const S3Reader& s3, const Owners& owners, const Bucket& bucket,
                       const RequestContext& request, const Input& input, Record& record) {
  const std::string& writer =
      request.principal.account.empty() ? bucket.owner : request.principal.account;
  VIRGA_TRY(made, new_object_acl(s3, owners, bucket, writer, acl_headers(input)));
  record.owner = std::move(made.owner);
  record.acl = std::move(made.acl);
  return {};
}

// The answer's members about encryption, as far as the output has them.
template <class Output>
void show_encryption(Output& output, const Encryption& e) {
  if (!e.customer_key_md5.empty()) {
    if constexpr (requires { output.sse_customer_algorithm; }) {
      output.sse_customer_algorithm = "AES256";
      output.sse_customer_key_md5 = e.customer_key_md5;
    }
    return;
  }
  output.server_side_encryption = e.algorithm;
  if (!e.kms_key.empty()) output.ssekms_key_id = e.kms_key;
  if constexpr (requires { output.ssekms_encryption_context; }) {
    if (!e.kms_context.empty()) output.ssekms_encryption_context = e.kms_context;
  }
  if (e.bucket_key) output.bucket_key_enabled = true;
}

}  // namespace virga::s3
