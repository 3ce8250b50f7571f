#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "services/dynamodb/partiql.h"
#include "services/dynamodb/partiql_lexer.h"

namespace virga::dynamodb::partiql {

// Recursive descent over one statement. partiql_parser.cc has statements, partiql_values.cc
// literals and paths, partiql_conditions.cc what stands behind WHERE.
class Parser {
 public:
  Parser(std::string_view text, const std::vector<AttributeValue>& parameters)
      : lexer_(text), parameters_(parameters) {}
  Result<Statement> parse();

 private:
  // Tokens.
  Result<void> advance();
  const Token& token() const { return token_; }
  bool at_word(std::string_view keyword) const { return token_.is_word(keyword); }
  Result<bool> take_word(std::string_view keyword);
  Result<bool> take(std::string_view symbol);
  Result<void> expect_word(std::string_view keyword);
  Result<void> expect(std::string_view symbol, std::string_view name);

  // Statements.
  Result<void> parse_select();
  Result<void> parse_insert();
  Result<void> parse_update();
  Result<void> parse_delete();
  Result<void> parse_exists();
  Result<void> parse_source();
  Result<void> parse_projection();
  Result<void> parse_order();
  Result<void> parse_where();
  Result<void> parse_returning();
  Result<void> parse_assignment();
  Result<void> refuse_alias() const;
  Result<void> refuse_clauses();

  // Values.
  Result<std::string> take_name();
  Result<DocumentPath> take_path();
  Result<AttributeValue> take_value(int depth);
  Result<AttributeValue> take_list(int depth);
  enum class MapKind { value, item };
  Result<Item> take_map(int depth, MapKind kind = MapKind::value);
  Result<AttributeValue> take_set();
  Result<AttributeValue> take_parameter();
  bool at_value() const;
  bool at_name() const;
  Operand value_operand(AttributeValue value);
  Operand path_operand(DocumentPath path);

  // Conditions.
  Result<Condition> take_condition(int depth);
  Result<Condition> take_conjunction(int depth);
  Result<Condition> take_negation(int depth);
  Result<Condition> take_predicate(int depth);
  Result<Condition> take_comparison(Operand left);
  Result<Condition> take_is(Operand left);
  Result<Condition> take_function(Condition::Kind kind);
  Result<Condition> take_in(Operand left);
  Result<Operand> take_operand();
  // `places`, if given: where each begins.
  Result<std::vector<Operand>> take_arguments(std::vector<std::string>* places = nullptr);
  AwsError not_a_condition() const;
  bool at_end_of_condition() const;

  Lexer lexer_;
  const std::vector<AttributeValue>& parameters_;
  size_t used_parameters_ = 0;
  Token token_;
  Statement out_;
  std::string under_ = "root";  // where in a value the literal stands that is read
  bool connected_ = false;      // an AND or OR has been read
  bool negated_ = false;        // a NOT has been read
};

// Error: ValidationException, as the expression language tells it.
Result<void> check_argument_count(std::string_view function, const std::vector<Operand>& arguments,
                                  size_t due);

}  // namespace virga::dynamodb::partiql
