#include "aws/attribute_value.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <unordered_set>

#include "aws/attribute_value_number.h"
#include "base/check.h"

namespace virga {
namespace {

constexpr std::array<std::string_view, 11> kTypeNames = {"",   "S", "N", "B",    "SS",  "NS",
                                                         "BS", "M", "L", "BOOL", "NULL"};

// Reads a varint without trusting the bytes; false when they end or the number is absurd.
bool checked_varint(const char*& p, const char* end, size_t& out) {
  out = 0;
  for (int shift = 0; shift < 35; shift += 7) {
    if (p == end) return false;
    const auto byte = static_cast<unsigned char>(*p++);
    out |= static_cast<size_t>(byte & 0x7f) << shift;
    if (byte < 0x80) return out <= static_cast<size_t>(end - p);
  }
  return false;
}

bool checked_members(const char* p, const char* end, int depth);

bool checked_value(const char*& p, const char* end, int depth) {
  if (p == end || depth > kAttributeDepthMax) return false;
  const auto type = static_cast<AttributeType>(*p++);
  size_t size = 0;
  if (!checked_varint(p, end, size)) return false;
  const char* const stop = p + size;
  const std::string_view payload(p, size);
  switch (type) {
    case AttributeType::string:
    case AttributeType::binary:
      break;
    case AttributeType::number: {
      const auto number = Number::parse(payload);
      if (!number || number->text() != payload) return false;
      break;
    }
    case AttributeType::string_set:
    case AttributeType::number_set:
    case AttributeType::binary_set:
      if (size == 0) return false;
      for (const char* q = p; q != stop;) {
        size_t member = 0;
        if (!checked_varint(q, stop, member)) return false;
        q += member;
      }
      break;
    case AttributeType::map:
      if (!checked_members(p, stop, depth + 1)) return false;
      break;
    case AttributeType::list:
      for (const char* q = p; q != stop;) {
        if (!checked_value(q, stop, depth + 1)) return false;
      }
      break;
    case AttributeType::boolean:
      if (size != 1 || static_cast<unsigned char>(*p) > 1) return false;
      break;
    case AttributeType::null:
      if (size != 0) return false;
      break;
    default:
      return false;
  }
  p = stop;
  return true;
}

bool checked_members(const char* p, const char* end, int depth) {
  while (p != end) {
    size_t name = 0;
    if (!checked_varint(p, end, name)) return false;
    p += name;
    if (!checked_value(p, end, depth)) return false;
  }
  return true;
}

bool sets_equal(SetView a, SetView b) {
  const size_t size = a.size();
  if (size != b.size()) return false;
  if (size <= 8) {
    for (const auto member : a) {
      if (!b.contains(member)) return false;
    }
    return true;
  }
  std::vector<std::string_view> x(size), y(size);
  size_t i = 0, j = 0;
  for (const auto member : a) x[i++] = member;
  for (const auto member : b) y[j++] = member;
  std::sort(x.begin(), x.end());
  std::sort(y.begin(), y.end());
  return x == y;
}

}  // namespace

std::string_view attribute_type_name(AttributeType type) {
  return kTypeNames[static_cast<size_t>(type)];
}

std::optional<AttributeType> parse_attribute_type(std::string_view name) {
  for (size_t i = 1; i < kTypeNames.size(); ++i) {
    if (kTypeNames[i] == name) return static_cast<AttributeType>(i);
  }
  return std::nullopt;
}

namespace tlv {

size_t begin_value(std::string& out, AttributeType type) {
  out.push_back(static_cast<char>(type));
  out.push_back(0);  // the length, if it fits a byte
  return out.size();
}

void end_value(std::string& out, size_t mark) {
  const size_t size = out.size() - mark;
  if (size < 0x80) {
    out[mark - 1] = static_cast<char>(size);
    return;
  }
  std::string length;
  append_varint(length, size);
  out[mark - 1] = length[0];
  out.insert(mark, length, 1);
}

void append_value(std::string& out, AttributeType type, std::string_view payload) {
  out.push_back(static_cast<char>(type));
  append_bytes(out, payload);
}

}  // namespace tlv

size_t SetView::size() const {
  size_t n = 0;
  for (auto it = begin(); it != end(); ++it) ++n;
  return n;
}

bool SetView::contains(std::string_view member) const {
  for (const auto m : *this) {
    if (m == member) return true;
  }
  return false;
}

size_t ListView::size() const {
  size_t n = 0;
  for (auto it = begin(); it != end(); ++it) ++n;
  return n;
}

std::optional<ValueView> ListView::at(size_t index) const {
  for (const auto value : *this) {
    if (index-- == 0) return value;
  }
  return std::nullopt;
}

size_t ItemView::size() const {
  size_t n = 0;
  for (auto it = begin(); it != end(); ++it) ++n;
  return n;
}

std::optional<ValueView> ItemView::find(std::string_view name) const {
  const char* p = payload_.data();
  const char* const end = p + payload_.size();
  while (p != end) {
    const auto key = tlv::read_bytes(p);
    const auto value = ValueView::read(p);
    if (key.size() == name.size() && std::memcmp(key.data(), name.data(), name.size()) == 0)
      return value;
  }
  return std::nullopt;
}

bool operator==(ValueView a, ValueView b) {
  if (a.type() != b.type()) return false;
  if (a.payload() == b.payload()) return true;
  switch (a.type()) {
    case AttributeType::string_set:
    case AttributeType::number_set:
    case AttributeType::binary_set:
      return a.payload().size() == b.payload().size() && sets_equal(a.set(), b.set());
    case AttributeType::map:
      return a.payload().size() == b.payload().size() && a.map() == b.map();
    case AttributeType::list: {
      auto x = a.list().begin();
      auto y = b.list().begin();
      const auto x_end = a.list().end(), y_end = b.list().end();
      for (; x != x_end && y != y_end; ++x, ++y) {
        if (!(*x == *y)) return false;
      }
      return !(x != x_end) && !(y != y_end);
    }
    default:
      return false;
  }
}

bool operator==(ItemView a, ItemView b) {
  if (a.bytes() == b.bytes()) return true;
  size_t n = 0;
  for (const auto member : a) {
    const auto other = b.find(member.name);
    if (!other || !(member.value == *other)) return false;
    ++n;
  }
  return n == b.size();
}

bool is_well_formed_item(std::string_view bytes) {
  return checked_members(bytes.data(), bytes.data() + bytes.size(), 0);
}

bool is_well_formed_value(std::string_view bytes) {
  const char* p = bytes.data();
  const char* const end = p + bytes.size();
  return checked_value(p, end, 0) && p == end;
}

AttributeValue AttributeValue::string(std::string_view text) {
  AttributeValue v;
  tlv::append_value(v.bytes_, AttributeType::string, text);
  return v;
}
AttributeValue AttributeValue::number(std::string_view text) {
  AttributeValue v;
  const auto number = Number::parse(text);
  if (number) {
    tlv::append_value(v.bytes_, AttributeType::number, number->text());
  } else {
    v.problem_ = number.error();
  }
  return v;
}
AttributeValue AttributeValue::number(int64_t value) {
  return number(std::string_view(std::to_string(value)));
}
AttributeValue AttributeValue::binary(std::string_view bytes) {
  AttributeValue v;
  tlv::append_value(v.bytes_, AttributeType::binary, bytes);
  return v;
}
AttributeValue AttributeValue::boolean(bool value) {
  AttributeValue v;
  tlv::append_value(v.bytes_, AttributeType::boolean, std::string_view(value ? "\1" : "\0", 1));
  return v;
}
AttributeValue AttributeValue::null() {
  AttributeValue v;
  tlv::append_value(v.bytes_, AttributeType::null, {});
  return v;
}
AttributeValue AttributeValue::map(ItemView members) {
  AttributeValue v;
  tlv::append_value(v.bytes_, AttributeType::map, members.bytes());
  return v;
}
AttributeValue AttributeValue::list(const std::vector<AttributeValue>& values) {
  AttributeValue v;
  const size_t mark = tlv::begin_value(v.bytes_, AttributeType::list);
  for (const auto& value : values) v.bytes_ += value.bytes();
  tlv::end_value(v.bytes_, mark);
  return v;
}
AttributeValue AttributeValue::set(AttributeType type, const std::vector<std::string>& members) {
  CHECK(is_set_type(type));
  AttributeValue v;
  const size_t mark = tlv::begin_value(v.bytes_, type);
  for (const auto& member : members) tlv::append_bytes(v.bytes_, member);
  tlv::end_value(v.bytes_, mark);
  return v;
}

Item::Item(std::initializer_list<std::pair<std::string_view, AttributeValue>> members) {
  for (const auto& [name, value] : members) append(name, value.view());
}

void Item::append(std::string_view name, ValueView value) {
  // `value` may be a view into our own bytes.
  std::string member;
  tlv::append_bytes(member, name);
  member += value.bytes();
  bytes_ += member;
}

void Item::set(std::string_view name, ValueView value) {
  const auto old = find(name);
  if (!old) return append(name, value);
  const std::string fresh(value.bytes());
  bytes_.replace(static_cast<size_t>(old->bytes().data() - bytes_.data()), old->bytes().size(),
                 fresh);
}

bool Item::erase(std::string_view name) {
  const char* p = bytes_.data();
  const char* const end = p + bytes_.size();
  while (p != end) {
    const char* const start = p;
    const auto key = tlv::read_bytes(p);
    ValueView::read(p);
    if (key == name) {
      bytes_.erase(static_cast<size_t>(start - bytes_.data()), static_cast<size_t>(p - start));
      return true;
    }
  }
  return false;
}

}  // namespace virga
