#include "services/s3/listing.h"

#include "base/hashing.h"
#include "base/strings.h"
#include "services/s3/errors.h"

namespace virga::s3 {
namespace {

constexpr size_t kSealBytes = 8;

// Builds a page; the walk asks it what to do with each key.
class PageBuilder {
 public:
  PageBuilder(const ListQuery& query, ListPage& page) : query_(query), page_(page) {
    page_.objects.reserve(static_cast<size_t>(query.max_keys));
  }

  bool full() const {
    return static_cast<int32_t>(page_.objects.size() + page_.common_prefixes.size()) >=
           query_.max_keys;
  }
  void add_prefix(std::string prefix) {
    last_is_prefix_ = true;
    page_.common_prefixes.push_back(std::move(prefix));
  }
  void add(ListedVersion object, bool latest) {
    last_is_prefix_ = false;
    page_.objects.push_back(std::move(object));
    page_.is_latest.push_back(latest);
  }
  // The page is full and there is more.
  void truncate() {
    page_.truncated = true;
    if (last_is_prefix_) {
      page_.last = {.key = page_.common_prefixes.back(), .common_prefix = true, .version_id = {}};
    } else {
      const ListedVersion& last = page_.objects.back();
      page_.last = {.key = last.key, .common_prefix = false, .version_id = last.version_id};
    }
  }
  // "photos/" of "photos/2006/a.jpg"; empty when the key is listed by itself.
  std::string common_prefix(std::string_view key) const {
    if (query_.delimiter.empty()) return {};
    const size_t at = key.find(query_.delimiter, query_.prefix.size());
    return at == std::string_view::npos ? std::string()
                                        : std::string(key.substr(0, at + query_.delimiter.size()));
  }

 private:
  const ListQuery& query_;
  ListPage& page_;
  bool last_is_prefix_ = false;
};

// Where the walk begins: at the prefix or behind what was listed before.
S3Reader::Versions begin_walk(const S3Reader& reader, const Bucket& bucket,
                              const ListQuery& query) {
  if (query.after.common_prefix && query.after.key >= query.prefix) {
    auto walk = reader.versions(bucket, query.after.key);
    walk.seek_past_prefix(query.after.key);
    return walk;
  }
  return reader.versions(bucket, query.after.key > query.prefix ? query.after.key : query.prefix);
}

// A marker that a client made of a common prefix: all below it has been seen.
bool is_seen_prefix(const ListQuery& query, std::string_view common_prefix) {
  return !common_prefix.empty() && common_prefix == query.after.key;
}

std::string seal(std::string_view bucket, std::string_view inside) {
  const Sha256 digest =
      sha256("virga s3 list token\n" + std::string(bucket) + "\n" + std::string(inside));
  return std::string(as_bytes(digest).substr(0, kSealBytes));
}

}  // namespace

Result<ListPage> list_current(const S3Reader& reader, const Bucket& bucket,
                              const ListQuery& query) {
  ListPage page;
  if (query.max_keys == 0) return page;
  PageBuilder builder(query, page);
  auto walk = begin_walk(reader, bucket, query);
  while (walk.next()) {
    const std::string& key = walk.key();
    if (!key.starts_with(query.prefix)) break;
    if (!walk.is_current() || key <= query.after.key) {
      walk.seek_next_key();
      continue;
    }
    std::string common = builder.common_prefix(key);
    if (is_seen_prefix(query, common)) {
      walk.seek_past_prefix(common);
      continue;
    }
    VIRGA_TRY(object, walk.read_listed());
    if (object.delete_marker) continue;
    if (builder.full()) {
      builder.truncate();
      break;
    }
    if (common.empty()) {
      builder.add(std::move(object), true);
    } else {
      walk.seek_past_prefix(common);
      builder.add_prefix(std::move(common));
    }
  }
  VIRGA_TRY_VOID(walk.status());
  return page;
}

Result<ListPage> list_versions(const S3Reader& reader, const Bucket& bucket,
                               const ListQuery& query) {
  ListPage page;
  if (query.max_keys == 0) return page;
  // Of the marker's key, versions older than the marker's are still to come.
  uint64_t marker_sequence = 0;
  if (!query.after.version_id.empty()) {
    VIRGA_TRY(marker, reader.version(bucket, query.after.key, query.after.version_id));
    marker_sequence = marker ? marker->sequence : sequence_of(query.after.version_id).value_or(0);
  }
  PageBuilder builder(query, page);
  auto walk = begin_walk(reader, bucket, query);
  while (walk.next()) {
    const std::string& key = walk.key();
    if (!key.starts_with(query.prefix)) break;
    if (key < query.after.key || (key == query.after.key && marker_sequence == 0)) {
      walk.seek_next_key();
      continue;
    }
    std::string common = builder.common_prefix(key);
    if (is_seen_prefix(query, common)) {
      walk.seek_past_prefix(common);
      continue;
    }
    VIRGA_TRY(object, walk.read_listed());
    if (key == query.after.key && object.sequence >= marker_sequence) continue;
    if (builder.full()) {
      builder.truncate();
      break;
    }
    if (common.empty()) {
      builder.add(std::move(object), walk.is_current());
    } else {
      walk.seek_past_prefix(common);
      builder.add_prefix(std::move(common));
    }
  }
  VIRGA_TRY_VOID(walk.status());
  return page;
}

Result<int32_t> page_size(const std::optional<int32_t>& max_keys) {
  if (!max_keys) return kMaxKeys;
  if (*max_keys < 0) {
    return fail(
        errors::invalid_argument("Argument maxKeys must be an integer between 0 and 2147483647",
                                 "maxKeys", std::to_string(*max_keys)));
  }
  return std::min(*max_keys, kMaxKeys);
}

// Source: application/x-www-form-urlencoded as java.net.URLEncoder writes it, which S3's answers
// show.
std::string url_encode_key(std::string_view key) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  std::string out;
  out.reserve(key.size());
  for (const char c : key) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '_' || c == '.' || c == '*' || c == '/';
    if (plain) {
      out.push_back(c);
    } else if (c == ' ') {
      out.push_back('+');
    } else {
      const auto byte = static_cast<unsigned char>(c);
      out.push_back('%');
      out.push_back(kHex[byte >> 4]);
      out.push_back(kHex[byte & 15]);
    }
  }
  return out;
}

Result<void> check_encoding_type(const std::optional<std::string>& type) {
  if (!type || *type == "url") return {};
  return fail(errors::invalid_argument("Invalid Encoding Method specified in Request",
                                       "encoding-type", *type));
}

std::string make_list_token(std::string_view bucket, const ListPosition& position) {
  const std::string inside = (position.common_prefix ? "p" : "k") + position.key;
  return to_base64(seal(bucket, inside) + inside);
}

Result<ListPosition> read_list_token(std::string_view bucket,
                                     const std::optional<std::string>& token) {
  if (!token) return ListPosition();
  const auto refuse = [] {
    return fail(errors::make("InvalidArgument", 400, "The continuation token provided is incorrect",
                             "ArgumentName", "continuation-token"));
  };
  const auto bytes = from_base64(*token);
  if (!bytes || bytes->size() < kSealBytes + 2) return refuse();
  const std::string inside = bytes->substr(kSealBytes);
  if (bytes->substr(0, kSealBytes) != seal(bucket, inside)) return refuse();
  return ListPosition{
      .key = inside.substr(1), .common_prefix = inside.front() == 'p', .version_id = {}};
}

}  // namespace virga::s3
