#include "services/dynamodb/change_record.h"

#include "base/strings.h"
#include "storage/keys.h"

namespace virga::dynamodb {
namespace {

using storage::Key;
using storage::KeyReader;
using storage::Space;

constexpr uint8_t kFormat = 1;
constexpr uint8_t kRecords = 3;
enum Flags : uint8_t { kHadOld = 1, kHasNew = 2, kByService = 4, kOldImage = 8, kNewImage = 16 };

// 20 digits hold every number; the leading one makes 21, the least that the service gives out.
constexpr size_t kSequenceDigits = 20;

}  // namespace

std::string encode_change(const ChangeRecord& r) {
  std::string out;
  out.push_back(static_cast<char>(kFormat));
  out.push_back(static_cast<char>((r.had_old ? kHadOld : 0) | (r.has_new ? kHasNew : 0) |
                                  (r.by_service ? kByService : 0) | (r.old_image ? kOldImage : 0) |
                                  (r.new_image ? kNewImage : 0)));
  for (int shift = 56; shift >= 0; shift -= 8)
    out.push_back(static_cast<char>(static_cast<uint64_t>(r.micros) >> shift));
  tlv::append_bytes(out, r.keys.bytes());
  if (r.old_image) tlv::append_bytes(out, r.old_image->bytes());
  if (r.new_image) tlv::append_bytes(out, r.new_image->bytes());
  return out;
}

Result<ChangeRecord> decode_change(std::string_view bytes) {
  if (bytes.size() < 11 || bytes[0] != kFormat)
    return fail(internal_failure("a change record of an unknown format"));
  ChangeRecord out;
  const auto flags = static_cast<uint8_t>(bytes[1]);
  out.had_old = flags & kHadOld;
  out.has_new = flags & kHasNew;
  out.by_service = flags & kByService;
  uint64_t micros = 0;
  for (int i = 2; i < 10; ++i) micros = micros << 8 | static_cast<uint8_t>(bytes[i]);
  out.micros = static_cast<int64_t>(micros);
  const char* p = bytes.data() + 10;
  out.keys = ItemView(tlv::read_bytes(p));
  if (flags & kOldImage) out.old_image = ItemView(tlv::read_bytes(p));
  if (flags & kNewImage) out.new_image = ItemView(tlv::read_bytes(p));
  return out;
}

std::string changes_prefix(uint64_t table_id) {
  return Key(Space::dynamodb_streams).u8(kRecords).u64(table_id).str();
}
std::string change_key(uint64_t table_id, uint64_t sequence) {
  return Key(Space::dynamodb_streams).u8(kRecords).u64(table_id).u64(sequence).str();
}
uint64_t sequence_of_change_key(std::string_view key) {
  return KeyReader(key.substr(10)).u64();
}

std::string sequence_text(uint64_t sequence) {
  const std::string digits = std::to_string(sequence);
  return "1" + std::string(kSequenceDigits - digits.size(), '0') + digits;
}

std::optional<uint64_t> parse_sequence(std::string_view text) {
  if (text.size() != kSequenceDigits + 1 || text[0] != '1') return std::nullopt;
  uint64_t out = 0;
  for (const char c : text.substr(1)) {
    if (c < '0' || c > '9') return std::nullopt;
    if (__builtin_mul_overflow(out, uint64_t{10}, &out)) return std::nullopt;
    if (__builtin_add_overflow(out, static_cast<uint64_t>(c - '0'), &out)) return std::nullopt;
  }
  return out;
}

Result<uint64_t> first_change_at(const storage::View& view, uint64_t table_id, uint64_t begin,
                                 uint64_t end, int64_t micros) {
  uint64_t low = begin, high = end, found = end;
  uint64_t middle = begin;  // mostly the first record is young enough
  while (low < high) {
    const auto cursor = view.cursor(change_key(table_id, middle), change_key(table_id, end));
    if (!cursor->valid()) {
      VIRGA_TRY_VOID(cursor->status());
      high = middle;
      found = end;
    } else {
      VIRGA_TRY(record, decode_change(cursor->value()));
      const uint64_t sequence = sequence_of_change_key(cursor->key());
      if (record.micros >= micros) {
        high = middle;
        found = sequence;
      } else {
        low = sequence + 1;
      }
    }
    middle = low + (high - low) / 2;
  }
  return found;
}

}  // namespace virga::dynamodb
