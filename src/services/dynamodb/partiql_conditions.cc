#include <algorithm>

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

struct Function {
  std::string_view name;
  Kind kind;
  size_t operands;
};
constexpr Function kFunctions[] = {
    {"begins_with", Kind::begins_with, 2},
    {"contains", Kind::contains, 2},
    {"attribute_type", Kind::attribute_type, 2},
    {"attribute_exists", Kind::attribute_exists, 1},
    {"attribute_not_exists", Kind::attribute_not_exists, 1},
};

// What IS compares with, but for MISSING. Source of the names: the service's own message.
struct TypeName {
  std::string_view word, type;
};
constexpr TypeName kTypeNames[] = {{"null", "NULL"}, {"boolean", "BOOL"}, {"blob", "B"},
                                   {"string", "S"},  {"numeric", "N"},    {"struct", "M"},
                                   {"tuple", "M"},   {"list", "L"}};

AwsError unrecognized_function(const Token& name) {
  return errors::validation("Unrecognized function: " + to_lower(name.text) + " at " +
                            name.place());
}

AwsError incorrect_operand(std::string_view function, ValueView value) {
  return errors::validation(
      "Incorrect operand type for operator or function; operator or function: " +
      std::string(function) + ", operand type: " + std::string(value.type_name()));
}

}  // namespace

Result<void> check_argument_count(std::string_view function, const std::vector<Operand>& arguments,
                                  size_t due) {
  if (arguments.size() == due) return {};
  return fail(errors::validation(
      "Incorrect number of operands for operator or function; operator or function: " +
      std::string(function) + ", number of operands: " + std::to_string(arguments.size())));
}

// a OR b OR …
Result<Condition> Parser::take_condition(int depth) {
  if (depth > kConditionDepthMax)
    return fail(errors::validation("The condition is nested too deeply"));
  VIRGA_TRY(first, take_conjunction(depth));
  if (!at_word("or")) return std::move(first);
  Condition out{.kind = Kind::any_of, .children = {}, .operands = {}};
  out.children.push_back(std::move(first));
  while (at_word("or")) {
    connected_ = true;
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
    connected_ = true;
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
    negated_ = true;
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
  for (const Function& function : kFunctions) {
    if (!token_.is_word(function.name)) continue;
    VIRGA_TRY(condition, take_function(function.kind));
    return std::move(condition);
  }
  VIRGA_TRY(left, take_operand());
  return take_comparison(std::move(left));
}

// name(operand, …)
Result<Condition> Parser::take_function(Kind kind) {
  const Function& function = *std::find_if(std::begin(kFunctions), std::end(kFunctions),
                                           [&](const Function& f) { return f.kind == kind; });
  VIRGA_TRY_VOID(advance());
  VIRGA_TRY(arguments, take_arguments());
  VIRGA_TRY_VOID(check_argument_count(function.name, arguments, function.operands));
  if (function.operands == 1 && arguments[0].kind != Operand::Kind::path) {
    return fail(
        errors::validation("Operator or function requires a document path; operator or function: " +
                           std::string(function.name)));
  }
  const bool literal = function.operands == 2 && arguments[1].kind == Operand::Kind::value;
  if (kind == Kind::attribute_type && literal) {
    const ValueView type = arguments[1].value;
    if (!type.is(AttributeType::string)) return fail(incorrect_operand(function.name, type));
    if (!parse_attribute_type(type.payload())) {
      return fail(errors::validation(
          "Invalid attribute type name found; type: " + std::string(type.payload()) +
          ", valid types: {B,NULL,SS,BOOL,L,BS,N,NS,S,M}"));
    }
  }
  if (kind == Kind::attribute_type && !literal) return fail(malformed("Unexpected term"));
  if (kind == Kind::begins_with && literal && !arguments[1].value.is(AttributeType::string) &&
      !arguments[1].value.is(AttributeType::binary)) {
    return fail(incorrect_operand(function.name, arguments[1].value));
  }
  Condition out;
  out.kind = kind;
  out.operands = std::move(arguments);
  return out;
}

// (operand {, operand})
Result<std::vector<Operand>> Parser::take_arguments(std::vector<std::string>* places) {
  VIRGA_TRY_VOID(expect("(", "LEFT_PAREN"));
  std::vector<Operand> out;
  while (true) {
    if (places) places->push_back(token_.place());
    VIRGA_TRY(operand, take_operand());
    out.push_back(std::move(operand));
    VIRGA_TRY(more, take(","));
    if (!more) break;
  }
  VIRGA_TRY_VOID(expect(")", "RIGHT_PAREN"));
  return out;
}

bool Parser::at_end_of_condition() const {
  return token_.kind == TokenKind::end || token_.is(")") || token_.is(";") || at_word("and") ||
         at_word("or") || at_word("order") || at_word("returning");
}

// An operand stands where a condition is due.
AwsError Parser::not_a_condition() const {
  if (connected_ || at_word("and") || at_word("or"))
    return errors::validation("The arguments to AND/OR must be Expressions");
  if (negated_) return errors::validation("The argument to NOT must be a Type or Expression");
  return errors::validation("WHERE clause must contain an expression that resolves to a boolean");
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
  } else if (at_word("in")) {
    VIRGA_TRY(list, take_in(std::move(out.operands[0])));
    out = std::move(list);
  } else if (!negative && at_end_of_condition()) {
    return fail(not_a_condition());
  } else if (at_word("like") || token_.is("+") || token_.is("-") || token_.is("*")) {
    return fail(errors::validation("Unsupported operator in Condition Expression. Operator: " +
                                   to_lower(token_.text)));
  } else {
    return fail(malformed("Unexpected term"));
  }
  return negative ? negation_of(std::move(out)) : std::move(out);
}

// IN (operand, …), with any of the brackets of a sequence.
Result<Condition> Parser::take_in(Operand left) {
  struct Brackets {
    std::string_view open, close, name;
  };
  static constexpr Brackets kBrackets[] = {{"(", ")", "RIGHT_PAREN"},
                                           {"[", "]", "RIGHT_BRACKET"},
                                           {"<<", ">>", "RIGHT_DOUBLE_ANGLE_BRACKET"}};
  VIRGA_TRY_VOID(advance());
  const auto* brackets = std::find_if(std::begin(kBrackets), std::end(kBrackets),
                                      [&](const Brackets& b) { return token_.is(b.open); });
  const AwsError wrong = errors::validation(
      "IN operator must have a left hand argument of type Variable Reference and right hand "
      "argument of type Seq with at least one member");
  if (brackets == std::end(kBrackets))
    return fail(at_value() ? wrong : malformed("Expected LEFT_PAREN"));
  VIRGA_TRY_VOID(advance());
  if (left.kind != Operand::Kind::path || token_.is(brackets->close)) return fail(wrong);
  Condition out{.kind = Kind::in, .children = {}, .operands = {}};
  out.operands.push_back(std::move(left));
  while (true) {
    VIRGA_TRY(operand, take_operand());
    out.operands.push_back(std::move(operand));
    VIRGA_TRY(more, take(","));
    if (!more) break;
  }
  VIRGA_TRY_VOID(expect(brackets->close, brackets->name));
  if (out.operands.size() - 1 > kInOperandsMax) {
    return fail(errors::validation(
        "The IN operator is provided with too many operands; number of operands: " +
        std::to_string(out.operands.size() - 1)));
  }
  return out;
}

// IS [NOT] MISSING, IS [NOT] NULL, IS [NOT] of a type
Result<Condition> Parser::take_is(Operand left) {
  VIRGA_TRY_VOID(advance());
  VIRGA_TRY(negative, take_word("not"));
  VIRGA_TRY(missing, take_word("missing"));
  if (left.kind != Operand::Kind::path) {
    return fail(errors::validation(
        "The left hand side argument to IS must be a Variable Reference, Literal, or Path"));
  }
  Condition out;
  out.operands.push_back(std::move(left));
  if (missing) {
    out.kind = negative ? Kind::attribute_exists : Kind::attribute_not_exists;
    return out;
  }
  if (token_.kind != TokenKind::word) return fail(malformed("Expected type name"));
  const auto* type = std::find_if(std::begin(kTypeNames), std::end(kTypeNames),
                                  [&](const TypeName& t) { return token_.is_word(t.word); });
  if (type == std::end(kTypeNames)) {
    return fail(errors::validation(
        "Unsupported data type for IS operator: " + token_.text +
        ". Supported data types are [MISSING, NULL, BOOLEAN, BLOB, STRING, NUMERIC, STRUCT, TUPLE, "
        "LIST]"));
  }
  VIRGA_TRY_VOID(advance());
  out.kind = Kind::attribute_type;
  out.operands.push_back(value_operand(AttributeValue::string(type->type)));
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
  if (at_word("missing"))
    return fail(errors::validation("MISSING must be compared using IS operator"));
  if (token_.kind != TokenKind::word && token_.kind != TokenKind::quoted_name)
    return fail(malformed("Unexpected term"));
  const Token name = token_;
  if (at_word("exists")) {
    VIRGA_TRY_VOID(advance());
    return fail(unrecognized_function(name));
  }
  VIRGA_TRY(path, take_path());
  if (token_.is("(") && path.size() == 1) return fail(unrecognized_function(name));
  return path_operand(std::move(path));
}

}  // namespace virga::dynamodb::partiql
