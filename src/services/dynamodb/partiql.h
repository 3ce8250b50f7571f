#pragma once

#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "aws/attribute_value.h"
#include "base/error.h"
#include "services/dynamodb/expression.h"

// PartiQL as the service understands it: one statement, parsed into the trees that the expression
// language makes too, so that both mean the same. Parsing is one pass over at most 8 KiB with
// bounded depth. Source: DynamoDB Developer Guide, "PartiQL - a SQL-compatible query language for
// Amazon DynamoDB".
namespace virga::dynamodb::partiql {

// Nesting of conditions and of literals. Source for literals: "Quotas", item attributes;
// conditions: ours.
inline constexpr int kConditionDepthMax = 64;

struct Projected {
  DocumentPath path;
  std::string name;  // in the result: the path's last step
};

struct Order {
  std::string attribute;
  bool descending = false;
};

struct Statement {
  enum class Kind { select, insert, update, erase, exists };
  enum class Returning { none, all_old, modified_old, all_new, modified_new };

  Kind kind = Kind::select;
  std::string table, index;           // index: empty for the table itself
  std::vector<Projected> projection;  // empty: everything
  std::optional<Condition> where;
  std::vector<Order> order;
  Item item;  // insert
  ParsedUpdate update;
  Returning returning = Returning::none;
  std::deque<AttributeValue>
      values;  // what the trees' views are into; a deque, so that moving it keeps them valid

  bool reads() const { return kind == Kind::select; }
};

// `parameters` take the places of the question marks, in order. Errors: ValidationException in the
// service's words.
Result<Statement> parse_statement(std::string_view text,
                                  const std::vector<AttributeValue>& parameters);

}  // namespace virga::dynamodb::partiql
