#include "base/strings.h"
#include "services/dynamodb/errors.h"
#include "services/dynamodb/partiql_parser.h"

// What stands behind WHERE: conditions as the expression language knows them, in SQL's spelling.
namespace virga::dynamodb::partiql {
namespace {

using Kind = Condition::Kind;

Condition negation_of(Condition condition) {
  Condition out{.kind = Kind::negation, .children = {}, .operands = {}};
  out.children.push_back(std::move(condition));
  return out;
}

std::optional<Kind> comparison_of(const Token& token) {
  if (token.kind != TokenKind::symbol) return std::nullopt;
  if (token.text == "=") return Kind::equal;
  if (token.text == "<>" || token.text == "!=") return Kind::not_equal;
  if (token.text == "<") return Kind::less;
  if (token.text == "<=") return Kind::less_equal;
  if (token.text == ">") return Kind::greater;
  if (token.text == ">=") return Kind::greater_equal;
  return std::nullopt;
}

// begins_with, contains and attribute_type: a path and a value.
std::optional<Kind> function_of(const Token& token) {
  if (token.is_word("begins_with")) return Kind::begins_with;
  if (token.is_word("contains")) return Kind::contains;
  if (token.is_word("attribute_type")) return Kind::attribute_type;
  return std::nullopt;
}

}  // namespace

// a OR b OR …
Result<Condition> Parser::take_condition(int depth) {
  if (depth > kConditionDepthMax)
    return fail(errors::validation("The condition is nested too deeply"));
  VIRGA_TRY(first, take_conjunction(depth));
  if (!at_word("or")) return std::move(first);
  Condition out{.kind = Kind::any_of, .children = {}, .operands = {}};
  out.children.push_back(std::move(first));
  while (at_word("or")) {
    VIRGA_TRY_VOID(advance());
    VIRGA_TRY(next, take_conjunction(depth));
    out.children.push_back(std::move(next));
  }
  return out;
}

Result<Condition> Parser::take_conjunction(int depth) {
  VIRGA_TRY(first, take_negation(depth));
  if (!at_word("and")) return std::move(first);
  Condition out{.kind = Kind::all_of, .children = {}, .operands = {}};
  out.children.push_back(std::move(first));
  while (at_word("and")) {
    VIRGA_TRY_VOID(advance());
    VIRGA_TRY(next, take_negation(depth));
    out.children.push_back(std::move(next));
  }
  return out;
}

Result<Condition> Parser::take_negation(int depth) {
  bool negative = false;
  while (at_word("not")) {
    VIRGA_TRY_VOID(advance());
    negative = !negative;
  }
  VIRGA_TRY(condition, take_predicate(depth));
  return negative ? negation_of(std::move(condition)) : std::move(condition);
}

Result<Condition> Parser::take_predicate(int depth) {
  VIRGA_TRY(open, take("("));
  if (open) {
    VIRGA_TRY(inner, take_condition(depth + 1));
    VIRGA_TRY_VOID(expect(")", "RIGHT_PAREN"));
    return std::move(inner);
  }
  if (const auto function = function_of(token_)) {
    const std::string name = token_.text;
    VIRGA_TRY(condition, take_function(name));
    condition.kind = *function;
    return std::move(condition);
  }
  VIRGA_TRY(left, take_operand());
  return take_comparison(std::move(left));
}

Result<Condition> Parser::take_function(const std::string& name) {
  VIRGA_TRY_VOID(advance());
  VIRGA_TRY_VOID(expect("(", "LEFT_PAREN"));
  Condition out;
  VIRGA_TRY(subject, take_operand());
  VIRGA_TRY_VOID(expect(",", "COMMA"));
  VIRGA_TRY(value, take_operand());
  VIRGA_TRY_VOID(expect(")", "RIGHT_PAREN"));
  if (iequals(name, "attribute_type")) {
    if (value.kind != Operand::Kind::value || !value.value.is(AttributeType::string) ||
        !parse_attribute_type(value.value.payload())) {
      return fail(
          errors::validation("Invalid attribute type name found in the function attribute_type"));
    }
  }
  if (iequals(name, "begins_with") && value.kind == Operand::Kind::value &&
      !value.value.is(AttributeType::string) && !value.value.is(AttributeType::binary)) {
    return fail(errors::validation(
        "Incorrect operand type for operator or function; operator or function: begins_with, "
        "operand type: " +
        std::string(value.value.type_name())));
  }
  out.operands.push_back(std::move(subject));
  out.operands.push_back(std::move(value));
  return out;
}

Result<Condition> Parser::take_comparison(Operand left) {
  if (at_word("is")) return take_is(std::move(left));
  Condition out;
  if (const auto kind = comparison_of(token_)) {
    VIRGA_TRY_VOID(advance());
    out.kind = *kind;
    VIRGA_TRY(right, take_operand());
    out.operands.push_back(std::move(left));
    out.operands.push_back(std::move(right));
    return out;
  }
  VIRGA_TRY(negative, take_word("not"));
  VIRGA_TRY(between, take_word("between"));
  out.operands.push_back(std::move(left));
  if (between) {
    out.kind = Kind::between;
    VIRGA_TRY(low, take_operand());
    VIRGA_TRY_VOID(expect_word("and"));
    VIRGA_TRY(high, take_operand());
    out.operands.push_back(std::move(low));
    out.operands.push_back(std::move(high));
  } else {
    if (!at_word("in")) return fail(malformed("Unexpected term"));
    VIRGA_TRY_VOID(advance());
    out.kind = Kind::in;
    const bool brackets = token_.is("[");
    VIRGA_TRY_VOID(brackets ? expect("[", "LEFT_BRACKET") : expect("(", "LEFT_PAREN"));
    while (true) {
      VIRGA_TRY(operand, take_operand());
      out.operands.push_back(std::move(operand));
      VIRGA_TRY(more, take(","));
      if (!more) break;
    }
    VIRGA_TRY_VOID(brackets ? expect("]", "RIGHT_BRACKET") : expect(")", "RIGHT_PAREN"));
    if (out.operands.size() - 1 > kInOperandsMax) {
      return fail(errors::validation(
          "The IN operator is provided with too many operands; number of operands: " +
          std::to_string(out.operands.size() - 1)));
    }
  }
  return negative ? negation_of(std::move(out)) : std::move(out);
}

// IS [NOT] MISSING, IS [NOT] NULL
Result<Condition> Parser::take_is(Operand left) {
  VIRGA_TRY_VOID(advance());
  VIRGA_TRY(negative, take_word("not"));
  VIRGA_TRY(missing, take_word("missing"));
  if (left.kind != Operand::Kind::path) return fail(malformed("Unexpected term"));
  Condition out;
  out.operands.push_back(std::move(left));
  if (missing) {
    out.kind = negative ? Kind::attribute_exists : Kind::attribute_not_exists;
    return out;
  }
  VIRGA_TRY_VOID(expect_word("null"));
  out.kind = Kind::attribute_type;
  out.operands.push_back(value_operand(AttributeValue::string("NULL")));
  return negative ? negation_of(std::move(out)) : std::move(out);
}

// A literal, a parameter, a path, or size(path).
Result<Operand> Parser::take_operand() {
  if (at_value()) {
    VIRGA_TRY(value, take_value(0));
    return value_operand(std::move(value));
  }
  if (at_word("size")) {
    const Token name = token_;
    VIRGA_TRY_VOID(advance());
    VIRGA_TRY(call, take("("));
    if (call) {
      VIRGA_TRY(path, take_path());
      VIRGA_TRY_VOID(expect(")", "RIGHT_PAREN"));
      Operand out;
      out.kind = Operand::Kind::size;
      out.args.push_back(path_operand(std::move(path)));
      return out;
    }
    return path_operand({PathStep{name.text}});
  }
  if (token_.kind != TokenKind::word && token_.kind != TokenKind::quoted_name)
    return fail(malformed("Unexpected term"));
  VIRGA_TRY(path, take_path());
  return path_operand(std::move(path));
}

}  // namespace virga::dynamodb::partiql
