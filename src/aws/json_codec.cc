#include "aws/json_codec.h"

#include <simdjson.h>

#include <cmath>

#include "aws/attribute_value_simdjson.h"
#include "aws/scalar_text.h"
#include "base/document.h"
#include "base/strings.h"

namespace virga::aws {
namespace {

namespace od = simdjson::ondemand;

std::unexpected<AwsError> serialization(std::string message) {
  return fail("SerializationException", 400, std::move(message));
}
std::unexpected<AwsError> bad_json() {
  return serialization("");
}

// A request's body where simdjson may read past its end, and the thread's parser. One at a time per
// thread.
class JsonText {
 public:
  explicit JsonText(std::string_view body) {
    thread_local std::string buffer;
    if (buffer.capacity() > kKeptBytes && body.size() < kKeptBytes) std::string().swap(buffer);
    buffer.reserve(body.size() + simdjson::SIMDJSON_PADDING);
    buffer.assign(body);
    view_ = simdjson::padded_string_view(buffer.data(), buffer.size(), buffer.capacity());
  }
  simdjson::simdjson_result<od::document> parse() {
    thread_local od::parser parser;
    return parser.iterate(view_);
  }

 private:
  static constexpr size_t kKeptBytes = 1 << 20;
  simdjson::padded_string_view view_;
};

std::string_view word_of(od::value& in, od::json_type type) {
  if (type == od::json_type::boolean) {
    bool value = false;
    return !in.get_bool().get(value) && value ? "TRUE_VALUE" : "FALSE_VALUE";
  }
  return in.raw_json_token().find_first_of(".eE") == std::string_view::npos ? "NUMBER_VALUE"
                                                                            : "DECIMAL_VALUE";
}

// What is said of a JSON value of the wrong form. Source of the texts: recorded answers of
// DynamoDB, as published in dynalite's test-suite; the other awsJson services share the library
// that says them.
std::unexpected<AwsError> wrong_form(od::value& in, od::json_type type, Kind wanted) {
  const bool container = wanted == Kind::list || wanted == Kind::map;
  switch (type) {
    case od::json_type::array:
      if (wanted == Kind::structure || wanted == Kind::item || container) {
        return serialization("Start of list found where not expected");
      }
      return serialization("Unrecognized collection type class java.lang." +
                           std::string(type_word(wanted)));
    case od::json_type::object:
      return serialization("Start of structure or map found where not expected");
    case od::json_type::string:
      if (container || wanted == Kind::structure || wanted == Kind::item) {
        return serialization("Unexpected field type");
      }
      return serialization("STRING_VALUE cannot be converted to " + std::string(type_word(wanted)));
    default:
      if (container || wanted == Kind::structure || wanted == Kind::item)
        return serialization("Unexpected field type");
      return serialization(std::string(word_of(in, type)) + " cannot be converted to " +
                           std::string(type_word(wanted)));
  }
}

// Takes a value that begins like null; false when it is not spelled so.
bool take_null(od::value& in) {
  bool is_null = false;
  return !in.is_null().get(is_null) && is_null;
}

bool to_document(od::value in, Document& out, int depth);

bool object_to_document(od::object in, Document& out, int depth) {
  out = Document::object();
  for (auto field : in) {
    std::string_view key;
    od::value value;
    if (field.error() || field.unescaped_key().get(key)) return false;
    const std::string name(key);
    Document member;
    if (field.value().get(value) || !to_document(value, member, depth + 1)) return false;
    out.set(name, std::move(member));
  }
  return true;
}

bool number_to_document(od::value& in, Document& out) {
  od::number number;
  if (in.get_number().get(number)) return false;
  if (number.is_int64()) {
    out = Document(number.get_int64());
  } else {
    out = Document(number.as_double());
  }
  return true;
}

bool to_document(od::value in, Document& out, int depth) {
  if (depth > kDecodeDepthMax) return false;
  od::json_type type;
  if (in.type().get(type)) return false;
  switch (type) {
    case od::json_type::array: {
      od::array array;
      out = Document::array();
      if (in.get_array().get(array)) return false;
      for (auto item : array) {
        Document element;
        od::value value;
        if (item.get(value) || !to_document(value, element, depth + 1)) return false;
        out.push(std::move(element));
      }
      return true;
    }
    case od::json_type::object: {
      od::object object;
      return !in.get_object().get(object) && object_to_document(object, out, depth);
    }
    case od::json_type::number:
      return number_to_document(in, out);
    case od::json_type::string: {
      std::string_view text;
      if (in.get_string().get(text)) return false;
      out = Document(text);
      return true;
    }
    case od::json_type::boolean: {
      bool value = false;
      if (in.get_bool().get(value)) return false;
      out = Document(value);
      return true;
    }
    case od::json_type::null:
      out = Document();
      return take_null(in);
  }
  return false;
}

class Reader {
 public:
  explicit Reader(DecodeNotes& notes) : notes_(notes) {}

  Result<void> value(od::value in, const TypeDesc& type, void* out, const DecodePath* at);
  Result<void> object(od::object in, const StructDesc& shape, void* out, Members members,
                      MemberSet& seen, const DecodePath* at);

 private:
  Result<void> structure(od::value in, const TypeDesc& type, void* out, const DecodePath* at);
  Result<void> list(od::value in, const TypeDesc& type, void* out, const DecodePath* at);
  Result<void> map(od::value in, const TypeDesc& type, void* out, const DecodePath* at);
  Result<void> number(od::value in, const TypeDesc& type, void* out);
  Result<void> scalar(od::value in, const TypeDesc& type, void* out);
  Result<void> text(od::value in, const TypeDesc& type, void* out);
  Result<void> timestamp(od::value in, const TypeDesc& type, void* out);

  DecodeNotes& notes_;
};

Result<void> Reader::value(od::value in, const TypeDesc& type, void* out, const DecodePath* at) {
  if (at && at->depth > kDecodeDepthMax) return serialization("Nesting is too deep");
  switch (type.kind) {
    case Kind::structure:
      return structure(in, type, out, at);
    case Kind::list:
      return list(in, type, out, at);
    case Kind::map:
      return map(in, type, out, at);
    case Kind::attribute_value:
      return read_attribute_value(in, *static_cast<AttributeValue*>(out));
    case Kind::item:
      return read_item(in, *static_cast<Item*>(out));
    case Kind::document:
      if (!to_document(in, *static_cast<Document*>(out), 0)) return bad_json();
      return {};
    default:
      return scalar(in, type, out);
  }
}

Result<void> Reader::object(od::object in, const StructDesc& shape, void* out, Members members,
                            MemberSet& seen, const DecodePath* at) {
  size_t guess = 0;  // clients mostly send members in the model's order
  for (auto field : in) {
    std::string_view key;
    od::value value;
    if (field.error() || field.unescaped_key().get(key)) return bad_json();
    const MemberDesc* found = nullptr;
    const size_t count = shape.members.size();
    for (size_t i = 0; i < count; ++i) {
      const MemberDesc& m = shape.members[guess];
      if (++guess == count) guess = 0;
      if (m.json_name() == key && is_among(members, m)) {
        found = &m;
        break;
      }
    }
    if (field.value().get(value)) return bad_json();
    if (!found) {
      // Unknown members are ignored, but not broken JSON in them.
      Document ignored;
      if (!to_document(value, ignored, 0)) return bad_json();
      continue;
    }
    od::json_type type;
    if (value.type().get(type)) return bad_json();
    if (type == od::json_type::null && found->type->kind != Kind::document) {
      if (!take_null(value)) return bad_json();
      continue;
    }
    seen.add(shape, *found);
    const DecodePath here = DecodePath::member(at, found->name);
    VIRGA_TRY_VOID(this->value(value, *found->type, set_member(*found, out), &here));
  }
  return {};
}

Result<void> Reader::structure(od::value in, const TypeDesc& type, void* out,
                               const DecodePath* at) {
  od::object object;
  od::json_type form;
  if (in.type().get(form)) return bad_json();
  if (form != od::json_type::object) return wrong_form(in, form, type.kind);
  if (in.get_object().get(object)) return bad_json();
  MemberSet seen;
  VIRGA_TRY_VOID(this->object(object, *type.structure, out, Members::all, seen, at));
  note_missing(*type.structure, seen, at, notes_);
  return {};
}

Result<void> Reader::list(od::value in, const TypeDesc& type, void* out, const DecodePath* at) {
  od::array array;
  od::json_type form;
  if (in.type().get(form)) return bad_json();
  if (form != od::json_type::array) return wrong_form(in, form, type.kind);
  if (in.get_array().get(array)) return bad_json();
  size_t index = 0;
  for (auto item : array) {
    od::value value;
    od::json_type element;
    if (item.get(value) || value.type().get(element)) return bad_json();
    const DecodePath here = DecodePath::element(at, index++);
    void* slot = list_append(type, out);
    if (element == od::json_type::null && type.element->kind != Kind::document) {
      if (!take_null(value)) return bad_json();
      notes_.missing.push_back(here.text());
      continue;
    }
    VIRGA_TRY_VOID(this->value(value, *type.element, slot, &here));
  }
  return {};
}

Result<void> Reader::map(od::value in, const TypeDesc& type, void* out, const DecodePath* at) {
  od::object object;
  od::json_type form;
  if (in.type().get(form)) return bad_json();
  if (form != od::json_type::object) return wrong_form(in, form, type.kind);
  if (in.get_object().get(object)) return bad_json();
  for (auto field : object) {
    std::string_view key;
    od::value value;
    od::json_type element;
    if (field.error() || field.unescaped_key().get(key)) return bad_json();
    std::string name(key);
    if (field.value().get(value) || value.type().get(element)) return bad_json();
    const DecodePath here = DecodePath::entry(at, name);
    if (element == od::json_type::null && type.element->kind != Kind::document) {
      if (!take_null(value)) return bad_json();
      notes_.missing.push_back(here.text());
      continue;
    }
    void* slot = type.map->insert(type, out, name);
    VIRGA_TRY_VOID(this->value(value, *type.element, slot, &here));
  }
  return {};
}

Result<void> Reader::number(od::value in, const TypeDesc& type, void* out) {
  od::number number;
  if (in.get_number().get(number)) return bad_json();
  const double real = number.as_double();
  if (type.kind == Kind::real) {
    *static_cast<double*>(out) = real;
    return {};
  }
  // A fraction is cut off, as the services do.
  int64_t whole = 0;
  if (number.is_int64()) {
    whole = number.get_int64();
  } else if (std::fabs(real) < 9.2e18) {
    whole = static_cast<int64_t>(real);
  } else {
    return serialization("NUMBER_VALUE cannot be converted to " +
                         std::string(type_word(type.kind)));
  }
  if (type.kind == Kind::int64) {
    *static_cast<int64_t*>(out) = whole;
    return {};
  }
  if (whole < INT32_MIN || whole > INT32_MAX) {
    return serialization("NUMBER_VALUE cannot be converted to " +
                         std::string(type_word(type.kind)));
  }
  *static_cast<int32_t*>(out) = static_cast<int32_t>(whole);
  return {};
}

Result<void> Reader::text(od::value in, const TypeDesc& type, void* out) {
  std::string_view text;
  if (in.get_string().get(text)) return bad_json();
  if (type.kind == Kind::string) {
    static_cast<std::string*>(out)->assign(text);
    return {};
  }
  if (parse_scalar(type, text, TimeFormat::epoch, out)) {
    // Words for numbers and booleans are refused, except those JSON has no form for.
    if (type.kind == Kind::blob || type.kind == Kind::timestamp) return {};
    if (type.kind == Kind::real && !std::isfinite(*static_cast<double*>(out))) return {};
  }
  if (type.kind == Kind::blob) {
    if (text.size() % 4) {
      return serialization("Base64 encoded length is expected a multiple of 4 bytes but found: " +
                           std::to_string(text.size()));
    }
    return serialization("Invalid last non-pad Base64 character dectected");  // [sic]
  }
  return serialization("STRING_VALUE cannot be converted to " + std::string(type_word(type.kind)));
}

Result<void> Reader::timestamp(od::value in, const TypeDesc& type, void* out) {
  double seconds = 0;
  if (in.get_double().get(seconds)) return bad_json();
  const auto t = epoch_to_timestamp(seconds);
  if (!t) return serialization("NUMBER_VALUE cannot be converted to Timestamp");
  *static_cast<Timestamp*>(out) = *t;
  return {};
}

Result<void> Reader::scalar(od::value in, const TypeDesc& type, void* out) {
  od::json_type form;
  if (in.type().get(form)) return bad_json();
  if (form == od::json_type::string) return text(in, type, out);
  if (form == od::json_type::boolean && type.kind == Kind::boolean) {
    if (in.get_bool().get(*static_cast<bool*>(out))) return bad_json();
    return {};
  }
  if (form == od::json_type::number) {
    if (type.kind == Kind::timestamp) return timestamp(in, type, out);
    if (type.kind == Kind::int32 || type.kind == Kind::int64 || type.kind == Kind::real)
      return number(in, type, out);
  }
  return wrong_form(in, form, type.kind);
}

// Nothing but white space may follow the value.
bool at_end(od::document& document) {
  const char* rest = nullptr;
  return document.current_location().get(rest) == simdjson::OUT_OF_BOUNDS;
}

struct MapVisit {
  JsonWriter* writer;
  const TypeDesc* element;
};

}  // namespace

Result<void> read_json_struct(std::string_view body, const StructDesc& shape, void* object,
                              Members members, MemberSet& seen, DecodeNotes& notes) {
  if (trim(body).empty()) return {};
  if (!is_utf8(body)) return bad_json();
  JsonText text(body);
  od::document document;
  od::json_type form;
  if (text.parse().get(document) || document.type().get(form)) return bad_json();
  if (form == od::json_type::null) return {};
  if (form == od::json_type::array) return serialization("Start of list found where not expected");
  od::object root;
  if (form != od::json_type::object || document.get_object().get(root)) return bad_json();
  VIRGA_TRY_VOID(Reader(notes).object(root, shape, object, members, seen, nullptr));
  if (!at_end(document)) return bad_json();
  return {};
}

Result<void> read_json_value(std::string_view body, const TypeDesc& type, void* value,
                             std::string_view member, DecodeNotes& notes) {
  if (type.kind == Kind::document || type.kind != Kind::structure) {
    // A body that is no object cannot be read as an on-demand value: wrapped into a list.
    std::string wrapped = "[";
    wrapped.append(body);
    wrapped += ']';
    if (!is_utf8(body)) return bad_json();
    JsonText text(wrapped);
    od::document document;
    od::array array;
    if (text.parse().get(document) || document.get_array().get(array)) return bad_json();
    const DecodePath here = DecodePath::member(nullptr, member);
    size_t count = 0;
    for (auto item : array) {
      od::value only;
      if (count++ || item.get(only)) return bad_json();
      VIRGA_TRY_VOID(Reader(notes).value(only, type, value, &here));
    }
    return count == 1 ? Result<void>() : bad_json();
  }
  if (!is_utf8(body)) return bad_json();
  JsonText text(body);
  od::document document;
  od::object root;
  if (text.parse().get(document) || document.get_object().get(root)) return bad_json();
  const DecodePath here = DecodePath::member(nullptr, member);
  MemberSet seen;
  VIRGA_TRY_VOID(Reader(notes).object(root, *type.structure, value, Members::all, seen, &here));
  note_missing(*type.structure, seen, &here, notes);
  if (!at_end(document)) return bad_json();
  return {};
}

void write_json_struct(JsonWriter& writer, const StructDesc& shape, const void* object,
                       Members members) {
  writer.begin_object();
  for (const MemberDesc& m : shape.members) {
    if (!is_among(members, m)) continue;
    const void* value = get_member(m, object);
    if (!value || m.type->kind == Kind::byte_source || m.type->kind == Kind::event_stream) continue;
    writer.key(m.json_name());
    write_json_value(writer, *m.type, value);
  }
  writer.end_object();
}

void write_json_value(JsonWriter& writer, const TypeDesc& type, const void* value) {
  switch (type.kind) {
    case Kind::boolean:
      return writer.boolean(*static_cast<const bool*>(value));
    case Kind::int32:
      return writer.integer(*static_cast<const int32_t*>(value));
    case Kind::int64:
      return writer.integer(*static_cast<const int64_t*>(value));
    case Kind::real:
      return writer.real(*static_cast<const double*>(value));
    case Kind::string:
      return writer.string(*static_cast<const std::string*>(value));
    case Kind::blob:
      return writer.string(to_base64(*static_cast<const std::string*>(value)));
    case Kind::timestamp: {
      const Timestamp t = *static_cast<const Timestamp*>(value);
      if (type.time_format == TimeFormat::unset || type.time_format == TimeFormat::epoch) {
        return writer.raw(format_epoch(t));
      }
      return writer.string(format_timestamp(t, type.time_format));
    }
    case Kind::document:
      return writer.raw(to_json(*static_cast<const Document*>(value)));
    case Kind::structure:
      return write_json_struct(writer, *type.structure, value, Members::all);
    case Kind::attribute_value:
      return virga::write_json(writer, *static_cast<const AttributeValue*>(value));
    case Kind::item:
      return virga::write_json(writer, *static_cast<const Item*>(value));
    case Kind::list: {
      writer.begin_array();
      const size_t count = list_size(type, value);
      for (size_t i = 0; i < count; ++i)
        write_json_value(writer, *type.element, list_at(type, value, i));
      return writer.end_array();
    }
    case Kind::map: {
      writer.begin_object();
      MapVisit visit{&writer, type.element};
      type.map->each(type, value, &visit,
                     [](void* self, const std::string& key, const void* entry) {
                       const auto& v = *static_cast<MapVisit*>(self);
                       v.writer->key(key);
                       write_json_value(*v.writer, *v.element, entry);
                     });
      return writer.end_object();
    }
    default:
      return writer.null();
  }
}

}  // namespace virga::aws
