#include "api/dynamodb/delete_item.h"

#include "services/dynamodb/capacity.h"
#include "services/dynamodb/item_key.h"
#include "services/dynamodb/request_checks.h"
#include "services/dynamodb/service.h"

namespace virga::dynamodb {
namespace {

Result<std::optional<Condition>> check_delete(const api::DeleteItemInput& input) {
  VIRGA_TRY_VOID(check_expression_parameters(
      {{"ConditionExpression", input.condition_expression.has_value()}},
      {{"Expected", input.expected.has_value()},
       {"ConditionalOperator", input.conditional_operator.has_value()}},
      input.expression_attribute_names.has_value(), input.expression_attribute_values.has_value()));
  VIRGA_TRY_VOID(check_values(input.key));
  VIRGA_TRY_VOID(check_return_values_old(input.return_values));
  return read_write_condition(input);
}

}  // namespace

// Deletes an item; deleting what is not there succeeds. Source: DynamoDB API Reference, DeleteItem.
Task<api::DeleteItemOutput> Service::delete_item(Ctx ctx, api::DeleteItemInput input) {
  std::optional<Condition> condition = co_await check_delete(input);
  const TableRef table = co_await data_table(*ctx, input.table_name);
  co_await check_key(table->keys, input.key);

  ItemWrite write{
      .kind = ItemWrite::Kind::erase, .table = table, .key = item_key(*table, input.key)};
  write.item = input.key.view();
  write.condition = std::move(condition);
  write.item_on_failure = input.return_values_on_condition_check_failure == "ALL_OLD";
  const PreparedWrite done = co_await write_item(ctx, std::move(write));

  api::DeleteItemOutput output;
  const auto old_item = done.old_item();
  if (input.return_values == "ALL_OLD" && old_item) output.attributes = Item(*old_item);
  output.consumed_capacity =
      write_capacity(input.return_consumed_capacity, *done.table, done.units);
  name_as_asked(output.consumed_capacity, input.table_name);
  output.item_collection_metrics =
      collection_metrics(input.return_item_collection_metrics, *table, input.key);
  co_return std::move(output);
}

}  // namespace virga::dynamodb
