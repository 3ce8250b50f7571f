#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "services/s3/s3_store.h"

// How the listing operations walk a bucket. Source: S3 User Guide, "Organizing objects using
// prefixes"; S3 API Reference, ListObjectsV2, ListObjects, ListObjectVersions.
namespace virga::s3 {

inline constexpr int32_t kMaxKeys = 1000;

// A place in a bucket's listing: a key, a version of it, or everything below a common prefix.
struct ListPosition {
  std::string key;
  bool common_prefix = false;
  std::string version_id;  // ListObjectVersions: empty means behind all of the key's
  bool empty() const { return key.empty(); }
};

struct ListQuery {
  std::string prefix;
  std::string delimiter;
  ListPosition after;
  int32_t max_keys = kMaxKeys;  // 0 to 1000
};

struct ListPage {
  std::vector<ListedVersion> objects;
  std::vector<bool> is_latest;  // of versions
  std::vector<std::string> common_prefixes;
  bool truncated = false;
  ListPosition last;  // of what the page holds, when it is truncated
};

// Current objects. Delete markers hide theirs.
Result<ListPage> list_current(const S3Reader& reader, const Bucket& bucket, const ListQuery& query);
// Every version and delete marker, newest first within a key.
Result<ListPage> list_versions(const S3Reader& reader, const Bucket& bucket,
                               const ListQuery& query);

// max-keys as given: at most 1000 are answered. InvalidArgument when negative.
Result<int32_t> page_size(const std::optional<int32_t>& max_keys);

// encoding-type=url: form encoding, with '/' kept. Event records write keys so, too.
std::string url_encode_key(std::string_view key);
// InvalidArgument for any encoding but "url".
Result<void> check_encoding_type(const std::optional<std::string>& type);

// The continuation token of a listing of this bucket. Opaque; another bucket's, or one that was
// changed, is InvalidArgument.
std::string make_list_token(std::string_view bucket, const ListPosition& position);
Result<ListPosition> read_list_token(std::string_view bucket,
                                     const std::optional<std::string>& token);

}  // namespace virga::s3
