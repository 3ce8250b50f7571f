#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "async/byte_stream.h"
#include "async/offload.h"
#include "async/task.h"
#include "storage/file_system.h"
#include "storage/shard.h"

// Content beside the records: function packages, S3 objects. By size it lies in the reference
// itself (up to 4 KiB), packed with others in an append-only file (up to 1 MiB), or in a file of
// its own. Durable before visible: write the content, then commit the record that holds its
// reference; what no commit refers to is collected. Format: docs/formats/blobs.md.
namespace virga::storage {

inline constexpr uint64_t kBlobInlineMax = 4 << 10;
inline constexpr uint64_t kBlobPackedMax = 1 << 20;
inline constexpr uint64_t kBlobChunkBytes = 64 << 10;  // unit of checksums and of reading

// What a record keeps of its content: opaque bytes for the store, a size for the rest.
struct BlobRef {
  enum class Kind : uint8_t { inlined = 1, packed = 2, file = 3 } kind = Kind::inlined;
  uint64_t size = 0;
  uint64_t id = 0;      // packed, file
  std::string content;  // inlined

  std::string encode() const;
  static Result<BlobRef> decode(std::string_view bytes);
  friend bool operator==(const BlobRef&, const BlobRef&) = default;
};

class BlobStore;
struct BlobPlace;  // blob_files.h

// Takes content piece by piece. One owner, one loop; finish() or destruction (which discards) ends
// it.
class BlobWriter {
 public:
  BlobWriter(BlobWriter&&) noexcept;
  ~BlobWriter();
  Task<void> append(std::string piece);
  // The same for who is on the pool already. Not while append() runs.
  Result<void> append_blocking(std::string piece);
  // The content is durable when this returns. Pass the reference to BlobStore::keep in a
  // transaction, or to discard.
  Task<BlobRef> finish();

 private:
  friend class BlobStore;
  struct State;
  explicit BlobWriter(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;  // shared with the pool while it writes
};

// Opened with its shard, in the folder beside it. Any loop; file work runs on `pool`.
class BlobStore {
 public:
  // Collects what no commit refers to (a crash between content and commit).
  static Result<std::unique_ptr<BlobStore>> open(FileSystem& fs, std::string dir, Shard& shard,
                                                 async::Pool& pool, uint64_t pack_bytes = 64 << 20);
  ~BlobStore();

  BlobWriter writer();
  Task<BlobRef> put(std::string content);  // writer, append, finish
  // In the transaction that makes the content visible, resp. the last one that refers to it. What
  // is removed is readable until the transaction is published; readers under way finish.
  void keep(Txn& txn, const BlobRef& ref);
  void remove(Txn& txn, const BlobRef& ref);
  // Content that was finished and will not be kept after all.
  Task<void> discard(BlobRef ref);

  // Errors: BlobMissing; BlobDamaged when a checksum does not match.
  Task<std::string> read(BlobRef ref, uint64_t offset = 0, uint64_t count = UINT64_MAX);
  std::unique_ptr<async::ByteSource> source(BlobRef ref, uint64_t offset = 0,
                                            uint64_t count = UINT64_MAX);

  // Moves what lives in packs that are mostly dead. Returns how many packs went away.
  Task<int> compact();
  // For a reset of the shard, which forgets all references at once: what is kept before it, and its
  // end after it.
  std::vector<BlobPlace> kept() const;
  Task<void> forget(std::vector<BlobPlace> places);
  // Reads everything back; the ids whose checksums do not match.
  Task<std::vector<uint64_t>> scrub();

  uint64_t pack_count() const;

 private:
  friend class BlobWriter;
  class Source;
  struct Core;
  explicit BlobStore(std::shared_ptr<Core> core);
  std::shared_ptr<Core> core_;  // shared with work on the pool and callbacks of transactions
};

}  // namespace virga::storage
