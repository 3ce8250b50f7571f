#include <algorithm>
#include <array>

#include "services/dynamodb/errors.h"
#include "services/dynamodb/expression_evaluator.h"
#include "services/dynamodb/request_expressions.h"

// The parameters from before expressions: Expected, QueryFilter, ScanFilter, KeyConditions,
// AttributeUpdates. Source: DynamoDB Developer Guide, "Legacy conditional parameters".
namespace virga::dynamodb {
namespace {

using Kind = Condition::Kind;

struct Comparison {
  std::string_view name;
  Kind kind;
  size_t values_min, values_max;
  std::string_view types;  // allowed value types, with a comma behind each; empty: any
};
constexpr size_t kAnyNumber = SIZE_MAX;
constexpr std::array<Comparison, 13> kComparisons = {{
    {"EQ", Kind::equal, 1, 1, ""},
    {"NE", Kind::not_equal, 1, 1, ""},
    {"LE", Kind::less_equal, 1, 1, "S,N,B,"},
    {"LT", Kind::less, 1, 1, "S,N,B,"},
    {"GE", Kind::greater_equal, 1, 1, "S,N,B,"},
    {"GT", Kind::greater, 1, 1, "S,N,B,"},
    {"NOT_NULL", Kind::attribute_exists, 0, 0, ""},
    {"NULL", Kind::attribute_not_exists, 0, 0, ""},
    {"CONTAINS", Kind::contains, 1, 1, "S,N,B,"},
    {"NOT_CONTAINS", Kind::not_contains, 1, 1, "S,N,B,"},
    {"BEGINS_WITH", Kind::begins_with, 1, 1, "S,B,"},
    {"IN", Kind::in, 1, kAnyNumber, "S,N,B,"},
    {"BETWEEN", Kind::between, 2, 2, "S,N,B,"},
}};

const Comparison* find_comparison(std::string_view name) {
  for (const auto& comparison : kComparisons) {
    if (comparison.name == name) return &comparison;
  }
  return nullptr;
}

bool allows(const Comparison& comparison, ValueView value) {
  if (comparison.types.empty()) return true;
  return comparison.types.find(std::string(value.type_name()) + ",") != std::string_view::npos &&
         value.type_name().size() == 1;
}

// Number, types and order of the values of one comparison; all of them good values already.
Result<void> check_operands(const Comparison& comparison,
                            const std::vector<AttributeValue>& values) {
  if (values.size() < comparison.values_min || values.size() > comparison.values_max) {
    return fail(errors::invalid_parameter("Invalid number of argument(s) for the " +
                                          std::string(comparison.name) + " ComparisonOperator"));
  }
  for (const auto& value : values) {
    if (value.type() != values[0].type()) {
      return fail(errors::invalid_parameter(
          "AttributeValues inside AttributeValueList must be of same type"));
    }
  }
  for (const auto& value : values) {
    if (!allows(comparison, value)) {
      return fail(errors::invalid_parameter(
          "ComparisonOperator " + std::string(comparison.name) + " is not valid for " +
          std::string(value.view().type_name()) + " AttributeValue type"));
    }
  }
  if (comparison.kind == Kind::between) {
    const auto order = compare_values(values[0], values[1]);
    if (order && *order > 0) {
      return fail(
          errors::validation("The BETWEEN condition was provided a range where the lower bound is "
                             "greater than the upper bound"));
    }
  }
  return {};
}

Result<void> check_good(const AttributeValue& value) {
  if (!value.problem().empty()) return fail(errors::validation(value.problem()));
  if (value.empty()) {
    return fail(errors::validation(
        "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes"));
  }
  return {};
}

Condition leaf(const std::string& attribute, Kind kind, const std::vector<AttributeValue>& values) {
  Condition out{.kind = kind};
  out.operands.push_back({.kind = Operand::Kind::path, .path = {{.name = attribute}}});
  for (const auto& value : values)
    out.operands.push_back({.kind = Operand::Kind::value, .value = value.view()});
  return out;
}
Condition leaf(const std::string& attribute, Kind kind, const AttributeValue& value) {
  Condition out = leaf(attribute, kind, std::vector<AttributeValue>());
  out.operands.push_back({.kind = Operand::Kind::value, .value = value.view()});
  return out;
}

Condition combine(std::vector<Condition> parts, std::string_view conditional_operator) {
  Condition out{.kind = conditional_operator == "OR" ? Kind::any_of : Kind::all_of};
  out.children = std::move(parts);
  return out;
}

Result<Condition> expected_comparison(const std::string& name,
                                      const api::ExpectedAttributeValue& expected) {
  static const std::vector<AttributeValue> kNone;
  const Comparison* comparison = find_comparison(*expected.comparison_operator);
  if (!comparison) {
    return fail(errors::invalid_parameter("Unsupported operator in ComparisonOperator: " +
                                          *expected.comparison_operator));
  }
  if (expected.exists) {
    return fail(errors::invalid_parameter(
        "Exists and ComparisonOperator cannot be used together for Attribute: " + name));
  }
  if (comparison->values_min > 0 && !expected.attribute_value_list && !expected.value) {
    return fail(errors::invalid_parameter(
        "Value or AttributeValueList must be used with ComparisonOperator: " +
        std::string(comparison->name) + " for Attribute: " + name));
  }
  if (expected.value) {
    if (comparison->values_max == 0 || comparison->values_min > 1) {
      return fail(errors::invalid_parameter("Invalid number of argument(s) for the " +
                                            std::string(comparison->name) + " ComparisonOperator"));
    }
    VIRGA_TRY_VOID(check_good(*expected.value));
    return leaf(name, comparison->kind, *expected.value);
  }
  const auto& values = expected.attribute_value_list ? *expected.attribute_value_list : kNone;
  for (const auto& value : values) VIRGA_TRY_VOID(check_good(value));
  VIRGA_TRY_VOID(check_operands(*comparison, values));
  return leaf(name, comparison->kind, values);
}

Result<Condition> expected_value(const std::string& name,
                                 const api::ExpectedAttributeValue& expected) {
  if (expected.attribute_value_list) {
    return fail(errors::invalid_parameter(
        "AttributeValueList can only be used with a ComparisonOperator for Attribute: " + name));
  }
  const bool exists = expected.exists.value_or(true);
  if (exists && !expected.value) {
    return fail(errors::invalid_parameter("Value must be provided when Exists is " +
                                          std::string(expected.exists ? "true" : "null") +
                                          " for Attribute: " + name));
  }
  if (!exists && expected.value) {
    return fail(errors::invalid_parameter(
        "Value cannot be used when Exists is false for Attribute: " + name));
  }
  if (!exists) return leaf(name, Kind::attribute_not_exists, std::vector<AttributeValue>());
  VIRGA_TRY_VOID(check_good(*expected.value));
  return leaf(name, Kind::equal, *expected.value);
}

}  // namespace

Result<Condition> read_expected(const ExpectedMap& expected,
                                std::string_view conditional_operator) {
  std::vector<Condition> parts;
  for (const auto& [name, one] : expected) {
    if (one.attribute_value_list && one.value) {
      return fail(errors::invalid_parameter(
          "Value and AttributeValueList cannot be used together for Attribute: " + name));
    }
    Result<Condition> part =
        one.comparison_operator ? expected_comparison(name, one) : expected_value(name, one);
    if (!part) return part;
    parts.push_back(std::move(*part));
  }
  return combine(std::move(parts), conditional_operator);
}

Result<void> check_conditions(const ConditionMap& conditions) {
  static const std::vector<AttributeValue> kNone;
  for (const auto& [name, condition] : conditions) {
    const auto& values = condition.attribute_value_list ? *condition.attribute_value_list : kNone;
    for (const auto& value : values) VIRGA_TRY_VOID(check_good(value));
    const Comparison* comparison = find_comparison(condition.comparison_operator);
    if (!comparison) {
      return fail(errors::invalid_parameter("Unsupported operator in ComparisonOperator: " +
                                            condition.comparison_operator));
    }
    VIRGA_TRY_VOID(check_operands(*comparison, values));
  }
  return {};
}

Condition filter_of(const ConditionMap& conditions, std::string_view conditional_operator) {
  static const std::vector<AttributeValue> kNone;
  std::vector<Condition> parts;
  for (const auto& [name, condition] : conditions) {
    const Comparison* comparison = find_comparison(condition.comparison_operator);
    parts.push_back(leaf(name, comparison->kind,
                         condition.attribute_value_list ? *condition.attribute_value_list : kNone));
  }
  return combine(std::move(parts), conditional_operator);
}

Result<std::vector<UpdateAction>> read_attribute_updates(const UpdateMap& updates) {
  std::vector<UpdateAction> out;
  for (const auto& [name, update] : updates) {
    const std::string action = update.action.value_or("PUT");
    if (update.value) VIRGA_TRY_VOID(check_good(*update.value));
    if (action != "PUT" && action != "ADD" && action != "DELETE") {
      return fail(errors::invalid_parameter("Unsupported AttributeAction: " + action));
    }
    if (!update.value && action != "DELETE") {
      return fail(errors::invalid_parameter(
          "Only DELETE action is allowed when no attribute value is specified"));
    }
    UpdateAction made{.path = {{.name = name}}};
    if (!update.value) {
      made.kind = UpdateAction::Kind::remove;
      out.push_back(std::move(made));
      continue;
    }
    const AttributeType type = update.value->type();
    if (action == "DELETE" && !is_set_type(type)) {
      return fail(
          errors::invalid_parameter("DELETE action with value is not supported for the type " +
                                    std::string(attribute_type_name(type))));
    }
    if (action == "ADD" && !is_set_type(type) && type != AttributeType::number &&
        type != AttributeType::list) {
      return fail(errors::invalid_parameter("ADD action is not supported for the type " +
                                            std::string(attribute_type_name(type))));
    }
    made.kind = action == "PUT"   ? UpdateAction::Kind::set
                : action == "ADD" ? UpdateAction::Kind::add
                                  : UpdateAction::Kind::erase;
    made.value = {.kind = Operand::Kind::value, .value = update.value->view()};
    out.push_back(std::move(made));
  }
  return out;
}

}  // namespace virga::dynamodb
