#pragma once

#include <optional>
#include <string>

#include "base/time.h"
#include "services/s3/records.h"

// Conditional requests. Source: RFC 9110 §13.2.2; S3 User Guide, "Conditional requests".
namespace virga::s3 {

struct ReadConditions {
  std::optional<std::string> if_match, if_none_match;
  std::optional<Timestamp> if_modified_since, if_unmodified_since;
};
// Errors: PreconditionFailed 412; NotModified 304 with ETag and Last-Modified.
Result<void> check_read(const ReadConditions& conditions, const ObjectVersion& object);
// The same for a copy's source, whose only refusal is 412.
Result<void> check_copy_source(const ReadConditions& conditions, const ObjectVersion& source);

// If-Match and If-None-Match of a write; `current` is null when there is no object (or a delete
// marker). Errors: PreconditionFailed, NoSuchKey, NotImplemented for an If-None-Match that is no
// "*".
Result<void> check_write(const std::optional<std::string>& if_match,
                         const std::optional<std::string>& if_none_match,
                         const ObjectVersion* current, std::string_view key);

AwsError precondition_failed(std::string_view condition);
// Without quotes and W/.
std::string_view bare_etag(std::string_view text);
std::string quoted(std::string_view etag);

}  // namespace virga::s3
