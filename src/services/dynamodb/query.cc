#include "api/dynamodb/query.h"

#include <algorithm>

#include "services/dynamodb/expression_evaluator.h"
#include "services/dynamodb/item_key.h"
#include "services/dynamodb/key_range.h"
#include "services/dynamodb/read_page.h"
#include "services/dynamodb/request_checks.h"
#include "services/dynamodb/service.h"
#include "storage/keys.h"

namespace virga::dynamodb {
namespace {

// What a query says, checked without the table.
struct CheckedQuery {
  std::vector<KeyPredicate> predicates;
  std::optional<Condition> filter;
  std::vector<std::string> filter_heads, filter_nested;
  std::string_view filter_name = "Filter Expression";
  std::optional<ParsedProjection> projection;
};

Result<void> read_query_expressions(const api::QueryInput& input, CheckedQuery& out) {
  VIRGA_TRY(placeholders,
            read_placeholders(input.expression_attribute_names, input.expression_attribute_values));
  Condition key_condition;
  if (input.key_condition_expression) {
    VIRGA_TRY(parsed, read_condition("KeyConditionExpression", *input.key_condition_expression,
                                     placeholders));
    key_condition = std::move(parsed.condition);
  }
  if (input.filter_expression) {
    VIRGA_TRY(parsed, read_condition("FilterExpression", *input.filter_expression, placeholders));
    out.filter = std::move(parsed.condition);
    out.filter_heads = std::move(parsed.path_heads);
    out.filter_nested = std::move(parsed.nested_heads);
  }
  if (input.projection_expression) {
    VIRGA_TRY(parsed, read_projection(*input.projection_expression, placeholders));
    out.projection = std::move(parsed);
  }
  VIRGA_TRY_VOID(check_all_used(placeholders));
  if (!input.key_condition_expression) return {};
  VIRGA_TRY(predicates, key_predicates(key_condition));
  out.predicates = std::move(predicates);
  return {};
}

Result<CheckedQuery> check_query(const api::QueryInput& input) {
  VIRGA_TRY_VOID(check_expression_parameters(
      {{"ProjectionExpression", input.projection_expression.has_value()},
       {"FilterExpression", input.filter_expression.has_value()},
       {"KeyConditionExpression", input.key_condition_expression.has_value()}},
      {{"AttributesToGet", input.attributes_to_get.has_value()},
       {"QueryFilter", input.query_filter.has_value()},
       {"ConditionalOperator", input.conditional_operator.has_value()},
       {"KeyConditions", input.key_conditions.has_value()}},
      input.expression_attribute_names.has_value(), input.expression_attribute_values.has_value()));
  CheckedQuery out;
  if (input.query_filter) {
    VIRGA_TRY_VOID(check_conditions(*input.query_filter));
    for (const auto& [name, condition] : *input.query_filter) out.filter_heads.push_back(name);
    out.filter = filter_of(*input.query_filter, input.conditional_operator.value_or("AND"));
    out.filter_name = "QueryFilter";
  }
  VIRGA_TRY_VOID(check_conditional_operator(input.conditional_operator, out.filter_heads.size()));
  if (input.attributes_to_get) {
    VIRGA_TRY(projection, read_attributes_to_get(*input.attributes_to_get));
    out.projection = std::move(projection);
  }
  VIRGA_TRY_VOID(check_select(ReadKind::query, input.select, input.attributes_to_get.has_value(),
                              input.projection_expression.has_value(),
                              input.index_name.has_value()));
  VIRGA_TRY_VOID(check_start_key_values(input.exclusive_start_key));
  if (!input.key_conditions && !input.key_condition_expression) {
    return fail(
        errors::validation("Either the KeyConditions or KeyConditionExpression parameter must be "
                           "specified in the request."));
  }
  VIRGA_TRY_VOID(read_query_expressions(input, out));
  if (!input.key_condition_expression) {
    VIRGA_TRY_VOID(check_conditions(*input.key_conditions));
    out.predicates = key_predicates(*input.key_conditions);
  }
  // Only an index can have more key attributes than two.
  if (out.predicates.empty() || (out.predicates.size() > 2 && !input.index_name)) {
    return fail(errors::validation("Conditions can be of length 1 or 2 only"));
  }
  return out;
}

Result<void> check_start_key(const Table& table, const Index* index, const Item& start) {
  const KeySchema& keys = index ? index->keys : table.keys;
  size_t names = table.keys.size();
  for (size_t i = 0; index && i < keys.size(); ++i)
    names += table.keys.contains(keys.at(i).name) ? 0 : 1;
  if (start.size() != names)
    return fail(errors::validation("The provided starting key is invalid"));
  for (size_t i = 0; i < keys.size(); ++i) {
    if (!start.contains(keys.at(i).name))
      return fail(errors::validation("The provided starting key is invalid"));
    VIRGA_TRY_VOID(check_key_part(keys.at(i), i < keys.hash.size(), start));
  }
  const auto whole = check_key(table.keys, key_of(table.keys, start));
  if (!whole)
    return fail(
        errors::validation("The provided starting key is invalid: " + whole.error().message));
  return {};
}

// The start key against the conditions.
Result<void> check_start_in_range(const KeySchema& keys,
                                  const std::vector<KeyPredicate>& predicates,
                                  const KeyRange& range, const std::string& start_key,
                                  const Item& start) {
  bool same_partition = true;
  for (const auto& attribute : keys.hash) {
    same_partition &=
        *start.find(attribute.name) == find_predicate(predicates, attribute.name)->values[0];
  }
  const bool range_given = predicates.size() > keys.hash.size();
  if (!range_given) {
    if (same_partition) return {};
    return fail(errors::validation(
        "The provided starting key is outside query boundaries based on provided conditions"));
  }
  if (!same_partition) {
    return fail(errors::validation("The query can return at most one row and cannot be restarted"));
  }
  if (start_key < range.begin || start_key >= range.end) {
    return fail(
        errors::validation("The provided starting key does not match the range key predicate"));
  }
  return {};
}

// All checks against the table, and the page to read.
Result<PageRequest> plan_query(const api::QueryInput& input, CheckedQuery& checked,
                               TableRef table) {
  const bool consistent = input.consistent_read.value_or(false);
  VIRGA_TRY(index, find_read_index(*table, input.index_name, consistent));
  const KeySchema& keys = index ? index->keys : table->keys;
  const bool forward = input.scan_index_forward.value_or(true);
  if (input.exclusive_start_key)
    VIRGA_TRY_VOID(check_start_key(*table, index, *input.exclusive_start_key));
  VIRGA_TRY_VOID(check_predicates(keys, checked.predicates));
  KeyRange range = key_range(*table, index, checked.predicates);
  if (input.exclusive_start_key) {
    const Item& start = *input.exclusive_start_key;
    const std::string start_key =
        index ? index_entry_key(*table, *index, start) : item_key(*table, start);
    VIRGA_TRY_VOID(check_start_in_range(keys, checked.predicates, range, start_key, start));
    (forward ? range.begin : range.end) = forward ? start_key + '\0' : start_key;
  }
  if (checked.projection) VIRGA_TRY_VOID(check_key_paths(*table, checked.projection->nested_heads));
  for (size_t i = 0; i < keys.size(); ++i) {
    const auto& heads = checked.filter_heads;
    if (std::find(heads.begin(), heads.end(), keys.at(i).name) == heads.end()) continue;
    return fail(errors::validation(
        std::string(checked.filter_name) +
        " can only contain non-primary key attributes: Primary key attribute: " + keys.at(i).name));
  }
  VIRGA_TRY_VOID(check_filter_projected(*table, index, checked.filter_heads));
  VIRGA_TRY(selection, resolve_select(input.select, *table, index, checked.projection));
  VIRGA_TRY_VOID(check_key_paths(*table, checked.filter_nested));

  PageRequest out{.table = std::move(table), .index = index};
  out.begin = std::move(range.begin);
  out.end = std::move(range.end);
  out.direction = forward ? storage::Direction::forward : storage::Direction::backward;
  out.limit = input.limit;
  out.filter = std::move(checked.filter);
  out.projection = std::move(checked.projection);
  out.count_only = selection.count_only;
  out.fetch_items = selection.fetch_items;
  out.consistent = consistent;
  return out;
}

}  // namespace

// Source: DynamoDB API Reference, Query.
Task<api::QueryOutput> Service::query(Ctx ctx, api::QueryInput input) {
  CheckedQuery checked = co_await check_query(input);
  TableRef table = co_await data_table(*ctx, input.table_name);
  if (input.index_name && table->is_building()) table = co_await build_indexes(ctx, table);
  co_await check_index_readable(*table, input.index_name, ctx->now.at);
  PageRequest request = co_await plan_query(input, checked, table);
  const Index* const index = request.index;
  Page page = co_await read_page(shard_, std::move(request));

  api::QueryOutput output;
  if (input.select != "COUNT") output.items = std::move(page.items);
  output.count = static_cast<int32_t>(page.count);
  output.scanned_count = static_cast<int32_t>(page.scanned);
  output.last_evaluated_key = std::move(page.last_key);
  output.consumed_capacity =
      read_capacity(input.return_consumed_capacity, *table, page.units, index);
  name_as_asked(output.consumed_capacity, input.table_name);
  co_return std::move(output);
}

}  // namespace virga::dynamodb
