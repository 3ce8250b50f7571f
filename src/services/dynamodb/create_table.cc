#include "api/dynamodb/create_table.h"

#include <algorithm>

#include "services/dynamodb/describe.h"
#include "services/dynamodb/errors.h"
#include "services/dynamodb/request_checks.h"
#include "services/dynamodb/resource_policy.h"
#include "services/dynamodb/service.h"
#include "services/dynamodb/stream_settings.h"
#include "services/dynamodb/table_capacity.h"
#include "services/dynamodb/table_definition.h"

namespace virga::dynamodb {
namespace {

// What we would otherwise accept without effect.
Result<void> check_supported(const api::CreateTableInput& input) {
  if (input.global_table_source_arn)
    return fail(errors::not_implemented("CreateTable with GlobalTableSourceArn"));
  return {};
}

void apply_settings(const api::CreateTableInput& input, Timestamp now, Table& table) {
  table.on_demand = input.billing_mode == "PAY_PER_REQUEST";
  table.billing_mode_given = table.on_demand;
  if (table.on_demand) table.on_demand_since = now;
  if (input.provisioned_throughput && !table.on_demand) {
    table.throughput.read_units = input.provisioned_throughput->read_capacity_units;
    table.throughput.write_units = input.provisioned_throughput->write_capacity_units;
  }
  if (input.resource_policy) set_resource_policy(*input.resource_policy, now, table);
  table.deletion_protection = input.deletion_protection_enabled.value_or(false);
  if (input.table_class) table.table_class = *input.table_class;
  if (input.sse_specification && input.sse_specification->enabled.value_or(false)) {
    table.sse_type = input.sse_specification->sse_type.value_or("KMS");
    table.kms_key = input.sse_specification->kms_master_key_id.value_or("");
  }
  if (input.tags) {
    for (const auto& tag : *input.tags) table.tags[tag.key] = tag.value;
  }
}

// The answer mentions the table's warm throughput only where the request did. Later descriptions
// always have it.
void show_warm_throughput(const api::CreateTableInput& input, api::TableDescription& shown) {
  if (input.warm_throughput) {
    shown.warm_throughput->status = "UPDATING";
  } else {
    shown.warm_throughput = {};
  }
}

}  // namespace

Result<std::shared_ptr<Table>> Service::new_table(const RequestContext& ctx,
                                                  const api::CreateTableInput& input) {
  VIRGA_TRY_VOID(check_table_name(input.table_name));
  VIRGA_TRY(table, define_table(input));
  if (input.stream_specification) VIRGA_TRY_VOID(check_new_stream(*input.stream_specification));
  VIRGA_TRY_VOID(check_supported(input));
  if (input.sse_specification) VIRGA_TRY_VOID(check_encryption(*input.sse_specification));
  if (input.tags) VIRGA_TRY_VOID(check_tags(*input.tags));
  if (input.resource_policy) VIRGA_TRY_VOID(check_resource_policy(*input.resource_policy));
  if (input.provisioned_throughput)
    VIRGA_TRY_VOID(check_throughput_quota(*input.provisioned_throughput, ctx.region));
  table->account = ctx.account;
  table->region = ctx.region;
  table->name = input.table_name;
  table->table_id = env_.random.uuid();
  table->created = ctx.now.at;
  apply_settings(input, ctx.now.at, *table);
  return table;
}

Result<TableRef> Service::free_name(storage::Txn& txn, const Table& table, Timestamp now) {
  VIRGA_TRY(existing, tables_.read(txn, table.account, table.region, table.name));
  if (existing && existing->status(now) != "DELETED") return fail(errors::table_exists(table.name));
  if (!existing) VIRGA_TRY_VOID(check_table_quota(txn, table.account, table.region));
  return existing;
}

void Service::give_ids(storage::Txn& txn, Table& table) {
  table.generation = txn.generation();
  table.id = txn.new_object_id();
  for (auto& index : table.indexes) index.id = txn.new_object_id();
}

void Service::put_new_table(storage::Txn& txn, const TableRef& existing, const Table& table) {
  tables_.put(txn, existing, table);
  writer_.stats().start_empty(table.id);
  for (const auto& index : table.indexes) writer_.stats().start_empty(index.id);
}

// Source: DynamoDB API Reference, CreateTable.
Task<api::CreateTableOutput> Service::create_table(Ctx ctx, api::CreateTableInput input) {
  const std::string own_arn = make_arn(*ctx, "dynamodb", "table/");
  if (input.table_name.starts_with(own_arn)) input.table_name.erase(0, own_arn.size());
  const std::shared_ptr<Table> table = co_await new_table(*ctx, input);
  const Timestamp now = ctx->now.at;
  if (options_.lifecycle_delay_ms > 0) {
    table->transition = "CREATING";
    table->transition_until = Timestamp{now.micros + options_.lifecycle_delay_ms * 1000};
  }

  const storage::TransactOptions options{.generation = shard_.generation()};
  bool put = false;
  auto done = co_await shard_.transact(options, [&](storage::Txn& txn) -> Result<bool> {
    VIRGA_TRY(existing, free_name(txn, *table, now));
    give_ids(txn, *table);
    if (input.stream_specification && input.stream_specification->stream_enabled) {
      VIRGA_TRY_VOID(
          changes_.enable_stream(txn, *table, *input.stream_specification->stream_view_type, now));
    }
    put_new_table(txn, existing, *table);
    put = true;
    return true;
  });
  ctx->depends_on(done.lsn);
  if (!done.result && put) tables_.forget(*table);
  const bool created = co_await std::move(done.result);
  ignore(created, "always true");
  co_await shard_.wait_durable(done.lsn);
  tables_.forget(*table);

  api::CreateTableOutput output;
  output.table_description = describe_table_as(*ctx, *table, "CREATING", {});
  show_warm_throughput(input, *output.table_description);
  co_return std::move(output);
}

}  // namespace virga::dynamodb
