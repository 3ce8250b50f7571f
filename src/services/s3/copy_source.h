#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "services/s3/conditions.h"
#include "services/s3/content.h"
#include "services/s3/object_access.h"

// Where CopyObject and UploadPartCopy copy from.
namespace virga::s3 {

struct CopySource {
  std::string bucket;
  std::string key;
  std::optional<std::string> version_id;
};
// "bucket/key?versionId=…", percent-encoded, a slash in front or not. Error: InvalidArgument.
Result<CopySource> parse_copy_source(std::string_view header);
// The version it names. Errors: those of find_object, InvalidRequest for a delete marker asked for
// by its id, InvalidObjectState for what is archived and not restored. Source: S3 API Reference,
// CopyObject; recorded answers.
Result<ObjectVersion> find_copied(const S3Reader& s3, const Bucket& bucket,
                                  const CopySource& source, Timestamp now);

struct OpenSource {
  Bucket bucket;
  ObjectVersion object;
  std::vector<Part> extents;
  std::optional<CustomerKey> key;
};

template <class Input>
Result<OpenSource> open_copy_source(const S3Reader& s3, const Input& input, Timestamp now) {
  VIRGA_TRY(source, parse_copy_source(input.copy_source));
  OpenSource out;
  VIRGA_TRY(bucket, open_bucket(s3, source.bucket, input.expected_source_bucket_owner));
  out.bucket = std::move(bucket);
  VIRGA_TRY(object, find_copied(s3, out.bucket, source, now));
  out.object = std::move(object);
  VIRGA_TRY(key, matching_key(out.object.encryption, input.copy_source_sse_customer_algorithm,
                              input.copy_source_sse_customer_key,
                              input.copy_source_sse_customer_key_md5));
  out.key = std::move(key);
  VIRGA_TRY_VOID(check_copy_source(
      {input.copy_source_if_match, input.copy_source_if_none_match,
       input.copy_source_if_modified_since, input.copy_source_if_unmodified_since},
      out.object));
  VIRGA_TRY(extents, extents_of(s3, out.bucket, out.object));
  out.extents = std::move(extents);
  return out;
}

}  // namespace virga::s3
