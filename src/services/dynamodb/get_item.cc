#include "api/dynamodb/get_item.h"

#include "services/dynamodb/capacity.h"
#include "services/dynamodb/expression_evaluator.h"
#include "services/dynamodb/item_key.h"
#include "services/dynamodb/item_size.h"
#include "services/dynamodb/request_checks.h"
#include "services/dynamodb/service.h"

namespace virga::dynamodb {
namespace {

Result<std::optional<ParsedProjection>> check_get(const api::GetItemInput& input) {
  VIRGA_TRY_VOID(check_expression_parameters(
      {{"ProjectionExpression", input.projection_expression.has_value()}},
      {{"AttributesToGet", input.attributes_to_get.has_value()}},
      input.expression_attribute_names.has_value(), false));
  VIRGA_TRY_VOID(check_values(input.key));
  return read_projection_of(input);
}

}  // namespace

// Source: DynamoDB API Reference, GetItem. Reads see the published state whatever ConsistentRead
// says: all that was answered is in it.
Task<api::GetItemOutput> Service::get_item(Ctx ctx, api::GetItemInput input) {
  const std::optional<ParsedProjection> projection = co_await check_get(input);
  const TableRef table = co_await data_table(*ctx, input.table_name);
  co_await check_key(table->keys, input.key);
  if (projection) co_await check_key_paths(*table, projection->nested_heads);

  const std::string key = item_key(*table, input.key);
  const std::optional<std::string> record = co_await shard_.get(key);
  api::GetItemOutput output;
  size_t bytes = 0;
  if (record) {
    const ItemView item = co_await item_of_record(*record);
    if (input.return_consumed_capacity) bytes = item_bytes(item);
    output.item = projection ? project(projection->paths, item) : Item(item);
  }
  const ReadUnits units{.table = read_half_units(bytes, input.consistent_read.value_or(false))};
  output.consumed_capacity = read_capacity(input.return_consumed_capacity, *table, units);
  name_as_asked(output.consumed_capacity, input.table_name);
  co_return std::move(output);
}

}  // namespace virga::dynamodb
