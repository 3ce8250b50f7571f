#include "api/dynamodb/scan.h"

#include "services/dynamodb/item_key.h"
#include "services/dynamodb/read_page.h"
#include "services/dynamodb/request_checks.h"
#include "services/dynamodb/service.h"
#include "storage/keys.h"

namespace virga::dynamodb {
namespace {

struct CheckedScan {
  std::optional<Condition> filter;
  std::vector<std::string> filter_nested;
  std::optional<ParsedProjection> projection;
};

Result<void> check_segments(const api::ScanInput& input) {
  if (input.segment && !input.total_segments) {
    return fail(
        errors::validation("The TotalSegments parameter is required but was not present in the "
                           "request when Segment parameter is present"));
  }
  if (!input.total_segments) return {};
  if (!input.segment) {
    return fail(
        errors::validation("The Segment parameter is required but was not present in the request "
                           "when parameter TotalSegments is present"));
  }
  if (*input.segment < *input.total_segments) return {};
  return fail(errors::validation(
      "The Segment parameter is zero-based and must be less than parameter TotalSegments: "
      "Segment: " +
      std::to_string(*input.segment) +
      " is not less than TotalSegments: " + std::to_string(*input.total_segments)));
}

Result<CheckedScan> check_scan(const api::ScanInput& input) {
  VIRGA_TRY_VOID(check_expression_parameters(
      {{"ProjectionExpression", input.projection_expression.has_value()},
       {"FilterExpression", input.filter_expression.has_value()}},
      {{"AttributesToGet", input.attributes_to_get.has_value()},
       {"ScanFilter", input.scan_filter.has_value()},
       {"ConditionalOperator", input.conditional_operator.has_value()}},
      input.expression_attribute_names.has_value(), input.expression_attribute_values.has_value()));
  CheckedScan out;
  if (input.attributes_to_get) {
    VIRGA_TRY(projection, read_attributes_to_get(*input.attributes_to_get));
    out.projection = std::move(projection);
  }
  if (input.scan_filter) {
    VIRGA_TRY_VOID(check_conditions(*input.scan_filter));
    out.filter = filter_of(*input.scan_filter, input.conditional_operator.value_or("AND"));
  }
  VIRGA_TRY_VOID(check_conditional_operator(input.conditional_operator,
                                            input.scan_filter ? input.scan_filter->size() : 0));
  VIRGA_TRY_VOID(check_select(ReadKind::scan, input.select, input.attributes_to_get.has_value(),
                              input.projection_expression.has_value(),
                              input.index_name.has_value()));
  VIRGA_TRY_VOID(check_start_key_values(input.exclusive_start_key));
  VIRGA_TRY_VOID(check_segments(input));
  VIRGA_TRY(placeholders,
            read_placeholders(input.expression_attribute_names, input.expression_attribute_values));
  if (input.filter_expression && input.filter_expression->size() > kExpressionBytesMax) {
    // Only here the size is told. Source: answers of the service as users report them.
    return fail(errors::validation(
        "Invalid FilterExpression: Expression size has exceeded the maximum allowed size; "
        "expression size: " +
        std::to_string(input.filter_expression->size())));
  }
  if (input.filter_expression) {
    VIRGA_TRY(parsed, read_condition("FilterExpression", *input.filter_expression, placeholders));
    out.filter = std::move(parsed.condition);
    out.filter_nested = std::move(parsed.nested_heads);
  }
  if (input.projection_expression) {
    VIRGA_TRY(parsed, read_projection(*input.projection_expression, placeholders));
    out.projection = std::move(parsed);
  }
  VIRGA_TRY_VOID(check_all_used(placeholders));
  return out;
}

// Where segment `n` of `total` begins: segments share the partition hashes in steps of 16, as the
// service's do.
uint32_t segment_start(int64_t n, int64_t total) {
  return static_cast<uint32_t>((4096 * n + total - 1) / total) * 16;
}

Result<void> check_start_key(const Table& table, const Index* index, const Item& start) {
  if (index) {
    size_t names = table.keys.size();
    for (size_t i = 0; i < index->keys.size(); ++i)
      names += table.keys.contains(index->keys.at(i).name) ? 0 : 1;
    if (start.size() != names)
      return fail(errors::validation("The provided starting key is invalid"));
    for (size_t i = 0; i < index->keys.size(); ++i) {
      const KeyAttribute& attribute = index->keys.at(i);
      if (!start.contains(attribute.name))
        return fail(errors::validation("The provided starting key is invalid"));
      VIRGA_TRY_VOID(check_key_part(attribute, i < index->keys.hash.size(), start));
    }
  }
  const auto whole = check_key(table.keys, index ? key_of(table.keys, start) : start);
  if (!whole)
    return fail(
        errors::validation("The provided starting key is invalid: " + whole.error().message));
  return {};
}

Result<PageRequest> plan_scan(const api::ScanInput& input, CheckedScan& checked, TableRef table) {
  const bool consistent = input.consistent_read.value_or(false);
  VIRGA_TRY(index, find_read_index(*table, input.index_name, consistent));
  const std::string prefix = index ? index_prefix(index->id) : items_prefix(table->id);
  std::string begin = prefix, end = storage::prefix_end(prefix);
  if (input.total_segments) {
    const uint32_t from = segment_start(*input.segment, *input.total_segments);
    const uint32_t to = segment_start(int64_t{*input.segment} + 1, *input.total_segments);
    if (from < 0x10000) begin = hash_slot(prefix, static_cast<uint16_t>(from));
    if (from >= 0x10000 || from == to) begin = end;
    if (to < 0x10000) end = hash_slot(prefix, static_cast<uint16_t>(to));
    if (begin > end) begin = end;
  }
  if (input.exclusive_start_key) {
    const Item& start = *input.exclusive_start_key;
    VIRGA_TRY_VOID(check_start_key(*table, index, start));
    const std::string start_key =
        index ? index_entry_key(*table, *index, start) : item_key(*table, start);
    if (start_key < begin || start_key >= end) {
      return fail(
          errors::validation("The provided starting key is invalid: Invalid ExclusiveStartKey. "
                             "Please use ExclusiveStartKey with correct "
                             "Segment. TotalSegments: " +
                             std::to_string(input.total_segments.value_or(1)) +
                             " Segment: " + std::to_string(input.segment.value_or(0))));
    }
    begin = start_key + '\0';
  }
  VIRGA_TRY(selection, resolve_select(input.select, *table, index, checked.projection));
  if (checked.projection) VIRGA_TRY_VOID(check_key_paths(*table, checked.projection->nested_heads));
  VIRGA_TRY_VOID(check_key_paths(*table, checked.filter_nested));

  PageRequest out{.table = std::move(table), .index = index};
  out.begin = std::move(begin);
  out.end = std::move(end);
  out.limit = input.limit;
  out.filter = std::move(checked.filter);
  out.projection = std::move(checked.projection);
  out.count_only = selection.count_only;
  out.fetch_items = selection.fetch_items;
  out.consistent = consistent;
  return out;
}

}  // namespace

// In the order of the partition hash. Source: DynamoDB API Reference, Scan.
Task<api::ScanOutput> Service::scan(Ctx ctx, api::ScanInput input) {
  CheckedScan checked = co_await check_scan(input);
  TableRef table = co_await data_table(*ctx, input.table_name);
  if (input.index_name && table->is_building()) table = co_await build_indexes(ctx, table);
  co_await check_index_readable(*table, input.index_name, ctx->now.at);
  PageRequest request = co_await plan_scan(input, checked, table);
  const Index* const index = request.index;
  Page page = co_await read_page(shard_, std::move(request));

  api::ScanOutput output;
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
