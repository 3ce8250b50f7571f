#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace virga {

std::string to_hex(std::string_view bytes);  // lower case
std::optional<std::string> from_hex(std::string_view text);

std::string to_base64(std::string_view bytes);
void append_base64(std::string& out, std::string_view bytes);
// Strict RFC 4648 §4: padding required, no spaces, unused bits zero.
std::optional<std::string> from_base64(std::string_view text);

// RFC 3986 percent encoding: all but unreserved characters; '/' kept when asked (S3 keys, SigV4
// paths).
enum class KeepSlash { no, yes };
std::string percent_encode(std::string_view text, KeepSlash keep = KeepSlash::no);
// Malformed escapes give nullopt; '+' becomes a space only in query strings and forms.
enum class PlusIsSpace { no, yes };
std::optional<std::string> percent_decode(std::string_view text,
                                          PlusIsSpace plus = PlusIsSpace::no);

constexpr bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool iequals(std::string_view a, std::string_view b);  // ASCII
std::string to_lower(std::string_view text);           // ASCII
std::string_view trim(std::string_view text);          // spaces and tabs
std::vector<std::string_view> split(std::string_view text, char separator);
std::string join(const std::vector<std::string>& parts, std::string_view separator);
// Whole text as a decimal; nullopt on anything else, overflow included.
std::optional<int64_t> parse_int(std::string_view text);
std::optional<double> parse_double(std::string_view text);
bool is_utf8(std::string_view bytes);
// True when both are equal; the time depends on the lengths only.
bool equal_constant_time(std::string_view a, std::string_view b);

// Glob match of IAM policies: '*' any run, '?' one character; linear in practice, no recursion.
bool wildcard_match(std::string_view pattern, std::string_view text);

}  // namespace virga
