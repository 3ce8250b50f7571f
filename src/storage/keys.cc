#include "storage/keys.h"

#include <bit>

namespace virga::storage {
namespace {

// Texts end with 00 01; a 00 inside becomes 00 ff. So "a" < "a\0" < "aa", and whatever follows
// cannot change that.
constexpr char kEnd = '\x01';
constexpr char kZero = '\xff';

template <class Number>
void append_big_endian(std::string& out, Number value) {
  if constexpr (std::endian::native == std::endian::little) value = std::byteswap(value);
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}

constexpr uint64_t kSignBit = uint64_t{1} << 63;

}  // namespace

Key& Key::u8(uint8_t value) {
  bytes_.push_back(static_cast<char>(value));
  return *this;
}
Key& Key::u16(uint16_t value) {
  append_big_endian(bytes_, value);
  return *this;
}
Key& Key::u32(uint32_t value) {
  append_big_endian(bytes_, value);
  return *this;
}
Key& Key::u64(uint64_t value) {
  append_big_endian(bytes_, value);
  return *this;
}
Key& Key::i64(int64_t value) {
  return u64(static_cast<uint64_t>(value) ^ kSignBit);
}
Key& Key::u64_descending(uint64_t value) {
  return u64(~value);
}
Key& Key::text(std::string_view value) {
  while (!value.empty()) {
    const size_t zero = value.find('\0');
    bytes_.append(value.substr(0, zero));
    if (zero == std::string_view::npos) break;
    bytes_.push_back('\0');
    bytes_.push_back(kZero);
    value.remove_prefix(zero + 1);
  }
  bytes_.push_back('\0');
  bytes_.push_back(kEnd);
  return *this;
}
Key& Key::raw(std::string_view bytes) {
  bytes_.append(bytes);
  return *this;
}
std::string Key::range_end() const {
  return prefix_end(bytes_);
}

std::string prefix_end(std::string_view prefix) {
  std::string end(prefix);
  while (!end.empty() && end.back() == '\xff') end.pop_back();
  if (!end.empty()) ++end.back();
  return end;
}

uint64_t KeyReader::number(size_t bytes) {
  if (rest_.size() < bytes) {
    ok_ = false;
    rest_ = {};
    return 0;
  }
  uint64_t value = 0;
  for (size_t i = 0; i < bytes; ++i) value = value << 8 | static_cast<uint8_t>(rest_[i]);
  rest_.remove_prefix(bytes);
  return value;
}
uint8_t KeyReader::u8() {
  return static_cast<uint8_t>(number(1));
}
uint16_t KeyReader::u16() {
  return static_cast<uint16_t>(number(2));
}
uint32_t KeyReader::u32() {
  return static_cast<uint32_t>(number(4));
}
uint64_t KeyReader::u64() {
  return number(8);
}
int64_t KeyReader::i64() {
  return static_cast<int64_t>(number(8) ^ kSignBit);
}
uint64_t KeyReader::u64_descending() {
  return ~number(8);
}

std::string KeyReader::text() {
  std::string out;
  for (;;) {
    const size_t zero = rest_.find('\0');
    if (zero == std::string_view::npos || zero + 1 == rest_.size()) break;
    const char mark = rest_[zero + 1];
    if (mark != kZero && mark != kEnd) break;
    out.append(rest_, 0, mark == kZero ? zero + 1 : zero);
    rest_.remove_prefix(zero + 2);
    if (mark == kEnd) return out;
  }
  ok_ = false;
  rest_ = {};
  return {};
}

}  // namespace virga::storage
