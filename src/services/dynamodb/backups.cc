#include "services/dynamodb/backups.h"

#include <algorithm>

#include "api/dynamodb/create_backup.h"
#include "api/dynamodb/delete_backup.h"
#include "api/dynamodb/describe_backup.h"
#include "api/dynamodb/list_backups.h"
#include "services/dynamodb/describe.h"
#include "services/dynamodb/item_copy.h"
#include "services/dynamodb/service.h"

// CreateBackup, DescribeBackup, ListBackups, DeleteBackup. Source: DynamoDB API Reference, the
// pages of that name.
namespace virga::dynamodb {
namespace {

constexpr int32_t kListedMax = 100;

api::BackupDetails details_of(const Backup& backup, std::string_view status) {
  api::BackupDetails out;
  out.backup_arn = backup.arn();
  out.backup_name = backup.name;
  out.backup_size_bytes = backup.bytes;
  out.backup_status = std::string(status);
  out.backup_type = backup.system ? "SYSTEM" : "USER";
  out.backup_creation_date_time = backup.created;
  out.backup_expiry_date_time = backup.expires;
  return out;
}

void add_features(const api::TableDescription& table, const Backup& backup,
                  api::SourceTableFeatureDetails& out) {
  if (backup.system) return;  // the service tells nothing of these
  if (table.local_secondary_indexes) {
    auto& list = out.local_secondary_indexes.emplace();
    for (const auto& index : *table.local_secondary_indexes) {
      api::LocalSecondaryIndexInfo info;
      info.index_name = index.index_name;
      info.key_schema = index.key_schema;
      info.projection = index.projection;
      list.push_back(std::move(info));
    }
  }
  if (table.global_secondary_indexes) {
    auto& list = out.global_secondary_indexes.emplace();
    for (const auto& index : *table.global_secondary_indexes) {
      api::GlobalSecondaryIndexInfo info;
      info.index_name = index.index_name;
      info.key_schema = index.key_schema;
      info.projection = index.projection;
      auto& throughput = info.provisioned_throughput.emplace();
      throughput.read_capacity_units =
          index.provisioned_throughput->read_capacity_units.value_or(0);
      throughput.write_capacity_units =
          index.provisioned_throughput->write_capacity_units.value_or(0);
      list.push_back(std::move(info));
    }
  }
  if (table.stream_specification) out.stream_description = table.stream_specification;
  if (!backup.table->ttl_attribute.empty()) {
    auto& ttl = out.time_to_live_description.emplace();
    ttl.time_to_live_status = "ENABLED";
    ttl.attribute_name = backup.table->ttl_attribute;
  }
  if (table.sse_description) out.sse_description = table.sse_description;
}

api::BackupDescription description_of(const RequestContext& ctx, const Backup& backup,
                                      std::string_view status) {
  api::BackupDescription out;
  out.backup_details = details_of(backup, status);
  const api::TableDescription table = describe_table_as(ctx, *backup.table, "ACTIVE", {});
  auto& source = out.source_table_details.emplace();
  source.table_name = backup.table_name;
  source.table_id = backup.table->table_id;
  source.table_arn = table.table_arn;
  source.table_size_bytes = backup.bytes;
  source.key_schema = *table.key_schema;
  source.table_creation_date_time = backup.table->created;
  source.provisioned_throughput.read_capacity_units = backup.table->throughput.read_units;
  source.provisioned_throughput.write_capacity_units = backup.table->throughput.write_units;
  source.item_count = backup.items;
  source.billing_mode = backup.table->on_demand ? "PAY_PER_REQUEST" : "PROVISIONED";
  add_features(table, backup, out.source_table_feature_details.emplace());
  return out;
}

api::BackupSummary summary_of(const RequestContext& ctx, const Backup& backup) {
  api::BackupSummary out;
  out.table_name = backup.table_name;
  out.table_id = backup.table->table_id;
  out.table_arn = backup.table->arn(ctx.partition);
  out.backup_arn = backup.arn();
  out.backup_name = backup.name;
  out.backup_creation_date_time = backup.created;
  out.backup_expiry_date_time = backup.expires;
  out.backup_status = "AVAILABLE";
  out.backup_type = backup.system ? "SYSTEM" : "USER";
  out.backup_size_bytes = backup.bytes;
  return out;
}

}  // namespace

Result<Backup> backup_of_arn(const storage::View& view, const RequestContext& ctx,
                             std::string_view arn) {
  const auto address = parse_backup_arn(arn);
  if (!address) return fail(errors::validation("Invalid Backup ARN"));
  if (address->partition != ctx.partition)
    return fail(errors::validation("BackupArn is not valid"));
  if (address->account != ctx.account)
    return fail("AccessDeniedException", 400, "Access is denied");
  std::optional<Backup> backup;
  if (address->region == ctx.region) {
    VIRGA_TRY(found, find_backup(view, *address));
    backup = std::move(found);
  }
  if (!backup) return fail(errors::backup_not_found(arn));
  return std::move(*backup);
}

// The whole table as it is published now. The answer shows CREATING, the next request finds it
// available.
Task<api::CreateBackupOutput> Service::create_backup(Ctx ctx, api::CreateBackupInput input) {
  const TableRef table = co_await backup_source(*ctx, input.table_name);
  Backup backup{table->account, table->region, table->name};
  backup.id = new_backup_id(ctx->now.at, env_.random.next(), false);
  backup.name = input.backup_name;
  backup.created = Timestamp::from_millis(ctx->now.at.millis());
  backup.table = table;
  backup.items_id = co_await reserve_objects(ctx, 1, table->generation);

  const auto view = shard_.snapshot();
  const auto copied = co_await as_result(
      copy_items(shard_, view.get(), table->id, backup.items_id, table->generation));
  if (!copied) {
    co_await drop_objects(backup.items_id, 1, table->generation);
    co_return fail(copied.error());
  }
  backup.items = copied->items;
  backup.bytes = copied->bytes;
  const storage::TransactOptions options{.generation = table->generation};
  auto done = co_await shard_.transact(options, [&](storage::Txn& txn) -> Result<bool> {
    clear_unfinished(txn, backup.items_id);
    put_backup(txn, backup);
    return true;
  });
  ctx->depends_on(done.lsn);
  const bool created = co_await std::move(done.result);
  ignore(created, "always true");
  co_await shard_.wait_durable(done.lsn);

  api::CreateBackupOutput output;
  output.backup_details = details_of(backup, "CREATING");
  co_return std::move(output);
}

Task<api::DescribeBackupOutput> Service::describe_backup(Ctx ctx, api::DescribeBackupInput input) {
  const auto view = shard_.snapshot();
  const Backup backup = co_await backup_of_arn(*view, *ctx, input.backup_arn);
  api::DescribeBackupOutput output;
  output.backup_description = description_of(*ctx, backup, "AVAILABLE");
  co_return std::move(output);
}

Task<api::DeleteBackupOutput> Service::delete_backup(Ctx ctx, api::DeleteBackupInput input) {
  auto done = co_await shard_.transact(
      storage::TransactOptions{}, [&](storage::Txn& txn) -> Result<Backup> {
        VIRGA_TRY(found, backup_of_arn(txn, *ctx, input.backup_arn));
        if (found.system) return fail(errors::system_backup(input.backup_arn, *found.expires));
        erase_backup(txn, found);
        return std::move(found);
      });
  ctx->depends_on(done.lsn);
  const Backup backup = co_await std::move(done.result);
  co_await shard_.wait_durable(done.lsn);
  api::DeleteBackupOutput output;
  output.backup_description = description_of(*ctx, backup, "DELETED");
  co_return std::move(output);
}

// By table and time. Users' backups unless another type is asked for.
Task<api::ListBackupsOutput> Service::list_backups(Ctx ctx, api::ListBackupsInput input) {
  if (input.time_range_lower_bound && input.time_range_upper_bound &&
      *input.time_range_lower_bound > *input.time_range_upper_bound) {
    co_return fail(
        errors::validation("Time range lower bound must be less than or equal to upper bound"));
  }
  std::string table = input.table_name.value_or("");
  if (table.starts_with("arn:")) table = table.substr(table.rfind('/') + 1);
  std::optional<BackupAddress> after;
  if (input.exclusive_start_backup_arn) {
    after = parse_backup_arn(*input.exclusive_start_backup_arn);
    if (!after) co_return fail(errors::validation("Invalid Backup ARN"));
  }
  const auto limit = static_cast<size_t>(input.limit.value_or(kListedMax));
  const std::string type = input.backup_type.value_or("USER");
  api::ListBackupsOutput output;
  auto& summaries = output.backup_summaries.emplace();
  bool more = false;
  const auto view = shard_.snapshot();
  co_await list_backups_of(
      *view, ctx->account, ctx->region, table, after ? &*after : nullptr,
      [&](const Backup& backup) {
        if (type != "ALL" && type != (backup.system ? "SYSTEM" : "USER")) return true;
        if (input.time_range_lower_bound && backup.created < *input.time_range_lower_bound)
          return true;
        if (input.time_range_upper_bound && backup.created >= *input.time_range_upper_bound)
          return true;
        more = summaries.size() == limit;
        if (!more) summaries.push_back(summary_of(*ctx, backup));
        return !more;
      });
  if (more) output.last_evaluated_backup_arn = summaries.back().backup_arn;
  co_return std::move(output);
}

// The table to be backed up or looked after: these operations have an error of their own for one
// that is not there.
Result<TableRef> Service::backup_source(const RequestContext& ctx, const std::string& name) {
  auto table = control_table(ctx, name);
  const bool creating = table && (*table)->status(ctx.now.at) == "CREATING";
  if ((!table && table.error().code == "ResourceNotFoundException") || creating) {
    return fail(errors::backup_table_not_found(name.substr(name.rfind('/') + 1)));
  }
  return table;
}

// Object ids for items to be copied, the first of them; a server that ends before they are complete
// drops them.
Task<uint64_t> Service::reserve_objects(Ctx ctx, size_t count, storage::Generation generation) {
  const storage::TransactOptions options{.generation = generation};
  auto done = co_await shard_.transact(options, [&](storage::Txn& txn) -> Result<uint64_t> {
    const uint64_t first = txn.new_object_id();
    mark_unfinished(txn, first);
    for (size_t i = 1; i < count; ++i) mark_unfinished(txn, txn.new_object_id());
    return first;
  });
  ctx->depends_on(done.lsn);
  const uint64_t first = co_await std::move(done.result);
  co_return first;
}

// A table with point-in-time recovery goes: its items stay where they are and become a backup of
// the service's own.
void Service::keep_deleted(storage::Txn& txn, const TableRef& table, ObjectStats::Count count,
                           Timestamp now) {
  for (const auto& index : table->indexes) tables_.erase_index(txn, index.id);
  Backup backup{table->account, table->region, table->name};
  backup.id = new_backup_id(now, 0, true);
  backup.name = table->name + "$DeletedTableBackup";
  backup.system = true;
  backup.created = Timestamp::from_millis(now.millis());
  backup.expires = Timestamp{backup.created.micros + kSystemBackupMicros};
  backup.table = table;
  backup.items_id = table->id;
  backup.items = count.items;
  backup.bytes = count.bytes;
  put_backup(txn, backup);
  timers_.set(txn, {*backup.expires}, kBackupTimer, backup.arn());
}

Result<void> Service::expire_backup(storage::Txn& txn, std::string_view arn) {
  const auto address = parse_backup_arn(arn);
  if (!address) return {};
  VIRGA_TRY(backup, find_backup(txn, *address));
  if (backup) erase_backup(txn, *backup);
  return {};
}

// Copies that a server which ended has left behind.
Task<void> Service::drop_unfinished_copies() {
  auto done =
      co_await shard_.transact(storage::TransactOptions{}, [](storage::Txn& txn) -> Result<bool> {
        VIRGA_TRY_VOID(drop_unfinished(txn));
        return true;
      });
  const bool dropped = co_await std::move(done.result);
  ignore(dropped, "always true");
  co_return ok();
}

// What a failed copy leaves behind.
Task<void> Service::drop_objects(uint64_t first, size_t count, storage::Generation generation) {
  const storage::TransactOptions options{.generation = generation};
  auto done = co_await shard_.transact(options, [&](storage::Txn& txn) -> Result<bool> {
    for (uint64_t id = first; id < first + count; ++id) drop_unfinished_object(txn, id);
    return true;
  });
  ignore(done.result, "the next start drops them");
  co_return ok();
}

}  // namespace virga::dynamodb
