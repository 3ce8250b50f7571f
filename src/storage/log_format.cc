#include "storage/log_format.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/hashing.h"

namespace virga::storage {
namespace {

static_assert(std::endian::native == std::endian::little);

constexpr std::string_view kMagic = "VIRGALOG";
constexpr size_t kReadAhead = 256 * 1024;
// How far beyond the end a later drain is looked for. Larger than any single drain's unsynced part
// needs to be: the next drain starts right behind the damaged one.
constexpr uint64_t kDamageWindow = 1 << 20;

template <class T>
void put(std::string& out, T value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}
template <class T>
T load(const char* at) {
  T value;
  std::memcpy(&value, at, sizeof value);
  return value;
}

struct RecordHeader {
  uint32_t crc, length;
  uint64_t lsn;
  uint32_t link, drain_delta;
};
static_assert(sizeof(RecordHeader) == kRecordHeaderBytes);

bool checksum_ok(std::string_view record) {
  return load<uint32_t>(record.data()) == crc32c(record.substr(4));
}

}  // namespace

std::string encode_segment_header(const SegmentHeader& header) {
  std::string page(kMagic);
  put<uint32_t>(page, kLogVersion);
  put<uint32_t>(page, 0);
  put<uint64_t>(page, header.id);
  put<uint64_t>(page, header.previous_id);
  put<uint64_t>(page, header.first);
  put<uint32_t>(page, header.link);
  put<uint32_t>(page, crc32c(page));
  page.resize(kPageBytes, '\0');
  return page;
}

Result<std::optional<SegmentHeader>> decode_segment_header(std::string_view page) {
  if (page.size() < kPageBytes || !page.starts_with(kMagic)) return std::nullopt;
  if (load<uint32_t>(page.data() + 44) != crc32c(page.substr(0, 44))) return std::nullopt;
  if (const auto version = load<uint32_t>(page.data() + 8); version != kLogVersion) {
    return fail("FormatTooNew", 500, "log segment has format " + std::to_string(version));
  }
  return SegmentHeader{.id = load<uint64_t>(page.data() + 16),
                       .previous_id = load<uint64_t>(page.data() + 24),
                       .first = load<uint64_t>(page.data() + 32),
                       .link = load<uint32_t>(page.data() + 40)};
}

uint32_t append_record(std::string& out, const LogRecord& record, uint32_t link, Lsn drain_first) {
  const size_t start = out.size();
  put<uint32_t>(out, 0);
  put<uint32_t>(out, static_cast<uint32_t>(record.payload.size()));
  put<uint64_t>(out, record.lsn);
  put<uint32_t>(out, link);
  put<uint32_t>(out, static_cast<uint32_t>(record.lsn - drain_first));
  out.append(record.payload);
  const uint32_t crc = crc32c(std::string_view(out).substr(start + 4));
  std::memcpy(out.data() + start, &crc, sizeof crc);
  return crc;
}

LogScanner::LogScanner(std::shared_ptr<File> file, const SegmentHeader& header,
                       uint64_t segment_bytes, PlantedFaults faults)
    : file_(std::move(file)),
      segment_bytes_(segment_bytes),
      expected_(header.first),
      link_(header.link),
      faults_(faults) {}

Result<bool> LogScanner::want(uint64_t count) {
  if (position_ >= buffer_at_ && position_ + count <= buffer_at_ + buffer_.size()) return true;
  if (position_ + count > segment_bytes_) return false;
  buffer_.resize(
      std::max<uint64_t>(count, std::min<uint64_t>(kReadAhead, segment_bytes_ - position_)));
  buffer_at_ = position_;
  VIRGA_TRY(got, file_->read_at(position_, buffer_));
  buffer_.resize(got);
  return got >= count;
}

Result<std::optional<LogRecord>> LogScanner::parse() {
  VIRGA_TRY(has_header, want(kRecordHeaderBytes));
  if (!has_header) return std::nullopt;
  auto header = load<RecordHeader>(buffer_.data() + (position_ - buffer_at_));
  if (header.lsn != expected_ || (header.link != link_ && !faults_.skip_link)) return std::nullopt;
  const uint64_t size = kRecordHeaderBytes + header.length;
  VIRGA_TRY(has_payload, want(size));
  if (!has_payload) return std::nullopt;
  const std::string_view record = std::string_view(buffer_).substr(position_ - buffer_at_, size);
  if (!faults_.skip_checksum && !checksum_ok(record)) return std::nullopt;
  position_ += size;
  ++expected_;
  link_ = header.crc;
  return LogRecord{.lsn = header.lsn, .payload = record.substr(kRecordHeaderBytes)};
}

Result<std::optional<LogRecord>> LogScanner::next() {
  VIRGA_TRY(found, parse());
  if (found || buffer_at_ == position_) return found;
  buffer_.clear();  // what was read ahead may have been written since
  return parse();
}

Result<bool> LogScanner::synced_records_follow() {
  std::string bytes(std::min(kDamageWindow, segment_bytes_ - position_), '\0');
  VIRGA_TRY(got, file_->read_at(position_, bytes));
  bytes.resize(got);
  for (size_t at = 1; at + kRecordHeaderBytes <= bytes.size(); ++at) {
    const auto header = load<RecordHeader>(bytes.data() + at);
    if (header.lsn <= expected_ || header.lsn > expected_ + (uint64_t{1} << 32)) continue;
    if (header.lsn - header.drain_delta <= expected_) continue;
    const uint64_t size = kRecordHeaderBytes + header.length;
    if (at + size > bytes.size()) continue;
    if (header.crc == crc32c(std::string_view(bytes).substr(at + 4, size - 4))) return true;
  }
  return false;
}

}  // namespace virga::storage
