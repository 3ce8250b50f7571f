#include "aws/document_codec.h"

#include <cmath>
#include <memory>

#include "async/byte_stream.h"
#include "aws/json_codec.h"
#include "aws/scalar_text.h"
#include "base/json.h"
#include "base/strings.h"

namespace virga::aws {
namespace {

std::unexpected<AwsError> misfit(const DecodePath* at, std::string_view what) {
  std::string message = at ? at->text() : std::string("The input");
  message += ' ';
  message += what;
  return fail("SerializationException", 400, std::move(message));
}

class Reader {
 public:
  explicit Reader(DecodeNotes& notes) : notes_(notes) {}

  Result<void> structure(const Document& in, const StructDesc& shape, void* out,
                         const DecodePath* at) {
    if (!in.is_object()) return misfit(at, "must be an object");
    MemberSet seen;
    for (const auto& [name, member] : in.as_object()) {
      const MemberDesc* m = find(shape, name);
      if (!m) return misfit(at, "has no member " + name);
      if (member.is_null() && m->type->kind != Kind::document) continue;
      seen.add(shape, *m);
      const DecodePath here = DecodePath::member(at, m->name);
      VIRGA_TRY_VOID(value(member, *m->type, set_member(*m, out), &here));
    }
    note_missing(shape, seen, at, notes_);
    return {};
  }

 private:
  static const MemberDesc* find(const StructDesc& shape, std::string_view name) {
    if (const MemberDesc* m = find_member(shape, name)) return m;
    for (const MemberDesc& m : shape.members) {
      if (m.wire == name) return &m;
    }
    return nullptr;
  }

  Result<void> value(const Document& in, const TypeDesc& type, void* out, const DecodePath* at) {
    if (at->depth > kDecodeDepthMax) return misfit(nullptr, "is nested too deep");
    switch (type.kind) {
      case Kind::structure:
        return structure(in, *type.structure, out, at);
      case Kind::list:
        return list(in, type, out, at);
      case Kind::map:
        return map(in, type, out, at);
      case Kind::document:
        *static_cast<Document*>(out) = in;
        return {};
      case Kind::attribute_value:
      case Kind::item:
        return read_json_value(to_json(in), type, out, at->name, notes_);
      case Kind::byte_source:
        *static_cast<std::unique_ptr<async::ByteSource>*>(out) =
            std::make_unique<async::StringSource>(in.is_string() ? in.as_string() : to_json(in));
        return {};
      case Kind::event_stream:
        return misfit(at, "is a stream of events");
      default:
        return scalar(in, type, out, at);
    }
  }

  Result<void> list(const Document& in, const TypeDesc& type, void* out, const DecodePath* at) {
    if (!in.is_array()) return misfit(at, "must be a list");
    size_t index = 0;
    for (const Document& element : in.as_array()) {
      const DecodePath here = DecodePath::element(at, index++);
      void* slot = list_append(type, out);
      if (element.is_null() && type.element->kind != Kind::document) {
        notes_.missing.push_back(here.text());
        continue;
      }
      VIRGA_TRY_VOID(value(element, *type.element, slot, &here));
    }
    return {};
  }

  Result<void> map(const Document& in, const TypeDesc& type, void* out, const DecodePath* at) {
    if (!in.is_object()) return misfit(at, "must be an object");
    for (const auto& [key, element] : in.as_object()) {
      const DecodePath here = DecodePath::entry(at, key);
      if (element.is_null() && type.element->kind != Kind::document) {
        notes_.missing.push_back(here.text());
        continue;
      }
      VIRGA_TRY_VOID(value(element, *type.element, type.map->insert(type, out, key), &here));
    }
    return {};
  }

  Result<void> scalar(const Document& in, const TypeDesc& type, void* out, const DecodePath* at) {
    if (type.kind == Kind::boolean && in.is_bool()) {
      *static_cast<bool*>(out) = in.as_bool();
      return {};
    }
    if (in.is_number()) {
      const double real = in.as_double();
      const bool whole = in.is_int() || (std::floor(real) == real && std::fabs(real) < 9e15);
      const int64_t n = in.is_int() ? in.as_int() : whole ? static_cast<int64_t>(real) : 0;
      if (type.kind == Kind::real) {
        *static_cast<double*>(out) = real;
        return {};
      }
      if (type.kind == Kind::int64 && whole) {
        *static_cast<int64_t*>(out) = n;
        return {};
      }
      if (type.kind == Kind::int32 && whole && n >= INT32_MIN && n <= INT32_MAX) {
        *static_cast<int32_t*>(out) = static_cast<int32_t>(n);
        return {};
      }
      if (type.kind == Kind::timestamp) {
        if (const auto t = epoch_to_timestamp(real)) {
          *static_cast<Timestamp*>(out) = *t;
          return {};
        }
      }
    }
    if (in.is_string() && type.kind != Kind::boolean &&
        parse_scalar(type, in.as_string(), TimeFormat::iso8601, out)) {
      return {};
    }
    // A JSON value given for bytes or text that hold JSON: payloads of state machine tasks.
    if (type.kind == Kind::blob && !in.is_string()) {
      *static_cast<std::string*>(out) = to_json(in);
      return {};
    }
    return misfit(at, "must be of type " + std::string(type_word(type.kind)));
  }

  DecodeNotes& notes_;
};

struct Entries {
  const TypeDesc* element;
  Document out = Document::object();
};

}  // namespace

Result<void> read_document(const Document& in, const StructDesc& shape, void* object,
                           DecodeNotes& notes) {
  return Reader(notes).structure(in, shape, object, nullptr);
}

Document write_document(const StructDesc& shape, const void* object) {
  Document out = Document::object();
  for (const MemberDesc& m : shape.members) {
    const void* value = get_member(m, object);
    if (!value || m.type->kind == Kind::byte_source || m.type->kind == Kind::event_stream) continue;
    out.set(m.name, write_document(*m.type, value));
  }
  return out;
}

Document write_document(const TypeDesc& type, const void* value) {
  switch (type.kind) {
    case Kind::boolean:
      return Document(*static_cast<const bool*>(value));
    case Kind::int32:
      return Document(*static_cast<const int32_t*>(value));
    case Kind::int64:
      return Document(*static_cast<const int64_t*>(value));
    case Kind::real:
      return Document(*static_cast<const double*>(value));
    case Kind::structure:
      return write_document(*type.structure, value);
    case Kind::document:
      return *static_cast<const Document*>(value);
    case Kind::list: {
      Document out = Document::array();
      const size_t count = list_size(type, value);
      for (size_t i = 0; i < count; ++i)
        out.push(write_document(*type.element, list_at(type, value, i)));
      return out;
    }
    case Kind::map: {
      Entries entries{type.element};
      type.map->each(type, value, &entries,
                     [](void* self, const std::string& key, const void* entry) {
                       auto& e = *static_cast<Entries*>(self);
                       e.out.set(key, write_document(*e.element, entry));
                     });
      return std::move(entries.out);
    }
    case Kind::attribute_value:
    case Kind::item: {
      std::string json;
      JsonWriter writer(json);
      write_json_value(writer, type, value);
      auto parsed = parse_json(json);
      return parsed ? std::move(*parsed) : Document();
    }
    case Kind::timestamp:
      return Document(format_iso8601(*static_cast<const Timestamp*>(value)));
    default: {
      std::string text;
      append_scalar(text, type, value, TimeFormat::iso8601);
      return Document(std::move(text));
    }
  }
}

}  // namespace virga::aws
