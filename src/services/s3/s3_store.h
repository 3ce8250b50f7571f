#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "services/s3/records.h"
#include "storage/blob_store.h"
#include "storage/shard.h"

// All of S3's keys. Bucket names are one namespace of all accounts and regions.
// Below Space::s3:
//   'b' bucket name → Bucket                         'o' account | bucket name → nothing: the
//   account's buckets 'c' bucket id | configuration's name → bytes     what Put…Configuration
//   operations keep; their own business 'u' bucket id | key | upload's id → Upload       'p' bucket
//   id | upload's id | part number → Part 'm' bucket id | manifest → the extents of a multipart
//   object
// Below Space::s3_objects:
//   bucket id | key | 0 → the current version (an object or a delete marker)
//   bucket id | key | 1 | sequence, descending → a noncurrent version
// So one point read finds what most requests want, and one scan gives all versions in
// ListObjectVersions' order: keys in their bytes' order, newest first. docs/formats/s3.md has the
// bytes.
namespace virga::s3 {

class S3Reader {
 public:
  explicit S3Reader(const storage::View& view) : view_(view) {}

  Result<std::optional<Bucket>> find_bucket(std::string_view name) const;
  Result<Bucket> bucket(std::string_view name) const;  // NoSuchBucket
  // The account's buckets by name, those after `after`. `visit` returns false to stop.
  Result<void> each_bucket(std::string_view account, std::string_view after,
                           const std::function<bool(Bucket&&)>& visit) const;
  Result<std::optional<std::string>> config(const Bucket& bucket, std::string_view name) const;
  // No object, no version, no delete marker.
  Result<bool> is_empty(const Bucket& bucket) const;

  // The current version, delete markers too.
  Result<std::optional<ObjectVersion>> current(const Bucket& bucket, std::string_view key) const;
  // By public version id, "null" included.
  Result<std::optional<ObjectVersion>> version(const Bucket& bucket, std::string_view key,
                                               std::string_view version_id) const;
  Result<std::vector<Part>> manifest(const Bucket& bucket, uint64_t manifest) const;
  // The version that a multipart upload became, as long as it is among its key's latest.
  Result<std::optional<ObjectVersion>> made_of_upload(const Bucket& bucket, std::string_view key,
                                                      std::string_view upload_id) const;

  // Keys and versions in order, for listings. Stands before the first record until next().
  class Versions {
   public:
    // The next record: a version, newest first within its key. False at the end.
    bool next();
    // Skips to the first record of a key that is not less than `key`, or to the one behind all that
    // begin with `prefix`.
    void seek(std::string_view key);
    void seek_past_prefix(std::string_view prefix);
    // Skips the rest of this key's versions.
    void seek_next_key();

    const std::string& key() const { return key_; }
    bool is_current() const { return current_; }
    uint64_t sequence() const;  // of a noncurrent one, without decoding
    Result<ObjectVersion> read() const;
    Result<ListedVersion> read_listed() const;
    Result<void> status() const { return status_; }

   private:
    friend class S3Reader;
    void open(std::string_view begin);
    const storage::View* view_ = nullptr;
    std::unique_ptr<storage::Cursor> cursor_;
    std::string base_, end_;
    bool fresh_ = true;
    std::string key_;
    bool current_ = false;
    Result<void> status_;
  };
  Versions versions(const Bucket& bucket, std::string_view from_key = {}) const;

  Result<std::optional<Upload>> find_upload(const Bucket& bucket, std::string_view key,
                                            std::string_view upload_id) const;
  Result<Upload> upload(const Bucket& bucket, std::string_view key,
                        std::string_view upload_id) const;  // NoSuchUpload
  // By key, then by time; those after (key, id).
  Result<void> each_upload(const Bucket& bucket, std::string_view from_key, uint64_t after_id,
                           const std::function<bool(Upload&&)>& visit) const;
  Result<void> each_part(const Bucket& bucket, const Upload& upload, uint32_t after,
                         const std::function<bool(Part&&)>& visit) const;
  Result<std::optional<Part>> part(const Bucket& bucket, const Upload& upload,
                                   uint32_t number) const;

 protected:
  const storage::View& view_;
};

// Writes. Content is kept and let go of together with the records that refer to it.
class S3Transaction : public S3Reader {
 public:
  S3Transaction(storage::Txn& txn, storage::BlobStore& blobs)
      : S3Reader(txn), txn_(txn), blobs_(blobs) {}

  void add(Bucket& bucket);  // gives it its id
  void put(const Bucket& bucket);
  // With all that hangs on it: configurations and open uploads. It holds no object.
  Result<void> erase(const Bucket& bucket);
  void put_config(const Bucket& bucket, std::string_view name, std::string_view bytes);
  void erase_config(const Bucket& bucket, std::string_view name);

  // A new version on top, as the bucket's versioning says: gives it sequence and version id, moves
  // or removes what was there. `random16` are 16 bytes of chance. The content must be finished and
  // is kept by this.
  Result<void> put_version(const Bucket& bucket, ObjectVersion& object,
                           const std::vector<Part>& extents, std::string_view random16);
  // The same version with other tags, locks or access control.
  Result<void> update(const Bucket& bucket, const ObjectVersion& object);
  // This version for good, its content too; the next older one becomes current.
  Result<void> erase(const Bucket& bucket, const ObjectVersion& object);

  void add(const Bucket& bucket, Upload& upload);  // gives it its id
  Result<void> put_part(const Bucket& bucket, const Upload& upload,
                        const Part& part);  // replaces one of its number
  // Upload and parts. Parts whose number is in `keep_content` (ascending) leave their content to an
  // object.
  Result<void> erase(const Bucket& bucket, const Upload& upload,
                     const std::vector<uint32_t>& keep_content);

  storage::Txn& txn() { return txn_; }

 private:
  Result<void> drop_content(const Bucket& bucket, const ObjectVersion& object);
  Result<std::optional<ObjectVersion>> find_null_version(const Bucket& bucket,
                                                         std::string_view key) const;

  storage::Txn& txn_;
  storage::BlobStore& blobs_;
};

}  // namespace virga::s3
