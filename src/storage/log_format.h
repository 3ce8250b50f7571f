#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "storage/file_system.h"
#include "storage/shard_log.h"

// Bytes of log segments (docs/formats/log.md) and how they are read. Numbers are little-endian.
namespace virga::storage {

inline constexpr uint64_t kPageBytes = 4096;
inline constexpr uint64_t kRecordHeaderBytes = 24;
inline constexpr uint32_t kLogVersion = 1;

// The first page of a segment.
struct SegmentHeader {
  uint64_t id = 0;
  uint64_t previous_id = 0;  // of the segment before; ids may have gaps
  Lsn first = 0;
  uint32_t link = 0;  // checksum of the record before the first; 0 at the log's beginning
};
std::string encode_segment_header(const SegmentHeader& header);  // one page
// nullopt: not a header (a segment whose creation was interrupted, or a spare). A newer version is
// an error.
Result<std::optional<SegmentHeader>> decode_segment_header(std::string_view page);

// Appends one record; returns its checksum, the next record's `link`. `drain_first`: the first LSN
// of the same sync.
uint32_t append_record(std::string& out, const LogRecord& record, uint32_t link, Lsn drain_first);

// Reads the records of one segment in order. A record counts when its checksum, its LSN and its
// link to the record before it are right; so neither a torn write nor a recycled segment's old
// content passes, nor what a crash left of a drain that was never acknowledged.
class LogScanner {
 public:
  LogScanner(std::shared_ptr<File> file, const SegmentHeader& header, uint64_t segment_bytes,
             PlantedFaults faults = {});

  // The next record, or nullopt where valid records end (maybe only for now: it looks again when
  // called again).
  Result<std::optional<LogRecord>> next();

  Lsn expected() const { return expected_; }  // the LSN that next() looks for
  uint32_t link() const { return link_; }
  uint64_t position() const { return position_; }

  // At the end: true when a record of a later drain follows. Drains are written one after the
  // other's sync, so the record missing here had been durable: the disk lost or changed it.
  Result<bool> synced_records_follow();

 private:
  // Makes [position_, position_ + count) available; false when the file ends before.
  Result<bool> want(uint64_t count);
  Result<std::optional<LogRecord>> parse();

  std::shared_ptr<File> file_;
  uint64_t segment_bytes_;
  uint64_t position_ = kPageBytes;
  Lsn expected_;
  uint32_t link_;
  PlantedFaults faults_;
  std::string buffer_;
  uint64_t buffer_at_ = 0;
};

}  // namespace virga::storage
