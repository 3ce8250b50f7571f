#include "services/s3/s3_store.h"

#include <algorithm>

#include "services/s3/errors.h"

namespace virga::s3 {
namespace {

using storage::Key;
using storage::Space;

constexpr uint8_t kCurrent = 0;
constexpr uint8_t kNoncurrent = 1;

Key bucket_key(std::string_view name) {
  return Key(Space::s3).u8('b').text(name);
}
Key owner_key(std::string_view account, std::string_view name) {
  return Key(Space::s3).u8('o').account(account).text(name);
}
Key below(uint8_t kind, const Bucket& bucket) {
  return Key(Space::s3).u8(kind).u64(bucket.id);
}
Key config_key(const Bucket& bucket, std::string_view name) {
  return below('c', bucket).text(name);
}
Key upload_key(const Bucket& bucket, std::string_view key, uint64_t id) {
  return below('u', bucket).text(key).u64(id);
}
Key parts_key(const Bucket& bucket, uint64_t upload) {
  return below('p', bucket).u64(upload);
}
Key manifest_key(const Bucket& bucket, uint64_t manifest) {
  return below('m', bucket).u64(manifest);
}

Key objects_of(const Bucket& bucket) {
  return Key(Space::s3_objects).u64(bucket.id);
}
Key current_key(const Bucket& bucket, std::string_view key) {
  return objects_of(bucket).text(key).u8(kCurrent);
}
Key noncurrent_of(const Bucket& bucket, std::string_view key) {
  return objects_of(bucket).text(key).u8(kNoncurrent);
}
Key noncurrent_key(const Bucket& bucket, std::string_view key, uint64_t sequence) {
  return noncurrent_of(bucket, key).u64_descending(sequence);
}

}  // namespace

// ---- reading
// ------------------------------------------------------------------------------------------------------

Result<std::optional<Bucket>> S3Reader::find_bucket(std::string_view name) const {
  VIRGA_TRY(bytes, view_.get(bucket_key(name)));
  if (!bytes) return std::optional<Bucket>();
  VIRGA_TRY(bucket, Bucket::decode(*bytes));
  return std::optional<Bucket>(std::move(bucket));
}

Result<Bucket> S3Reader::bucket(std::string_view name) const {
  VIRGA_TRY(found, find_bucket(name));
  if (!found) return fail(errors::no_such_bucket(name));
  return std::move(*found);
}

Result<void> S3Reader::each_bucket(std::string_view account, std::string_view after,
                                   const std::function<bool(Bucket&&)>& visit) const {
  const Key all = Key(Space::s3).u8('o').account(account);
  const std::string begin = after.empty() ? all.str() : owner_key(account, after).range_end();
  const auto cursor = view_.cursor(begin, all.range_end());
  for (; cursor->valid(); cursor->next()) {
    const std::string name = storage::KeyReader(cursor->key().substr(all.str().size())).text();
    VIRGA_TRY(found, find_bucket(name));
    if (found && !visit(std::move(*found))) break;
  }
  return cursor->status();
}

Result<std::optional<std::string>> S3Reader::config(const Bucket& bucket,
                                                    std::string_view name) const {
  return view_.get(config_key(bucket, name));
}

Result<bool> S3Reader::is_empty(const Bucket& bucket) const {
  const Key all = objects_of(bucket);
  const auto cursor = view_.cursor(all.str(), all.range_end());
  VIRGA_TRY_VOID(cursor->status());
  return !cursor->valid();
}

Result<std::optional<ObjectVersion>> S3Reader::current(const Bucket& bucket,
                                                       std::string_view key) const {
  VIRGA_TRY(bytes, view_.get(current_key(bucket, key)));
  if (!bytes) return std::optional<ObjectVersion>();
  Result<ObjectVersion> object = ObjectVersion::decode(key, *bytes);
  if (!object) return fail(object.error());
  Result<std::optional<ObjectVersion>> out;
  out->emplace(std::move(*object));
  return out;
}

Result<std::optional<ObjectVersion>> S3Reader::version(const Bucket& bucket, std::string_view key,
                                                       std::string_view version_id) const {
  VIRGA_TRY(newest, current(bucket, key));
  if (!newest || newest->version_id == version_id) return std::move(newest);
  if (version_id == "null") {
    const Key older = noncurrent_of(bucket, key);
    const auto cursor = view_.cursor(older.str(), older.range_end());
    for (; cursor->valid(); cursor->next()) {
      VIRGA_TRY(object, ObjectVersion::decode(key, cursor->value()));
      if (object.version_id == version_id) return std::optional<ObjectVersion>(std::move(object));
    }
    VIRGA_TRY_VOID(cursor->status());
    return std::optional<ObjectVersion>();
  }
  const auto sequence = sequence_of(version_id);
  if (!sequence) return std::optional<ObjectVersion>();
  VIRGA_TRY(bytes, view_.get(noncurrent_key(bucket, key, *sequence)));
  if (!bytes) return std::optional<ObjectVersion>();
  VIRGA_TRY(object, ObjectVersion::decode(key, *bytes));
  if (object.version_id != version_id) return std::optional<ObjectVersion>();
  return std::optional<ObjectVersion>(std::move(object));
}

Result<std::vector<Part>> S3Reader::manifest(const Bucket& bucket, uint64_t manifest) const {
  VIRGA_TRY(bytes, view_.get(manifest_key(bucket, manifest)));
  if (!bytes) return fail(internal_failure("an object's list of parts is gone"));
  return decode_manifest(*bytes);
}

Result<std::optional<ObjectVersion>> S3Reader::made_of_upload(const Bucket& bucket,
                                                              std::string_view key,
                                                              std::string_view upload_id) const {
  constexpr int kVersionsSearched = 20;
  VIRGA_TRY(newest, current(bucket, key));
  if (!newest || newest->upload_id == upload_id) return std::move(newest);
  const Key older = noncurrent_of(bucket, key);
  const auto cursor = view_.cursor(older.str(), older.range_end());
  for (int i = 0; i < kVersionsSearched && cursor->valid(); ++i, cursor->next()) {
    VIRGA_TRY(object, ObjectVersion::decode(key, cursor->value()));
    if (object.upload_id == upload_id) return std::optional<ObjectVersion>(std::move(object));
  }
  VIRGA_TRY_VOID(cursor->status());
  return std::optional<ObjectVersion>();
}

// ---- walking over versions
// ----------------------------------------------------------------------------------------

S3Reader::Versions S3Reader::versions(const Bucket& bucket, std::string_view from_key) const {
  const Key all = objects_of(bucket);
  Versions out;
  out.view_ = &view_;
  out.base_ = all.str();
  out.end_ = all.range_end();
  out.seek(from_key);
  return out;
}

void S3Reader::Versions::open(std::string_view begin) {
  cursor_ = view_->cursor(begin, end_);
  fresh_ = true;
}

void S3Reader::Versions::seek(std::string_view key) {
  // A text sorts before all that it begins.
  std::string begin = base_;
  if (!key.empty()) {
    begin = Key(Space::s3_objects).text(key).take().replace(0, 1, base_);
  }
  open(begin);
}

void S3Reader::Versions::seek_past_prefix(std::string_view prefix) {
  const std::string next = storage::prefix_end(prefix);
  if (next.empty()) {
    open(end_);
  } else {
    seek(next);
  }
}

void S3Reader::Versions::seek_next_key() {
  const std::string mine = Key(Space::s3_objects).text(key_).take().replace(0, 1, base_);
  open(storage::prefix_end(mine));
}

bool S3Reader::Versions::next() {
  if (!fresh_) cursor_->next();
  fresh_ = false;
  if (!cursor_->valid()) {
    status_ = cursor_->status();
    return false;
  }
  storage::KeyReader reader(cursor_->key().substr(base_.size()));
  key_ = reader.text();
  current_ = reader.u8() == kCurrent;
  return true;
}

uint64_t S3Reader::Versions::sequence() const {
  storage::KeyReader reader(cursor_->key().substr(cursor_->key().size() - 8));
  return reader.u64_descending();
}

Result<ObjectVersion> S3Reader::Versions::read() const {
  return ObjectVersion::decode(key_, cursor_->value());
}

Result<ListedVersion> S3Reader::Versions::read_listed() const {
  return ListedVersion::decode(key_, cursor_->value());
}

// ---- uploads
// ------------------------------------------------------------------------------------------------------

Result<std::optional<Upload>> S3Reader::find_upload(const Bucket& bucket, std::string_view key,
                                                    std::string_view upload_id) const {
  // An upload's public id is made like a version's.
  const auto id = sequence_of(upload_id);
  if (!id) return std::optional<Upload>();
  VIRGA_TRY(bytes, view_.get(upload_key(bucket, key, *id)));
  if (!bytes) return std::optional<Upload>();
  VIRGA_TRY(upload, Upload::decode(key, *bytes));
  if (upload.upload_id != upload_id) return std::optional<Upload>();
  return std::optional<Upload>(std::move(upload));
}

Result<Upload> S3Reader::upload(const Bucket& bucket, std::string_view key,
                                std::string_view upload_id) const {
  VIRGA_TRY(found, find_upload(bucket, key, upload_id));
  if (!found) return fail(errors::no_such_upload(upload_id));
  return std::move(*found);
}

Result<void> S3Reader::each_upload(const Bucket& bucket, std::string_view from_key,
                                   uint64_t after_id,
                                   const std::function<bool(Upload&&)>& visit) const {
  const Key all = below('u', bucket);
  std::string begin = all.str();
  if (!from_key.empty()) {
    begin = after_id == UINT64_MAX
                ? below('u', bucket).text(from_key).range_end()
                : upload_key(bucket, from_key, after_id + (after_id ? 1 : 0)).take();
  }
  const auto cursor = view_.cursor(begin, all.range_end());
  for (; cursor->valid(); cursor->next()) {
    const std::string key = storage::KeyReader(cursor->key().substr(all.str().size())).text();
    VIRGA_TRY(upload, Upload::decode(key, cursor->value()));
    if (!visit(std::move(upload))) break;
  }
  return cursor->status();
}

Result<void> S3Reader::each_part(const Bucket& bucket, const Upload& upload, uint32_t after,
                                 const std::function<bool(Part&&)>& visit) const {
  const Key all = parts_key(bucket, upload.id);
  const auto cursor = view_.cursor(parts_key(bucket, upload.id).u32(after + 1), all.range_end());
  for (; cursor->valid(); cursor->next()) {
    const uint32_t number = storage::KeyReader(cursor->key().substr(all.str().size())).u32();
    VIRGA_TRY(part, Part::decode(number, cursor->value()));
    if (!visit(std::move(part))) break;
  }
  return cursor->status();
}

Result<std::optional<Part>> S3Reader::part(const Bucket& bucket, const Upload& upload,
                                           uint32_t number) const {
  VIRGA_TRY(bytes, view_.get(parts_key(bucket, upload.id).u32(number)));
  if (!bytes) return std::optional<Part>();
  VIRGA_TRY(part, Part::decode(number, *bytes));
  return std::optional<Part>(std::move(part));
}

// ---- writing
// ------------------------------------------------------------------------------------------------------

void S3Transaction::add(Bucket& bucket) {
  bucket.id = txn_.new_object_id();
  txn_.put(owner_key(bucket.owner, bucket.name), {});
  put(bucket);
}

void S3Transaction::put(const Bucket& bucket) {
  txn_.put(bucket_key(bucket.name), bucket.encode());
}

Result<void> S3Transaction::erase(const Bucket& bucket) {
  txn_.allow_in_low_space();
  std::vector<Upload> uploads;
  VIRGA_TRY_VOID(each_upload(bucket, {}, 0, [&](Upload&& upload) {
    uploads.push_back(std::move(upload));
    return true;
  }));
  for (const Upload& upload : uploads) VIRGA_TRY_VOID(erase(bucket, upload, {}));
  const Key configs = below('c', bucket);
  txn_.erase_range(configs.str(), configs.range_end());
  txn_.erase(owner_key(bucket.owner, bucket.name));
  txn_.erase(bucket_key(bucket.name));
  return {};
}

void S3Transaction::put_config(const Bucket& bucket, std::string_view name,
                               std::string_view bytes) {
  txn_.put(config_key(bucket, name), bytes);
}
void S3Transaction::erase_config(const Bucket& bucket, std::string_view name) {
  txn_.allow_in_low_space();
  txn_.erase(config_key(bucket, name));
}

Result<std::optional<ObjectVersion>> S3Transaction::find_null_version(const Bucket& bucket,
                                                                      std::string_view key) const {
  if (bucket.versioning == Versioning::enabled) return std::optional<ObjectVersion>();
  return version(bucket, key, "null");
}

Result<void> S3Transaction::put_version(const Bucket& bucket, ObjectVersion& object,
                                        const std::vector<Part>& extents,
                                        std::string_view random16) {
  object.sequence = txn_.new_object_id();
  object.version_id = bucket.versioning == Versioning::enabled
                          ? make_version_id(object.sequence, random16)
                          : std::string("null");
  VIRGA_TRY(before, current(bucket, object.key));
  // A null version gives way to the next one; any other is kept.
  if (bucket.versioning == Versioning::suspended) {
    VIRGA_TRY(null_version, version(bucket, object.key, "null"));
    if (null_version) {
      VIRGA_TRY_VOID(drop_content(bucket, *null_version));
      if (before && before->version_id == "null") {
        before.reset();
      } else {
        txn_.erase(noncurrent_key(bucket, object.key, null_version->sequence));
      }
    }
  } else if (bucket.versioning == Versioning::off && before) {
    VIRGA_TRY_VOID(drop_content(bucket, *before));
    before.reset();
  }
  if (before) txn_.put(noncurrent_key(bucket, object.key, before->sequence), before->encode());

  if (!extents.empty()) {
    object.manifest = txn_.new_object_id();
    txn_.put(manifest_key(bucket, object.manifest), encode_manifest(extents));
  } else if (!object.delete_marker) {
    blobs_.keep(txn_, object.content);
  }
  txn_.put(current_key(bucket, object.key), object.encode());
  return {};
}

Result<void> S3Transaction::drop_content(const Bucket& bucket, const ObjectVersion& object) {
  if (object.delete_marker) return {};
  if (object.manifest == 0) {
    blobs_.remove(txn_, object.content);
    return {};
  }
  VIRGA_TRY(extents, manifest(bucket, object.manifest));
  for (const Part& part : extents) blobs_.remove(txn_, part.extent.blob);
  txn_.erase(manifest_key(bucket, object.manifest));
  return {};
}

Result<void> S3Transaction::update(const Bucket& bucket, const ObjectVersion& object) {
  VIRGA_TRY(newest, current(bucket, object.key));
  const bool is_newest = newest && newest->sequence == object.sequence;
  txn_.put(is_newest ? current_key(bucket, object.key)
                     : noncurrent_key(bucket, object.key, object.sequence),
           object.encode());
  return {};
}

Result<void> S3Transaction::erase(const Bucket& bucket, const ObjectVersion& object) {
  txn_.allow_in_low_space();
  VIRGA_TRY_VOID(drop_content(bucket, object));
  VIRGA_TRY(newest, current(bucket, object.key));
  if (!newest || newest->sequence != object.sequence) {
    txn_.erase(noncurrent_key(bucket, object.key, object.sequence));
    return {};
  }
  std::string next_key, next_value;
  if (bucket.versioning != Versioning::off) {
    const Key older = noncurrent_of(bucket, object.key);
    const auto cursor = view_.cursor(older.str(), older.range_end());
    VIRGA_TRY_VOID(cursor->status());
    if (cursor->valid()) {
      next_key = cursor->key();
      next_value = cursor->value();
    }
  }
  if (next_key.empty()) {
    txn_.erase(current_key(bucket, object.key));
  } else {
    txn_.erase(next_key);
    txn_.put(current_key(bucket, object.key), next_value);
  }
  return {};
}

void S3Transaction::add(const Bucket& bucket, Upload& upload) {
  upload.id = txn_.new_object_id();
  // What stood in upload_id was 16 bytes of chance.
  upload.upload_id = make_version_id(upload.id, upload.upload_id);
  txn_.put(upload_key(bucket, upload.key, upload.id), upload.encode());
}

Result<void> S3Transaction::put_part(const Bucket& bucket, const Upload& upload, const Part& part) {
  VIRGA_TRY(before, S3Reader::part(bucket, upload, part.number));
  if (before) blobs_.remove(txn_, before->extent.blob);
  blobs_.keep(txn_, part.extent.blob);
  txn_.put(parts_key(bucket, upload.id).u32(part.number), part.encode());
  return {};
}

Result<void> S3Transaction::erase(const Bucket& bucket, const Upload& upload,
                                  const std::vector<uint32_t>& keep_content) {
  txn_.allow_in_low_space();
  std::vector<Part> parts;
  VIRGA_TRY_VOID(each_part(bucket, upload, 0, [&](Part&& part) {
    parts.push_back(std::move(part));
    return true;
  }));
  for (const Part& part : parts) {
    const bool keep = std::binary_search(keep_content.begin(), keep_content.end(), part.number);
    if (!keep) blobs_.remove(txn_, part.extent.blob);
    txn_.erase(parts_key(bucket, upload.id).u32(part.number));
  }
  txn_.erase(upload_key(bucket, upload.key, upload.id));
  return {};
}

}  // namespace virga::s3
