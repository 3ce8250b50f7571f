#pragma once

#include <atomic>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/function_ref.h"
#include "storage/file_system.h"
#include "storage/types.h"

// A shard's log: what makes a batch durable. Segments of fixed size, written in whole pages and
// recycled, so that a sync changes no file size and reads nothing first. Format:
// docs/formats/log.md.
namespace virga::storage {

struct LogRecord {
  Lsn lsn = 0;
  std::string_view payload;
};

class LogScanner;

// open() and append/sync/trim: one thread (the shard's worker). last(), first() and readers: any
// thread.
class ShardLog {
 public:
  struct Options {
    FileSystem* fs = nullptr;
    std::string dir;
    uint64_t segment_bytes = 64 << 20;
    uint32_t spare_segments = 2;
    PlantedFaults faults;
  };
  // Finds the end of the log and hands every record after `applied` to `replay`, in order. Fails
  // when a record that had been synced is damaged or missing: what was answered may not vanish
  // silently.
  using Replay = FunctionRef<Result<void>(const LogRecord&)>;
  static Result<std::unique_ptr<ShardLog>> open(Options options, Lsn applied, Replay replay);
  ~ShardLog();

  // The greatest payload that a record may have.
  uint64_t payload_bytes_max() const;

  // Writes records with the next LSNs; they are durable after the next sync() that succeeds.
  Result<void> append(std::span<const LogRecord> records);
  Result<void> sync();

  // Records up to `lsn` are needed neither for replay nor by readers: their segments are recycled.
  Result<void> trim(Lsn lsn);

  Lsn last() const { return last_.load(std::memory_order_acquire); }
  Lsn first() const;                    // the oldest record still there
  uint64_t bytes_since(Lsn lsn) const;  // roughly, in whole segments but for the newest

  // Walks the records from a given LSN on. Any thread; one reader, one thread.
  class Reader {
   public:
    Reader(const ShardLog& log, Lsn from);
    ~Reader();
    // The next record with an LSN of at most `up_to` (which must be synced); nullopt when there is
    // none yet. The payload stays until the next call. An error when the record was trimmed away.
    Result<std::optional<LogRecord>> next(Lsn up_to);

   private:
    const ShardLog& log_;
    Lsn next_;
    uint64_t segment_id_ = 0;
    std::unique_ptr<LogScanner> scanner_;
  };

 private:
  struct Segment {
    uint64_t id = 0;
    uint64_t previous_id = 0;
    Lsn first = 0;
    uint32_t link = 0;           // checksum of the record before the first
    std::shared_ptr<File> file;  // shared with readers
  };

  explicit ShardLog(Options options) : options_(std::move(options)) {}
  Result<void> find_segments(std::vector<Segment>& found);
  Result<void> recover(std::vector<Segment> found, Lsn applied, Replay replay);
  Result<void> start_segment();
  Result<void> write_tail();
  std::string segment_path(uint64_t id) const;
  const Segment* segment_of(Lsn lsn) const;  // under mutex_

  Options options_;
  mutable std::mutex mutex_;      // guards segments_
  std::deque<Segment> segments_;  // oldest first; the last is written
  std::vector<std::string> spares_;
  uint64_t next_segment_id_ = 1;
  std::atomic<Lsn> last_{0};
  uint32_t link_ = 0;    // checksum of the last record
  Lsn drain_first_ = 0;  // first record since the last sync; 0: none
  std::string buffer_;   // from buffer_start_ (a page boundary) on: the tail not yet on full pages
  uint64_t buffer_start_ = 0;
  uint64_t filled_to_ = 0;  // the current segment's size so far
};

}  // namespace virga::storage
