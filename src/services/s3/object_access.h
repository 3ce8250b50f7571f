#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "aws/context.h"
#include "services/s3/customer_key.h"
#include "services/s3/s3_store.h"

// Finding what an operation is about, with S3's refusals.
namespace virga::s3 {

// NoSuchBucket; AccessDenied when the bucket's owner is not the one the caller expects.
Result<Bucket> open_bucket(const S3Reader& s3, std::string_view name,
                           const std::optional<std::string>& expected_owner);

// The version that a read means. Errors: NoSuchKey, NoSuchVersion, MethodNotAllowed for a delete
// marker asked for by its id, InvalidArgument for a version id of no form.
Result<ObjectVersion> find_object(const S3Reader& s3, const Bucket& bucket, const std::string& key,
                                  const std::optional<std::string>& version_id,
                                  std::string_view method);
Result<void> check_version_id(const std::optional<std::string>& version_id);

// Of a storage class whose content has to be restored before it can be read.
bool is_archive_class(std::string_view storage_class);
bool is_archived(const ObjectVersion& object);
// It is archived, and was not restored or is so no longer.
bool is_out_of_reach(const ObjectVersion& object, Timestamp now);

// The key that a request gives, held against what the object (or upload) was made with. Errors:
// InvalidRequest, AccessDenied.
Result<std::optional<CustomerKey>> matching_key(const Encryption& encryption,
                                                const std::optional<std::string>& algorithm,
                                                const std::optional<std::string>& key,
                                                const std::optional<std::string>& key_md5);

// The same of a part and its upload. Error: InvalidRequest.
Result<std::optional<CustomerKey>> matching_part_key(const Encryption& encryption,
                                                     const std::optional<std::string>& algorithm,
                                                     const std::optional<std::string>& key,
                                                     const std::optional<std::string>& key_md5);

// All of an object's bytes, as extents in order; the parts of one that was uploaded so.
Result<std::vector<Part>> extents_of(const S3Reader& s3, const Bucket& bucket,
                                     const ObjectVersion& object);

// The ETag of content encrypted with keys that S3 does not own is no MD5.
std::string etag_of(std::string_view md5, const Encryption& encryption, std::string_view random16);

// "YYYY-MM-DDTHH:MM:SS" as objects have it: whole seconds, in milliseconds.
int64_t stamp(const RequestContext& request);

// GOVERNANCE, COMPLIANCE and legal holds keep a version from being deleted. Error: AccessDenied.
Result<void> check_unlocked(const ObjectVersion& object, int64_t now_millis,
                            bool bypass_governance);

}  // namespace virga::s3
