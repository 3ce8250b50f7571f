#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// DynamoDB values as binary TLV: from the request's parse through storage to the answer, an item is
// one string.
//
//   value := type byte, varint payload length, payload
//     string, number, binary   the text, the number's canonical decimal text, the raw bytes
//     *_set                    varint length + bytes, for each member (numbers canonical)
//     list                     values one after the other
//     map                      varint name length + name + value, for each member in insertion
//     order boolean                  one byte, 0 or 1 null                     empty
//   item := the payload of a map
//
// Views borrow; AttributeValue and Item own. Bytes made by this library are well-formed and views
// trust them; bytes from outside it (a damaged store) go through `is_well_formed` first.
// docs/formats/attribute-value.md says the same.
namespace virga {

enum class AttributeType : uint8_t {
  string = 1,
  number = 2,
  binary = 3,
  string_set = 4,
  number_set = 5,
  binary_set = 6,
  map = 7,
  list = 8,
  boolean = 9,
  null = 10,
};

// "S", "N", "B", "SS", "NS", "BS", "M", "L", "BOOL", "NULL".
std::string_view attribute_type_name(AttributeType type);
std::optional<AttributeType> parse_attribute_type(std::string_view name);
inline bool is_set_type(AttributeType t) {
  return t == AttributeType::string_set || t == AttributeType::number_set ||
         t == AttributeType::binary_set;
}

namespace tlv {

// The varint at `p`; moves `p` behind it. Trusts the bytes.
inline size_t read_varint(const char*& p) {
  auto byte = static_cast<unsigned char>(*p++);
  if (byte < 0x80) return byte;
  size_t value = byte & 0x7f;
  int shift = 7;
  do {
    byte = static_cast<unsigned char>(*p++);
    value |= static_cast<size_t>(byte & 0x7f) << shift;
    shift += 7;
  } while (byte & 0x80);
  return value;
}
inline void append_varint(std::string& out, size_t value) {
  while (value >= 0x80) {
    out.push_back(static_cast<char>(value | 0x80));
    value >>= 7;
  }
  out.push_back(static_cast<char>(value));
}
inline std::string_view read_bytes(const char*& p) {
  const size_t size = read_varint(p);
  const std::string_view out(p, size);
  p += size;
  return out;
}
inline void append_bytes(std::string& out, std::string_view bytes) {
  append_varint(out, bytes.size());
  out.append(bytes);
}

// Begins a value whose payload length is not known yet; end_value fills it in. Pairs nest.
size_t begin_value(std::string& out, AttributeType type);
void end_value(std::string& out, size_t mark);
void append_value(std::string& out, AttributeType type, std::string_view payload);

}  // namespace tlv

class ValueView;

// The members of a set.
class SetView {
 public:
  explicit SetView(std::string_view payload) : payload_(payload) {}
  class Iterator {
   public:
    explicit Iterator(const char* at) : at_(at) {}
    std::string_view operator*() const {
      const char* p = at_;
      return tlv::read_bytes(p);
    }
    Iterator& operator++() {
      tlv::read_bytes(at_);
      return *this;
    }
    bool operator!=(const Iterator& o) const { return at_ != o.at_; }

   private:
    const char* at_;
  };
  Iterator begin() const { return Iterator(payload_.data()); }
  Iterator end() const { return Iterator(payload_.data() + payload_.size()); }
  size_t size() const;
  bool contains(std::string_view member) const;

 private:
  std::string_view payload_;
};

class ListView;
class ItemView;

// One value in someone else's bytes. Cheap to copy.
class ValueView {
 public:
  ValueView() = default;
  // `bytes` is exactly one value.
  explicit ValueView(std::string_view bytes) : bytes_(bytes) {
    const char* p = bytes.data() + 1;
    const size_t size = tlv::read_varint(p);
    payload_ = {p, size};
  }
  // Reads the value at `p` and moves `p` behind it.
  static ValueView read(const char*& p) {
    const char* const start = p++;
    const size_t size = tlv::read_varint(p);
    ValueView v;
    v.payload_ = {p, size};
    p += size;
    v.bytes_ = {start, static_cast<size_t>(p - start)};
    return v;
  }

  AttributeType type() const { return static_cast<AttributeType>(bytes_[0]); }
  std::string_view type_name() const { return attribute_type_name(type()); }
  bool is(AttributeType t) const { return type() == t; }
  std::string_view bytes() const { return bytes_; }      // type, length, payload
  std::string_view payload() const { return payload_; }  // the text of a string, number or binary
  bool boolean() const { return payload_[0] != 0; }
  SetView set() const { return SetView(payload_); }
  ListView list() const;
  ItemView map() const;

 private:
  std::string_view bytes_;
  std::string_view payload_;
};

class ListView {
 public:
  explicit ListView(std::string_view payload) : payload_(payload) {}
  class Iterator {
   public:
    explicit Iterator(const char* at) : at_(at) {}
    ValueView operator*() const {
      const char* p = at_;
      return ValueView::read(p);
    }
    Iterator& operator++() {
      ValueView::read(at_);
      return *this;
    }
    bool operator!=(const Iterator& o) const { return at_ != o.at_; }

   private:
    const char* at_;
  };
  Iterator begin() const { return Iterator(payload_.data()); }
  Iterator end() const { return Iterator(payload_.data() + payload_.size()); }
  size_t size() const;
  std::optional<ValueView> at(size_t index) const;

 private:
  std::string_view payload_;
};

// The attributes of an item, or the members of a map.
class ItemView {
 public:
  ItemView() = default;
  explicit ItemView(std::string_view payload) : payload_(payload) {}
  struct Member {
    std::string_view name;
    ValueView value;
  };
  class Iterator {
   public:
    explicit Iterator(const char* at) : at_(at) {}
    Member operator*() const {
      const char* p = at_;
      const auto name = tlv::read_bytes(p);
      return {name, ValueView::read(p)};
    }
    Iterator& operator++() {
      tlv::read_bytes(at_);
      ValueView::read(at_);
      return *this;
    }
    bool operator!=(const Iterator& o) const { return at_ != o.at_; }

   private:
    const char* at_;
  };
  Iterator begin() const { return Iterator(payload_.data()); }
  Iterator end() const { return Iterator(payload_.data() + payload_.size()); }
  bool empty() const { return payload_.empty(); }
  size_t size() const;
  std::string_view bytes() const { return payload_; }
  std::optional<ValueView> find(std::string_view name) const;
  bool contains(std::string_view name) const { return find(name).has_value(); }

 private:
  std::string_view payload_;
};

inline ListView ValueView::list() const {
  return ListView(payload_);
}
inline ItemView ValueView::map() const {
  return ItemView(payload_);
}

// Sets and maps are equal whatever the order of their members.
bool operator==(ValueView a, ValueView b);
bool operator==(ItemView a, ItemView b);

// Levels of nesting that DynamoDB allows, the innermost value counted: at most 31 lists or maps
// around a scalar. Source: DynamoDB Developer Guide, "Quotas", item attributes.
inline constexpr int kAttributeDepthMax = 32;
// Bytes of an attribute's name. Source: the same page.
inline constexpr size_t kAttributeNameBytesMax = 65535;

// True when the bytes are a whole item by the grammar above, at most kAttributeDepthMax deep (an
// item's top level values are at depth 0). For bytes that crossed a disk or a wire.
bool is_well_formed_item(std::string_view bytes);
bool is_well_formed_value(std::string_view bytes);

// An owned value, and what is wrong with it. A request's values are decoded long before the service
// validates them, in AWS's order of checks; so the decoder keeps AWS's message for a value that has
// the right JSON form and a wrong meaning (no datatype, two datatypes, not a number…), and the
// service asks for it when that check's turn has come.
class AttributeValue {
 public:
  AttributeValue() = default;
  explicit AttributeValue(ValueView view) : bytes_(view.bytes()) {}
  static AttributeValue from_bytes(std::string bytes) {
    AttributeValue v;
    v.bytes_ = std::move(bytes);
    return v;
  }
  static AttributeValue string(std::string_view text);
  static AttributeValue number(
      std::string_view text);  // canonicalised; `problem()` when it is none
  static AttributeValue number(int64_t value);
  static AttributeValue binary(std::string_view bytes);
  static AttributeValue boolean(bool value);
  static AttributeValue null();
  static AttributeValue map(ItemView members);
  static AttributeValue list(const std::vector<AttributeValue>& values);
  // Members as given; numbers must be canonical.
  static AttributeValue set(AttributeType type, const std::vector<std::string>& members);

  // No value at all, as in a default-made one. A value with a problem may be empty too.
  bool empty() const { return bytes_.empty(); }
  ValueView view() const { return ValueView(bytes_); }
  operator ValueView() const { return view(); }
  AttributeType type() const { return view().type(); }
  const std::string& bytes() const { return bytes_; }

  // AWS's validation message, empty when the value is good.
  const std::string& problem() const { return problem_; }
  void set_problem(std::string message) { problem_ = std::move(message); }
  std::string& buffer() { return bytes_; }  // for decoders

  friend bool operator==(const AttributeValue& a, const AttributeValue& b) {
    if (a.empty() || b.empty()) return a.empty() == b.empty();
    return a.view() == b.view();
  }

 private:
  std::string bytes_;
  std::string problem_;
};

// An owned item (or map, or key): attributes in insertion order, names unique.
class Item {
 public:
  Item() = default;
  explicit Item(ItemView view) : bytes_(view.bytes()) {}
  static Item from_bytes(std::string bytes) {
    Item i;
    i.bytes_ = std::move(bytes);
    return i;
  }
  Item(std::initializer_list<std::pair<std::string_view, AttributeValue>> members);

  bool empty() const { return bytes_.empty(); }
  size_t size() const { return view().size(); }
  ItemView view() const { return ItemView(bytes_); }
  operator ItemView() const { return view(); }
  std::optional<ValueView> find(std::string_view name) const { return view().find(name); }
  bool contains(std::string_view name) const { return view().contains(name); }
  const std::string& bytes() const { return bytes_; }
  std::string take_bytes() { return std::move(bytes_); }

  // Adds an attribute that is not there yet.
  void append(std::string_view name, ValueView value);
  // Replaces in place, or appends.
  void set(std::string_view name, ValueView value);
  bool erase(std::string_view name);

  // As AttributeValue's, with the attribute it was found in. The bytes stay well-formed: what is
  // wrong reads as null.
  const std::string& problem() const { return problem_; }
  const std::string& problem_name() const { return problem_name_; }
  void set_problem(std::string message, std::string name) {
    problem_ = std::move(message);
    problem_name_ = std::move(name);
  }
  std::string& buffer() { return bytes_; }  // for decoders

  friend bool operator==(const Item& a, const Item& b) { return a.view() == b.view(); }

 private:
  std::string bytes_;
  std::string problem_, problem_name_;
};

}  // namespace virga
