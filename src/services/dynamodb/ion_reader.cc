#include <algorithm>
#include <optional>
#include <unordered_set>

#include "aws/attribute_value_number.h"
#include "base/strings.h"
#include "services/dynamodb/ion.h"

namespace virga::dynamodb {
namespace {

constexpr std::string_view kInvalid = "One or more parameter values were invalid: ";

std::unexpected<AwsError> no_ion(std::string_view what, size_t at) {
  return fail(
      "SerializationException", 400,
      "Unable to parse Ion text: " + std::string(what) + " at offset " + std::to_string(at));
}

void append_utf8(std::string& out, uint32_t code) {
  if (code < 0x80) {
    out.push_back(static_cast<char>(code));
  } else if (code < 0x800) {
    out.push_back(static_cast<char>(0xc0 | code >> 6));
    out.push_back(static_cast<char>(0x80 | (code & 0x3f)));
  } else if (code < 0x10000) {
    out.push_back(static_cast<char>(0xe0 | code >> 12));
    out.push_back(static_cast<char>(0x80 | (code >> 6 & 0x3f)));
    out.push_back(static_cast<char>(0x80 | (code & 0x3f)));
  } else {
    out.push_back(static_cast<char>(0xf0 | code >> 18));
    out.push_back(static_cast<char>(0x80 | (code >> 12 & 0x3f)));
    out.push_back(static_cast<char>(0x80 | (code >> 6 & 0x3f)));
    out.push_back(static_cast<char>(0x80 | (code & 0x3f)));
  }
}

bool is_symbol_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '$' || is_digit(c);
}

// Values to TLV. Depth is bounded by the items' own limit, so recursion is too.
class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  Result<Item> item() {
    Item out;
    skip_space();
    if (text_.substr(at_).starts_with("$ion_1_0")) at_ += 8;
    VIRGA_TRY_VOID(expect('{'));
    bool found_item = false;
    for (bool first = true;; first = false) {
      skip_space();
      if (take('}')) break;
      if (!first) {
        VIRGA_TRY_VOID(expect(','));
        skip_space();
        if (take('}')) break;
      }
      VIRGA_TRY(name, field_name());
      if (name != "Item" || found_item) return no_ion("a structure with Item is expected", at_);
      found_item = true;
      skip_space();
      if (peek() != '{') return no_ion("Item is no structure", at_);
      VIRGA_TRY_VOID(members(out.buffer(), 0));
    }
    skip_space();
    if (!found_item || at_ != text_.size()) return no_ion("a structure with Item is expected", at_);
    if (!problem_.empty()) out.set_problem(std::move(problem_), std::move(attribute_));
    return out;
  }

 private:
  char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  bool take(char c) {
    if (peek() != c || at_ >= text_.size()) return false;
    ++at_;
    return true;
  }
  bool take(std::string_view token) {
    if (!text_.substr(at_).starts_with(token)) return false;
    at_ += token.size();
    return true;
  }
  Result<void> expect(char c) {
    skip_space();
    if (take(c)) return {};
    return no_ion(std::string("expected ") + c, at_);
  }
  void skip_space() {
    for (;;) {
      while (at_ < text_.size() && (static_cast<unsigned char>(text_[at_]) <= ' ')) ++at_;
      if (take("//")) {
        at_ = std::min(text_.find('\n', at_), text_.size());
      } else if (take("/*")) {
        const size_t end = text_.find("*/", at_);
        at_ = end == std::string_view::npos ? text_.size() : end + 2;
      } else {
        return;
      }
    }
  }
  void found(std::string message) {
    if (problem_.empty()) problem_ = std::move(message);
  }

  Result<std::string> field_name() {
    skip_space();
    std::string name;
    if (peek() == '"' || text_.substr(at_).starts_with("'''")) {
      VIRGA_TRY(text, string());
      name = std::move(text);
    } else {
      VIRGA_TRY(text, symbol());
      name = std::move(text);
    }
    VIRGA_TRY_VOID(expect(':'));
    return name;
  }

  Result<std::string> symbol() {
    if (take('\'')) return quoted("'");
    const size_t begin = at_;
    while (at_ < text_.size() && is_symbol_char(text_[at_])) ++at_;
    if (begin == at_) return no_ion("a name is expected", at_);
    return std::string(text_.substr(begin, at_ - begin));
  }

  // Behind the opening quotes, to the closing ones.
  Result<std::string> quoted(std::string_view close) {
    std::string out;
    for (;;) {
      if (at_ >= text_.size()) return no_ion("a text does not end", at_);
      if (take(close)) return out;
      const char c = text_[at_++];
      if (c != '\\') {
        out.push_back(c);
        continue;
      }
      VIRGA_TRY_VOID(escape(out));
    }
  }

  Result<uint32_t> hex_digits(size_t count) {
    if (text_.size() - at_ < count) return no_ion("an escape does not end", at_);
    uint32_t code = 0;
    for (size_t i = 0; i < count; ++i) {
      const char c = text_[at_++];
      const int digit = is_digit(c)            ? c - '0'
                        : c >= 'a' && c <= 'f' ? c - 'a' + 10
                        : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                               : -1;
      if (digit < 0) return no_ion("no hexadecimal digit", at_ - 1);
      code = code << 4 | static_cast<uint32_t>(digit);
    }
    return code;
  }

  Result<void> escape(std::string& out) {
    if (at_ >= text_.size()) return no_ion("an escape does not end", at_);
    const char c = text_[at_++];
    constexpr std::string_view kNames = "0abtnfrv?\"'\\/";
    constexpr std::string_view kBytes("\0\a\b\t\n\f\r\v?\"'\\/", 13);
    if (const size_t i = kNames.find(c); i != std::string_view::npos) {
      out.push_back(kBytes[i]);
      return {};
    }
    if (c == '\n') return {};  // a continued line
    if (c != 'x' && c != 'u' && c != 'U') return no_ion("an unknown escape", at_ - 1);
    VIRGA_TRY(first, hex_digits(c == 'x' ? 2 : c == 'u' ? 4 : 8));
    uint32_t code = first;
    if (code >= 0xd800 && code < 0xdc00 && take("\\u")) {
      VIRGA_TRY(second, hex_digits(4));
      if (second < 0xdc00 || second > 0xdfff) return no_ion("half a surrogate pair", at_);
      code = 0x10000 + ((code - 0xd800) << 10) + (second - 0xdc00);
    }
    if (code > 0x10ffff || (code >= 0xd800 && code < 0xe000))
      return no_ion("no Unicode scalar", at_);
    append_utf8(out, code);
    return {};
  }

  // One string, or long ones that follow each other.
  Result<std::string> string() {
    if (take('"')) return quoted("\"");
    std::string all;
    while (take("'''")) {
      VIRGA_TRY(piece, quoted("'''"));
      all += piece;
      skip_space();
    }
    return all;
  }

  Result<std::string> blob() {
    std::string base64;
    while (at_ < text_.size() && text_[at_] != '}') {
      if (static_cast<unsigned char>(text_[at_]) > ' ') base64.push_back(text_[at_]);
      ++at_;
    }
    if (!take("}}")) return no_ion("a blob does not end", at_);
    auto bytes = from_base64(base64);
    if (!bytes) return no_ion("no base64", at_);
    return std::move(*bytes);
  }

  // A number's text with 'd' exponents made 'e'; keeps nothing of whether it was an integer, a
  // decimal or a float.
  Result<Number> number() {
    std::string digits;
    const size_t begin = at_;
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (is_digit(c) || c == '-' || c == '+' || c == '.') {
        digits.push_back(c);
      } else if (c == 'd' || c == 'D' || c == 'e' || c == 'E') {
        digits.push_back('e');
      } else if (c != '_') {
        break;
      }
      ++at_;
    }
    // "103." and "1.d2" have no digit behind the point.
    if (const size_t point = digits.find('.');
        point != std::string::npos && (point + 1 == digits.size() || digits[point + 1] == 'e')) {
      digits.erase(point, 1);
    }
    auto parsed = Number::parse(digits);
    if (!parsed) {
      if (begin == at_) return no_ion("a value is expected", at_);
      found(parsed.error());
      return Number();
    }
    return *parsed;
  }

  Result<void> members(std::string& out, int depth) {
    VIRGA_TRY_VOID(expect('{'));
    std::unordered_set<std::string> seen;
    for (bool first = true;; first = false) {
      skip_space();
      if (take('}')) return {};
      if (!first) {
        VIRGA_TRY_VOID(expect(','));
        skip_space();
        if (take('}')) return {};
      }
      VIRGA_TRY(name, field_name());
      if (!seen.insert(name).second) return no_ion("a name is there twice", at_);
      if (depth == 0) current_ = name;
      const bool good = problem_.empty();
      const size_t start = out.size();
      tlv::append_bytes(out, name);
      VIRGA_TRY_VOID(value(out, depth));
      if (good && !problem_.empty()) {
        attribute_ = current_;
        out.resize(start);
        tlv::append_bytes(out, name);
        tlv::append_value(out, AttributeType::null, {});
      }
    }
  }

  Result<void> value(std::string& out, int depth) {
    skip_space();
    if (depth >= kAttributeDepthMax) {
      return fail("ValidationException", 400,
                  "Nesting Levels have exceeded supported limits: Attributes in the item have "
                  "nested levels beyond supported limit");
    }
    const char c = peek();
    if (take("{{")) {
      VIRGA_TRY(bytes, blob());
      tlv::append_value(out, AttributeType::binary, bytes);
      return {};
    }
    if (c == '{') {
      const size_t mark = tlv::begin_value(out, AttributeType::map);
      VIRGA_TRY_VOID(members(out, depth + 1));
      tlv::end_value(out, mark);
      return {};
    }
    if (c == '[') return list(out, depth);
    if (c == '"' || text_.substr(at_).starts_with("'''")) {
      VIRGA_TRY(text, string());
      tlv::append_value(out, AttributeType::string, text);
      return {};
    }
    if (is_digit(c) || c == '-' || c == '+') {
      VIRGA_TRY(parsed, number());
      const size_t mark = tlv::begin_value(out, AttributeType::number);
      parsed.append_text(out);
      tlv::end_value(out, mark);
      return {};
    }
    VIRGA_TRY(word, symbol());
    skip_space();
    if (take("::")) return annotated(word, out, depth);
    if (word == "true" || word == "false") {
      tlv::append_value(out, AttributeType::boolean,
                        std::string_view(word == "true" ? "\1" : "\0", 1));
      return {};
    }
    if (word != "null") found(std::string(kInvalid) + "unsupported Ion value " + word);
    if (word == "null" && take('.')) {  // null.string
      VIRGA_TRY(type, symbol());
      ignore(type, "a null of any type is a null");
    }
    tlv::append_value(out, AttributeType::null, {});
    return {};
  }

  Result<void> list(std::string& out, int depth) {
    VIRGA_TRY_VOID(expect('['));
    const size_t mark = tlv::begin_value(out, AttributeType::list);
    for (bool first = true;; first = false) {
      skip_space();
      if (take(']')) break;
      if (!first) {
        VIRGA_TRY_VOID(expect(','));
        skip_space();
        if (take(']')) break;
      }
      VIRGA_TRY_VOID(value(out, depth + 1));
    }
    tlv::end_value(out, mark);
    return {};
  }

  Result<void> annotated(const std::string& annotation, std::string& out, int depth) {
    const auto type = annotation.starts_with("$dynamodb_")
                          ? parse_attribute_type(std::string_view(annotation).substr(10))
                          : std::nullopt;
    if (!type || !is_set_type(*type)) return value(out, depth);  // other annotations mean nothing
    skip_space();
    std::string elements;
    VIRGA_TRY_VOID(list(elements, depth));
    const AttributeType member = *type == AttributeType::string_set   ? AttributeType::string
                                 : *type == AttributeType::number_set ? AttributeType::number
                                                                      : AttributeType::binary;
    const size_t mark = tlv::begin_value(out, *type);
    const ListView read = ValueView(elements).list();
    std::unordered_set<std::string_view> seen;
    for (const auto element : read) {
      if (!element.is(member)) {
        found(std::string(kInvalid) + "a member of another type in " + annotation);
        break;
      }
      if (!seen.insert(element.payload()).second)
        found(std::string(kInvalid) + "Input collection contains duplicates.");
      tlv::append_bytes(out, element.payload());
    }
    tlv::end_value(out, mark);
    if (read.size() == 0)
      found(std::string(kInvalid) + "An " +
            (member == AttributeType::string ? "string" : "number") + " set  may not be empty");
    return {};
  }

  std::string_view text_;
  size_t at_ = 0;
  std::string problem_, attribute_, current_;
};

}  // namespace

Result<Item> read_ion_item(std::string_view text) {
  return Reader(text).item();
}

}  // namespace virga::dynamodb
