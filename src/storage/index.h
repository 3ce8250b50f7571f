#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "async/worker.h"
#include "storage/file_system.h"
#include "storage/types.h"
#include "storage/view.h"

namespace virga::storage {

// The ordered index of a shard: RocksDB without its log. What it holds is a prefix of the shard
// log: each apply() carries the LSN it reaches, so after a crash the log is replayed from applied()
// + 1. One thread applies; any thread reads.
class Index {
 public:
  struct Options {
    FileSystem* fs = nullptr;
    std::string dir;
    async::WorkerHost* workers = nullptr;
    size_t write_buffer_bytes = 16 << 20;
    size_t block_cache_bytes = 32 << 20;
    size_t value_cache_bytes = 16 << 20;
    // Called (on some thread of RocksDB's) when everything up to this LSN is safe in files.
    std::function<void(Lsn)> on_flushed;
  };
  static Result<std::unique_ptr<Index>> open(Options options);
  ~Index();

  Lsn applied() const;  // as found by open(), then as of the last apply()

  // Applies payloads (batch.h) in order, all or nothing, up to `last`. One caller at a time.
  Result<void> apply(const std::vector<std::string_view>& payloads, Lsn last);
  // Starts writing the memtable to files; on_flushed tells when it is done.
  Result<void> start_flush();
  // Waits until what was applied is in files. Not under a simulated host.
  Result<void> flush_and_wait();
  // Removes keys in [begin, end) outside of the log: only for data that nothing can see any more.
  Result<void> discard_range(std::string_view begin, std::string_view end);
  bool has_any(std::string_view begin, std::string_view end);

  class Snapshot;
  struct SnapshotDeleter {
    Index* index;
    void operator()(const Snapshot* snapshot) const;
  };
  using SnapshotPtr = std::unique_ptr<const Snapshot, SnapshotDeleter>;
  SnapshotPtr snapshot();

  // `snapshot` null: the latest state. found or not; keys are full (with the generation).
  Result<bool> get(std::string_view key, const Snapshot* snapshot, std::string& value) const;
  std::unique_ptr<Cursor> cursor(std::string_view begin, std::string_view end, Direction direction,
                                 const Snapshot* snapshot) const;

  // Bytes that a replay would have to apply again, roughly.
  uint64_t unflushed_bytes() const;
  // Bytes of memory the index uses now, for metrics.
  uint64_t memory_bytes() const;

 private:
  struct Impl;
  explicit Index(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace virga::storage
