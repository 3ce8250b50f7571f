#include "services/s3/records.h"

#include <algorithm>

#include "base/strings.h"
#include "storage/batch.h"

namespace virga::s3 {
namespace {

constexpr char kFormat = 1;

// Records are fields: a number, a length, bytes. Absent ones have their default; unknown ones are
// passed over, so that a field can be added without a new format.
class FieldWriter {
 public:
  explicit FieldWriter(std::string start = std::string(1, kFormat)) : out_(std::move(start)) {}
  void text(uint8_t field, std::string_view value) {
    if (value.empty()) return;
    out_.push_back(static_cast<char>(field));
    storage::append_varint(out_, value.size());
    out_.append(value);
  }
  void number(uint8_t field, uint64_t value) {
    if (value == 0) return;
    std::string bytes;
    storage::append_varint(bytes, value);
    text(field, bytes);
  }
  std::string take() { return std::move(out_); }

 private:
  std::string out_;
};

std::optional<uint64_t> take_varint(std::string_view& bytes) {
  uint64_t value = 0;
  for (int shift = 0; shift < 64 && !bytes.empty(); shift += 7) {
    const auto b = static_cast<unsigned char>(bytes.front());
    bytes.remove_prefix(1);
    value |= static_cast<uint64_t>(b & 0x7f) << shift;
    if (!(b & 0x80)) return value;
  }
  return std::nullopt;
}

uint64_t as_number(std::string_view bytes) {
  return take_varint(bytes).value_or(0);
}

AwsError unreadable() {
  return internal_failure("a record of S3 cannot be read");
}

// Calls visit(field, bytes) for each field.
template <class Visit>
Result<void> each_field(std::string_view bytes, Visit visit) {
  if (bytes.empty() || bytes.front() != kFormat) return fail(unreadable());
  bytes.remove_prefix(1);
  while (!bytes.empty()) {
    const auto field = static_cast<uint8_t>(bytes.front());
    bytes.remove_prefix(1);
    const auto size = take_varint(bytes);
    if (!size || *size > bytes.size()) return fail(unreadable());
    visit(field, bytes.substr(0, *size));
    bytes.remove_prefix(*size);
  }
  return {};
}

template <class Pairs>
std::string pack_pairs(const Pairs& pairs) {
  std::string out;
  for (const auto& [key, value] : pairs) {
    storage::append_varint(out, key.size());
    out += key;
    storage::append_varint(out, value.size());
    out += value;
  }
  return out;
}

std::optional<std::string_view> take_text(std::string_view& bytes) {
  const auto size = take_varint(bytes);
  if (!size || *size > bytes.size()) return std::nullopt;
  const auto text = bytes.substr(0, *size);
  bytes.remove_prefix(*size);
  return text;
}

std::vector<std::pair<std::string, std::string>> unpack_pairs(std::string_view bytes) {
  std::vector<std::pair<std::string, std::string>> out;
  while (!bytes.empty()) {
    const auto key = take_text(bytes);
    const auto value = take_text(bytes);
    if (!key || !value) break;
    out.emplace_back(*key, *value);
  }
  return out;
}

// Groups of fields that several records have; numbers are on disk.
void write(FieldWriter& w, const Checksum& c) {
  w.text(20, c.algorithm);
  w.text(21, c.value);
  w.number(22, c.composite);
}
void read(uint8_t field, std::string_view v, Checksum& c) {
  if (field == 20) c.algorithm = v;
  if (field == 21) c.value = v;
  if (field == 22) c.composite = true;
}

void write(FieldWriter& w, const Encryption& e) {
  w.text(30, e.algorithm);
  w.text(31, e.kms_key);
  w.text(32, e.kms_context);
  w.number(33, e.bucket_key);
  w.text(34, e.customer_key_md5);
  w.text(35, e.nonce);
}
void read(uint8_t field, std::string_view v, Encryption& e) {
  if (field == 30) e.algorithm = v;
  if (field == 31) e.kms_key = v;
  if (field == 32) e.kms_context = v;
  if (field == 33) e.bucket_key = true;
  if (field == 34) e.customer_key_md5 = v;
  if (field == 35) e.nonce = v;
}

void write(FieldWriter& w, const ObjectHeaders& h) {
  w.text(40, h.content_type);
  w.text(41, h.cache_control);
  w.text(42, h.content_disposition);
  w.text(43, h.content_encoding);
  w.text(44, h.content_language);
  w.text(45, h.expires);
  w.text(46, h.website_redirect);
  if (h.storage_class != "STANDARD") w.text(47, h.storage_class);
  w.text(48, pack_pairs(h.metadata));
}
void read(uint8_t field, std::string_view v, ObjectHeaders& h) {
  switch (field) {
    case 40:
      h.content_type = v;
      break;
    case 41:
      h.cache_control = v;
      break;
    case 42:
      h.content_disposition = v;
      break;
    case 43:
      h.content_encoding = v;
      break;
    case 44:
      h.content_language = v;
      break;
    case 45:
      h.expires = v;
      break;
    case 46:
      h.website_redirect = v;
      break;
    case 47:
      h.storage_class = v;
      break;
    case 48:
      for (auto& [key, value] : unpack_pairs(v))
        h.metadata.emplace(std::move(key), std::move(value));
      break;
    default:
      break;
  }
}

// Tags, locks and access control, which versions and uploads share by name.
template <class Record>
void write_governance(FieldWriter& w, const Record& r) {
  w.text(50, pack_pairs(r.tags));
  w.text(51, r.lock_mode);
  w.number(52, static_cast<uint64_t>(r.retain_until_millis));
  w.number(53, static_cast<uint64_t>(r.legal_hold));
  w.text(54, r.acl);
}
template <class Record>
void read_governance(uint8_t field, std::string_view v, Record& r) {
  if (field == 50) r.tags = unpack_pairs(v);
  if (field == 51) r.lock_mode = v;
  if (field == 52) r.retain_until_millis = static_cast<int64_t>(as_number(v));
  if (field == 53) r.legal_hold = static_cast<LegalHold>(as_number(v));
  if (field == 54) r.acl = v;
}

// What a version's record and what a listing reads of it have in common.
template <class Record>
void read_version(uint8_t field, std::string_view v, Record& r) {
  switch (field) {
    case 1:
      r.sequence = as_number(v);
      break;
    case 2:
      r.version_id = v;
      break;
    case 3:
      r.delete_marker = true;
      break;
    case 4:
      r.modified_millis = static_cast<int64_t>(as_number(v));
      break;
    case 5:
      r.owner = v;
      break;
    case 6:
      r.size = as_number(v);
      break;
    case 7:
      r.etag = v;
      break;
    case 55:
      r.restored_until_millis = static_cast<int64_t>(as_number(v));
      break;
    default:
      break;
  }
}

}  // namespace

std::string Bucket::encode() const {
  FieldWriter w;
  w.text(1, name);
  w.number(2, id);
  w.text(3, owner);
  w.text(4, region);
  w.number(5, static_cast<uint64_t>(created_millis));
  w.number(6, static_cast<uint64_t>(versioning));
  w.number(7, object_lock);
  w.number(8, lifecycle);
  return w.take();
}

Result<Bucket> Bucket::decode(std::string_view bytes) {
  Bucket b;
  VIRGA_TRY_VOID(each_field(bytes, [&](uint8_t field, std::string_view v) {
    switch (field) {
      case 1:
        b.name = v;
        break;
      case 2:
        b.id = as_number(v);
        break;
      case 3:
        b.owner = v;
        break;
      case 4:
        b.region = v;
        break;
      case 5:
        b.created_millis = static_cast<int64_t>(as_number(v));
        break;
      case 6:
        b.versioning = static_cast<Versioning>(as_number(v));
        break;
      case 7:
        b.object_lock = true;
        break;
      case 8:
        b.lifecycle = true;
        break;
      default:
        break;
    }
  }));
  return b;
}

std::string ObjectVersion::encode() const {
  FieldWriter w;
  w.number(1, sequence);
  w.text(2, version_id);
  w.number(3, delete_marker);
  w.number(4, static_cast<uint64_t>(modified_millis));
  w.text(5, owner);
  w.number(6, size);
  w.text(7, etag);
  w.number(8, parts);
  w.number(9, manifest);
  w.text(11, upload_id);
  write(w, checksum);
  write(w, encryption);
  write(w, headers);
  write_governance(w, *this);
  w.number(55, static_cast<uint64_t>(restored_until_millis));
  if (!delete_marker && manifest == 0) w.text(10, content.encode());
  return w.take();
}

namespace {

Result<void> read_object(std::string_view bytes, ObjectVersion& o) {
  std::string_view content;
  VIRGA_TRY_VOID(each_field(bytes, [&](uint8_t field, std::string_view v) {
    switch (field) {
      case 8:
        o.parts = static_cast<uint32_t>(as_number(v));
        break;
      case 9:
        o.manifest = as_number(v);
        break;
      case 10:
        content = v;
        break;
      case 11:
        o.upload_id = v;
        break;
      default:
        read_version(field, v, o);
        read(field, v, o.checksum);
        read(field, v, o.encryption);
        read(field, v, o.headers);
        read_governance(field, v, o);
    }
  }));
  if (!content.empty()) {
    VIRGA_TRY(ref, storage::BlobRef::decode(content));
    o.content = std::move(ref);
  }
  return {};
}

}  // namespace

// Returned as it was made: an object is some twenty strings to move.
Result<ObjectVersion> ObjectVersion::decode(std::string_view key, std::string_view bytes) {
  Result<ObjectVersion> decoded;
  decoded->key = key;
  const Result<void> read = read_object(bytes, *decoded);
  if (!read) decoded = fail(read.error());
  return decoded;
}

Result<ListedVersion> ListedVersion::decode(std::string_view key, std::string_view bytes) {
  ListedVersion o;
  o.key = key;
  VIRGA_TRY_VOID(each_field(bytes, [&](uint8_t field, std::string_view v) {
    switch (field) {
      case 20:
        o.checksum.algorithm = v;
        break;
      case 22:
        o.checksum.composite = true;
        break;
      case 47:
        o.storage_class = v;
        break;
      default:
        read_version(field, v, o);
    }
  }));
  return o;
}

std::string Upload::encode() const {
  FieldWriter w;
  w.number(1, id);
  w.text(2, upload_id);
  w.number(4, static_cast<uint64_t>(initiated_millis));
  w.text(5, owner);
  w.text(6, initiator);
  w.text(20, checksum_algorithm);
  w.number(22, checksum_composite);
  write(w, encryption);
  write(w, headers);
  write_governance(w, *this);
  return w.take();
}

Result<Upload> Upload::decode(std::string_view key, std::string_view bytes) {
  Upload u;
  u.key = key;
  VIRGA_TRY_VOID(each_field(bytes, [&](uint8_t field, std::string_view v) {
    switch (field) {
      case 1:
        u.id = as_number(v);
        break;
      case 2:
        u.upload_id = v;
        break;
      case 4:
        u.initiated_millis = static_cast<int64_t>(as_number(v));
        break;
      case 5:
        u.owner = v;
        break;
      case 6:
        u.initiator = v;
        break;
      case 20:
        u.checksum_algorithm = v;
        break;
      case 22:
        u.checksum_composite = true;
        break;
      default:
        read(field, v, u.encryption);
        read(field, v, u.headers);
        read_governance(field, v, u);
    }
  }));
  return u;
}

std::string Part::encode() const {
  FieldWriter w;
  w.number(4, static_cast<uint64_t>(modified_millis));
  w.number(6, size);
  w.text(7, etag);
  write(w, extent.checksum);
  w.text(35, extent.nonce);
  w.text(10, extent.blob.encode());
  return w.take();
}

Result<Part> Part::decode(uint32_t number, std::string_view bytes) {
  Part p;
  p.number = number;
  std::string_view blob;
  VIRGA_TRY_VOID(each_field(bytes, [&](uint8_t field, std::string_view v) {
    switch (field) {
      case 4:
        p.modified_millis = static_cast<int64_t>(as_number(v));
        break;
      case 6:
        p.size = as_number(v);
        break;
      case 7:
        p.etag = v;
        break;
      case 10:
        blob = v;
        break;
      case 35:
        p.extent.nonce = v;
        break;
      default:
        read(field, v, p.extent.checksum);
    }
  }));
  VIRGA_TRY(ref, storage::BlobRef::decode(blob));
  p.extent.blob = std::move(ref);
  return p;
}

std::string encode_manifest(const std::vector<Part>& parts) {
  std::string out(1, kFormat);
  for (const Part& part : parts) {
    const std::string bytes = part.encode();
    storage::append_varint(out, part.number);
    storage::append_varint(out, bytes.size());
    out += bytes;
  }
  return out;
}

Result<std::vector<Part>> decode_manifest(std::string_view bytes) {
  if (bytes.empty() || bytes.front() != kFormat) return fail(unreadable());
  bytes.remove_prefix(1);
  std::vector<Part> parts;
  while (!bytes.empty()) {
    const auto number = take_varint(bytes);
    const auto text = take_text(bytes);
    if (!number || !text) return fail(unreadable());
    VIRGA_TRY(part, Part::decode(static_cast<uint32_t>(*number), *text));
    parts.push_back(std::move(part));
  }
  return parts;
}

// 24 bytes, as 32 characters of base64's URL-safe alphabet with '_' and '.': the sequence, then
// chance; the sequence is covered by the chance, so that ids do not look alike.
std::string make_version_id(uint64_t sequence, std::string_view random16) {
  std::string bytes(random16.substr(0, 16));
  for (int i = 0; i < 8; ++i)
    bytes.push_back(static_cast<char>((sequence >> (56 - 8 * i)) ^
                                      static_cast<unsigned char>(bytes[static_cast<size_t>(i)])));
  std::string text = to_base64(bytes);
  std::replace(text.begin(), text.end(), '+', '_');
  std::replace(text.begin(), text.end(), '/', '.');
  return text;
}

std::optional<uint64_t> sequence_of(std::string_view version_id) {
  if (version_id.size() != 32) return std::nullopt;
  std::string text(version_id);
  std::replace(text.begin(), text.end(), '_', '+');
  std::replace(text.begin(), text.end(), '.', '/');
  const auto bytes = from_base64(text);
  if (!bytes || bytes->size() != 24) return std::nullopt;
  uint64_t sequence = 0;
  for (size_t i = 0; i < 8; ++i) {
    sequence = sequence << 8 | static_cast<unsigned char>((*bytes)[16 + i] ^ (*bytes)[i]);
  }
  return sequence;
}

}  // namespace virga::s3
