#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "services/s3/records.h"

// What a bucket's lifecycle rules say about its objects. Source: S3 User Guide, "Managing the
// lifecycle of objects", "Lifecycle configuration elements"; S3 API Reference,
// PutBucketLifecycleConfiguration.
namespace virga::s3 {

namespace api {
struct BucketLifecycleConfiguration;
}

// When an action is due: so many days after something, or at a date.
struct LifecycleTime {
  std::optional<int32_t> days;
  std::optional<int64_t> date_millis;

  // Days end at the midnight (UTC) after they are over.
  int64_t due_millis(int64_t since_millis) const;
};

struct LifecycleMove {
  LifecycleTime time;
  std::string storage_class;
  int32_t newer_kept = 0;  // of noncurrent versions: the newest so many stay as they are
};

struct LifecycleRule {
  std::string id;
  std::string prefix;
  std::vector<std::pair<std::string, std::string>> tags;
  std::optional<int64_t> larger_than, smaller_than;  // bytes
  std::optional<LifecycleTime> expiration;           // of current objects
  bool lone_markers = false;                         // delete markers with nothing below them go
  std::vector<LifecycleMove> moves;
  std::optional<int32_t> noncurrent_days;
  int32_t newer_kept = 0;
  std::vector<LifecycleMove> noncurrent_moves;
  std::optional<int32_t> abort_days;  // of uploads
};

// The enabled ones.
using LifecycleRules = std::vector<LifecycleRule>;
LifecycleRules lifecycle_rules_of(const api::BucketLifecycleConfiguration& configuration);

// Errors: MalformedXML, InvalidArgument, InvalidRequest.
Result<void> check_lifecycle(const api::BucketLifecycleConfiguration& configuration);

// `expiry-date="…", rule-id="…"` of a current object; nullopt when no rule ends it.
std::optional<std::string> expiration_of(const LifecycleRules& rules, const ObjectVersion& object);

// Where a version stands among its key's.
struct VersionPlace {
  bool current = true;
  bool alone = true;                    // its key has no other version
  int64_t noncurrent_since_millis = 0;  // when the next newer one was made
  int32_t newer_noncurrent = 0;
};

struct LifecycleAction {
  enum class Kind { keep, expire, move };
  Kind kind = Kind::keep;
  std::string storage_class;  // of a move
};

// `tags` are the version's. `expire` ends a current object as DeleteObject does, anything else for
// good.
LifecycleAction lifecycle_action(const LifecycleRules& rules, const ListedVersion& version,
                                 const std::vector<std::pair<std::string, std::string>>& tags,
                                 const VersionPlace& place, int64_t now_millis);

bool is_upload_over(const LifecycleRules& rules, const Upload& upload, int64_t now_millis);

// A bucket's own rules; none when it has no lifecycle. In bucket_lifecycle.cc.
class S3Reader;
Result<LifecycleRules> lifecycle_of(const S3Reader& s3, const Bucket& bucket);

// The next midnight (UTC) after a time.
int64_t next_midnight_millis(int64_t millis);

}  // namespace virga::s3
