#pragma once

#include <initializer_list>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/dynamodb/shapes/attribute_value_update.h"
#include "api/dynamodb/shapes/condition.h"
#include "api/dynamodb/shapes/expected_attribute_value.h"
#include "aws/box.h"
#include "base/error.h"
#include "services/dynamodb/expression.h"

// What requests say in expressions or in the legacy parameters, made into trees; with the service's
// checks, in its order.
namespace virga::dynamodb {

// A parameter and whether the request has it.
struct Given {
  std::string_view name;
  bool present;
};
// Expression and legacy parameters do not mix; names and values need an expression. `names`,
// `values`: given or not.
Result<void> check_expression_parameters(std::initializer_list<Given> expressions,
                                         std::initializer_list<Given> legacy, bool names,
                                         bool values);

// ExpressionAttributeNames and -Values, their form checked. Views stay with the request. Inside a
// transaction values that nest too deep are no finding yet: `deep` says so.
enum class DeepValues { refused, accepted };
Result<Placeholders> read_placeholders(const Maybe<std::map<std::string, std::string>>& names,
                                       const std::optional<Item>& values,
                                       DeepValues deep = DeepValues::refused);
bool nests_too_deep(const std::optional<Item>& values);
Result<Placeholders> read_placeholders(const Maybe<std::map<std::string, std::string>>& names);
Result<void> check_all_used(const Placeholders& placeholders);

Result<ParsedCondition> read_condition(std::string_view parameter, std::string_view text,
                                       Placeholders& placeholders);
Result<ParsedUpdate> read_update(std::string_view text, Placeholders& placeholders);
Result<ParsedProjection> read_projection(std::string_view text, Placeholders& placeholders);

// Legacy parameters.
using ExpectedMap = std::map<std::string, api::ExpectedAttributeValue>;
using ConditionMap = std::map<std::string, api::Condition>;
using UpdateMap = std::map<std::string, api::AttributeValueUpdate>;
Result<Condition> read_expected(const ExpectedMap& expected, std::string_view conditional_operator);
Result<void> check_conditions(const ConditionMap& conditions);
Condition filter_of(const ConditionMap& conditions, std::string_view conditional_operator);
Result<std::vector<UpdateAction>> read_attribute_updates(const UpdateMap& updates);
Result<ParsedProjection> read_attributes_to_get(const std::vector<std::string>& names);

// What a query asks of one key attribute: the legacy operator's name and its values.
struct KeyPredicate {
  std::string attribute;
  std::string op;  // EQ, LT, LE, GT, GE, BETWEEN, BEGINS_WITH; from KeyConditions any other too
  std::vector<ValueView> values;
};
Result<std::vector<KeyPredicate>> key_predicates(const Condition& condition);
std::vector<KeyPredicate> key_predicates(const ConditionMap& conditions);

}  // namespace virga::dynamodb
