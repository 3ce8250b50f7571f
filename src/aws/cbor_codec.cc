#include "aws/cbor_codec.h"

#include <cmath>
#include <cstring>
#include <limits>

#include "aws/scalar_text.h"
#include "base/strings.h"
#include "base/time.h"

namespace virga::aws {
namespace {

constexpr uint64_t kIndefinite = ~uint64_t{0};

std::unexpected<AwsError> malformed() {
  return fail("SerializationException", 400, "The CBOR body is malformed");
}
std::unexpected<AwsError> misfit(const DecodePath* at, Kind wanted) {
  return fail(
      "SerializationException", 400,
      (at ? at->text() : "The body") + " must be of type " + std::string(type_word(wanted)));
}

enum Major : uint8_t { kUnsigned, kNegative, kBytes, kText, kArray, kMap, kTag, kSimple };

double half_to_double(uint16_t half) {
  const int exponent = half >> 10 & 0x1f;
  const int mantissa = half & 0x3ff;
  double value = exponent == 0    ? std::ldexp(mantissa, -24)
                 : exponent != 31 ? std::ldexp(mantissa + 1024, exponent - 25)
                 : mantissa       ? std::numeric_limits<double>::quiet_NaN()
                                  : std::numeric_limits<double>::infinity();
  return half & 0x8000 ? -value : value;
}

// One data item's head.
struct Head {
  Major major = kUnsigned;
  uint8_t info = 0;
  uint64_t argument = 0;  // kIndefinite for an indefinite length
};

class Reader {
 public:
  Reader(std::string_view in, DecodeNotes& notes) : in_(in), notes_(notes) {}

  bool done() const { return at_ == in_.size(); }

  Result<void> members(const Head& map, const StructDesc& shape, void* out, MemberSet& seen,
                       const DecodePath* at);
  Result<void> value(const TypeDesc& type, void* out, const DecodePath* at);

  bool head(Head& out) {
    if (at_ >= in_.size()) return false;
    const auto first = static_cast<uint8_t>(in_[at_++]);
    out.major = static_cast<Major>(first >> 5);
    out.info = first & 31;
    if (out.info < 24) return out.argument = out.info, true;
    if (out.info == 31) {
      out.argument = kIndefinite;
      return out.major != kUnsigned && out.major != kNegative && out.major != kTag;
    }
    if (out.info > 27) return false;
    const size_t bytes = size_t{1} << (out.info - 24);
    if (in_.size() - at_ < bytes) return false;
    out.argument = 0;
    for (size_t i = 0; i < bytes; ++i)
      out.argument = out.argument << 8 | static_cast<uint8_t>(in_[at_++]);
    return true;
  }
  // The end mark of an indefinite container is next (and taken).
  bool at_break() {
    if (at_ < in_.size() && static_cast<uint8_t>(in_[at_]) == 0xff) return ++at_, true;
    return false;
  }
  bool string(const Head& h, std::string& out) {
    if (h.argument != kIndefinite) {
      if (in_.size() - at_ < h.argument) return false;
      out.append(in_.substr(at_, h.argument));
      at_ += h.argument;
      return true;
    }
    while (!at_break()) {
      Head part;
      if (!head(part) || part.major != h.major || part.argument == kIndefinite ||
          !string(part, out))
        return false;
    }
    return true;
  }
  // Text is valid UTF-8 (RFC 8949 section 3.1), a map's keys like any other.
  bool text(const Head& h, std::string& out) {
    return h.major == kText && string(h, out) && is_utf8(out);
  }
  bool skip(const Head& h, int depth) {
    if (depth > kDecodeDepthMax) return false;
    switch (h.major) {
      case kBytes:
      case kText: {
        std::string ignored;
        return string(h, ignored);
      }
      case kArray:
      case kMap:
        for (uint64_t i = 0; h.argument == kIndefinite ? !at_break() : i < h.argument; ++i) {
          if (!skip_next(depth + 1) || (h.major == kMap && !skip_next(depth + 1))) return false;
        }
        return true;
      case kTag:
        return skip_next(depth + 1);
      case kSimple:
        return h.argument != kIndefinite;
      default:
        return true;
    }
  }
  bool skip_next(int depth) {
    Head h;
    return head(h) && skip(h, depth);
  }
  static bool is_null(const Head& h) {
    return h.major == kSimple && (h.info == 22 || h.info == 23);
  }
  bool peek_null() {
    const size_t mark = at_;
    Head h;
    if (head(h) && is_null(h)) return true;
    at_ = mark;
    return false;
  }

 private:
  bool real(const Head& h, double& out) const {
    if (h.major == kUnsigned) return out = static_cast<double>(h.argument), true;
    if (h.major == kNegative) return out = -1.0 - static_cast<double>(h.argument), true;
    if (h.major != kSimple) return false;
    if (h.info == 25) return out = half_to_double(static_cast<uint16_t>(h.argument)), true;
    if (h.info == 26) {
      float f;
      const auto bits = static_cast<uint32_t>(h.argument);
      std::memcpy(&f, &bits, sizeof f);
      return out = f, true;
    }
    if (h.info == 27) return std::memcpy(&out, &h.argument, sizeof out), true;
    return false;
  }
  bool integer(const Head& h, int64_t& out) const {
    if (h.major == kUnsigned && h.argument <= INT64_MAX)
      return out = static_cast<int64_t>(h.argument), true;
    if (h.major == kNegative && h.argument <= INT64_MAX)
      return out = -1 - static_cast<int64_t>(h.argument), true;
    double d = 0;
    if (!real(h, d) || std::floor(d) != d || std::fabs(d) > 9.2e18) return false;
    return out = static_cast<int64_t>(d), true;
  }
  Result<void> scalar(const Head& h, const TypeDesc& type, void* out, const DecodePath* at);
  Result<void> list(const Head& h, const TypeDesc& type, void* out, const DecodePath* at);
  Result<void> map(const Head& h, const TypeDesc& type, void* out, const DecodePath* at);

  std::string_view in_;
  size_t at_ = 0;
  DecodeNotes& notes_;
};

Result<void> Reader::members(const Head& map, const StructDesc& shape, void* out, MemberSet& seen,
                             const DecodePath* at) {
  for (uint64_t i = 0; map.argument == kIndefinite ? !at_break() : i < map.argument; ++i) {
    Head key;
    std::string name;
    if (!head(key) || !text(key, name)) return malformed();
    const MemberDesc* found = nullptr;
    for (const MemberDesc& m : shape.members) {
      if (m.name == name || m.wire == name)
        found = &m;  // the protocol knows no other names; some clients do
    }
    if (!found) {
      if (!skip_next(at ? at->depth : 0)) return malformed();
      continue;
    }
    if (peek_null()) continue;
    seen.add(shape, *found);
    const DecodePath here = DecodePath::member(at, found->name);
    VIRGA_TRY_VOID(value(*found->type, set_member(*found, out), &here));
  }
  return {};
}

Result<void> Reader::value(const TypeDesc& type, void* out, const DecodePath* at) {
  if (at->depth > kDecodeDepthMax) return malformed();
  Head h;
  if (!head(h)) return malformed();
  switch (type.kind) {
    case Kind::structure: {
      if (h.major != kMap) return misfit(at, type.kind);
      MemberSet seen;
      VIRGA_TRY_VOID(members(h, *type.structure, out, seen, at));
      note_missing(*type.structure, seen, at, notes_);
      return {};
    }
    case Kind::list:
      return list(h, type, out, at);
    case Kind::map:
      return map(h, type, out, at);
    default:
      return scalar(h, type, out, at);
  }
}

Result<void> Reader::list(const Head& h, const TypeDesc& type, void* out, const DecodePath* at) {
  if (h.major != kArray) return misfit(at, type.kind);
  size_t index = 0;
  for (uint64_t i = 0; h.argument == kIndefinite ? !at_break() : i < h.argument; ++i) {
    if (done()) return malformed();
    const DecodePath here = DecodePath::element(at, index++);
    void* slot = list_append(type, out);
    if (peek_null()) {
      notes_.missing.push_back(here.text());
      continue;
    }
    VIRGA_TRY_VOID(value(*type.element, slot, &here));
  }
  return {};
}

Result<void> Reader::map(const Head& h, const TypeDesc& type, void* out, const DecodePath* at) {
  if (h.major != kMap) return misfit(at, type.kind);
  for (uint64_t i = 0; h.argument == kIndefinite ? !at_break() : i < h.argument; ++i) {
    Head key;
    std::string name;
    if (!head(key) || !text(key, name)) return malformed();
    const DecodePath here = DecodePath::entry(at, name);
    if (peek_null()) {
      notes_.missing.push_back(here.text());
      continue;
    }
    VIRGA_TRY_VOID(value(*type.element, type.map->insert(type, out, name), &here));
  }
  return {};
}

Result<void> Reader::scalar(const Head& h, const TypeDesc& type, void* out, const DecodePath* at) {
  int64_t n = 0;
  double d = 0;
  switch (type.kind) {
    case Kind::boolean:
      if (h.major != kSimple || (h.info != 20 && h.info != 21)) return misfit(at, type.kind);
      *static_cast<bool*>(out) = h.info == 21;
      return {};
    case Kind::int32:
      if (!integer(h, n) || n < INT32_MIN || n > INT32_MAX) return misfit(at, type.kind);
      *static_cast<int32_t*>(out) = static_cast<int32_t>(n);
      return {};
    case Kind::int64:
      if (!integer(h, n)) return misfit(at, type.kind);
      *static_cast<int64_t*>(out) = n;
      return {};
    case Kind::real:
      if (!real(h, d)) return misfit(at, type.kind);
      *static_cast<double*>(out) = d;
      return {};
    case Kind::string:
      if (h.major != kText) return misfit(at, type.kind);
      return text(h, *static_cast<std::string*>(out)) ? Result<void>() : malformed();
    case Kind::blob:
      if (h.major != kBytes || !string(h, *static_cast<std::string*>(out)))
        return misfit(at, type.kind);
      return {};
    case Kind::timestamp: {
      Head seconds = h;
      if (h.major == kTag && (h.argument != 1 || !head(seconds))) return misfit(at, type.kind);
      if (!real(seconds, d)) return misfit(at, type.kind);
      const auto t = epoch_to_timestamp(d);
      if (!t) return misfit(at, type.kind);
      *static_cast<Timestamp*>(out) = *t;
      return {};
    }
    default:
      return misfit(at, type.kind);
  }
}

// -- writing
// -----------------------------------------------------------------------------------------------------------
void put_head(std::string& out, Major major, uint64_t argument) {
  const auto first = static_cast<uint8_t>(major << 5);
  int bytes = argument < 24            ? 0
              : argument <= 0xff       ? 1
              : argument <= 0xffff     ? 2
              : argument <= 0xffffffff ? 4
                                       : 8;
  const int info = bytes == 0   ? static_cast<int>(argument)
                   : bytes == 1 ? 24
                   : bytes == 2 ? 25
                   : bytes == 4 ? 26
                                : 27;
  out += static_cast<char>(first | info);
  while (bytes--) out += static_cast<char>(argument >> (8 * bytes));
}
void put_text(std::string& out, std::string_view text) {
  put_head(out, kText, text.size());
  out += text;
}
void put_int(std::string& out, int64_t n) {
  if (n >= 0) return put_head(out, kUnsigned, static_cast<uint64_t>(n));
  put_head(out, kNegative, static_cast<uint64_t>(-(n + 1)));
}
void put_double(std::string& out, double d) {
  uint64_t bits;
  std::memcpy(&bits, &d, sizeof bits);
  out += static_cast<char>(0xfb);
  for (int i = 7; i >= 0; --i) out += static_cast<char>(bits >> (8 * i));
}

void put_value(std::string& out, const TypeDesc& type, const void* value);

struct EntryVisit {
  std::string* out;
  const TypeDesc* element;
};

void put_value(std::string& out, const TypeDesc& type, const void* value) {
  switch (type.kind) {
    case Kind::boolean:
      out += *static_cast<const bool*>(value) ? '\xf5' : '\xf4';
      return;
    case Kind::int32:
      return put_int(out, *static_cast<const int32_t*>(value));
    case Kind::int64:
      return put_int(out, *static_cast<const int64_t*>(value));
    case Kind::real:
      return put_double(out, *static_cast<const double*>(value));
    case Kind::blob: {
      const auto& bytes = *static_cast<const std::string*>(value);
      put_head(out, kBytes, bytes.size());
      out += bytes;
      return;
    }
    case Kind::timestamp: {
      const Timestamp t = *static_cast<const Timestamp*>(value);
      put_head(out, kTag, 1);
      if (t.micros % 1'000'000 == 0) return put_int(out, t.micros / 1'000'000);
      return put_double(out, static_cast<double>(t.micros) / 1e6);
    }
    case Kind::structure:
      return write_cbor_struct(out, *type.structure, value);
    case Kind::document:
      return write_cbor_document(out, *static_cast<const Document*>(value));
    case Kind::list: {
      const size_t count = list_size(type, value);
      put_head(out, kArray, count);
      for (size_t i = 0; i < count; ++i) put_value(out, *type.element, list_at(type, value, i));
      return;
    }
    case Kind::map: {
      put_head(out, kMap, type.map->size(type, value));
      EntryVisit visit{&out, type.element};
      type.map->each(type, value, &visit,
                     [](void* self, const std::string& key, const void* entry) {
                       const auto& v = *static_cast<EntryVisit*>(self);
                       put_text(*v.out, key);
                       put_value(*v.out, *v.element, entry);
                     });
      return;
    }
    default:
      return put_text(out, *static_cast<const std::string*>(value));
  }
}

}  // namespace

Result<void> read_cbor_struct(std::string_view body, const StructDesc& shape, void* object,
                              MemberSet& seen, DecodeNotes& notes) {
  if (body.empty()) return {};
  Reader reader(body, notes);
  Head h;
  if (!reader.head(h) || h.major != kMap) return malformed();
  VIRGA_TRY_VOID(reader.members(h, shape, object, seen, nullptr));
  return reader.done() ? Result<void>() : malformed();
}

void write_cbor_struct(std::string& out, const StructDesc& shape, const void* object) {
  size_t count = 0;
  for (const MemberDesc& m : shape.members) count += get_member(m, object) != nullptr;
  put_head(out, kMap, count);
  for (const MemberDesc& m : shape.members) {
    const void* value = get_member(m, object);
    if (!value) continue;
    put_text(out, m.name);
    put_value(out, *m.type, value);
  }
}

void write_cbor_document(std::string& out, const Document& value) {
  if (value.is_null()) {
    out += '\xf6';
  } else if (value.is_bool()) {
    out += value.as_bool() ? '\xf5' : '\xf4';
  } else if (value.is_int()) {
    put_int(out, value.as_int());
  } else if (value.is_double()) {
    put_double(out, value.as_double());
  } else if (value.is_string()) {
    put_text(out, value.as_string());
  } else if (value.is_array()) {
    put_head(out, kArray, value.as_array().size());
    for (const Document& item : value.as_array()) write_cbor_document(out, item);
  } else {
    put_head(out, kMap, value.as_object().size());
    for (const auto& [name, member] : value.as_object()) {
      put_text(out, name);
      write_cbor_document(out, member);
    }
  }
}

}  // namespace virga::aws
