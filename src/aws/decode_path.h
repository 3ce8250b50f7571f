#pragma once

#include <cctype>
#include <string>
#include <string_view>

namespace virga::aws {

// Deepest nesting of any decoded value; more is a syntax error, so that hostile input cannot
// exhaust the stack.
inline constexpr int kDecodeDepthMax = 100;

// Where a decoder or the validator is, as a chain through its own stack frames; made into text only
// when needed.
struct DecodePath {
  const DecodePath* up = nullptr;
  std::string_view name;  // a member's or a map key
  size_t index = 0;       // 1-based when in a list, else 0
  bool is_key = false;
  int depth = 0;

  static DecodePath member(const DecodePath* up, std::string_view name) {
    return {up, name, 0, false, up ? up->depth + 1 : 1};
  }
  static DecodePath element(const DecodePath* up, size_t zero_based) {
    return {up, {}, zero_based + 1, false, up ? up->depth + 1 : 1};
  }
  static DecodePath entry(const DecodePath* up, std::string_view key) {
    return {up, key, 0, true, up ? up->depth + 1 : 1};
  }

  // "keySchema.1.member.keyType", "requestItems.orders.member": AWS's validation messages.
  std::string text() const {
    std::string out = up ? up->text() : std::string();
    if (!out.empty()) out += '.';
    if (index) {
      out += std::to_string(index);
      out += ".member";
    } else if (is_key) {
      out += name;
      out += ".member";
    } else {
      out += name;
      char& first = out[out.size() - name.size()];
      first = static_cast<char>(std::tolower(static_cast<unsigned char>(first)));
    }
    return out;
  }
};

}  // namespace virga::aws
