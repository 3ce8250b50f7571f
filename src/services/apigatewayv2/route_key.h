#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace virga::apigatewayv2 {

// One segment of a route's path: `pets`, `{petId}` or, only at the end, `{proxy+}`.
struct RouteSegment {
  enum class Kind { literal, variable, greedy };
  Kind kind = Kind::literal;
  std::string text;  // the literal, or the variable's name
  friend bool operator==(const RouteSegment&, const RouteSegment&) = default;
};

// A parsed route key of an HTTP API: `GET /pets/{petId}`, `ANY /{proxy+}`, `$default`.
// Source: API Gateway Developer Guide, "Create routes for HTTP APIs".
struct RouteKey {
  bool is_default = false;
  std::string method;                  // upper case; "ANY" matches every method
  std::string path;                    // as written, begins with '/'
  std::vector<RouteSegment> segments;  // of "/": one empty literal

  // BadRequestException on anything else.
  static Result<RouteKey> parse(std::string_view text);
};

}  // namespace virga::apigatewayv2
