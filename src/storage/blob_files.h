#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "storage/file_system.h"
#include "storage/local_access.h"

// The files of a blob store. All calls block; any thread of the pool.
namespace virga::storage {

inline constexpr const char* kBlobNotCached = "BlobNotCached";

// Where a blob lies: at `offset` of a pack, or (pack 0) in a file of its own.
struct BlobPlace {
  uint64_t pack = 0;
  uint64_t id = 0;
  uint64_t offset = 0;
  uint64_t size = 0;
};

// One content that is to be appended to a pack.
struct PackedContent {
  // fresh: counts as unkept until kept(). moved: is kept already and gets a new place.
  enum class Fate : uint8_t { fresh, moved };
  uint64_t id = 0;
  std::string_view bytes;
  Fate fate = Fate::fresh;
};

// Content followed by a table of its chunks' checksums.
std::string blob_trailer(std::string_view content);
uint64_t blob_trailer_bytes(uint64_t size);

// Writes one blob's own file.
class BlobFileWriter {
 public:
  BlobFileWriter(FileSystem& fs, std::string dir, std::unique_ptr<File> file)
      : fs_(&fs),
        dir_(std::move(dir)),
        file_(std::move(file)),
        local_(dynamic_cast<LocalAccess*>(file_.get())) {}
  Result<void> append(std::string_view bytes);
  Result<uint64_t> finish();  // durable, name included; returns the size

 private:
  Result<void> write_chunks(bool last);
  FileSystem* fs_;
  std::string dir_;
  std::unique_ptr<File> file_;
  LocalAccess* local_;   // of file_, when it has one
  std::string pending_;  // not yet written
  uint64_t written_ = 0;
  std::string checksums_;
};

class BlobFiles {
 public:
  BlobFiles(FileSystem& fs, std::string dir, uint64_t pack_bytes)
      : fs_(fs), dir_(std::move(dir)), pack_bytes_(pack_bytes) {}

  // Takes over the folder: files and packs that hold none of `kept` go. Returns the greatest id in
  // use.
  Result<uint64_t> open(const std::vector<BlobPlace>& kept);

  Result<BlobFileWriter> start_file(uint64_t id);
  void drop_file(uint64_t id);
  // Appends the contents to one pack, with one write and one sync: all of them are durable when it
  // returns, or none counts. One caller at a time.
  Result<std::vector<BlobPlace>> append_group(const std::vector<PackedContent>& contents);
  std::optional<BlobPlace> unkept(uint64_t id) const;
  void kept(const BlobPlace& place);
  // Nobody refers to it any more: its file goes, or its share of a pack, and with the last one the
  // pack.
  void forget(const BlobPlace& place);

  // Where reads may come from. cache: what is there without waiting for the disk, or BlobNotCached.
  enum class From : uint8_t { cache, disk };
  // BlobMissing, BlobDamaged.
  Result<std::string> read(const BlobPlace& place, uint64_t offset, uint64_t count);
  // An open blob stays readable when it is removed meanwhile.
  struct Open {
    std::shared_ptr<File> file;    // shared with other readers of the pack
    LocalAccess* local = nullptr;  // of the file, when it has one
    BlobPlace place;
    std::string checksums;  // the table of its chunks
  };
  Result<Open> open_blob(const BlobPlace& place, From from = From::disk);
  static Result<std::string> read(const Open& blob, uint64_t offset, uint64_t count,
                                  From from = From::disk);
  // The same without giving the bytes: whether the chunks that they lie in are sound.
  static Result<void> verify(const Open& blob, uint64_t offset, uint64_t count, From from);

  std::vector<BlobPlace> mostly_dead() const;  // what lives in packs that are more dead than alive
  std::vector<BlobPlace> all() const;
  uint64_t pack_count() const;

 private:
  struct Pack {
    std::shared_ptr<File> file;  // shared with readers
    uint64_t end = 0;
    std::map<uint64_t, BlobPlace> alive;  // by id
    uint64_t alive_bytes = 0;
  };
  std::string file_path(uint64_t id) const;
  std::string pack_path(uint64_t pack) const;
  Result<uint64_t> pack_with_room(uint64_t bytes);  // under mutex_
  Result<void> drop_pack(uint64_t pack);            // under mutex_
  Result<std::shared_ptr<File>> file_of(const BlobPlace& place, From from);
  static Result<void> read_exactly(const Open& blob, uint64_t offset, std::span<char> out,
                                   From from);
  static Result<void> check_chunk(const Open& blob, uint64_t chunk, std::string_view bytes);

  FileSystem& fs_;
  std::string dir_;
  uint64_t pack_bytes_;
  mutable std::mutex mutex_;  // guards what follows
  std::map<uint64_t, Pack> packs_;
  std::map<uint64_t, BlobPlace> own_files_;  // by id
  std::map<uint64_t, BlobPlace> unkept_;
  uint64_t current_pack_ = 0;
  uint64_t next_pack_ = 1;
};

}  // namespace virga::storage
