#include "api/dynamodb/delete_table.h"

#include "services/dynamodb/describe.h"
#include "services/dynamodb/errors.h"
#include "services/dynamodb/service.h"

namespace virga::dynamodb {

// The answer shows DELETING; the name is free at once (or after --lifecycle-delay).
// Source: DynamoDB API Reference, DeleteTable.
Task<api::DeleteTableOutput> Service::delete_table(Ctx ctx, api::DeleteTableInput input) {
  const TableRef known = co_await control_table(*ctx, input.table_name);
  const Timestamp now = ctx->now.at;
  ObjectCounts counts;
  const storage::TransactOptions options{.generation = known->generation};
  bool put = false;
  auto done = co_await shard_.transact(options, [&](storage::Txn& txn) -> Result<TableRef> {
    VIRGA_TRY(table, tables_.current(txn, known));
    if (!table) return fail(errors::table_not_found(known->name));
    const std::string status = table->status(now);
    if (status == "CREATING") return fail(errors::table_being_created(table->name));
    if (status == "UPDATING") return fail(errors::table_being_updated(table->name));
    if (status == "DELETING") return fail(errors::table_being_deleted(table->name));
    if (table->deletion_protection) return fail(errors::deletion_protected());
    if (const auto count = writer_.stats().find(table->id)) counts[table->id] = *count;
    writer_.stats().drop(table->id);
    for (const auto& index : table->indexes) writer_.stats().drop(index.id);
    VIRGA_TRY_VOID(changes_.close(txn, *table, now));
    if (table->recovery_days > 0) {
      VIRGA_TRY_VOID(changes_.keep_history(txn, *table, 0, now));
      keep_deleted(txn, table, counts[table->id], now);
    } else {
      tables_.erase_items(txn, *table);
    }
    txn.allow_in_low_space();
    put = true;
    if (options_.lifecycle_delay_ms == 0) {
      tables_.erase(txn, known);
      return table;
    }
    auto leaving = std::make_shared<Table>(*table);
    leaving->transition = "DELETING";
    leaving->transition_until = Timestamp{now.micros + options_.lifecycle_delay_ms * 1000};
    tables_.put(txn, known, *leaving);
    return table;
  });
  ctx->depends_on(done.lsn);
  if (!done.result && put) tables_.forget(*known);
  const TableRef table = co_await std::move(done.result);
  co_await shard_.wait_durable(done.lsn);
  tables_.forget(*table);

  api::DeleteTableOutput output;
  auto& description =
      output.table_description.emplace(describe_table_as(*ctx, *table, "DELETING", counts));
  // What the service leaves out of this answer.
  description.attribute_definitions.reset();
  description.key_schema.reset();
  description.creation_date_time.reset();
  description.global_secondary_indexes.reset();
  description.local_secondary_indexes.reset();
  description.warm_throughput.reset();
  co_return std::move(output);
}

}  // namespace virga::dynamodb
