#include "services/s3/object_attributes.h"

#include <algorithm>
#include <set>

#include "api/s3/shapes/object_lock_configuration.h"
#include "api/s3/shapes/server_side_encryption_configuration.h"
#include "aws/router.h"
#include "base/document.h"
#include "base/hashing.h"
#include "base/header_words.h"
#include "base/strings.h"
#include "services/s3/configurations.h"
#include "services/s3/errors.h"

namespace virga::s3 {
namespace {

constexpr size_t kKeyBytesMax = 1024;       // S3 User Guide, "Naming Amazon S3 objects"
constexpr size_t kMetadataBytesMax = 2048;  // S3 User Guide, "Working with object metadata"
constexpr size_t kTagsMax = 10;
constexpr size_t kTagKeyMax = 128;
constexpr size_t kTagValueMax = 256;

AwsError with_sizes(std::string code, std::string message, size_t size, size_t limit) {
  return {.code = std::move(code),
          .http_status = 400,
          .message = std::move(message),
          .detail = std::make_shared<const Document>(
              Document::object()
                  .set("Size", static_cast<int64_t>(size))
                  .set("MaxSizeAllowed", static_cast<int64_t>(limit)))};
}

size_t characters(std::string_view text) {
  return static_cast<size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xc0) != 0x80; }));
}

// Letters of any language, digits, spaces and + - = . _ : / @.
bool is_tag_text(std::string_view text) {
  return is_utf8(text) && std::all_of(text.begin(), text.end(), [](char c) {
           return (c & 0x80) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                  (c >= '0' && c <= '9') ||
                  std::string_view(" +-=._:/@").find(c) != std::string_view::npos;
         });
}

// The key that S3 keeps for an account in a region: aws/s3.
std::string default_kms_key(const RequestContext& request) {
  const std::string digits = md5("aws/s3 " + request.account + " " + request.region);
  std::string hex = to_hex(digits);
  for (const size_t at : {8, 13, 18, 23}) hex.insert(at, 1, '-');
  return make_arn(request, "kms", "key/" + hex);
}

}  // namespace

Result<void> check_object_tags(const Tags& tags) {
  if (tags.size() > kTagsMax)
    return fail(errors::make("BadRequest", 400, "Object tags cannot be greater than 10"));
  return check_tags(tags);
}

Result<void> check_tags(const Tags& tags) {
  std::set<std::string_view> seen;
  for (const auto& [key, value] : tags) {
    if (key.empty() || characters(key) > kTagKeyMax || !is_tag_text(key)) {
      return fail(errors::make("InvalidTag", 400, "The TagKey you have provided is invalid",
                               "TagKey", key));
    }
    if (to_lower(key).starts_with("aws:")) {
      return fail(
          errors::make("InvalidTag", 400, "System tags cannot be added/updated by requester"));
    }
    if (characters(value) > kTagValueMax || !is_tag_text(value)) {
      return fail(errors::make("InvalidTag", 400, "The TagValue you have provided is invalid",
                               "TagValue", value));
    }
    if (!seen.insert(key).second) {
      return fail(errors::make("InvalidTag", 400, "Cannot provide multiple Tags with the same key",
                               "TagKey", key));
    }
  }
  return {};
}

Result<Tags> parse_tagging(std::string_view text) {
  Tags tags = aws::parse_query(text);
  std::set<std::string_view> seen;
  for (const auto& [key, value] : tags) {
    if (!key.empty() && seen.insert(key).second) continue;
    return fail(errors::invalid_argument(
        "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query "
        "parameters without tag name duplicates.",
        "x-amz-tagging", text));
  }
  VIRGA_TRY_VOID(check_object_tags(tags));
  return tags;
}

Result<void> check_key(std::string_view key) {
  if (key.size() <= kKeyBytesMax) return {};
  return fail(with_sizes("KeyTooLongError", "Your key is too long", key.size(), kKeyBytesMax));
}

Result<Metadata> metadata_from_headers(const Metadata& fields) {
  Metadata out;
  size_t bytes = 0;
  for (const auto& [key, field] : fields) {
    std::string value = from_header_words(field);
    bytes += key.size() + value.size();
    out.emplace(key, std::move(value));
  }
  if (bytes <= kMetadataBytesMax) return out;
  return fail(with_sizes("MetadataTooLarge",
                         "Your metadata headers exceed the maximum allowed metadata size", bytes,
                         kMetadataBytesMax));
}

Metadata metadata_to_headers(const Metadata& metadata) {
  Metadata out;
  for (const auto& [key, value] : metadata) out.emplace(key, to_header_words(value));
  return out;
}

Result<std::string> check_storage_class(const std::optional<std::string>& name) {
  if (!name) return std::string("STANDARD");
  for (const std::string_view known :
       {"STANDARD", "REDUCED_REDUNDANCY", "STANDARD_IA", "ONEZONE_IA", "INTELLIGENT_TIERING",
        "GLACIER", "DEEP_ARCHIVE", "GLACIER_IR"}) {
    if (*name == known) return *name;
  }
  return fail(errors::make("InvalidStorageClass", 400,
                           "The storage class you specified is not valid", "StorageClassRequested",
                           *name));
}

Result<void> check_redirect(const std::optional<std::string>& location) {
  const bool good = !location || location->empty() || location->starts_with('/') ||
                    location->starts_with("http://") || location->starts_with("https://");
  if (good) return {};
  return fail(errors::make("InvalidRedirectLocation", 400,
                           "The website redirect location must have a prefix of 'http://' or "
                           "'https://' or '/'."));
}

Result<EncryptionWish> with_bucket_default(const S3Reader& s3, const Bucket& bucket,
                                           EncryptionWish wish) {
  VIRGA_TRY(bytes, s3.config(bucket, config::kEncryption));
  if (!bytes) return wish;
  VIRGA_TRY(stored, decode_config<api::ServerSideEncryptionConfiguration>(*bytes));
  if (stored.rules.empty() || !stored.rules.front().apply_server_side_encryption_by_default)
    return wish;
  const auto& chosen = *stored.rules.front().apply_server_side_encryption_by_default;
  if (!wish.algorithm && !wish.kms_key) {
    wish.algorithm = chosen.sse_algorithm;
    wish.kms_key = chosen.kms_master_key_id;
  }
  if (!wish.bucket_key) wish.bucket_key = stored.rules.front().bucket_key_enabled;
  return wish;
}

Result<Encryption> choose_encryption(const EncryptionWish& wish,
                                     const std::optional<CustomerKey>& key,
                                     const RequestContext& request) {
  Encryption e;
  if (key) {
    if (wish.algorithm) {
      return fail(errors::invalid_argument(
          "Server Side Encryption with Customer provided key is incompatible with the encryption "
          "method specified",
          "x-amz-server-side-encryption", *wish.algorithm));
    }
    e.customer_key_md5 = key->md5_base64;
    return e;
  }
  e.algorithm = wish.algorithm.value_or("AES256");
  const bool kms = e.algorithm == "aws:kms" || e.algorithm == "aws:kms:dsse";
  if (!kms && e.algorithm != "AES256") {
    return fail(errors::invalid_argument("The encryption method specified is not supported",
                                         "x-amz-server-side-encryption", *wish.algorithm));
  }
  if (!kms) {
    if (wish.kms_key) {
      return fail(errors::invalid_argument(
          "Server Side Encryption with AWS KMS managed key requires HTTP header "
          "x-amz-server-side-encryption : aws:kms",
          "x-amz-server-side-encryption", wish.algorithm.value_or("null")));
    }
    return e;
  }
  if (!wish.kms_key) {
    e.kms_key = default_kms_key(request);
  } else if (wish.kms_key->starts_with("arn:")) {
    e.kms_key = *wish.kms_key;
  } else {
    e.kms_key = make_arn(request, "kms",
                         (wish.kms_key->starts_with("alias/") ? "" : "key/") + *wish.kms_key);
  }
  e.kms_context = wish.kms_context.value_or("");
  e.bucket_key = wish.bucket_key.value_or(false);
  return e;
}

Result<void> check_lock(const LockWish& wish, const Bucket& bucket, const RequestContext& request) {
  if (!wish.mode && !wish.until && !wish.legal_hold) return {};
  if (!bucket.object_lock)
    return fail(errors::invalid_request("Bucket is missing Object Lock Configuration"));
  if (wish.mode.has_value() != wish.until.has_value()) {
    return fail(errors::invalid_argument(
        "x-amz-object-lock-retain-until-date and x-amz-object-lock-mode must both be supplied",
        wish.mode ? "x-amz-object-lock-retain-until-date" : "x-amz-object-lock-mode", ""));
  }
  if (wish.mode && *wish.mode != "GOVERNANCE" && *wish.mode != "COMPLIANCE") {
    return fail(errors::invalid_argument("Unknown wormMode directive.", "x-amz-object-lock-mode",
                                         *wish.mode));
  }
  if (wish.until && wish.until->micros <= request.now.at.micros) {
    return fail(errors::invalid_argument("The retain until date must be in the future!",
                                         "x-amz-object-lock-retain-until-date",
                                         format_iso8601(*wish.until)));
  }
  if (wish.legal_hold && *wish.legal_hold != "ON" && *wish.legal_hold != "OFF") {
    return fail(errors::invalid_argument("Legal Hold must be either of 'ON' or 'OFF'",
                                         "x-amz-object-lock-legal-hold", *wish.legal_hold));
  }
  return {};
}

// Source: S3 User Guide, "Locking objects with Object Lock", "Default retention": the date is the
// version's creation and the period; a year has 365 days.
Result<LockWish> with_default_retention(const S3Reader& s3, const Bucket& bucket,
                                        const RequestContext& request, LockWish wish) {
  if (wish.mode || !bucket.object_lock) return wish;
  VIRGA_TRY(bytes, s3.config(bucket, config::kObjectLock));
  if (!bytes) return wish;
  VIRGA_TRY(stored, decode_config<api::ObjectLockConfiguration>(*bytes));
  if (!stored.rule || !stored.rule->default_retention) return wish;
  const api::DefaultRetention& retention = *stored.rule->default_retention;
  constexpr int64_t kDayMillis = 24LL * 3600 * 1000;
  const int64_t days = retention.days ? *retention.days : 365LL * retention.years.value_or(0);
  wish.mode = retention.mode;
  wish.until = Timestamp::from_millis(request.now.at.millis() + days * kDayMillis);
  return wish;
}

std::string object_encoding(const std::optional<std::string>& header) {
  if (!header) return {};
  std::vector<std::string> kept;
  for (const std::string_view coding : split(*header, ',')) {
    const auto name = trim(coding);
    if (!name.empty() && !iequals(name, "aws-chunked")) kept.emplace_back(name);
  }
  return join(kept, ",");
}

}  // namespace virga::s3
