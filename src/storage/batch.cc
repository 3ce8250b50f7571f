#include "storage/batch.h"

namespace virga::storage {

void append_varint(std::string& out, uint64_t value) {
  while (value >= 0x80) {
    out.push_back(static_cast<char>(value | 0x80));
    value >>= 7;
  }
  out.push_back(static_cast<char>(value));
}

namespace {
bool has_second(OpKind kind) {
  return kind == OpKind::put || kind == OpKind::erase_range;
}
}  // namespace

void append_op(std::string& out, OpKind kind, std::string_view first, std::string_view second) {
  out.push_back(static_cast<char>(kind));
  append_varint(out, first.size());
  out.append(first);
  if (!has_second(kind)) return;
  append_varint(out, second.size());
  out.append(second);
}

bool OpReader::take_text(std::string_view& out) {
  uint64_t size = 0;
  for (int shift = 0; shift < 63; shift += 7) {
    if (rest_.empty()) return false;
    const auto byte = static_cast<uint8_t>(rest_.front());
    rest_.remove_prefix(1);
    size |= uint64_t{byte & 0x7fu} << shift;
    if (byte < 0x80) {
      if (size > rest_.size()) return false;
      out = rest_.substr(0, size);
      rest_.remove_prefix(size);
      return true;
    }
  }
  return false;
}

std::optional<Op> OpReader::next() {
  if (rest_.empty() || !ok_) return std::nullopt;
  Op op;
  op.kind = static_cast<OpKind>(rest_.front());
  rest_.remove_prefix(1);
  ok_ = op.kind >= OpKind::put && op.kind <= OpKind::change && take_text(op.first) &&
        (!has_second(op.kind) || take_text(op.second));
  if (!ok_) return std::nullopt;
  return op;
}

}  // namespace virga::storage
