#include <algorithm>
#include <array>

#include "base/strings.h"
#include "services/dynamodb/ion.h"

namespace virga::dynamodb {
namespace {

constexpr std::array<std::string_view, 4> kKeywords{"null", "true", "false", "nan"};

bool is_symbol_start(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '$';
}

// "$10" names a symbol by its number.
bool is_symbol_id(std::string_view name) {
  return name.size() > 1 && name[0] == '$' && std::all_of(name.begin() + 1, name.end(), is_digit);
}

bool is_plain_symbol(std::string_view name) {
  if (name.empty() || !is_symbol_start(name[0]) || is_symbol_id(name)) return false;
  if (std::find(kKeywords.begin(), kKeywords.end(), name) != kKeywords.end()) return false;
  return std::all_of(name.begin(), name.end(),
                     [](char c) { return is_symbol_start(c) || is_digit(c); });
}

void append_quoted(std::string& out, std::string_view text, char quote) {
  out.push_back(quote);
  for (const char c : text) {
    switch (c) {
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      case '\\':
        out += "\\\\";
        break;
      default:
        if (c == quote) out.push_back('\\');
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
          out += "\\x" + to_hex(std::string_view(&c, 1));
        } else {
          out.push_back(c);
        }
    }
  }
  out.push_back(quote);
}

void append_blob(std::string& out, std::string_view bytes) {
  out += "{{";
  append_base64(out, bytes);
  out += "}}";
}

void append_value(std::string& out, ValueView value);

void append_set(std::string& out, ValueView value) {
  out.append("$dynamodb_").append(value.type_name()).append("::[");
  bool first = true;
  for (const auto member : value.set()) {
    if (!first) out.push_back(',');
    first = false;
    switch (value.type()) {
      case AttributeType::number_set:
        append_ion_decimal(out, member);
        break;
      case AttributeType::binary_set:
        append_blob(out, member);
        break;
      default:
        append_quoted(out, member, '"');
    }
  }
  out.push_back(']');
}

void append_value(std::string& out, ValueView value) {
  switch (value.type()) {
    case AttributeType::string:
      return append_quoted(out, value.payload(), '"');
    case AttributeType::number:
      return append_ion_decimal(out, value.payload());
    case AttributeType::binary:
      return append_blob(out, value.payload());
    case AttributeType::boolean:
      out += value.boolean() ? "true" : "false";
      return;
    case AttributeType::null:
      out += "null";
      return;
    case AttributeType::map:
      return append_ion(out, value.map());
    case AttributeType::list: {
      out.push_back('[');
      bool first = true;
      for (const auto element : value.list()) {
        if (!first) out.push_back(',');
        first = false;
        append_value(out, element);
      }
      out.push_back(']');
      return;
    }
    default:
      return append_set(out, value);
  }
}

}  // namespace

void append_ion_symbol(std::string& out, std::string_view name) {
  if (is_plain_symbol(name)) {
    out += name;
  } else {
    append_quoted(out, name, '\'');
  }
}

// The coefficient without trailing zeros, and where its point belongs.
void append_ion_decimal(std::string& out, std::string_view number) {
  if (number.starts_with('-')) {
    out.push_back('-');
    number.remove_prefix(1);
  }
  const size_t point = number.find('.');
  std::string digits(number.substr(0, point));
  int scale = 0;  // digits behind the point; negative: zeros that were taken off
  if (point == std::string_view::npos) {
    while (digits.size() > 1 && digits.back() == '0') {
      digits.pop_back();
      --scale;
    }
  } else {
    const std::string_view fraction = number.substr(point + 1);
    scale = static_cast<int>(fraction.size());
    digits += fraction;
    digits.erase(0, std::min(digits.find_first_not_of('0'), digits.size() - 1));
  }
  const int places = static_cast<int>(digits.size());
  constexpr int kLeadingZerosMax = 6;  // more are written as an exponent
  if (scale < 0) {
    out += digits + "d" + std::to_string(-scale);
  } else if (places - scale >= 1) {
    out.append(digits, 0, static_cast<size_t>(places - scale)).push_back('.');
    out.append(digits, static_cast<size_t>(places - scale));
  } else if (scale - places < kLeadingZerosMax) {
    out.append("0.").append(static_cast<size_t>(scale - places), '0').append(digits);
  } else {
    out += digits + "d-" + std::to_string(scale);
  }
}

void append_ion(std::string& out, ItemView item) {
  out.push_back('{');
  bool first = true;
  for (const auto& member : item) {
    if (!first) out.push_back(',');
    first = false;
    append_ion_symbol(out, member.name);
    out.push_back(':');
    append_value(out, member.value);
  }
  out.push_back('}');
}

}  // namespace virga::dynamodb
