#include "storage/shard_log.h"

#include <algorithm>

#include "base/check.h"
#include "base/log.h"
#include "storage/log_format.h"

namespace virga::storage {
namespace {

// The first pass over a segment writes zeros this far ahead, so that only one sync in many changes
// the file's size.
constexpr uint64_t kFillAheadBytes = 1 << 20;
// Buffers of unusually large drains are given back.
constexpr size_t kBufferKeptBytes = 4 << 20;

uint64_t page_floor(uint64_t at) {
  return at / kPageBytes * kPageBytes;
}

std::unexpected<AwsError> corrupt(const std::string& what) {
  return fail("LogCorrupt", 500, "log: " + what);
}

std::string hex16(uint64_t value) {
  std::string out(16, '0');
  for (int i = 15; i >= 0; --i, value >>= 4)
    out[static_cast<size_t>(i)] = "0123456789abcdef"[value & 15];
  return out;
}

}  // namespace

ShardLog::~ShardLog() = default;

std::string ShardLog::segment_path(uint64_t id) const {
  return options_.dir + "/" + hex16(id) + ".log";
}

uint64_t ShardLog::payload_bytes_max() const {
  return options_.segment_bytes - kPageBytes - kRecordHeaderBytes;
}

Result<std::unique_ptr<ShardLog>> ShardLog::open(Options options, Lsn applied, Replay replay) {
  CHECK(options.segment_bytes % kPageBytes == 0 && options.segment_bytes >= 4 * kPageBytes);
  auto log = std::unique_ptr<ShardLog>(new ShardLog(std::move(options)));
  VIRGA_TRY_VOID(log->options_.fs->make_dir(log->options_.dir));
  std::vector<Segment> found;
  VIRGA_TRY_VOID(log->find_segments(found));
  if (found.empty()) {
    if (applied != 0)
      return corrupt("no segments, but the index reaches LSN " + std::to_string(applied));
    VIRGA_TRY_VOID(log->start_segment());
    return log;
  }
  VIRGA_TRY_VOID(log->recover(std::move(found), applied, replay));
  return log;
}

Result<void> ShardLog::find_segments(std::vector<Segment>& found) {
  VIRGA_TRY(names, options_.fs->list(options_.dir));
  std::sort(names.begin(), names.end());
  for (const std::string& name : names) {
    if (name.size() != 20 || !name.ends_with(".log")) continue;
    const std::string path = options_.dir + "/" + name;
    VIRGA_TRY(file, options_.fs->open(path, OpenMode::write));
    std::string page(kPageBytes, '\0');
    VIRGA_TRY(got, file->read_at(0, page));
    page.resize(got);
    VIRGA_TRY(header, decode_segment_header(page));
    uint64_t id = 0;
    for (const char c : name.substr(0, 16))
      id = id << 4 | static_cast<uint64_t>(c <= '9' ? c - '0' : c - 'a' + 10);
    next_segment_id_ = std::max(next_segment_id_, id + 1);
    if (!header || header->id != id) {
      spares_.push_back(path);
      continue;
    }
    found.push_back({.id = id,
                     .previous_id = header->previous_id,
                     .first = header->first,
                     .link = header->link,
                     .file = std::move(file)});
  }
  return {};
}

Result<void> ShardLog::recover(std::vector<Segment> found, Lsn applied, Replay replay) {
  size_t start = found.size();
  while (start > 0 && found[start - 1].first > applied + 1) --start;
  if (start == 0)
    return corrupt("records between the index (LSN " + std::to_string(applied) +
                   ") and the oldest segment (LSN " + std::to_string(found[0].first) +
                   ") are missing");
  --start;
  // Older segments are still there for readers, as far as they connect.
  size_t oldest = start;
  while (oldest > 0 && found[oldest - 1].id == found[oldest].previous_id) --oldest;
  for (size_t i = 0; i < oldest; ++i) spares_.push_back(segment_path(found[i].id));

  for (size_t i = start; i < found.size(); ++i) {
    LogScanner scanner(found[i].file,
                       {found[i].id, found[i].previous_id, found[i].first, found[i].link},
                       options_.segment_bytes, options_.faults);
    for (;;) {
      VIRGA_TRY(record, scanner.next());
      if (!record) break;
      if (record->lsn > applied) VIRGA_TRY_VOID(replay(*record));
    }
    const std::string where =
        "LSN " + std::to_string(scanner.expected()) + " in " + segment_path(found[i].id);
    if (i + 1 < found.size()) {
      if (found[i + 1].first != scanner.expected() || found[i + 1].link != scanner.link()) {
        return corrupt("a synced record is damaged: " + where);
      }
      continue;
    }
    VIRGA_TRY(damaged, scanner.synced_records_follow());
    if (damaged) return corrupt("a synced record is damaged: " + where);
    last_ = scanner.expected() - 1;
    link_ = scanner.link();
    buffer_start_ = page_floor(scanner.position());
    buffer_.resize(scanner.position() - buffer_start_);
    VIRGA_TRY(got, found[i].file->read_at(buffer_start_, buffer_));
    CHECK(got == buffer_.size());
    VIRGA_TRY(size, found[i].file->size());
    filled_to_ = size;
    // A killed process may have left written, unsynced records: whoever reads them now must be able
    // to rely on them.
    VIRGA_TRY_VOID(found[i].file->sync());
    VIRGA_TRY_VOID(options_.fs->sync_dir(options_.dir));
  }
  if (last() < applied) {
    return corrupt("ends at LSN " + std::to_string(last()) + ", but the index reaches " +
                   std::to_string(applied));
  }
  segments_.assign(std::make_move_iterator(found.begin() + static_cast<ptrdiff_t>(oldest)),
                   std::make_move_iterator(found.end()));
  return {};
}

// The new segment's header is durable before any record goes in, and after all records of the one
// before.
Result<void> ShardLog::start_segment() {
  const uint64_t previous = segments_.empty() ? 0 : segments_.back().id;
  Segment segment{
      .id = next_segment_id_++, .previous_id = previous, .first = last() + 1, .link = link_};
  const std::string path = segment_path(segment.id);
  if (!spares_.empty()) {
    VIRGA_TRY_VOID(options_.fs->rename(spares_.back(), path));
    spares_.pop_back();
  }
  VIRGA_TRY(file, options_.fs->open(path, OpenMode::create));
  VIRGA_TRY_VOID(file->write_at(
      0, encode_segment_header({segment.id, previous, segment.first, segment.link})));
  VIRGA_TRY_VOID(file->sync());
  VIRGA_TRY_VOID(options_.fs->sync_dir(options_.dir));
  VIRGA_TRY(size, file->size());
  filled_to_ = size;
  segment.file = std::move(file);
  buffer_.clear();
  buffer_start_ = kPageBytes;
  const std::lock_guard lock(mutex_);
  segments_.push_back(std::move(segment));
  return {};
}

Result<void> ShardLog::append(std::span<const LogRecord> records) {
  Lsn lsn = last();
  for (const LogRecord& record : records) {
    CHECK(record.lsn == lsn + 1 && record.payload.size() <= payload_bytes_max());
    const uint64_t size = kRecordHeaderBytes + record.payload.size();
    if (buffer_start_ + buffer_.size() + size > options_.segment_bytes) {
      VIRGA_TRY_VOID(write_tail());
      last_.store(lsn, std::memory_order_release);
      VIRGA_TRY_VOID(sync());
      VIRGA_TRY_VOID(start_segment());
    }
    if (drain_first_ == 0) drain_first_ = record.lsn;
    link_ = append_record(buffer_, record, link_, drain_first_);
    lsn = record.lsn;
  }
  VIRGA_TRY_VOID(write_tail());
  last_.store(lsn, std::memory_order_release);
  return {};
}

Result<void> ShardLog::write_tail() {
  const uint64_t end = buffer_start_ + buffer_.size();
  const uint64_t padded = page_floor(end + kPageBytes - 1);
  buffer_.resize(padded - buffer_start_, '\0');
  File& file = *segments_.back().file;
  VIRGA_TRY_VOID(file.write_at(buffer_start_, buffer_));
  if (padded > filled_to_) {
    const uint64_t fill_to = std::min(options_.segment_bytes, padded + kFillAheadBytes);
    if (fill_to > padded) {
      static const std::string zeros(kFillAheadBytes, '\0');
      VIRGA_TRY_VOID(file.write_at(padded, std::string_view(zeros).substr(0, fill_to - padded)));
    }
    filled_to_ = fill_to;
  }
  const uint64_t keep_from = page_floor(end);
  buffer_.resize(end - buffer_start_);
  buffer_.erase(0, keep_from - buffer_start_);
  buffer_start_ = keep_from;
  if (buffer_.capacity() > kBufferKeptBytes) buffer_.shrink_to_fit();
  return {};
}

Result<void> ShardLog::sync() {
  VIRGA_TRY_VOID(segments_.back().file->sync());
  drain_first_ = 0;
  return {};
}

Result<void> ShardLog::trim(Lsn lsn) {
  std::vector<std::string> free;
  {
    const std::lock_guard lock(mutex_);
    while (segments_.size() > 1 && segments_[1].first <= lsn + 1) {
      free.push_back(segment_path(segments_.front().id));
      segments_.pop_front();
    }
  }
  for (std::string& path : free) {
    if (spares_.size() < options_.spare_segments) {
      spares_.push_back(std::move(path));
    } else {
      VIRGA_TRY_VOID(options_.fs->remove(path));
    }
  }
  return {};
}

Lsn ShardLog::first() const {
  const std::lock_guard lock(mutex_);
  return segments_.front().first;
}

uint64_t ShardLog::bytes_since(Lsn lsn) const {
  const std::lock_guard lock(mutex_);
  uint64_t bytes = 0;
  for (const Segment& segment : segments_) {
    if (segment.first > lsn) bytes += options_.segment_bytes;
  }
  return bytes;
}

const ShardLog::Segment* ShardLog::segment_of(Lsn lsn) const {
  auto after =
      std::upper_bound(segments_.begin(), segments_.end(), lsn,
                       [](Lsn wanted, const Segment& segment) { return wanted < segment.first; });
  return after == segments_.begin() ? nullptr : &*std::prev(after);
}

ShardLog::Reader::Reader(const ShardLog& log, Lsn from)
    : log_(log), next_(std::max<Lsn>(from, 1)) {}
ShardLog::Reader::~Reader() = default;

Result<std::optional<LogRecord>> ShardLog::Reader::next(Lsn up_to) {
  if (next_ > up_to) return std::nullopt;
  for (;;) {
    {
      const std::lock_guard lock(log_.mutex_);
      const Segment* const segment = log_.segment_of(next_);
      if (!segment) {
        return fail("LogTrimmed", 500, "log: LSN " + std::to_string(next_) + " is no longer kept");
      }
      if (!scanner_ || segment->id != segment_id_) {
        segment_id_ = segment->id;
        scanner_ = std::make_unique<LogScanner>(
            segment->file,
            SegmentHeader{segment->id, segment->previous_id, segment->first, segment->link},
            log_.options_.segment_bytes);
      }
    }
    VIRGA_TRY(record, scanner_->next());
    if (!record) return corrupt("LSN " + std::to_string(next_) + " cannot be read");
    if (record->lsn < next_) continue;  // on the way from the segment's start
    ++next_;
    return record;
  }
}

}  // namespace virga::storage
