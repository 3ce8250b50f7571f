#include "services/s3/object_access.h"

#include "base/document.h"
#include "base/hashing.h"
#include "base/strings.h"
#include "base/time.h"
#include "services/s3/errors.h"

namespace virga::s3 {
namespace {

AwsError with_marker(AwsError error, const ObjectVersion& marker) {
  Document detail = error.detail ? *error.detail : Document::object();
  detail.set("@x-amz-delete-marker", "true");
  detail.set("@x-amz-version-id", marker.version_id);
  if (error.http_status == 405) {
    detail.set("@Allow", "DELETE");
    detail.set("@Last-Modified", format_http_date(Timestamp::from_millis(marker.modified_millis)));
  }
  error.detail = std::make_shared<const Document>(std::move(detail));
  return error;
}

}  // namespace

Result<Bucket> open_bucket(const S3Reader& s3, std::string_view name,
                           const std::optional<std::string>& expected_owner) {
  VIRGA_TRY(bucket, s3.bucket(name));
  if (expected_owner && *expected_owner != bucket.owner) return fail(errors::access_denied());
  return bucket;
}

Result<void> check_version_id(const std::optional<std::string>& version_id) {
  if (!version_id || *version_id == "null" || sequence_of(*version_id)) return {};
  if (version_id->empty()) {
    return fail(errors::invalid_argument("Version id cannot be the empty string", "versionId", ""));
  }
  return fail(errors::invalid_argument("Invalid version id specified", "versionId", *version_id));
}

Result<ObjectVersion> find_object(const S3Reader& s3, const Bucket& bucket, const std::string& key,
                                  const std::optional<std::string>& version_id,
                                  std::string_view method) {
  VIRGA_TRY_VOID(check_version_id(version_id));
  if (version_id) {
    VIRGA_TRY(found, s3.version(bucket, key, *version_id));
    if (!found) return fail(errors::no_such_version(key, *version_id));
    if (found->delete_marker)
      return fail(with_marker(errors::method_not_allowed(method, "DeleteMarker"), *found));
    return std::move(*found);
  }
  Result<std::optional<ObjectVersion>> read = s3.current(bucket, key);
  if (!read) return fail(read.error());
  std::optional<ObjectVersion>& found = *read;
  if (!found) return fail(errors::no_such_key(key));
  if (found->delete_marker) return fail(with_marker(errors::no_such_key(key), *found));
  return std::move(*found);
}

bool is_archive_class(std::string_view storage_class) {
  return storage_class == "GLACIER" || storage_class == "DEEP_ARCHIVE";
}

bool is_archived(const ObjectVersion& object) {
  return is_archive_class(object.headers.storage_class);
}

bool is_out_of_reach(const ObjectVersion& object, Timestamp now) {
  return is_archived(object) && object.restored_until_millis <= now.millis();
}

Result<std::optional<CustomerKey>> matching_key(const Encryption& encryption,
                                                const std::optional<std::string>& algorithm,
                                                const std::optional<std::string>& key,
                                                const std::optional<std::string>& key_md5) {
  VIRGA_TRY(given, parse_customer_key(algorithm, key, key_md5));
  if (encryption.customer_key_md5.empty()) {
    if (given)
      return fail(
          errors::invalid_request("The encryption parameters are not applicable to this object."));
    return std::nullopt;
  }
  if (!given) {
    return fail(errors::invalid_request(
        "The object was stored using a form of Server Side Encryption. The correct parameters "
        "must be provided to retrieve the object."));
  }
  if (given->md5_base64 != encryption.customer_key_md5) return fail(errors::access_denied());
  return std::move(given);
}

Result<std::optional<CustomerKey>> matching_part_key(const Encryption& encryption,
                                                     const std::optional<std::string>& algorithm,
                                                     const std::optional<std::string>& key,
                                                     const std::optional<std::string>& key_md5) {
  VIRGA_TRY(given, parse_customer_key(algorithm, key, key_md5));
  const std::string& wanted = encryption.customer_key_md5;
  if (!wanted.empty() && !given) {
    return fail(errors::invalid_request(
        "The multipart upload initiate requested encryption. Subsequent part requests must include "
        "the appropriate encryption parameters."));
  }
  if (given && wanted.empty()) {
    return fail(errors::invalid_request(
        "The multipart upload initiate did not request encryption. Please resend the request "
        "without sending encryption parameters."));
  }
  if (given && given->md5_base64 != wanted) {
    return fail(errors::invalid_request(
        "The provided encryption parameters did not match the ones used originally."));
  }
  return given;
}

Result<std::vector<Part>> extents_of(const S3Reader& s3, const Bucket& bucket,
                                     const ObjectVersion& object) {
  if (object.manifest != 0) return s3.manifest(bucket, object.manifest);
  std::vector<Part> whole(1);
  whole[0].number = 1;
  whole[0].size = object.size;
  whole[0].extent = {
      .blob = object.content, .checksum = object.checksum, .nonce = object.encryption.nonce};
  return whole;
}

std::string etag_of(std::string_view md5_of_content, const Encryption& encryption,
                    std::string_view random16) {
  const bool is_md5 = encryption.customer_key_md5.empty() && encryption.kms_key.empty();
  return to_hex(is_md5 ? md5_of_content : md5(std::string(md5_of_content).append(random16)));
}

int64_t stamp(const RequestContext& request) {
  return request.now.at.seconds() * 1000;
}

Result<void> check_unlocked(const ObjectVersion& object, int64_t now_millis,
                            bool bypass_governance) {
  const bool retained = !object.lock_mode.empty() && object.retain_until_millis > now_millis &&
                        !(object.lock_mode == "GOVERNANCE" && bypass_governance);
  if (!retained && object.legal_hold != LegalHold::on) return {};
  return fail(
      errors::make("AccessDenied", 403, "Access Denied because object protected by object lock."));
}

}  // namespace virga::s3
