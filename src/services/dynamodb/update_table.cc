#include "api/dynamodb/update_table.h"

#include <algorithm>

#include "api/dynamodb/describe_table.h"
#include "services/dynamodb/bulk_pace.h"
#include "services/dynamodb/describe.h"
#include "services/dynamodb/errors.h"
#include "services/dynamodb/item_key.h"
#include "services/dynamodb/item_size.h"
#include "services/dynamodb/service.h"
#include "services/dynamodb/stream_settings.h"
#include "services/dynamodb/table_capacity.h"
#include "services/dynamodb/table_definition.h"

namespace virga::dynamodb {
namespace {

// Items that get their entries of a new index in one go: a few milliseconds of the owner loop.
constexpr size_t kBackfillRows = 100;

using IndexUpdates = std::vector<api::GlobalSecondaryIndexUpdate>;

Result<void> check_supported(const api::UpdateTableInput& input) {
  if (input.replica_updates)
    return fail(errors::not_implemented("UpdateTable with ReplicaUpdates"));
  if (input.global_table_witness_updates || input.multi_region_consistency) {
    return fail(errors::not_implemented("UpdateTable of global tables"));
  }
  return {};
}

Result<void> check_index_updates(const IndexUpdates& updates) {
  std::vector<std::string> names;
  int online = 0;
  for (const auto& update : updates) {
    if (!update.update && !update.create && !update.delete_) {
      return fail(errors::invalid_parameter(
          "One of GlobalSecondaryIndexUpdate.Update, GlobalSecondaryIndexUpdate.Create, "
          "GlobalSecondaryIndexUpdate.Delete "
          "must not be null"));
    }
    if (update.update.has_value() + update.create.has_value() + update.delete_.has_value() > 1) {
      return fail(
          errors::invalid_parameter("Only one global secondary index action is allowed per "
                                    "GlobalSecondaryIndexUpdate object"));
    }
    const std::string& name = update.update   ? update.update->index_name
                              : update.create ? update.create->index_name
                                              : update.delete_->index_name;
    if (std::find(names.begin(), names.end(), name) != names.end()) {
      return fail(errors::invalid_parameter(
          "Only one global secondary index update per index is allowed simultaneously. Index: " +
          name));
    }
    names.push_back(name);
    if (update.create || update.delete_) ++online;
  }
  if (online > 1) {
    return fail(
        errors::limit_exceeded("Subscriber limit exceeded: Only 1 online index can be created or "
                               "deleted simultaneously per table"));
  }
  return {};
}

// What cannot stand beside other changes in one request. The texts and their order are the
// service's.
Result<void> check_only_operation(const api::UpdateTableInput& input, bool indexes) {
  const int changes = (input.provisioned_throughput || input.billing_mode ? 1 : 0) +
                      (indexes ? 1 : 0) + (input.stream_specification ? 1 : 0) +
                      (input.sse_specification ? 1 : 0) + (input.table_class ? 1 : 0) +
                      (input.deletion_protection_enabled ? 1 : 0) +
                      (input.on_demand_throughput ? 1 : 0) + (input.warm_throughput ? 1 : 0);
  if (changes <= 1) return {};
  const auto alone = [](const std::string& what) {
    return fail(errors::invalid_parameter(what + " must be the only operation in the request"));
  };
  if (input.sse_specification) return alone("Server-Side Encryption modification");
  if (input.table_class) return alone("TableClass modification");
  if (input.deletion_protection_enabled) return alone("DeletionProtection modification");
  if (input.warm_throughput) return alone("WarmThroughput");
  if (input.on_demand_throughput && (indexes || input.stream_specification)) {
    return fail(errors::invalid_parameter(
        "OnDemandThroughput can only be combined with BillingMode in an UpdateTable request"));
  }
  return {};
}

Result<void> check_update(const api::UpdateTableInput& input) {
  VIRGA_TRY_VOID(check_supported(input));
  const bool indexes =
      input.global_secondary_index_updates && !input.global_secondary_index_updates->empty();
  if (!input.provisioned_throughput && !input.billing_mode && !indexes &&
      !input.sse_specification && !input.table_class && !input.stream_specification &&
      !input.deletion_protection_enabled && !input.on_demand_throughput && !input.warm_throughput) {
    // Names members that are not public.
    return fail(errors::validation(
        "At least one of ProvisionedThroughput, BillingMode, UpdateStreamEnabled, "
        "GlobalSecondaryIndexUpdates, SSESpecification, ReplicaUpdates, MultiAccountReplicaReady, "
        "ReplicaTransitRoleArn, MultiRegionConsistency, DeletionProtectionEnabled, "
        "OnDemandThroughput, WarmThroughput or TableClass is required"));
  }
  if (input.global_secondary_index_updates && !indexes)
    return fail(errors::invalid_parameter("List of GlobalSecondaryIndexUpdates is empty"));
  VIRGA_TRY_VOID(check_only_operation(input, indexes));
  if (input.stream_specification) {
    if (input.provisioned_throughput) {
      return fail(
          errors::invalid_parameter("You cannot modify stream status while updating table IOPS"));
    }
    if (indexes) {
      return fail(errors::invalid_parameter(
          "You cannot create or delete index while changing stream status"));
    }
    VIRGA_TRY_VOID(check_stream_update(*input.stream_specification));
  }
  if (input.billing_mode == "PROVISIONED" && !input.provisioned_throughput) {
    return fail(errors::invalid_parameter(
        "ProvisionedThroughput must be specified when BillingMode is PROVISIONED"));
  }
  if (input.provisioned_throughput) VIRGA_TRY_VOID(check_throughput(*input.provisioned_throughput));
  if (indexes) VIRGA_TRY_VOID(check_index_updates(*input.global_secondary_index_updates));
  if (indexes && input.provisioned_throughput) {
    for (const auto& update : *input.global_secondary_index_updates) {
      if (update.update) continue;
      return fail(
          errors::invalid_parameter("You cannot create or delete index while updating table IOPS"));
    }
  }
  if (input.sse_specification) VIRGA_TRY_VOID(check_encryption(*input.sse_specification));
  return {};
}

Index* find_global(Table& table, const std::string& name) {
  for (auto& index : table.indexes) {
    if (index.global && index.name == name) return &index;
  }
  return nullptr;
}

// Definitions that no key uses any more go with their index.
void drop_unused_definitions(Table& table) {
  std::erase_if(table.definitions, [&](const KeyAttribute& attribute) {
    if (table.keys.contains(attribute.name)) return false;
    return std::none_of(table.indexes.begin(), table.indexes.end(),
                        [&](const Index& index) { return index.keys.contains(attribute.name); });
  });
}

// The request's definitions alone name the new index's attributes; those that the table lacks
// become its own.
Result<std::vector<KeyAttribute>> add_definitions(
    const api::UpdateTableInput& input, const api::CreateGlobalSecondaryIndexAction& create,
    Table& table) {
  std::vector<KeyAttribute> given;
  if (input.attribute_definitions) {
    VIRGA_TRY(read, read_definitions(*input.attribute_definitions));
    given = std::move(read);
  }
  const auto is_key = [&](const std::string& name) {
    if (table.keys.contains(name)) return true;
    for (const auto& index : table.indexes) {
      if (index.keys.contains(name)) return true;
    }
    return std::any_of(
        create.key_schema.begin(), create.key_schema.end(),
        [&](const api::KeySchemaElement& element) { return element.attribute_name == name; });
  };
  std::string names, used;
  bool unused = false;
  for (const auto& attribute : given) {
    names += (names.empty() ? "" : ", ") + attribute.name;
    if (is_key(attribute.name)) used += (used.empty() ? "" : ", ") + attribute.name;
    unused = unused || !is_key(attribute.name);
  }
  if (unused) {
    return fail(errors::invalid_parameter(
        "Some AttributeDefinitions are not used. AttributeDefinitions: [" + names +
        "], keys used: [" + used + "]"));
  }
  for (const auto& attribute : given) {
    const auto same = [&](const KeyAttribute& known) { return known.name == attribute.name; };
    const auto known = std::find_if(table.definitions.begin(), table.definitions.end(), same);
    if (known == table.definitions.end()) {
      table.definitions.push_back(attribute);
    } else if (known->type != attribute.type) {
      return fail(errors::invalid_parameter("Attribute " + attribute.name +
                                            " is already defined with another type"));
    }
  }
  return given;
}

Result<Index> new_index(const api::UpdateTableInput& input,
                        const api::CreateGlobalSecondaryIndexAction& create, Table& table) {
  if (table.find_index(create.index_name))
    return fail(errors::validation("Attempting to create an index which already exists"));
  if (!input.attribute_definitions) {
    return fail(errors::invalid_parameter("AttributeDefinitions is not specified for index: " +
                                          create.index_name));
  }
  const auto global = [](const Index& index) { return index.global; };
  if (std::count_if(table.indexes.begin(), table.indexes.end(), global) >= kGlobalIndexesMax) {
    return fail(
        errors::limit_exceeded("Subscriber limit exceeded: Number of global secondary indexes "
                               "exceeds per-table limit of " +
                               std::to_string(kGlobalIndexesMax)));
  }
  VIRGA_TRY(definitions, add_definitions(input, create, table));
  const IndexDefinition definition{create.index_name, create.key_schema, create.projection, true};
  VIRGA_TRY(index, define_index(definition, definitions, table.keys));
  VIRGA_TRY_VOID(check_index_capacity(index.name, table.on_demand, create.provisioned_throughput));
  if (create.provisioned_throughput) {
    VIRGA_TRY_VOID(check_throughput(*create.provisioned_throughput));
    index.throughput.read_units = create.provisioned_throughput->read_capacity_units;
    index.throughput.write_units = create.provisioned_throughput->write_capacity_units;
  }
  if (create.on_demand_throughput) {
    VIRGA_TRY(limits, change_request_limits(*create.on_demand_throughput, index.name,
                                            CapacityCall::create, table.on_demand, {}));
    index.request_limits = limits;
  }
  if (create.warm_throughput) {
    VIRGA_TRY_VOID(change_warm_throughput(
        *create.warm_throughput, "index " + index.name, CapacityCall::create, table.on_demand,
        warm_throughput({}, table.on_demand, index.throughput), index.warm));
  }
  index.building = true;
  index.transition = "CREATING";
  return index;
}

Result<void> apply_settings(const api::UpdateTableInput& input, Timestamp now, Table& table) {
  if (input.deletion_protection_enabled)
    table.deletion_protection = *input.deletion_protection_enabled;
  if (input.table_class) {
    table.table_class = *input.table_class;
    table.table_class_changed = now;
  }
  if (input.sse_specification) {
    const api::SSESpecification& wanted = *input.sse_specification;
    const bool enabled = wanted.enabled.value_or(wanted.sse_type.has_value());
    if (!enabled && table.sse_type.empty())
      return fail(errors::invalid_parameter("Table is already encrypted by default"));
    if (enabled && !table.kms_key.empty() && wanted.kms_master_key_id == table.kms_key) {
      return fail(errors::invalid_parameter(
          "Table is already encrypted with given KMSMasterKeyId. Use KMSMasterKeyId parameter if "
          "you want to change Master Key"));
    }
    table.sse_type = enabled ? input.sse_specification->sse_type.value_or("KMS") : "";
    table.kms_key = enabled ? input.sse_specification->kms_master_key_id.value_or("") : "";
  }
  return {};
}

// Every global index of a provisioned table has throughput of its own, also after a change of the
// billing mode.
Result<void> check_provisioned(const Table& table) {
  if (table.on_demand) return {};
  std::string missing;
  for (const auto& index : table.indexes) {
    if (!index.global || index.throughput.read_units > 0) continue;
    missing += (missing.empty() ? "" : ",") + index.name;
  }
  if (missing.empty()) return {};
  return fail(
      errors::invalid_parameter("ProvisionedThroughput must be specified for index: " + missing));
}

// Settings that are taken over while the table stays as it is.
bool keeps_the_status(const api::UpdateTableInput& input) {
  return !input.billing_mode && !input.provisioned_throughput && !input.table_class &&
         !input.global_secondary_index_updates && !input.stream_specification &&
         !input.sse_specification;
}

// What the answer still has of the time before: throughput as it was, and a maximum that is being
// taken away as -1.
void show_earlier_capacity(const api::UpdateTableInput& input, const api::TableDescription& before,
                           api::TableDescription& out) {
  const auto units = [](const api::ProvisionedThroughputDescription& from,
                        api::ProvisionedThroughputDescription& to) {
    to.read_capacity_units = from.read_capacity_units;
    to.write_capacity_units = from.write_capacity_units;
    to.number_of_decreases_today = from.number_of_decreases_today;
  };
  if (input.provisioned_throughput && !input.billing_mode)
    units(*before.provisioned_throughput, *out.provisioned_throughput);
  if (input.billing_mode && out.billing_mode_summary)
    out.billing_mode_summary->last_update_to_pay_per_request_date_time.reset();
  if (input.warm_throughput) {
    out.warm_throughput = before.warm_throughput;
    out.warm_throughput->status = "UPDATING";
  }
  const auto& limits = input.on_demand_throughput;
  if (limits && (limits->max_read_request_units == -1 || limits->max_write_request_units == -1)) {
    if (!out.on_demand_throughput) out.on_demand_throughput.emplace();
    if (limits->max_read_request_units == -1) out.on_demand_throughput->max_read_request_units = -1;
    if (limits->max_write_request_units == -1)
      out.on_demand_throughput->max_write_request_units = -1;
  }
}

// The table while the update is under way, with the index that goes. `counted`: its current
// description.
api::TableDescription describe_update(const RequestContext& ctx, const Table& table,
                                      const std::optional<Index>& deleted,
                                      const api::TableDescription& counted,
                                      std::string_view status) {
  Table shown(table);
  if (deleted) shown.indexes.push_back(*deleted);
  api::TableDescription out = describe_table_as(ctx, shown, status, {});
  out.item_count = counted.item_count;
  out.table_size_bytes = counted.table_size_bytes;
  if (!out.global_secondary_indexes) return out;
  for (auto& index : *out.global_secondary_indexes) {
    if (deleted && index.index_name == deleted->name) index.index_status = "DELETING";
    if (!counted.global_secondary_indexes) continue;
    for (const auto& known : *counted.global_secondary_indexes) {
      if (known.index_name != index.index_name) continue;
      index.item_count = known.item_count;
      index.index_size_bytes = known.index_size_bytes;
    }
  }
  return out;
}

}  // namespace

// Source: DynamoDB API Reference, UpdateTable. A new index is filled before the answer, so that the
// next request finds it active; writes keep it from the moment it is part of the table.
Task<api::UpdateTableOutput> Service::update_table(Ctx ctx, api::UpdateTableInput input) {
  co_await check_update(input);
  if (input.provisioned_throughput)
    co_await check_throughput_quota(*input.provisioned_throughput, ctx->region);
  const TableRef known = co_await control_table(*ctx, input.table_name);
  const Timestamp now = ctx->now.at;
  const bool at_once = keeps_the_status(input);
  std::optional<Index> deleted;
  const TableRef table =
      co_await change_table(ctx, known, [&](Table& changed, storage::Txn& txn) -> Result<void> {
        const std::string status = changed.status(now);
        if (status == "CREATING") return fail(errors::table_being_created(changed.name));
        if (status != "ACTIVE") return fail(errors::table_being_updated(changed.name));
        for (auto& index : changed.indexes) index.transition.clear();
        VIRGA_TRY_VOID(change_capacity(input, now, changed));
        VIRGA_TRY_VOID(apply_settings(input, now, changed));
        if (const auto& stream = input.stream_specification) {
          VIRGA_TRY_VOID(stream->stream_enabled
                             ? changes_.enable_stream(txn, changed, *stream->stream_view_type, now)
                             : changes_.disable_stream(txn, changed, now));
        }
        if (options_.lifecycle_delay_ms > 0 && !at_once) {
          changed.transition = "UPDATING";
          changed.transition_until = Timestamp{now.micros + options_.lifecycle_delay_ms * 1000};
        }
        if (input.global_secondary_index_updates) {
          for (const auto& update : *input.global_secondary_index_updates) {
            if (update.create) {
              VIRGA_TRY(index, new_index(input, *update.create, changed));
              index.id = txn.new_object_id();
              writer_.stats().start_empty(index.id);
              changed.indexes.push_back(std::move(index));
              continue;
            }
            const std::string& name =
                update.update ? update.update->index_name : update.delete_->index_name;
            Index* index = find_global(changed, name);
            if (!index && changed.find_index(name)) {
              return fail(errors::validation(
                  std::string("Cannot ") + (update.update ? "update" : "delete") +
                  " an index that is not a GlobalSecondaryIndex: " + name));
            }
            if (!index) return fail(errors::resource_not_found());
            if (update.update) {
              VIRGA_TRY_VOID(change_index_capacity(*update.update, changed.on_demand, now, *index));
              index->transition = "UPDATING";
              continue;
            }
            tables_.erase_index(txn, index->id);
            writer_.stats().drop(index->id);
            deleted = *index;
            changed.indexes.erase(changed.indexes.begin() + (index - changed.indexes.data()));
            drop_unused_definitions(changed);
          }
        }
        return check_provisioned(changed);
      });
  api::DescribeTableOutput described_now = co_await described(ctx, table);
  api::UpdateTableOutput output;
  const std::string_view status = at_once ? "ACTIVE" : "UPDATING";
  output.table_description = describe_update(*ctx, *table, deleted, *described_now.table, status);
  show_earlier_capacity(input, describe_table_as(*ctx, *known, "ACTIVE", {}),
                        *output.table_description);
  if (table->is_building()) co_await build_indexes(ctx, table);
  co_return std::move(output);
}

// Fills indexes that are not complete (new ones, or those of a server that ended meanwhile).
Task<TableRef> Service::build_indexes(Ctx ctx, TableRef table) {
  const std::string prefix = items_prefix(table->id);
  BulkPace pace(shard_);
  for (const auto& index : table->indexes) {
    if (!index.building) continue;
    std::string from = prefix;
    while (!from.empty()) {
      const std::string begin = from;
      auto done = co_await shard_.transact(
          storage::TransactOptions{.generation = table->generation},
          [&](storage::Txn& txn) -> Result<std::string> {
            VIRGA_TRY(current, tables_.current(txn, table));
            const Index* now = current ? current->find_index(index.name) : nullptr;
            if (!now || now->id != index.id) return std::string();
            return writer_.backfill(txn, *current, *now, begin, kBackfillRows, ctx->now.at.micros);
          });
      ctx->depends_on(done.lsn);
      from = co_await std::move(done.result);
      co_await pace.committed(done.lsn);
    }
  }
  const TableRef built =
      co_await change_table(ctx, table, [&](Table& changed, storage::Txn&) -> Result<void> {
        for (auto& index : changed.indexes) {
          const Index* filled = table->find_index(index.name);
          if (filled && filled->id == index.id) index.building = false;
        }
        return {};
      });
  co_return built;
}

}  // namespace virga::dynamodb
