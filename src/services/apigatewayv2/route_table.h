#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "services/apigatewayv2/route_key.h"

namespace virga::apigatewayv2 {

// Name and decoded value of each path variable of a match, in the order of the path.
using PathParameters = std::vector<std::pair<std::string, std::string>>;

// The routes of one API as a tree of path segments. Built once, then only read, from any thread.
//
// Selection, most specific first: a full match of path and method, a match with a greedy variable,
// $default. Along the path a literal beats a variable and a longer greedy prefix a shorter one; at
// its end the method itself beats ANY. A path that matches without a fitting method goes on to the
// less specific routes. Source: API Gateway Developer Guide, "Create routes for HTTP APIs", routing
// API requests.
class RouteTable {
 public:
  static constexpr int kNone = -1;

  RouteTable();
  ~RouteTable();
  RouteTable(RouteTable&&) noexcept;
  RouteTable& operator=(RouteTable&&) noexcept;

  // `index` is what match() answers. Keys are unique; the last of two equal ones stays.
  void add(const RouteKey& key, int index);

  // `path` is percent-encoded as it was sent, without query and stage. kNone when nothing matches.
  int match(std::string_view method, std::string_view path, PathParameters* parameters) const;

 private:
  struct Node;
  struct Match;
  std::unique_ptr<Node> root_;
  int default_route_ = kNone;
};

}  // namespace virga::apigatewayv2
