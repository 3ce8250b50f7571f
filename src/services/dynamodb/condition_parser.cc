#include <algorithm>
#include <array>

#include "base/strings.h"
#include "services/dynamodb/expression.h"
#include "services/dynamodb/expression_evaluator.h"
#include "services/dynamodb/expression_lexer.h"

namespace virga::dynamodb {
namespace {

using Kind = Condition::Kind;

struct FunctionRule {
  std::string_view name;
  size_t operands;
  Kind kind;  // size has none
};
constexpr std::array<FunctionRule, 6> kFunctions = {{
    {"attribute_exists", 1, Kind::attribute_exists},
    {"attribute_not_exists", 1, Kind::attribute_not_exists},
    {"attribute_type", 2, Kind::attribute_type},
    {"begins_with", 2, Kind::begins_with},
    {"contains", 2, Kind::contains},
    {"size", 1, Kind::all_of},
}};

const FunctionRule* find_function(std::string_view name) {
  for (const auto& rule : kFunctions) {
    if (rule.name == name) return &rule;
  }
  return nullptr;
}

bool is_function(const Operand& o) {
  return o.kind == Operand::Kind::size || o.kind == Operand::Kind::other_function;
}

// A value's type; a size() is a number; a path may be anything.
std::optional<AttributeType> type_of(const Operand& o) {
  if (o.kind == Operand::Kind::size) return AttributeType::number;
  if (o.kind != Operand::Kind::value || o.undefined) return std::nullopt;
  return o.value.type();
}

std::string wrong_type(std::string_view function, std::string_view type) {
  return "Incorrect operand type for operator or function; operator or function: " +
         std::string(function) + ", operand type: " + std::string(type);
}

std::string value_text(ValueView v) {
  const std::string payload =
      v.is(AttributeType::binary) ? to_base64(v.payload()) : std::string(v.payload());
  return "AttributeValue: {" + std::string(v.type_name()) + ":" + payload + "}";
}

// What a parenthesis may hold: a condition or an operand. Which it was shows only behind it.
struct Node {
  bool is_condition = false;
  bool in_parentheses = false;
  Condition condition;
  Operand operand;
};

class ConditionParser {
 public:
  ConditionParser(std::string_view text, Placeholders& placeholders) : lex_(text, placeholders) {}

  Parsed<ParsedCondition> run() {
    Node root = disjunction(0);
    Condition condition = as_condition(std::move(root));
    if (!lex_.failed() && !lex_.at_end()) lex_.syntax_error();
    if (lex_.failed()) return std::unexpected(lex_.error());
    for (const std::string* error : {&lex_.limits, &parentheses_, &unknown_function_,
                                     &misused_function_, &lex_.reserved, &condition_error_}) {
      if (!error->empty()) return std::unexpected(*error);
    }
    return ParsedCondition{std::move(condition), std::move(lex_.path_heads),
                           std::move(lex_.nested_heads)};
  }

 private:
  Node disjunction(int depth);
  Node conjunction(int depth);
  Node negation(int depth);
  Node predicate(int depth);
  Node primary(int depth);
  Node function_call(int depth);
  Node compare(Node left, std::string_view symbol, Kind kind, int depth);
  Node between(Node left, int depth);
  Node in(Node left, int depth);

  Condition as_condition(Node node);
  Operand as_operand(Node node);
  void check_function(const Operand& call);
  std::string function_error(const FunctionRule& rule, const Operand& call) const;
  void check_distinct(std::string_view name, const std::vector<Operand>& operands);
  void check_between(const Operand& low, const Operand& high);
  void check_order(std::string_view name, const std::vector<Operand>& operands);
  void leaf_done();
  Node leaf(Kind kind, std::vector<Operand> operands) {
    leaf_done();
    Node node;
    node.is_condition = true;
    node.condition.kind = kind;
    node.condition.operands = std::move(operands);
    return node;
  }
  bool too_deep(int depth) {
    if (depth <= kExpressionOperatorsMax) return false;
    if (lex_.limits.empty()) lex_.count_operator();
    lex_.syntax_error();
    return true;
  }
  static void note(std::string& slot, std::string text) {
    if (slot.empty()) slot = std::move(text);
  }

  Lexer lex_;
  std::string parentheses_, unknown_function_, misused_function_;
  std::string operand_, distinct_, function_;  // of the conditions so far
  std::string condition_error_;                // of the first wrong condition
};

// Which of a wrong condition's findings the service reports. First wrong condition wins.
void ConditionParser::leaf_done() {
  if (!condition_error_.empty()) return;
  for (const std::string* error : {&lex_.undefined, &operand_, &distinct_, &function_}) {
    if (!error->empty()) {
      condition_error_ = *error;
      return;
    }
  }
}

Condition ConditionParser::as_condition(Node node) {
  if (node.is_condition) return std::move(node.condition);
  Condition out;
  if (lex_.failed()) return out;
  if (!is_function(node.operand)) {
    lex_.syntax_error();
    return out;
  }
  const FunctionRule* rule = find_function(node.operand.function);
  if (node.operand.kind == Operand::Kind::size) {
    note(misused_function_,
         "The function is not allowed to be used this way in an expression; function: size");
  } else if (rule) {
    out.kind = rule->kind;
  }
  out.operands = std::move(node.operand.args);
  leaf_done();
  return out;
}

Operand ConditionParser::as_operand(Node node) {
  if (node.is_condition) {
    lex_.syntax_error();
    return {};
  }
  if (node.operand.kind == Operand::Kind::other_function) {
    note(misused_function_,
         "The function is not allowed to be used this way in an expression; function: " +
             node.operand.function);
  }
  return std::move(node.operand);
}

Node ConditionParser::disjunction(int depth) {
  Node left = conjunction(depth);
  if (!lex_.at_keyword("OR")) return left;
  Node out;
  out.is_condition = true;
  out.condition.kind = Kind::any_of;
  out.condition.children.push_back(as_condition(std::move(left)));
  while (!lex_.failed() && lex_.take_keyword("OR")) {
    lex_.count_operator();
    Node right = conjunction(depth);
    out.condition.children.push_back(as_condition(std::move(right)));
  }
  return out;
}

Node ConditionParser::conjunction(int depth) {
  Node left = negation(depth);
  if (!lex_.at_keyword("AND")) return left;
  Node out;
  out.is_condition = true;
  out.condition.kind = Kind::all_of;
  out.condition.children.push_back(as_condition(std::move(left)));
  while (!lex_.failed() && lex_.take_keyword("AND")) {
    lex_.count_operator();
    Node right = negation(depth);
    out.condition.children.push_back(as_condition(std::move(right)));
  }
  return out;
}

Node ConditionParser::negation(int depth) {
  // A run of NOTs is a loop, not a recursion.
  int nots = 0;
  while (lex_.take_keyword("NOT")) {
    lex_.count_operator();
    ++nots;
  }
  Node node = predicate(depth);
  if (nots == 0) return node;
  Condition inner = as_condition(std::move(node));
  Node out;
  out.is_condition = true;
  if (nots % 2 == 0) {
    out.condition = std::move(inner);
    return out;
  }
  out.condition.kind = Kind::negation;
  out.condition.children.push_back(std::move(inner));
  return out;
}

Node ConditionParser::predicate(int depth) {
  Node left = primary(depth);
  if (lex_.failed()) return left;
  struct Comparator {
    std::string_view symbol;
    Kind kind;
  };
  static constexpr std::array<Comparator, 6> kComparators = {{{"=", Kind::equal},
                                                              {"<>", Kind::not_equal},
                                                              {"<=", Kind::less_equal},
                                                              {"<", Kind::less},
                                                              {">=", Kind::greater_equal},
                                                              {">", Kind::greater}}};
  for (const auto& comparator : kComparators) {
    if (lex_.take_symbol(comparator.symbol))
      return compare(std::move(left), comparator.symbol, comparator.kind, depth);
  }
  if (lex_.take_keyword("BETWEEN")) return between(std::move(left), depth);
  if (lex_.take_keyword("IN")) return in(std::move(left), depth);
  return left;
}

Node ConditionParser::compare(Node left, std::string_view symbol, Kind kind, int depth) {
  lex_.count_operator();
  std::vector<Operand> operands;
  operands.push_back(as_operand(std::move(left)));
  Node right = primary(depth);
  operands.push_back(as_operand(std::move(right)));
  check_distinct(symbol, operands);
  if (kind != Kind::equal && kind != Kind::not_equal) check_order(symbol, operands);
  return leaf(kind, std::move(operands));
}

Node ConditionParser::between(Node left, int depth) {
  lex_.count_operator();
  std::vector<Operand> operands;
  operands.push_back(as_operand(std::move(left)));
  Node low = primary(depth);
  operands.push_back(as_operand(std::move(low)));
  if (!lex_.take_keyword("AND")) lex_.syntax_error();
  Node high = primary(depth);
  operands.push_back(as_operand(std::move(high)));
  check_between(operands[1], operands[2]);
  check_order("BETWEEN", operands);
  return leaf(Kind::between, std::move(operands));
}

Node ConditionParser::in(Node left, int depth) {
  lex_.count_operator();
  std::vector<Operand> operands;
  operands.push_back(as_operand(std::move(left)));
  lex_.expect("(");
  do {
    Node candidate = primary(depth);
    operands.push_back(as_operand(std::move(candidate)));
  } while (!lex_.failed() && lex_.take_symbol(","));
  lex_.expect(")");
  if (operands.size() - 1 > kInOperandsMax) {
    note(function_, "The IN operator is provided with too many operands; number of operands: " +
                        std::to_string(operands.size() - 1));
  }
  return leaf(Kind::in, std::move(operands));
}

Node ConditionParser::primary(int depth) {
  Node node;
  if (too_deep(depth)) return node;
  const Token token = lex_.peek();
  if (token.is("(")) {
    lex_.take();
    node = disjunction(depth + 1);
    lex_.expect(")");
    if (node.in_parentheses) note(parentheses_, "The expression has redundant parentheses;");
    node.in_parentheses = true;
    return node;
  }
  if (token.kind == Token::Kind::value_reference) {
    lex_.take();
    node.operand = lex_.value_operand(token);
    return node;
  }
  for (const std::string_view keyword : {"AND", "OR", "NOT", "BETWEEN", "IN"}) {
    if (lex_.at_keyword(keyword)) {
      lex_.syntax_error();
      return node;
    }
  }
  if (token.kind == Token::Kind::word && lex_.peek_next().is("(")) return function_call(depth);
  node.operand.kind = Operand::Kind::path;
  node.operand.path = lex_.path();
  return node;
}

Node ConditionParser::function_call(int depth) {
  Node node;
  Operand& call = node.operand;
  call.function = std::string(lex_.take().text);
  call.kind = call.function == "size" ? Operand::Kind::size : Operand::Kind::other_function;
  lex_.count_operator();
  lex_.expect("(");
  do {
    Node argument = primary(depth + 1);
    call.args.push_back(as_operand(std::move(argument)));
  } while (!lex_.failed() && lex_.take_symbol(","));
  lex_.expect(")");
  if (!lex_.failed()) check_function(call);
  return node;
}

void ConditionParser::check_function(const Operand& call) {
  const FunctionRule* rule = find_function(call.function);
  if (!rule) return note(unknown_function_, "Invalid function name; function: " + call.function);
  if (rule->operands != call.args.size()) {
    return note(operand_,
                "Incorrect number of operands for operator or function; operator or function: " +
                    call.function + ", number of operands: " + std::to_string(call.args.size()));
  }
  check_distinct(call.function, call.args);
  note(function_, function_error(*rule, call));
}

std::string ConditionParser::function_error(const FunctionRule& rule, const Operand& call) const {
  switch (rule.kind) {
    case Kind::attribute_exists:
    case Kind::attribute_not_exists:
      if (call.args[0].kind != Operand::Kind::path) {
        return "Operator or function requires a document path; operator or function: " +
               call.function;
      }
      return {};
    case Kind::begins_with:
      for (const auto& argument : call.args) {
        const auto type = type_of(argument);
        if (type && *type != AttributeType::string && *type != AttributeType::binary) {
          return wrong_type(call.function, attribute_type_name(*type));
        }
      }
      return {};
    case Kind::attribute_type: {
      if (call.args[1].undefined) return {};
      const auto type = type_of(call.args[1]);
      if (!type) return wrong_type(call.function, "{NS,SS,L,BS,N,M,B,BOOL,NULL,S}");
      if (*type != AttributeType::string)
        return wrong_type(call.function, attribute_type_name(*type));
      if (!parse_attribute_type(call.args[1].value.payload())) {
        return "Invalid attribute type name found; type: " +
               std::string(call.args[1].value.payload()) +
               ", valid types: {B,NULL,SS,BOOL,L,BS,N,NS,S,M}";
      }
      return {};
    }
    case Kind::contains:
      return {};
    default: {  // size
      const auto type = type_of(call.args[0]);
      if (type && (*type == AttributeType::number || *type == AttributeType::boolean ||
                   *type == AttributeType::null)) {
        return wrong_type(call.function, attribute_type_name(*type));
      }
      return {};
    }
  }
}

void ConditionParser::check_distinct(std::string_view name, const std::vector<Operand>& operands) {
  if (operands.size() != 2 || operands[0].kind != Operand::Kind::path ||
      operands[1].kind != Operand::Kind::path)
    return;
  if (operands[0].path != operands[1].path || lex_.failed()) return;
  note(distinct_,
       "The first operand must be distinct from the remaining operands for this operator or "
       "function; "
       "operator: " +
           std::string(name) + ", first operand: " + path_text(operands[0].path));
}

// Only strings, numbers and binaries have an order.
void ConditionParser::check_order(std::string_view name, const std::vector<Operand>& operands) {
  for (const auto& operand : operands) {
    const auto type = type_of(operand);
    if (type && *type != AttributeType::string && *type != AttributeType::number &&
        *type != AttributeType::binary) {
      return note(function_, wrong_type(name, attribute_type_name(*type)));
    }
  }
}

void ConditionParser::check_between(const Operand& low, const Operand& high) {
  if (low.kind != Operand::Kind::value || high.kind != Operand::Kind::value || low.undefined ||
      high.undefined)
    return;
  const std::string bounds = "lower bound operand: " + value_text(low.value) +
                             ", upper bound operand: " + value_text(high.value);
  if (low.value.type() != high.value.type()) {
    note(function_,
         "The BETWEEN operator requires same data type for lower and upper bounds; " + bounds);
  } else if (const auto order = compare_values(low.value, high.value); order && *order > 0) {
    note(function_,
         "The BETWEEN operator requires upper bound to be greater than or equal to lower bound; " +
             bounds);
  }
}

}  // namespace

Parsed<ParsedCondition> parse_condition(std::string_view text, Placeholders& placeholders) {
  if (auto error = check_expression_size(text); !error.empty())
    return std::unexpected(std::move(error));
  return ConditionParser(text, placeholders).run();
}

}  // namespace virga::dynamodb
