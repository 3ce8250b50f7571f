#pragma once

#include <optional>
#include <string>

#include "api/s3/shapes/common_prefix.h"
#include "api/s3/shapes/restore_status.h"
#include "services/s3/conditions.h"
#include "services/s3/listing.h"
#include "services/s3/object_access.h"
#include "services/s3/records.h"

// What the listing operations' answers have in common.
namespace virga::s3 {

// Keys as an answer writes them: url-encoded when encoding-type asks for it.
class KeyText {
 public:
  explicit KeyText(const std::optional<std::string>& encoding_type)
      : encode_(encoding_type.has_value()) {}
  std::string operator()(const std::string& key) const {
    return encode_ ? url_encode_key(key) : key;
  }

 private:
  bool encode_;
};

// Whether a listing tells of restorations (x-amz-optional-object-attributes), and which of them
// last.
struct RestoreColumn {
  bool wanted = false;
  Timestamp now;
};

template <class Input>
RestoreColumn restore_column(const Input& input, Timestamp now) {
  return {.wanted = static_cast<bool>(input.optional_object_attributes), .now = now};
}

// Source: S3 API Reference, RestoreStatus: of archived objects.
template <class Entry>
void fill_restore_status(Entry& out, const ListedVersion& object, const RestoreColumn& column) {
  if (!column.wanted || !is_archive_class(object.storage_class)) return;
  api::RestoreStatus& status = out.restore_status.emplace();
  status.is_restore_in_progress = false;
  if (object.restored_until_millis > column.now.millis())
    status.restore_expiry_date = Timestamp::from_millis(object.restored_until_millis);
}

// `Entry` is api::Object or api::ObjectVersion.
template <class Entry>
void fill_listed(Entry& out, const ListedVersion& object, const KeyText& text) {
  out.key = text(object.key);
  out.last_modified = Timestamp::from_millis(object.modified_millis);
  out.e_tag = quoted(object.etag);
  out.size = static_cast<int64_t>(object.size);
  out.storage_class = object.storage_class;
  if (!object.checksum.algorithm.empty()) {
    out.checksum_algorithm.emplace().push_back(object.checksum.algorithm);
    out.checksum_type = std::string(object.checksum.type());
  }
}

template <class Output>
void fill_common_prefixes(Output& output, const ListPage& page, const KeyText& text) {
  if (page.common_prefixes.empty()) return;
  auto& out = output.common_prefixes.emplace();
  for (const std::string& prefix : page.common_prefixes) out.emplace_back().prefix = text(prefix);
}

}  // namespace virga::s3
