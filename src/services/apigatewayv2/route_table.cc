#include "services/apigatewayv2/route_table.h"

#include <map>

#include "base/strings.h"

namespace virga::apigatewayv2 {
namespace {

// What ends at one place of the tree: one route per method.
struct Ends {
  struct Entry {
    std::string method;
    int index;
    std::vector<std::string>
        names;  // of its variables: two routes through one node may name them differently
  };
  std::vector<Entry> entries;

  void set(Entry entry) {
    for (auto& e : entries) {
      if (e.method == entry.method) {
        e = std::move(entry);
        return;
      }
    }
    entries.push_back(std::move(entry));
  }
  const Entry* find(std::string_view method) const {
    const Entry* any = nullptr;
    for (const auto& e : entries) {
      if (e.method == method) return &e;
      if (e.method == "ANY") any = &e;
    }
    return any;
  }
};

}  // namespace

struct RouteTable::Node {
  std::map<std::string, std::unique_ptr<Node>, std::less<>> literals;
  std::unique_ptr<Node> variable;
  Ends here;
  Ends greedy;
};

// One search: the segments, and the variables' values on the way to the current node.
struct RouteTable::Match {
  std::string_view method;
  std::string_view rest;  // the path after its first '/'
  std::vector<std::string_view> segments;
  std::vector<size_t> offsets;  // of each segment in `rest`
  std::vector<std::string_view> values;
  const Ends::Entry* found = nullptr;

  bool full(const Node& node, size_t at) {
    if (at == segments.size()) {
      found = node.here.find(method);
      return found != nullptr;
    }
    if (const auto it = node.literals.find(segments[at]); it != node.literals.end()) {
      if (full(*it->second, at + 1)) return true;
    }
    if (node.variable && !segments[at].empty()) {
      values.push_back(segments[at]);
      if (full(*node.variable, at + 1)) return true;
      values.pop_back();
    }
    return false;
  }

  bool greedy(const Node& node, size_t at) {
    if (at >= segments.size()) return false;
    if (const auto it = node.literals.find(segments[at]); it != node.literals.end()) {
      if (greedy(*it->second, at + 1)) return true;
    }
    if (node.variable && !segments[at].empty()) {
      values.push_back(segments[at]);
      if (greedy(*node.variable, at + 1)) return true;
      values.pop_back();
    }
    const std::string_view tail = rest.substr(offsets[at]);
    if (tail.empty()) return false;
    found = node.greedy.find(method);
    if (!found) return false;
    values.push_back(tail);
    return true;
  }
};

RouteTable::RouteTable() : root_(std::make_unique<Node>()) {}
RouteTable::~RouteTable() = default;
RouteTable::RouteTable(RouteTable&&) noexcept = default;
RouteTable& RouteTable::operator=(RouteTable&&) noexcept = default;

void RouteTable::add(const RouteKey& key, int index) {
  if (key.is_default) {
    default_route_ = index;
    return;
  }
  Node* node = root_.get();
  Ends::Entry entry{.method = key.method, .index = index, .names = {}};
  for (const auto& segment : key.segments) {
    if (segment.kind == RouteSegment::Kind::literal) {
      auto& child = node->literals[segment.text];
      if (!child) child = std::make_unique<Node>();
      node = child.get();
      continue;
    }
    entry.names.push_back(segment.text);
    if (segment.kind == RouteSegment::Kind::greedy) {
      node->greedy.set(std::move(entry));
      return;
    }
    if (!node->variable) node->variable = std::make_unique<Node>();
    node = node->variable.get();
  }
  node->here.set(std::move(entry));
}

int RouteTable::match(std::string_view method, std::string_view path,
                      PathParameters* parameters) const {
  if (path.starts_with('/')) path.remove_prefix(1);
  Match m{.method = method, .rest = path};
  for (size_t begin = 0;;) {
    const size_t end = path.find('/', begin);
    m.offsets.push_back(begin);
    m.segments.push_back(path.substr(begin, end == std::string_view::npos ? end : end - begin));
    if (end == std::string_view::npos) break;
    begin = end + 1;
  }
  // A literal with an escape in the request is compared decoded: /caf%C3%A9 is the route /café.
  std::vector<std::string> decoded;
  decoded.reserve(m.segments.size());
  for (auto& segment : m.segments) {
    if (segment.find('%') == std::string_view::npos) continue;
    if (auto plain = percent_decode(segment)) segment = decoded.emplace_back(std::move(*plain));
  }
  if (!m.full(*root_, 0)) {
    m.values.clear();
    if (!m.greedy(*root_, 0)) return default_route_;
  }
  if (parameters) {
    parameters->clear();
    for (size_t i = 0; i < m.found->names.size(); ++i) {
      const bool as_sent =
          m.values[i].data() >= path.data() && m.values[i].data() < path.data() + path.size();
      auto plain = as_sent ? percent_decode(m.values[i]) : std::nullopt;
      parameters->emplace_back(m.found->names[i],
                               plain ? std::move(*plain) : std::string(m.values[i]));
    }
  }
  return m.found->index;
}

}  // namespace virga::apigatewayv2
