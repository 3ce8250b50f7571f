#include "services/dynamodb/describe.h"

#include "base/hashing.h"
#include "base/strings.h"
#include "services/dynamodb/stream_store.h"
#include "services/dynamodb/table_capacity.h"

namespace virga::dynamodb {
namespace {

std::vector<api::KeySchemaElement> key_schema(const KeySchema& keys) {
  std::vector<api::KeySchemaElement> out;
  for (size_t i = 0; i < keys.size(); ++i) {
    api::KeySchemaElement element;
    element.attribute_name = keys.at(i).name;
    element.key_type = i < keys.hash.size() ? "HASH" : "RANGE";
    out.push_back(std::move(element));
  }
  return out;
}

api::Projection projection(const Index& index) {
  api::Projection out;
  out.projection_type = index.projection == Index::Projection::all         ? "ALL"
                        : index.projection == Index::Projection::keys_only ? "KEYS_ONLY"
                                                                           : "INCLUDE";
  if (!index.non_key_attributes.empty()) out.non_key_attributes = index.non_key_attributes;
  return out;
}

api::ProvisionedThroughputDescription throughput(const Throughput& t, Timestamp now) {
  api::ProvisionedThroughputDescription out;
  out.read_capacity_units = t.read_units;
  out.write_capacity_units = t.write_units;
  out.number_of_decreases_today = t.decreases_on(now);
  out.last_increase_date_time = t.last_increase;
  out.last_decrease_date_time = t.last_decrease;
  return out;
}

api::OnDemandThroughput request_limits(const RequestLimits& limits) {
  api::OnDemandThroughput out;
  if (limits.read >= 0) out.max_read_request_units = limits.read;
  if (limits.write >= 0) out.max_write_request_units = limits.write;
  return out;
}

template <class Description>
Description warm(UnitsPerSecond units, std::string_view status) {
  Description out;
  out.read_units_per_second = units.read;
  out.write_units_per_second = units.write;
  out.status = std::string(status);
  return out;
}

// The key's ARN, whatever form the request named it in; without a name the one that the account has
// for DynamoDB.
std::string kms_key_arn(const RequestContext& ctx, const Table& table) {
  if (table.kms_key.starts_with("arn:")) return table.kms_key;
  const std::string head =
      "arn:" + std::string(ctx.partition) + ":kms:" + table.region + ":" + table.account + ":";
  if (table.kms_key.starts_with("alias/") && table.kms_key != "alias/aws/dynamodb")
    return head + table.kms_key;
  if (!table.kms_key.empty() && table.kms_key != "alias/aws/dynamodb")
    return head + "key/" + table.kms_key;
  std::string id =
      to_hex(as_bytes(sha256("dynamodb key of " + table.account + " in " + table.region)))
          .substr(0, 32);
  for (const size_t dash : {8, 13, 18, 23}) id.insert(dash, "-");
  return head + "key/" + id;
}

ObjectStats::Count count_of(const ObjectCounts& counts, uint64_t id) {
  const auto it = counts.find(id);
  return it == counts.end() ? ObjectStats::Count{} : it->second;
}

void describe_index(const RequestContext& ctx, const Table& table, const Index& index,
                    std::string_view status, ObjectStats::Count count, api::TableDescription& out) {
  const std::string arn = *out.table_arn + "/index/" + index.name;
  if (!index.global) {
    auto& list = out.local_secondary_indexes ? *out.local_secondary_indexes
                                             : out.local_secondary_indexes.emplace();
    api::LocalSecondaryIndexDescription d;
    d.index_name = index.name;
    d.key_schema = key_schema(index.keys);
    d.projection = projection(index);
    d.index_size_bytes = count.bytes;
    d.item_count = count.items;
    d.index_arn = arn;
    list.push_back(std::move(d));
    return;
  }
  auto& list = out.global_secondary_indexes ? *out.global_secondary_indexes
                                            : out.global_secondary_indexes.emplace();
  api::GlobalSecondaryIndexDescription d;
  d.index_name = index.name;
  d.key_schema = key_schema(index.keys);
  d.projection = projection(index);
  d.index_status = std::string(status);
  if (status == "CREATING" && index.building) d.backfilling = false;
  d.provisioned_throughput = throughput(index.throughput, ctx.now.at);
  if (index.request_limits.given()) d.on_demand_throughput = request_limits(index.request_limits);
  d.warm_throughput = warm<api::GlobalSecondaryIndexWarmThroughputDescription>(
      warm_throughput(index.warm, table.on_demand, index.throughput), status);
  d.index_size_bytes = count.bytes;
  d.item_count = count.items;
  d.index_arn = arn;
  list.push_back(std::move(d));
}

}  // namespace

api::TableDescription describe_table_as(const RequestContext& ctx, const Table& table,
                                        std::string_view status, const ObjectCounts& counts) {
  api::TableDescription out;
  auto& definitions = out.attribute_definitions.emplace();
  for (const auto& definition : table.definitions) {
    api::AttributeDefinition d;
    d.attribute_name = definition.name;
    d.attribute_type = std::string(attribute_type_name(definition.type));
    definitions.push_back(std::move(d));
  }
  out.table_name = table.name;
  out.key_schema = key_schema(table.keys);
  out.table_status = std::string(status);
  out.creation_date_time = table.created;
  out.provisioned_throughput = throughput(table.throughput, ctx.now.at);
  if (table.request_limits.given()) out.on_demand_throughput = request_limits(table.request_limits);
  out.warm_throughput = warm<api::TableWarmThroughputDescription>(
      warm_throughput(table.warm, table.on_demand, table.throughput), status);
  const auto count = count_of(counts, table.id);
  out.table_size_bytes = count.bytes;
  out.item_count = count.items;
  out.table_arn = table.arn(ctx.partition);
  out.table_id = table.table_id;
  if (table.billing_mode_given) {
    auto& summary = out.billing_mode_summary.emplace();
    summary.billing_mode = table.on_demand ? "PAY_PER_REQUEST" : "PROVISIONED";
    if (status != "CREATING")
      summary.last_update_to_pay_per_request_date_time = table.on_demand_since;
  }
  for (const auto& index : table.indexes) {
    const std::string_view index_status = status == "CREATING" ? "CREATING"
                                          : status == "UPDATING" && !index.transition.empty()
                                              ? index.transition
                                              : std::string_view("ACTIVE");
    describe_index(ctx, table, index, index_status, count_of(counts, index.id), out);
  }
  if (!table.stream_view.empty()) {
    auto& stream = out.stream_specification.emplace();
    stream.stream_enabled = true;
    stream.stream_view_type = table.stream_view;
  }
  if (!table.stream_label.empty()) {
    out.latest_stream_label = table.stream_label;
    out.latest_stream_arn = stream_arn(table.account, table.region, table.name, table.stream_label);
  }
  out.deletion_protection_enabled = table.deletion_protection;
  if (!table.table_class.empty()) {
    auto& summary = out.table_class_summary.emplace();
    summary.table_class = table.table_class;
    summary.last_update_date_time = table.table_class_changed;
  }
  if (table.restored) {
    auto& summary = out.restore_summary.emplace();
    if (!table.restored->backup_arn.empty()) summary.source_backup_arn = table.restored->backup_arn;
    summary.source_table_arn = table.restored->table_arn;
    summary.restore_date_time = table.restored->at;
    summary.restore_in_progress = status == "CREATING";
  }
  if (!table.sse_type.empty()) {
    auto& sse = out.sse_description.emplace();
    sse.status = status == "CREATING" ? "ENABLING" : "ENABLED";
    sse.sse_type = table.sse_type;
    if (table.sse_type == "KMS") sse.kms_master_key_arn = kms_key_arn(ctx, table);
  }
  return out;
}

}  // namespace virga::dynamodb
