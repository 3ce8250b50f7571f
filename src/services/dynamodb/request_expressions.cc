#include "services/dynamodb/request_expressions.h"

#include <algorithm>

#include "services/dynamodb/errors.h"

namespace virga::dynamodb {
namespace {

bool is_placeholder(std::string_view key, char head) {
  if (key.size() < 2 || key[0] != head) return false;
  return std::all_of(key.begin() + 1, key.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
  });
}

constexpr std::string_view kNestingProblem = "Nesting Levels have exceeded supported limits";

// Findings about a value's form as a whole name neither the parameter nor its key.
bool is_told_bare(std::string_view problem) {
  return problem.starts_with(kNestingProblem) || problem.starts_with("1 validation error");
}

std::string joined(const std::vector<std::string_view>& names, std::string_view separator) {
  std::string out;
  for (const auto& name : names) {
    if (!out.empty()) out += separator;
    out += name;
  }
  return out;
}

// Writes say that an expression is too long in other words than reads do. Source: answers of the
// service as users report them.
template <class T>
Result<T> labelled(std::string_view parameter, std::string_view text, Parsed<T> parsed) {
  if (parsed) return std::move(*parsed);
  const std::string message = "Invalid " + std::string(parameter) + ": " + parsed.error();
  const bool of_a_write = parameter == "UpdateExpression" || parameter == "ConditionExpression";
  if (text.size() > kExpressionBytesMax && of_a_write) return fail(errors::one_violation(message));
  return fail(errors::validation(message));
}

std::string_view key_operator(Condition::Kind kind, bool flipped) {
  using Kind = Condition::Kind;
  switch (kind) {
    case Kind::equal:
      return "EQ";
    case Kind::less:
      return flipped ? "GT" : "LT";
    case Kind::less_equal:
      return flipped ? "GE" : "LE";
    case Kind::greater:
      return flipped ? "LT" : "GT";
    case Kind::greater_equal:
      return flipped ? "LE" : "GE";
    case Kind::between:
      return "BETWEEN";
    default:
      return "BEGINS_WITH";
  }
}

Result<void> collect_predicates(const Condition& c, std::vector<KeyPredicate>& out) {
  using Kind = Condition::Kind;
  const auto invalid_operator = [](std::string_view name) {
    return fail(errors::validation("Invalid operator used in KeyConditionExpression: " +
                                   std::string(name)));
  };
  switch (c.kind) {
    case Kind::all_of:
      for (const auto& child : c.children) VIRGA_TRY_VOID(collect_predicates(child, out));
      return {};
    case Kind::any_of:
      return invalid_operator("OR");
    case Kind::negation:
      return invalid_operator("NOT");
    case Kind::in:
      return invalid_operator("IN");
    case Kind::not_equal:
      return invalid_operator("<>");
    case Kind::attribute_exists:
      return invalid_operator("attribute_exists");
    case Kind::attribute_not_exists:
      return invalid_operator("attribute_not_exists");
    case Kind::attribute_type:
      return invalid_operator("attribute_type");
    case Kind::contains:
      return invalid_operator("contains");
    default:
      break;
  }
  if ((c.kind == Kind::between || c.kind == Kind::begins_with) &&
      c.operands[0].kind != Operand::Kind::path) {
    return fail(
        errors::validation("Invalid condition in KeyConditionExpression: " +
                           std::string(c.kind == Kind::between ? "BETWEEN" : "begins_with") +
                           " operator must have the key attribute as its first operand"));
  }
  KeyPredicate predicate;
  size_t position = 0;
  for (size_t i = 0; i < c.operands.size(); ++i) {
    const Operand& operand = c.operands[i];
    if (operand.kind == Operand::Kind::size) {
      return fail(errors::validation("KeyConditionExpressions cannot contain nested operations"));
    }
    if (operand.kind != Operand::Kind::path) {
      predicate.values.push_back(operand.value);
      continue;
    }
    if (!predicate.attribute.empty()) {
      return fail(
          errors::validation("Invalid condition in KeyConditionExpression: Multiple attribute "
                             "names used in one condition"));
    }
    if (operand.path.size() > 1) {
      return fail(errors::validation(
          "KeyConditionExpressions cannot have conditions on nested attributes"));
    }
    predicate.attribute = operand.path[0].name;
    position = i;
  }
  if (predicate.attribute.empty()) {
    return fail(errors::validation(
        "Invalid condition in KeyConditionExpression: No key attribute specified"));
  }
  for (const auto& other : out) {
    if (other.attribute == predicate.attribute) {
      return fail(
          errors::validation("KeyConditionExpressions must only contain one condition per key"));
    }
  }
  predicate.op = key_operator(c.kind, position != 0);
  out.push_back(std::move(predicate));
  return {};
}

}  // namespace

Result<void> check_expression_parameters(std::initializer_list<Given> expressions,
                                         std::initializer_list<Given> legacy, bool names,
                                         bool values) {
  std::vector<std::string_view> used, mixed, value_expressions;
  bool key_expression = false, value_expression_used = false;
  for (const auto& e : expressions) {
    if (e.present) used.push_back(e.name);
    if (e.name == "KeyConditionExpression") key_expression = e.present;
    if (e.name == "ProjectionExpression") continue;
    value_expressions.push_back(e.name);
    value_expression_used |= e.present;
  }
  for (const auto& l : legacy) {
    // KeyConditions may stand beside other expressions.
    if (l.present && (l.name != "KeyConditions" || key_expression)) mixed.push_back(l.name);
  }
  if (!used.empty() && !mixed.empty()) {
    return fail(errors::validation(
        "Can not use both expression and non-expression parameters in the same request: "
        "Non-expression parameters: {" +
        joined(mixed, ", ") + "} Expression parameters: {" + joined(used, ", ") + "}"));
  }
  if (names && used.empty()) {
    return fail(errors::validation(
        "ExpressionAttributeNames can only be specified when using expressions"));
  }
  if (values && !value_expressions.empty() && !value_expression_used) {
    return fail(errors::validation(
        "ExpressionAttributeValues can only be specified when using expressions: " +
        joined(value_expressions, " and ") +
        (value_expressions.size() > 1 ? " are null" : " is null")));
  }
  return {};
}

Result<Placeholders> read_placeholders(const Maybe<std::map<std::string, std::string>>& names) {
  Placeholders out;
  if (!names) return out;
  if (names->empty()) return fail(errors::validation("ExpressionAttributeNames must not be empty"));
  for (const auto& [key, name] : *names) {
    if (!is_placeholder(key, '#')) {
      return fail(errors::validation(
          "ExpressionAttributeNames contains invalid key: Syntax error; key: \"" + key + "\""));
    }
    if (name.empty()) {
      return fail(errors::validation(
          "ExpressionAttributeNames contains invalid value: Empty attribute name for key " + key));
    }
    if (name.size() > kAttributeNameBytesMax) {
      return fail(
          errors::one_violation("Attribute name is too large, must be less than 65536 bytes"));
    }
    out.add_name(key, name);
  }
  return out;
}

Result<Placeholders> read_placeholders(const Maybe<std::map<std::string, std::string>>& names,
                                       const std::optional<Item>& values, DeepValues deep) {
  VIRGA_TRY(out, read_placeholders(names));
  if (!values) return out;
  if (values->empty())
    return fail(errors::validation("ExpressionAttributeValues must not be empty"));
  for (const auto member : values->view()) {
    if (!is_placeholder(member.name, ':')) {
      return fail(errors::validation(
          "ExpressionAttributeValues contains invalid key: Syntax error; key: \"" +
          std::string(member.name) + "\""));
    }
    out.add_value(member.name, member.value);
  }
  if (deep == DeepValues::accepted && nests_too_deep(values)) return out;
  if (is_told_bare(values->problem())) return fail(errors::validation(values->problem()));
  if (!values->problem().empty()) {
    return fail(errors::validation("ExpressionAttributeValues contains invalid value: " +
                                   values->problem() + " for key " + values->problem_name()));
  }
  return out;
}

bool nests_too_deep(const std::optional<Item>& values) {
  return values && values->problem().starts_with(kNestingProblem);
}

Result<void> check_all_used(const Placeholders& placeholders) {
  std::string unused = placeholders.unused();
  if (unused.empty()) return {};
  return fail(errors::validation(std::move(unused)));
}

Result<ParsedCondition> read_condition(std::string_view parameter, std::string_view text,
                                       Placeholders& placeholders) {
  return labelled(parameter, text, parse_condition(text, placeholders));
}
Result<ParsedUpdate> read_update(std::string_view text, Placeholders& placeholders) {
  return labelled("UpdateExpression", text, parse_update(text, placeholders));
}
Result<ParsedProjection> read_projection(std::string_view text, Placeholders& placeholders) {
  return labelled("ProjectionExpression", text, parse_projection(text, placeholders));
}

Result<ParsedProjection> read_attributes_to_get(const std::vector<std::string>& names) {
  ParsedProjection out;
  for (const auto& name : names) {
    for (const auto& path : out.paths) {
      if (path[0].name == name) {
        return fail(errors::invalid_parameter("Duplicate value in attribute name: " + name));
      }
    }
    out.paths.push_back({{.name = name}});
  }
  return out;
}

Result<std::vector<KeyPredicate>> key_predicates(const Condition& condition) {
  std::vector<KeyPredicate> out;
  VIRGA_TRY_VOID(collect_predicates(condition, out));
  return out;
}

std::vector<KeyPredicate> key_predicates(const ConditionMap& conditions) {
  std::vector<KeyPredicate> out;
  for (const auto& [name, condition] : conditions) {
    KeyPredicate predicate{.attribute = name, .op = condition.comparison_operator};
    if (condition.attribute_value_list) {
      for (const auto& value : *condition.attribute_value_list)
        predicate.values.push_back(value.view());
    }
    out.push_back(std::move(predicate));
  }
  return out;
}

}  // namespace virga::dynamodb
