#include "api/dynamodb/put_item.h"

#include "services/dynamodb/capacity.h"
#include "services/dynamodb/errors.h"
#include "services/dynamodb/item_key.h"
#include "services/dynamodb/item_size.h"
#include "services/dynamodb/request_checks.h"
#include "services/dynamodb/service.h"

namespace virga::dynamodb {
namespace {

// All that can be said of the request without the table.
Result<std::optional<Condition>> check_put(const api::PutItemInput& input) {
  VIRGA_TRY_VOID(check_expression_parameters(
      {{"ConditionExpression", input.condition_expression.has_value()}},
      {{"Expected", input.expected.has_value()},
       {"ConditionalOperator", input.conditional_operator.has_value()}},
      input.expression_attribute_names.has_value(), input.expression_attribute_values.has_value()));
  VIRGA_TRY_VOID(check_values(input.item));
  VIRGA_TRY_VOID(check_return_values_old(input.return_values));
  if (item_bytes(input.item) > kItemBytesMax) {
    return fail(errors::validation("Item size has exceeded the maximum allowed size"));
  }
  return read_write_condition(input);
}

}  // namespace

// Source: DynamoDB API Reference, PutItem.
Task<api::PutItemOutput> Service::put_item(Ctx ctx, api::PutItemInput input) {
  std::optional<Condition> condition = co_await check_put(input);
  TableRef table = co_await data_table(*ctx, input.table_name);
  co_await check_item_keys(*table, input.item);

  ItemWrite write{
      .kind = ItemWrite::Kind::put, .table = table, .key = item_key(*table, input.item)};
  write.item = input.item.view();
  write.condition = std::move(condition);
  write.item_on_failure = input.return_values_on_condition_check_failure == "ALL_OLD";
  const PreparedWrite done = co_await write_item(ctx, std::move(write));

  api::PutItemOutput output;
  const auto old_item = done.old_item();
  if (input.return_values == "ALL_OLD" && old_item) output.attributes = Item(*old_item);
  output.consumed_capacity =
      write_capacity(input.return_consumed_capacity, *done.table, done.units);
  name_as_asked(output.consumed_capacity, input.table_name);
  output.item_collection_metrics =
      collection_metrics(input.return_item_collection_metrics, *table, input.item);
  co_return std::move(output);
}

Task<PreparedWrite> Service::write_item(Ctx ctx, ItemWrite write) {
  const storage::TransactOptions options{.generation = write.table->generation};
  const int64_t now = ctx->now.at.micros;
  PreparedWrite out;  // filled where it stays: it is large, and a result moves from hand to hand
  auto done = co_await shard_.transact(options, [&](storage::Txn& txn) -> Result<bool> {
    VIRGA_TRY(prepared, writer_.write(txn, write, now));
    out = std::move(prepared);
    return true;
  });
  ctx->depends_on(done.lsn);
  const bool written = co_await std::move(done.result);
  ignore(written, "always true");
  co_return std::move(out);
}

}  // namespace virga::dynamodb
