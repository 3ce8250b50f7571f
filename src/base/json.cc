#include "base/json.h"

#include <simdjson.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include <charconv>
#include <cmath>

#include "base/check.h"
#include "base/json_check.h"

namespace virga {
namespace {

AwsError json_error(const char* what) {
  return AwsError{.code = "SerializationException", .http_status = 400, .message = what};
}

Document from_dom(const simdjson::dom::element& e) {
  using simdjson::dom::element_type;
  switch (e.type()) {
    case element_type::ARRAY: {
      Document::Array out;
      for (auto item : e.get_array()) out.push_back(from_dom(item));
      return Document(std::move(out));
    }
    case element_type::OBJECT: {
      Document::Object out;
      for (auto [key, value] : e.get_object()) out.emplace_back(std::string(key), from_dom(value));
      return Document(std::move(out));
    }
    case element_type::INT64:
      return Document(static_cast<int64_t>(e.get_int64().value_unsafe()));
    case element_type::UINT64:
      return Document(static_cast<double>(e.get_uint64().value_unsafe()));
    case element_type::DOUBLE:
      return Document(e.get_double().value_unsafe());
    case element_type::STRING:
      return Document(std::string_view(e.get_string().value_unsafe()));
    case element_type::BOOL:
      return Document(bool(e.get_bool().value_unsafe()));
    case element_type::NULL_VALUE:
      return Document();
  }
  return Document();
}

// Room for `bytes` and the depth that we accept are made once for each parser.
Result<simdjson::dom::element> parse_with(simdjson::dom::parser& parser, std::string_view text,
                                          size_t bytes) {
  if (parser.capacity() < bytes && parser.allocate(bytes, kJsonDepthMax))
    return fail(json_error("document too large"));
  simdjson::dom::element root;
  const auto error = parser.parse(text.data(), text.size()).get(root);
  if (error) return fail(json_error(simdjson::error_message(error)));
  return root;
}

}  // namespace

Result<Document> parse_json(std::string_view text) {
  simdjson::dom::parser parser;
  VIRGA_TRY(root, parse_with(parser, text, text.size() + 1));
  return from_dom(root);
}

Result<void> check_json(std::string_view text) {
  // A parser's memory is many times the text: one for texts of usual sizes stays in each thread.
  constexpr size_t kUsualBytes = 16 * 1024;
  if (text.size() < kUsualBytes) {
    thread_local simdjson::dom::parser usual;
    VIRGA_TRY(root, parse_with(usual, text, kUsualBytes));
    return {};
  }
  simdjson::dom::parser large;
  VIRGA_TRY(root, parse_with(large, text, text.size() + 1));
  return {};
}

namespace {

bool needs_escape(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == '"' || c == '\\';
}

// The next place at or behind `from` that cannot be copied as it is, or the end.
size_t find_escaped(std::string_view text, size_t from) {
#ifdef __SSE2__
  const __m128i quote = _mm_set1_epi8('"'), backslash = _mm_set1_epi8('\\'),
                control = _mm_set1_epi8(0x1f);
  for (; from + 16 <= text.size(); from += 16) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(text.data() + from));
    const __m128i low = _mm_cmpeq_epi8(_mm_min_epu8(bytes, control), bytes);
    const __m128i found = _mm_or_si128(
        _mm_or_si128(_mm_cmpeq_epi8(bytes, quote), _mm_cmpeq_epi8(bytes, backslash)), low);
    const auto mask = static_cast<unsigned>(_mm_movemask_epi8(found));
    if (mask != 0) return from + static_cast<size_t>(__builtin_ctz(mask));
  }
#endif
  while (from < text.size() && !needs_escape(text[from])) ++from;
  return from;
}

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
  static constexpr char kHex[] = "0123456789abcdef";
  size_t clean = find_escaped(text, 0);
  if (clean == text.size()) {  // as most texts are: one append
    out.push_back('"');
    out.append(text);
    out.push_back('"');
    return;
  }
  clean = 0;  // start of the run not copied yet
  out.push_back('"');
  for (size_t i = 0; i < text.size(); ++i) {
    i = find_escaped(text, i);
    if (i == text.size()) break;
    const auto c = static_cast<unsigned char>(text[i]);
    out.append(text, clean, i - clean);
    clean = i + 1;
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      case '\b':
        out += "\\b";
        break;
      case '\f':
        out += "\\f";
        break;
      default:
        out += "\\u00";
        out.push_back(kHex[c >> 4]);
        out.push_back(kHex[c & 15]);
    }
  }
  out.append(text, clean);
  out.push_back('"');
}

void append_json_double(std::string& out, double value) {
  if (std::isnan(value)) {
    out += "\"NaN\"";
  } else if (std::isinf(value)) {
    out += value < 0 ? "\"-Infinity\"" : "\"Infinity\"";
  } else {
    char buffer[40];
    const auto end = std::to_chars(buffer, buffer + sizeof buffer, value);
    const std::string_view digits(buffer, static_cast<size_t>(end.ptr - buffer));
    out += digits;
    if (digits.find_first_of(".e") == std::string_view::npos) out += ".0";
  }
}

void append_json(std::string& out, const Document& value) {
  if (value.is_null()) {
    out += "null";
  } else if (value.is_bool()) {
    out += value.as_bool() ? "true" : "false";
  } else if (value.is_int()) {
    out += std::to_string(value.as_int());
  } else if (value.is_double()) {
    append_json_double(out, value.as_double());
  } else if (value.is_string()) {
    append_json_string(out, value.as_string());
  } else if (value.is_array()) {
    out.push_back('[');
    bool comma = false;
    for (const auto& item : value.as_array()) {
      if (comma) out.push_back(',');
      comma = true;
      append_json(out, item);
    }
    out.push_back(']');
  } else {
    out.push_back('{');
    bool comma = false;
    for (const auto& [name, member] : value.as_object()) {
      if (comma) out.push_back(',');
      comma = true;
      append_json_string(out, name);
      out.push_back(':');
      append_json(out, member);
    }
    out.push_back('}');
  }
}

std::string to_json(const Document& value) {
  std::string out;
  append_json(out, value);
  return out;
}

void JsonWriter::separate() {
  if (comma_) out_.push_back(',');
  comma_ = true;
}
void JsonWriter::begin_object() {
  separate();
  out_.push_back('{');
  comma_ = false;
}
void JsonWriter::end_object() {
  out_.push_back('}');
  comma_ = true;
}
void JsonWriter::begin_array() {
  separate();
  out_.push_back('[');
  comma_ = false;
}
void JsonWriter::end_array() {
  out_.push_back(']');
  comma_ = true;
}
void JsonWriter::key(std::string_view name) {
  separate();
  append_json_string(out_, name);
  out_.push_back(':');
  comma_ = false;
}
void JsonWriter::string(std::string_view value) {
  separate();
  append_json_string(out_, value);
}
void JsonWriter::integer(int64_t value) {
  separate();
  char buffer[24];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, value);
  out_.append(buffer, static_cast<size_t>(end.ptr - buffer));
}
void JsonWriter::real(double value) {
  separate();
  append_json_double(out_, value);
}
void JsonWriter::boolean(bool value) {
  separate();
  out_ += value ? "true" : "false";
}
void JsonWriter::null() {
  separate();
  out_ += "null";
}
void JsonWriter::raw(std::string_view json) {
  separate();
  out_ += json;
}

}  // namespace virga
