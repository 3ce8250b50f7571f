#include "aws/attribute_value_json.h"

#include <cstring>
#include <unordered_set>

#include "aws/attribute_value_number.h"
#include "aws/attribute_value_simdjson.h"
#include "base/strings.h"

namespace virga {
namespace {

namespace od = simdjson::ondemand;

constexpr const char* kEmptyValue =
    "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes";
constexpr const char* kTwoTypes =
    "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the "
    "supported datatypes";
constexpr const char* kTooDeep =
    "Nesting Levels have exceeded supported limits: Attributes in the item have nested levels "
    "beyond supported limit";
constexpr const char* kNameTooLong =
    "1 validation error detected: Attribute name is too large, must be less than 65536 bytes";
constexpr const char* kInvalid = "One or more parameter values were invalid: ";

std::unexpected<AwsError> serialization(std::string message) {
  return fail("SerializationException", 400, std::move(message));
}
std::unexpected<AwsError> bad_json() {
  return serialization("");
}

#define JSON_TRY(name, expression)              \
  auto name##_result = (expression);            \
  if (name##_result.error()) return bad_json(); \
  auto name = std::move(name##_result).value_unsafe();

std::string scalar_token(od::value& in, od::json_type type) {
  if (type == od::json_type::boolean) {
    bool value = false;
    const auto error = in.get_bool().get(value);
    return !error && value ? "TRUE_VALUE" : "FALSE_VALUE";
  }
  const std::string_view token = in.raw_json_token();
  return token.find_first_of(".eE") == std::string_view::npos ? "NUMBER_VALUE" : "DECIMAL_VALUE";
}

// What is said of a JSON value that is no string where a String is due.
std::unexpected<AwsError> not_a_string(od::value& in, od::json_type type) {
  switch (type) {
    case od::json_type::array:
      return serialization("Unrecognized collection type class java.lang.String");
    case od::json_type::object:
      return serialization("Start of structure or map found where not expected");
    default:
      return serialization(scalar_token(in, type) + " cannot be converted to String");
  }
}

Result<std::string_view> read_string(od::value in) {
  std::string_view text;
  if (!in.get_string().get(text)) return text;
  JSON_TRY(type, in.type());
  if (type == od::json_type::string) return bad_json();  // a broken escape
  return not_a_string(in, type);
}

Result<std::string> read_blob(od::value in) {
  std::string_view text;
  if (in.get_string().get(text)) {
    JSON_TRY(type, in.type());
    switch (type) {
      case od::json_type::string:
        return bad_json();
      case od::json_type::array:
        return serialization("Unrecognized collection type class java.nio.ByteBuffer");
      case od::json_type::object:
        return serialization("Start of structure or map found where not expected");
      default:
        return serialization("only base-64-encoded strings are convertible to bytes");
    }
  }
  if (text.size() % 4 != 0) {
    return serialization("Base64 encoded length is expected a multiple of 4 bytes but found: " +
                         std::to_string(text.size()));
  }
  auto bytes = from_base64(text);
  if (!bytes) return serialization("Invalid last non-pad Base64 character dectected");  // [sic]
  return std::move(*bytes);
}

Result<bool> read_boolean(od::value in) {
  JSON_TRY(type, in.type());
  switch (type) {
    case od::json_type::boolean: {
      bool value = false;
      if (in.get_bool().get(value)) return bad_json();
      return value;
    }
    case od::json_type::string: {
      std::string_view text;
      if (in.get_string().get(text)) return bad_json();
      if (iequals(text, "true") || text == "1" || iequals(text, "yes")) return true;
      if (iequals(text, "false") || text == "0" || iequals(text, "no")) return false;
      return serialization("Unexpected token received from parser");
    }
    case od::json_type::array:
      return serialization("Unrecognized collection type class java.lang.Boolean");
    case od::json_type::object:
      return serialization("Start of structure or map found where not expected");
    default:
      return serialization(scalar_token(in, type) + " cannot be converted to Boolean");
  }
}

// Which names a map has shown so far. The first 32 cost a compare of fingerprints each.
class SeenNames {
 public:
  bool insert(std::string_view name) {
    uint64_t print = 0;
    std::memcpy(&print, name.data(), name.size() < 8 ? name.size() : 8);
    print ^= static_cast<uint64_t>(name.size()) << 56;
    if (count_ < kInline) {
      for (size_t i = 0; i < count_; ++i) {
        if (prints_[i] == print && names_[i] == name) return false;
      }
      prints_[count_] = print;
      names_[count_++] = name;
      return true;
    }
    if (overflow_.empty()) overflow_.insert(names_, names_ + kInline);
    return overflow_.insert(name).second;
  }

 private:
  static constexpr size_t kInline = 32;
  size_t count_ = 0;
  uint64_t prints_[kInline];
  std::string_view names_[kInline];
  std::unordered_set<std::string_view> overflow_;
};

// One decode: appends TLV to a buffer and remembers the first problem in the order of the text.
class Reader {
 public:
  explicit Reader(std::string& problem) : problem_(problem) {}

  Result<void> value(od::value in, std::string& out, int depth);
  Result<void> members(od::object object, std::string& out, int depth);
  Result<void> map_object(od::value& in, od::object& object);

 private:
  Result<void> typed(std::string_view type, od::value in, std::string& out, int depth);
  Result<void> text_set(AttributeType type, od::value in, std::string& out);
  Result<void> list(od::value in, std::string& out, int depth);
  Result<void> member(std::string_view name, od::value in, std::string& out, size_t start,
                      int depth);
  void check_set(AttributeType type, std::string_view tlv);
  void found(std::string message) {
    if (problem_.empty()) problem_ = std::move(message);
  }

  std::string& problem_;
  std::string problem_name_;  // of the item's attribute that has it

 public:
  std::string take_problem_name() { return std::move(problem_name_); }
};

Result<void> Reader::map_object(od::value& in, od::object& object) {
  if (!in.get_object().get(object)) return {};
  JSON_TRY(type, in.type());
  if (type == od::json_type::object) return bad_json();
  if (type != od::json_type::array) return serialization("Unexpected field type");
  return serialization(
      "Unrecognized collection type java.util.Map<java.lang.String, "
      "com.amazonaws.dynamodb.v20120810.AttributeValue>");
}

Result<void> Reader::value(od::value in, std::string& out, int depth) {
  od::object object;
  if (in.get_object().get(object)) {
    JSON_TRY(type, in.type());
    switch (type) {
      case od::json_type::object:
        return bad_json();
      case od::json_type::null:
        found(kEmptyValue);
        return {};
      case od::json_type::array:
        return serialization(
            "Unrecognized collection type class com.amazonaws.dynamodb.v20120810.AttributeValue");
      default:
        return serialization("Unexpected value type in payload");
    }
  }
  if (depth >= kAttributeDepthMax) {
    found(kTooDeep);
    return {};
  }
  int types = 0;
  std::string rest;  // a second datatype is read for its errors only
  for (auto next : object) {
    JSON_TRY(field, std::move(next));
    std::string_view type;
    if (field.unescaped_key().get(type)) return bad_json();
    od::value content = field.value();
    JSON_TRY(is_null, content.is_null());
    if (is_null || !parse_attribute_type(type)) continue;
    if (++types > 1) rest.clear();
    VIRGA_TRY_VOID(typed(type, content, types == 1 ? out : rest, depth));
  }
  if (types == 0) found(kEmptyValue);
  if (types > 1) found(kTwoTypes);
  return {};
}

Result<void> Reader::typed(std::string_view type, od::value in, std::string& out, int depth) {
  switch (*parse_attribute_type(type)) {
    case AttributeType::string: {
      VIRGA_TRY(text, read_string(in));
      tlv::append_value(out, AttributeType::string, text);
      return {};
    }
    case AttributeType::number: {
      VIRGA_TRY(text, read_string(in));
      const auto number = Number::parse(text);
      if (!number) {
        found(number.error());
        return {};
      }
      const size_t mark = tlv::begin_value(out, AttributeType::number);
      number->append_text(out);
      tlv::end_value(out, mark);
      return {};
    }
    case AttributeType::binary: {
      VIRGA_TRY(bytes, read_blob(in));
      tlv::append_value(out, AttributeType::binary, bytes);
      return {};
    }
    case AttributeType::boolean: {
      VIRGA_TRY(flag, read_boolean(in));
      tlv::append_value(out, AttributeType::boolean, std::string_view(flag ? "\1" : "\0", 1));
      return {};
    }
    case AttributeType::null: {
      VIRGA_TRY(flag, read_boolean(in));
      if (!flag)
        found(std::string(kInvalid) + "Null attribute value types must have the value of true");
      tlv::append_value(out, AttributeType::null, {});
      return {};
    }
    case AttributeType::map: {
      od::object object;
      VIRGA_TRY_VOID(map_object(in, object));
      const size_t mark = tlv::begin_value(out, AttributeType::map);
      VIRGA_TRY_VOID(members(object, out, depth + 1));
      tlv::end_value(out, mark);
      return {};
    }
    case AttributeType::list:
      return list(in, out, depth);
    default:
      return text_set(*parse_attribute_type(type), in, out);
  }
}

Result<void> open_array(od::value& in, od::array& array) {
  if (!in.get_array().get(array)) return {};
  JSON_TRY(type, in.type());
  if (type == od::json_type::array) return bad_json();
  if (type == od::json_type::object)
    return serialization("Start of structure or map found where not expected");
  return serialization("Unexpected field type");
}

Result<void> Reader::list(od::value in, std::string& out, int depth) {
  od::array array;
  VIRGA_TRY_VOID(open_array(in, array));
  const size_t mark = tlv::begin_value(out, AttributeType::list);
  for (auto next : array) {
    JSON_TRY(element, std::move(next));
    VIRGA_TRY_VOID(value(element, out, depth + 1));
  }
  tlv::end_value(out, mark);
  return {};
}

Result<void> Reader::text_set(AttributeType type, od::value in, std::string& out) {
  od::array array;
  VIRGA_TRY_VOID(open_array(in, array));
  const size_t start = out.size();
  const size_t mark = tlv::begin_value(out, type);
  for (auto next : array) {
    JSON_TRY(element, std::move(next));
    JSON_TRY(is_null, element.is_null());
    if (is_null) {
      found(type == AttributeType::string_set
                ? std::string(kInvalid) + "An string set may not have a null string as a member"
                : kEmptyValue);
      continue;
    }
    if (type == AttributeType::binary_set) {
      VIRGA_TRY(bytes, read_blob(element));
      tlv::append_bytes(out, bytes);
      continue;
    }
    VIRGA_TRY(text, read_string(element));
    if (type == AttributeType::string_set) {
      tlv::append_bytes(out, text);
      continue;
    }
    const auto number = Number::parse(text);
    if (!number) found(number.error());
    tlv::append_bytes(out, number ? number->text() : "0");
  }
  tlv::end_value(out, mark);
  if (problem_.empty()) check_set(type, std::string_view(out).substr(start));
  return {};
}

void Reader::check_set(AttributeType type, std::string_view tlv) {
  const SetView set = ValueView(tlv).set();
  const size_t size = set.size();
  if (size == 0) {
    // The double space is the service's.
    found(std::string(kInvalid) +
          (type == AttributeType::string_set   ? "An string set  may not be empty"
           : type == AttributeType::number_set ? "An number set  may not be empty"
                                               : "Binary sets should not be empty"));
    return;
  }
  bool duplicate = false;
  SeenNames seen;
  for (const auto member : set) duplicate |= !seen.insert(member);
  if (!duplicate) return;
  if (type == AttributeType::number_set) return found("Input collection contains duplicates");
  std::string all;
  for (const auto member : set) {
    if (!all.empty()) all += ", ";
    all += type == AttributeType::binary_set ? to_base64(member) : std::string(member);
  }
  found(std::string(kInvalid) + "Input collection [" + all + "]" +
        (type == AttributeType::binary_set ? "of type BS contains duplicates."
                                           : " contains duplicates."));
}

// A name that came before: the later value takes the earlier one's place, as the service's JSON
// parser has it.
Result<void> Reader::member(std::string_view name, od::value in, std::string& out, size_t start,
                            int depth) {
  std::string fresh;
  VIRGA_TRY_VOID(value(in, fresh, depth));
  if (!problem_.empty()) return {};
  Item item = Item::from_bytes(out.substr(start));
  item.set(name, ValueView(fresh));
  out.replace(start, std::string::npos, item.bytes());
  return {};
}

Result<void> Reader::members(od::object object, std::string& out, int depth) {
  const size_t start = out.size();
  SeenNames seen;
  for (auto next : object) {
    JSON_TRY(field, std::move(next));
    std::string_view name;
    if (field.unescaped_key().get(name)) return bad_json();
    if (name.empty()) found("Empty attribute name");
    if (name.size() > kAttributeNameBytesMax) found(kNameTooLong);
    if (!seen.insert(name)) {
      VIRGA_TRY_VOID(member(name, field.value(), out, start, depth));
      continue;
    }
    tlv::append_bytes(out, name);
    const size_t value_start = out.size();
    VIRGA_TRY_VOID(value(field.value(), out, depth));
    if (out.size() == value_start)
      tlv::append_value(out, AttributeType::null, {});  // it has a problem
    if (depth == 0 && problem_name_.empty() && !problem_.empty()) problem_name_ = name;
  }
  return {};
}

}  // namespace

Result<void> read_attribute_value(od::value in, AttributeValue& out) {
  std::string problem;
  out.buffer().clear();
  VIRGA_TRY_VOID(Reader(problem).value(in, out.buffer(), 0));
  if (!problem.empty()) out.buffer().clear();
  out.set_problem(std::move(problem));
  return {};
}

Result<void> read_item(od::value in, Item& out) {
  std::string problem;
  Reader reader(problem);
  od::object object;
  out.buffer().clear();
  VIRGA_TRY_VOID(reader.map_object(in, object));
  VIRGA_TRY_VOID(reader.members(object, out.buffer(), 0));
  out.set_problem(std::move(problem), reader.take_problem_name());
  return {};
}

Result<Item> parse_item(std::string_view json) {
  const simdjson::padded_string padded(json);
  od::parser parser;
  od::document document;
  od::value value;
  if (parser.iterate(padded).get(document) || document.get_value().get(value))
    return fail("SerializationException", 400, "");
  Item item;
  VIRGA_TRY_VOID(read_item(value, item));
  const char* rest = nullptr;
  if (document.current_location().get(rest) != simdjson::OUT_OF_BOUNDS) return bad_json();
  return item;
}

void write_json(JsonWriter& writer, ValueView value) {
  writer.begin_object();
  writer.key(value.type_name());
  switch (value.type()) {
    case AttributeType::string:
    case AttributeType::number:
      writer.string(value.payload());
      break;
    case AttributeType::binary:
      writer.string(to_base64(value.payload()));
      break;
    case AttributeType::string_set:
    case AttributeType::number_set:
    case AttributeType::binary_set:
      writer.begin_array();
      for (const auto member : value.set()) {
        writer.string(value.is(AttributeType::binary_set) ? std::string_view(to_base64(member))
                                                          : member);
      }
      writer.end_array();
      break;
    case AttributeType::map:
      write_json(writer, value.map());
      break;
    case AttributeType::list:
      writer.begin_array();
      for (const auto element : value.list()) write_json(writer, element);
      writer.end_array();
      break;
    case AttributeType::boolean:
      writer.boolean(value.boolean());
      break;
    case AttributeType::null:
      writer.boolean(true);
      break;
  }
  writer.end_object();
}

void write_json(JsonWriter& writer, ItemView item) {
  writer.begin_object();
  for (const auto member : item) {
    writer.key(member.name);
    write_json(writer, member.value);
  }
  writer.end_object();
}

}  // namespace virga
