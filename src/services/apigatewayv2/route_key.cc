#include "services/apigatewayv2/route_key.h"

#include <algorithm>
#include <array>

#include "base/strings.h"

namespace virga::apigatewayv2 {
namespace {

constexpr std::array<std::string_view, 8> kMethods = {"ANY",  "DELETE",  "GET",   "HEAD",
                                                      "POST", "OPTIONS", "PATCH", "PUT"};

std::unexpected<AwsError> bad_format() {
  return fail("BadRequestException", 400,
              "The provided route key is not formatted properly for HTTP protocol. "
              "Format should be \"<HTTP METHOD> /<RESOURCE PATH>\" or \"$default\"");
}

bool is_name_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '-' || c == '.' || c == ':';
}

bool is_name(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), is_name_char);
}

Result<RouteSegment> parse_segment(std::string_view text, bool last) {
  if (text.find_first_of("{} ?#") == std::string_view::npos) {
    return RouteSegment{RouteSegment::Kind::literal, std::string(text)};
  }
  if (text.size() < 3 || text.front() != '{' || text.back() != '}') return bad_format();
  std::string_view name = text.substr(1, text.size() - 2);
  const bool greedy = name.ends_with('+');
  if (greedy) name.remove_suffix(1);
  if (!is_name(name) || (greedy && !last)) return bad_format();
  return RouteSegment{greedy ? RouteSegment::Kind::greedy : RouteSegment::Kind::variable,
                      std::string(name)};
}

}  // namespace

Result<RouteKey> RouteKey::parse(std::string_view text) {
  RouteKey key;
  if (text == "$default") {
    key.is_default = true;
    return key;
  }
  const size_t space = text.find(' ');
  if (space == std::string_view::npos) return bad_format();
  const std::string_view method = text.substr(0, space);
  const std::string_view path = text.substr(space + 1);
  if (std::find(kMethods.begin(), kMethods.end(), method) == kMethods.end()) return bad_format();
  if (!path.starts_with('/')) return bad_format();
  key.method = method;
  key.path = path;
  const auto parts = split(path.substr(1), '/');
  for (size_t i = 0; i < parts.size(); ++i) {
    VIRGA_TRY(segment, parse_segment(parts[i], i + 1 == parts.size()));
    if (segment.kind != RouteSegment::Kind::literal) {
      for (const auto& other : key.segments) {
        if (other.kind != RouteSegment::Kind::literal && other.text == segment.text)
          return bad_format();
      }
    }
    key.segments.push_back(std::move(segment));
  }
  return key;
}

}  // namespace virga::apigatewayv2
