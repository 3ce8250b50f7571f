#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "services/dynamodb/errors.h"
#include "services/dynamodb/request_expressions.h"
#include "services/dynamodb/table.h"

// Checks that several operations share, in the service's words.
namespace virga::dynamodb {

inline Result<void> check_values(const Item& item) {
  if (item.problem().empty()) return {};
  return fail(errors::validation(item.problem()));
}

inline Result<void> check_return_values_old(const std::optional<std::string>& return_values) {
  if (!return_values || *return_values == "ALL_OLD" || *return_values == "NONE") return {};
  return fail(errors::validation("ReturnValues can only be ALL_OLD or NONE"));
}

// ConditionalOperator goes with legacy conditions only. `conditions`: their number.
Result<void> check_conditional_operator(const std::optional<std::string>& conditional_operator,
                                        size_t conditions);

// A table name as requests give it, when it is no ARN: the model's constraints on it are those of
// an ARN.
Result<void> check_table_name(std::string_view name);

// Key attributes are scalars: no path goes into one. `nested`: first names of paths with more
// steps.
Result<void> check_key_paths(const Table& table, const std::vector<std::string>& nested);

// The condition of a write (Put, Delete; Update reads its own together with the update), from
// either kind of parameter, with all placeholders used.
template <class Input>
Result<std::optional<Condition>> read_write_condition(const Input& input) {
  std::optional<Condition> out;
  VIRGA_TRY_VOID(check_conditional_operator(input.conditional_operator,
                                            input.expected ? input.expected->size() : 0));
  if (input.expected) {
    VIRGA_TRY(expected, read_expected(*input.expected, input.conditional_operator.value_or("AND")));
    out = std::move(expected);
  }
  if (!input.condition_expression) return out;
  VIRGA_TRY(placeholders,
            read_placeholders(input.expression_attribute_names, input.expression_attribute_values));
  VIRGA_TRY(parsed,
            read_condition("ConditionExpression", *input.condition_expression, placeholders));
  VIRGA_TRY_VOID(check_all_used(placeholders));
  out = std::move(parsed.condition);
  return out;
}

// The projection of a read without other expressions.
template <class Input>
Result<std::optional<ParsedProjection>> read_projection_of(const Input& input) {
  std::optional<ParsedProjection> out;
  if (input.attributes_to_get) {
    VIRGA_TRY(names, read_attributes_to_get(*input.attributes_to_get));
    out = std::move(names);
  }
  if (!input.projection_expression) return out;
  VIRGA_TRY(placeholders, read_placeholders(input.expression_attribute_names));
  VIRGA_TRY(parsed, read_projection(*input.projection_expression, placeholders));
  VIRGA_TRY_VOID(check_all_used(placeholders));
  out = std::move(parsed);
  return out;
}

}  // namespace virga::dynamodb
