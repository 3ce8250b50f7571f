#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "aws/wire.h"

namespace virga::aws {

// The REST paths of one service, compiled: segments to a tree, then the candidates of one path and
// method told apart by the query literals, query members and headers they demand. Made once per
// service, used by any thread.
class PathRouter {
 public:
  explicit PathRouter(const ServiceDesc& service);

  enum class Miss { none, path, method };
  struct Found {
    const OperationDesc* operation = nullptr;
    std::vector<std::pair<std::string_view, std::string>> labels;
    Miss miss = Miss::path;
  };
  Found find(const WireRequest& request) const;

 private:
  struct Candidate {
    const OperationDesc* operation;
    std::vector<std::string_view> label_names;                  // in path order
    std::vector<std::pair<std::string, std::string>> literals;  // of the query
    std::vector<std::string_view> query_members;                // required
    std::vector<std::string_view> header_members;               // required
  };
  struct Node {
    std::vector<std::pair<std::string, size_t>> literals;  // segment -> node
    size_t label = 0;                                      // 0: none
    size_t greedy = 0;
    std::vector<Candidate> candidates;
  };

  void add(const OperationDesc& op);
  size_t child(size_t node, std::string_view segment);
  bool walk(size_t node, const std::vector<std::string_view>& segments, size_t at,
            std::vector<std::string>& labels, const WireRequest& request, Found& found) const;
  bool choose(const Node& node, const std::vector<std::string>& labels, const WireRequest& request,
              Found& found) const;

  std::vector<Node> nodes_;
};

// Parameters of a raw query string, decoded, in order. A parameter without '=' has an empty value.
std::vector<std::pair<std::string, std::string>> parse_query(std::string_view query);

}  // namespace virga::aws
