#pragma once

#include <expected>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "aws/attribute_value.h"

// The expression language: conditions and filters, key conditions, projections, updates. Parsing is
// one pass over at most 4 KiB with bounded depth; the legacy parameters (legacy.h) make the same
// trees. Trees refer to the request's values by view: they live no longer than the request. Source:
// DynamoDB Developer Guide, "Using expressions in DynamoDB" and "Quotas"; texts as the service
// answers them.
namespace virga::dynamodb {

inline constexpr size_t kExpressionBytesMax = 4096;
inline constexpr int kExpressionOperatorsMax = 300;
inline constexpr int kPathDepthMax = 32;
inline constexpr size_t kInOperandsMax = 100;

// One step of a document path: a name, or an index into a list.
struct PathStep {
  std::string name;
  int64_t index = -1;
  bool is_index() const { return index >= 0; }
  friend bool operator==(const PathStep&, const PathStep&) = default;
};
using DocumentPath = std::vector<PathStep>;
// "[a, [1], b]", as error texts print a path.
std::string path_text(const DocumentPath& path);

struct Operand {
  enum class Kind { path, value, size, if_not_exists, list_append, add, subtract, other_function };
  Kind kind = Kind::path;
  DocumentPath path;  // path; size and if_not_exists take theirs from args
  ValueView value;
  std::vector<Operand> args;
  std::string function;  // the name as written
  bool undefined =
      false;  // a placeholder without definition: only ever seen while errors are collected
};

struct Condition {
  enum class Kind {
    all_of,
    any_of,
    negation,  // children
    equal,
    not_equal,
    less,
    less_equal,
    greater,
    greater_equal,
    between,
    in,  // operands
    attribute_exists,
    attribute_not_exists,
    attribute_type,
    begins_with,
    contains,
    not_contains,
  };
  Kind kind = Kind::all_of;
  std::vector<Condition> children;
  std::vector<Operand> operands;
};

struct UpdateAction {
  enum class Kind { set, remove, add, erase };
  Kind kind = Kind::set;
  DocumentPath path;
  Operand value;  // not for remove
};

// What ExpressionAttributeNames and ExpressionAttributeValues define, and which of it was used.
class Placeholders {
 public:
  void add_name(std::string_view key, std::string_view attribute) {
    names_.push_back({std::string(key), std::string(attribute), false});
  }
  void add_value(std::string_view key, ValueView value) {
    values_.push_back({std::string(key), value, false});
  }
  // Null when not defined; marks as used.
  const std::string* name(std::string_view key);
  const ValueView* value(std::string_view key);

  // "Value provided in ExpressionAttributeNames unused in expressions: keys: {#a, #b}", or empty.
  std::string unused() const;

 private:
  struct Name {
    std::string key, attribute;
    bool used;
  };
  struct Value {
    std::string key;
    ValueView value;
    bool used;
  };
  std::vector<Name> names_;
  std::vector<Value> values_;
};

template <class T>
using Parsed =
    std::expected<T,
                  std::string>;  // the error is AWS's text without its "Invalid …Expression: " head

struct ParsedCondition {
  Condition condition;
  std::vector<std::string> path_heads;    // first names of all paths
  std::vector<std::string> nested_heads;  // of those that go on
};
struct ParsedUpdate {
  std::vector<UpdateAction> actions;
  std::vector<std::string> nested_heads;
};
struct ParsedProjection {
  std::vector<DocumentPath> paths;
  std::vector<std::string> nested_heads;
};

Parsed<ParsedCondition> parse_condition(std::string_view text, Placeholders& placeholders);
Parsed<ParsedUpdate> parse_update(std::string_view text, Placeholders& placeholders);
Parsed<ParsedProjection> parse_projection(std::string_view text, Placeholders& placeholders);

// Source: DynamoDB Developer Guide, "Reserved words in DynamoDB". Any case.
bool is_reserved_word(std::string_view word);

// The checks between paths of one update or projection: overlap, and conflict (a name and an index
// at one place).
class PathSet {
 public:
  // Adds a path; the texts of the first overlap and the first conflict are kept.
  void add(const DocumentPath& path);
  std::string overlap, conflict;

 private:
  std::vector<DocumentPath> paths_;
};

}  // namespace virga::dynamodb
