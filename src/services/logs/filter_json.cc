#include "services/logs/filter_json.h"

#include <variant>
#include <vector>

#include "base/json.h"
#include "base/strings.h"
#include "services/logs/filter_condition.h"

namespace virga::logs {
namespace {

constexpr int kDepthMax = 32;  // of parentheses

// "$.a.b[0].*": members, indexes, and every element.
struct Step {
  enum class Kind { member, index, any };
  Kind kind;
  std::string name;
  size_t index = 0;
};
using Path = std::vector<Step>;

struct Node {
  enum class Kind { all, any, compare };
  Kind kind = Kind::compare;
  std::vector<Node> children;
  Path path;
  std::string path_text;  // "$.a.b"
  Comparison comparison = Comparison::equal;
  Operand operand;
};

// Whether one of the values that a path leads to compares as wanted; an absent one is asked as null
// pointer.
bool holds(const Document* value, const Path& path, size_t step, const Node& node) {
  if (step == path.size() || !value) return compare_json(value, node.comparison, node.operand);
  const Step& s = path[step];
  switch (s.kind) {
    case Step::Kind::member:
      return holds(value->find(s.name), path, step + 1, node);
    case Step::Kind::index: {
      const bool there = value->is_array() && s.index < value->as_array().size();
      return holds(there ? &value->as_array()[s.index] : nullptr, path,
                   there ? step + 1 : path.size(), node);
    }
    case Step::Kind::any:
      break;
  }
  if (value->is_array()) {
    for (const Document& v : value->as_array()) {
      if (holds(&v, path, step + 1, node)) return true;
    }
  }
  if (value->is_object()) {
    for (const auto& [name, v] : value->as_object()) {
      if (holds(&v, path, step + 1, node)) return true;
    }
  }
  return false;
}

bool evaluate(const Node& node, const Document& event) {
  switch (node.kind) {
    case Node::Kind::compare:
      return holds(&event, node.path, 0, node);
    case Node::Kind::all:
      for (const Node& c : node.children) {
        if (!evaluate(c, event)) return false;
      }
      return true;
    case Node::Kind::any:
      break;
  }
  for (const Node& c : node.children) {
    if (evaluate(c, event)) return true;
  }
  return false;
}

// The single value that a path without wildcards leads to.
const Document* value_at(const Document* value, const Path& path) {
  for (const Step& s : path) {
    if (!value || s.kind == Step::Kind::any) return nullptr;
    if (s.kind == Step::Kind::member) {
      value = value->find(s.name);
    } else {
      value = value->is_array() && s.index < value->as_array().size() ? &value->as_array()[s.index]
                                                                      : nullptr;
    }
  }
  return value;
}

void extract(const Node& node, const Document& event, std::map<std::string, std::string>& out) {
  for (const Node& c : node.children) extract(c, event, out);
  if (node.kind != Node::Kind::compare) return;
  const Document* value = value_at(&event, node.path);
  if (value) out[node.path_text] = value->is_string() ? value->as_string() : to_json(*value);
}

class JsonMatcher final : public FilterPattern::Matcher {
 public:
  explicit JsonMatcher(Node root) : root_(std::move(root)) {}
  bool matches(std::string_view message) const override {
    const std::string_view text = trim(message);
    if (!text.starts_with("{")) return false;
    const auto event = parse_json(text);
    return event && evaluate(root_, *event);
  }

  std::map<std::string, std::string> extracted(std::string_view message) const override {
    std::map<std::string, std::string> out;
    if (const auto event = parse_json(trim(message))) extract(root_, *event, out);
    return out;
  }

 private:
  Node root_;
};

bool is_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '-' || c == '@' || c == ':' || c == '#' || c == '$';
}

class Parser {
 public:
  explicit Parser(std::string_view text) : in_(text) {}

  Result<Node> parse() {
    VIRGA_TRY(root, either(0));
    if (!in_.at_end()) return fail(invalid_pattern());
    return root;
  }

 private:
  Result<Node> either(int depth) { return joined(depth, "||", Node::Kind::any); }

  // a || b && c: && binds closer.
  Result<Node> joined(int depth, std::string_view sign, Node::Kind kind) {
    Node out{.kind = kind};
    do {
      auto part = kind == Node::Kind::any ? joined(depth, "&&", Node::Kind::all) : single(depth);
      if (!part) return part;
      out.children.push_back(std::move(*part));
    } while (in_.take(sign));
    return out;
  }

  Result<Node> single(int depth) {
    if (in_.take("(")) {
      if (depth >= kDepthMax) return fail(invalid_pattern());
      auto inside = either(depth + 1);
      if (inside && !in_.take(")")) return fail(invalid_pattern());
      return inside;
    }
    Node node;
    const std::string_view before = in_.rest();
    if (!in_.take("$") || !read_path(node.path)) return fail(invalid_pattern());
    node.path_text = std::string(trim(before.substr(0, before.size() - in_.rest().size())));
    if (in_.take_word("IS")) {
      if (in_.take_word("NULL")) {
        node.comparison = Comparison::is_null;
      } else if (in_.take_word("TRUE")) {
        node.comparison = Comparison::is_true;
      } else if (in_.take_word("FALSE")) {
        node.comparison = Comparison::is_false;
      } else {
        return fail(invalid_pattern());
      }
      return node;
    }
    if (in_.take_word("NOT")) {
      if (!in_.take_word("EXISTS")) return fail(invalid_pattern());
      node.comparison = Comparison::not_exists;
      return node;
    }
    if (in_.take_word("EXISTS")) {
      node.comparison = Comparison::exists;
      return node;
    }
    const auto comparison = in_.take_comparison();
    if (!comparison) return fail(invalid_pattern());
    auto operand = in_.take_operand("()&|}");
    if (!operand) return fail(invalid_pattern());
    const bool text = operand->quoted || !operand->number;
    if (text && *comparison != Comparison::equal && *comparison != Comparison::not_equal)
      return fail(invalid_pattern());
    node.comparison = *comparison;
    node.operand = std::move(*operand);
    return node;
  }

  bool read_path(Path& path) {
    while (true) {
      const std::string_view rest = in_.rest();
      if (rest.starts_with(".*")) {
        in_.drop(2);
        path.push_back({Step::Kind::any, {}});
      } else if (rest.starts_with(".[") || rest.starts_with("[")) {
        const size_t open = rest.find('[');
        const size_t close = rest.find(']');
        if (close == std::string_view::npos) return false;
        std::string_view inside = trim(rest.substr(open + 1, close - open - 1));
        in_.drop(close + 1);
        if (inside == "*") {
          path.push_back({Step::Kind::any, {}});
        } else if (inside.size() >= 2 && (inside.front() == '\'' || inside.front() == '"') &&
                   inside.back() == inside.front()) {
          path.push_back({Step::Kind::member, std::string(inside.substr(1, inside.size() - 2))});
        } else {
          const auto index = parse_int(inside);
          if (!index || *index < 0) return false;
          path.push_back({Step::Kind::index, {}, static_cast<size_t>(*index)});
        }
      } else if (rest.starts_with(".")) {
        size_t size = 1;
        while (size < rest.size() && is_name(rest[size])) ++size;
        if (size == 1) return false;
        path.push_back({Step::Kind::member, std::string(rest.substr(1, size - 1))});
        in_.drop(size);
      } else {
        return !path.empty();
      }
    }
  }

  PatternReader in_;
};

}  // namespace

Result<std::shared_ptr<const FilterPattern::Matcher>> parse_json_pattern(std::string_view text) {
  if (text.size() < 2 || text.front() != '{' || text.back() != '}') return fail(invalid_pattern());
  VIRGA_TRY(root, Parser(text.substr(1, text.size() - 2)).parse());
  return std::shared_ptr<const FilterPattern::Matcher>(
      std::make_shared<JsonMatcher>(std::move(root)));
}

}  // namespace virga::logs
