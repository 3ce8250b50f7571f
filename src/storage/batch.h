#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

// The operations of one committed batch, as they stand in the log (docs/formats/log.md). A sequence
// of
//   1 put: key, value   2 erase: key   3 erase_range: begin, end   4 change record: bytes
// each text with its length before it as an unsigned LEB128 number.
namespace virga::storage {

enum class OpKind : uint8_t { put = 1, erase = 2, erase_range = 3, change = 4 };

struct Op {
  OpKind kind = OpKind::put;
  std::string_view first;   // key, begin, or the change record
  std::string_view second;  // value or end
};

void append_varint(std::string& out, uint64_t value);
void append_op(std::string& out, OpKind kind, std::string_view first, std::string_view second = {});

// Reads operations one by one; nullopt at the end or at a malformed one (then ok() is false).
class OpReader {
 public:
  explicit OpReader(std::string_view bytes) : rest_(bytes) {}
  std::optional<Op> next();
  bool ok() const { return ok_; }

 private:
  bool take_text(std::string_view& out);
  std::string_view rest_;
  bool ok_ = true;
};

}  // namespace virga::storage
