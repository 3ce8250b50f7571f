#include <algorithm>

#include "api/dynamodb/restore_table_from_backup.h"
#include "api/dynamodb/restore_table_to_point_in_time.h"
#include "services/dynamodb/backups.h"
#include "services/dynamodb/describe.h"
#include "services/dynamodb/item_copy.h"
#include "services/dynamodb/item_key.h"
#include "services/dynamodb/request_checks.h"
#include "services/dynamodb/service.h"
#include "services/dynamodb/table_capacity.h"
#include "services/dynamodb/table_definition.h"

// RestoreTableFromBackup, RestoreTableToPointInTime. Source: DynamoDB API Reference, the pages of
// that name; order of refusals as recorded from the service.
namespace virga::dynamodb {
namespace {

// Items that get their index entries in one go.
constexpr size_t kIndexedRows = 500;

bool same_projection(const api::Projection& a, const Index& b) {
  std::vector<std::string> names;
  if (a.non_key_attributes) names = *a.non_key_attributes;
  std::vector<std::string> others = b.non_key_attributes;
  std::sort(names.begin(), names.end());
  std::sort(others.begin(), others.end());
  const std::string type = a.projection_type.value_or("");
  const char* other = b.projection == Index::Projection::all         ? "ALL"
                      : b.projection == Index::Projection::keys_only ? "KEYS_ONLY"
                                                                     : "INCLUDE";
  return type == other && names == others;
}

bool same_keys(const std::vector<api::KeySchemaElement>& a, const KeySchema& b) {
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); ++i) {
    const bool hash = i < b.hash.size();
    if (a[i].attribute_name != b.at(i).name || a[i].key_type != (hash ? "HASH" : "RANGE"))
      return false;
  }
  return true;
}

// The source's index that an override means: keys and projection decide, the name may be new.
template <class Override>
Result<Index> overridden(const Override& wanted, const std::vector<Index>& known, bool global) {
  for (const auto& index : known) {
    if (index.global != global || !same_keys(wanted.key_schema, index.keys)) continue;
    if (!same_projection(wanted.projection, index)) continue;
    Index out = index;
    out.name = wanted.index_name;
    return out;
  }
  return fail(errors::validation("Invalid Request: New index " + wanted.index_name +
                                 " cannot be created during the restore"));
}

// Indexes left out of an override list are not restored; without a list all are.
template <class Input>
Result<void> override_indexes(const Input& input, Table& table) {
  const std::vector<Index> known = std::exchange(table.indexes, {});
  if (input.local_secondary_index_override) {
    for (const auto& wanted : *input.local_secondary_index_override) {
      VIRGA_TRY(index, overridden(wanted, known, false));
      table.indexes.push_back(std::move(index));
    }
  } else {
    for (const auto& index : known) {
      if (!index.global) table.indexes.push_back(index);
    }
  }
  if (input.global_secondary_index_override) {
    for (const auto& wanted : *input.global_secondary_index_override) {
      VIRGA_TRY(index, overridden(wanted, known, true));
      if (wanted.provisioned_throughput) {
        index.throughput = {wanted.provisioned_throughput->read_capacity_units,
                            wanted.provisioned_throughput->write_capacity_units};
      }
      if (wanted.on_demand_throughput) {
        VIRGA_TRY(limits, change_request_limits(*wanted.on_demand_throughput, index.name,
                                                CapacityCall::create, table.on_demand, {}));
        index.request_limits = limits;
      }
      table.indexes.push_back(std::move(index));
    }
  } else {
    for (const auto& index : known) {
      if (index.global) table.indexes.push_back(index);
    }
  }
  std::erase_if(table.definitions, [&](const KeyAttribute& attribute) {
    if (table.keys.contains(attribute.name)) return false;
    return std::none_of(table.indexes.begin(), table.indexes.end(),
                        [&](const Index& index) { return index.keys.contains(attribute.name); });
  });
  return {};
}

// What an index is provisioned for when it was on-demand and its override does not say: as its
// table.
void provision_indexes(Table& table) {
  for (auto& index : table.indexes) {
    if (index.global && index.throughput.read_units == 0) index.throughput = table.throughput;
  }
}

template <class Input>
Result<void> override_throughput(const Input& input, Timestamp now, Table& table) {
  if (table.on_demand && input.provisioned_throughput_override) {
    return fail(
        errors::validation("Invalid Request: ProvisionedThroughputOverride cannot be specified "
                           "when BillingMode is PAY_PER_REQUEST"));
  }
  if (input.on_demand_throughput_override) {
    VIRGA_TRY(limits, change_request_limits(*input.on_demand_throughput_override, "",
                                            CapacityCall::create, table.on_demand, {}));
    table.request_limits = limits;
  }
  if (table.on_demand) {
    table.on_demand_since = now;
    table.billing_mode_given = true;
    table.throughput = {};
    for (auto& index : table.indexes) index.throughput = {};
    return {};
  }
  table.on_demand_since.reset();
  table.request_limits = {};
  if (input.provisioned_throughput_override) {
    VIRGA_TRY_VOID(check_throughput(*input.provisioned_throughput_override));
    table.throughput = {input.provisioned_throughput_override->read_capacity_units,
                        input.provisioned_throughput_override->write_capacity_units};
  } else if (table.throughput.read_units == 0) {
    return fail(
        errors::validation("Invalid Request: ProvisionedThroughputOverride must be specified when "
                           "BillingModeOverride is PROVISIONED"));
  }
  provision_indexes(table);
  return {};
}

// The new table: keys, indexes, capacity and encryption of the source; no stream, no time to live,
// no tags, no protection, no recovery. Those a restored table gets by requests of its own, as on
// AWS.
template <class Input>
Result<std::shared_ptr<Table>> restored_table(const Input& input, const RequestContext& ctx,
                                              const Table& source, std::string table_id) {
  auto table = std::make_shared<Table>(source);
  table->account = ctx.account;
  table->region = ctx.region;
  table->name = input.target_table_name;
  table->table_id = std::move(table_id);
  table->created = ctx.now.at;
  table->deletion_protection = false;
  table->table_class.clear();
  table->table_class_changed.reset();
  table->tags.clear();
  table->ttl_attribute.clear();
  table->ttl_building = false;
  table->stream_view.clear();
  table->stream_label.clear();
  table->recovery_days = 0;
  table->recovery_since.reset();
  table->transition.clear();
  table->transition_until.reset();
  if (input.billing_mode_override)
    table->on_demand = *input.billing_mode_override == "PAY_PER_REQUEST";
  VIRGA_TRY_VOID(override_indexes(input, *table));
  VIRGA_TRY_VOID(override_throughput(input, ctx.now.at, *table));
  if (input.sse_specification_override) {
    VIRGA_TRY_VOID(check_encryption(*input.sse_specification_override));
    const bool enabled = input.sse_specification_override->enabled.value_or(true);
    table->sse_type = enabled ? input.sse_specification_override->sse_type.value_or("KMS") : "";
    table->kms_key =
        enabled ? input.sse_specification_override->kms_master_key_id.value_or("") : "";
  }
  return table;
}

}  // namespace

Task<api::RestoreTableFromBackupOutput> Service::restore_table_from_backup(
    Ctx ctx, api::RestoreTableFromBackupInput input) {
  std::shared_ptr<const storage::View> view = shard_.snapshot();
  const Backup backup = co_await backup_of_arn(*view, *ctx, input.backup_arn);
  const std::shared_ptr<Table> table =
      co_await restored_table(input, *ctx, *backup.table, env_.random.uuid());
  table->restored = RestoredFrom{.backup_arn = input.backup_arn,
                                 .table_arn = backup.table->arn(ctx->partition),
                                 .at = backup.created};
  Restore restore{.view = view, .items_id = backup.items_id, .table = table};
  co_await build_restored(ctx, std::move(restore));
  api::RestoreTableFromBackupOutput output;
  output.table_description = describe_table_as(*ctx, *table, "CREATING", {});
  co_return std::move(output);
}

Task<api::RestoreTableToPointInTimeOutput> Service::restore_table_to_point_in_time(
    Ctx ctx, api::RestoreTableToPointInTimeInput input) {
  const bool latest = input.use_latest_restorable_time.value_or(false);
  if (latest && input.restore_date_time) {
    co_return fail(errors::validation(
        "Invalid Request: Both RestoreDateTime and UseLatestRestorableTime cannot be set for "
        "point-in-time restore request. "
        "Please specify only one of them"));
  }
  if (!latest && !input.restore_date_time) {
    co_return fail(
        errors::validation("Invalid Request: Either one of RestoreDateTime or "
                           "UseLatestRestorableTime must be specified, but not both"));
  }
  if (input.source_table_arn.has_value() == input.source_table_name.has_value()) {
    co_return fail(
        errors::validation("Invalid Request: Either one of SourceTableArn or SourceTableName must "
                           "be specified, but not both"));
  }
  const TableRef source = co_await backup_source(
      *ctx, input.source_table_name ? *input.source_table_name : *input.source_table_arn);
  if (source->recovery_days == 0) co_return fail(errors::recovery_not_enabled(source->name));
  const RecoveryWindow window = recovery_window(*source, ctx->now.at, options_.lifecycle_delay_ms);
  const Timestamp at = latest ? window.latest : *input.restore_date_time;
  if (at < window.earliest || at > window.latest) {
    co_return fail(errors::backup_error(
        "InvalidRestoreTimeException",
        "RestoreDateTime '" + format_iso8601(at) + "' must be within EarliestRestorableDateTime '" +
            format_iso8601(window.earliest) + "' and LatestRestorableDateTime '" +
            format_iso8601(window.latest) + "'"));
  }
  const std::shared_ptr<Table> table =
      co_await restored_table(input, *ctx, *source, env_.random.uuid());
  table->restored =
      RestoredFrom{.backup_arn = "", .table_arn = source->arn(ctx->partition), .at = at};
  Restore restore{.view = shard_.snapshot(), .items_id = source->id, .table = table};
  // The latest moment is now: nothing is taken back.
  if (!latest || options_.lifecycle_delay_ms > 0)
    restore.undo_after = std::max(at, *source->recovery_since);
  restore.source = source;
  co_await build_restored(ctx, std::move(restore));
  api::RestoreTableToPointInTimeOutput output;
  output.table_description = describe_table_as(*ctx, *table, "CREATING", {});
  co_return std::move(output);
}

// Copies, takes back, indexes, then names the table in one commit. A crash before that leaves what
// the next start drops.
Task<void> Service::build_restored(Ctx ctx, Restore restore) {
  Table& table = *restore.table;
  const auto free_name = [&](const storage::View& view) -> Result<TableRef> {
    VIRGA_TRY(existing, tables_.read(view, table.account, table.region, table.name));
    if (existing && existing->status(ctx->now.at) != "DELETED")
      return fail(errors::restore_table_exists(table.name));
    return existing;
  };
  const TableRef taken = co_await free_name(*restore.view);
  ignore(taken, "asked again when the table gets its name");
  const storage::Generation generation = shard_.generation();
  const size_t objects = 1 + table.indexes.size();
  table.id = co_await reserve_objects(ctx, objects, generation);
  for (size_t i = 0; i < table.indexes.size(); ++i) {
    table.indexes[i].id = table.id + 1 + i;
    table.indexes[i].building = false;
  }
  if (options_.lifecycle_delay_ms > 0) {
    table.transition = "CREATING";
    table.transition_until = Timestamp{ctx->now.at.micros + options_.lifecycle_delay_ms * 1000};
  }
  Result<void> filled = co_await as_result(fill_restored(&restore, generation));
  if (!filled) {
    co_await drop_objects(table.id, objects, generation);
    co_return fail(std::move(filled.error()));
  }
  const storage::TransactOptions options{.generation = generation};
  bool put = false;
  auto done = co_await shard_.transact(options, [&](storage::Txn& txn) -> Result<bool> {
    VIRGA_TRY(existing, free_name(txn));
    if (!existing) VIRGA_TRY_VOID(check_table_quota(txn, table.account, table.region));
    for (size_t i = 0; i < objects; ++i) clear_unfinished(txn, table.id + i);
    tables_.put(txn, existing, table);
    put = true;
    return true;
  });
  ctx->depends_on(done.lsn);
  if (!done.result) {
    if (put) tables_.forget(table);
    co_await drop_objects(table.id, objects, generation);
  }
  const bool created = co_await std::move(done.result);
  ignore(created, "always true");
  co_await shard_.wait_durable(done.lsn);
  tables_.forget(table);
  co_return ok();
}

Task<void> Service::fill_restored(const Restore* restore, storage::Generation generation) {
  const std::shared_ptr<const Table> table = restore->table;
  const CopiedItems copied =
      co_await copy_items(shard_, restore->view.get(), restore->items_id, table->id, generation);
  ignore(copied, "the first description counts");
  if (restore->undo_after) {
    co_await undo_changes(shard_, restore->view.get(), restore->source, table,
                          restore->undo_after->micros);
  }
  const int64_t now = env_.cloud.now().at.micros;
  for (const auto& index : table->indexes) {
    std::string from = items_prefix(table->id);
    while (!from.empty()) {
      const storage::TransactOptions options{.generation = generation};
      auto done = co_await shard_.transact(options, [&](storage::Txn& txn) -> Result<std::string> {
        return writer_.backfill(txn, *table, index, from, kIndexedRows, now);
      });
      from = co_await std::move(done.result);
    }
  }
  co_return ok();
}

}  // namespace virga::dynamodb
