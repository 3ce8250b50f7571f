#include "services/dynamodb/describe.h"

#include "services/dynamodb/stream_store.h"

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

api::ProvisionedThroughputDescription throughput(const Throughput& t) {
  api::ProvisionedThroughputDescription out;
  out.read_capacity_units = t.read_units;
  out.write_capacity_units = t.write_units;
  out.number_of_decreases_today = t.decreases_today;
  out.last_increase_date_time = t.last_increase;
  out.last_decrease_date_time = t.last_decrease;
  return out;
}

ObjectStats::Count count_of(const ObjectCounts& counts, uint64_t id) {
  const auto it = counts.find(id);
  return it == counts.end() ? ObjectStats::Count{} : it->second;
}

void describe_index(const Index& index, const std::string& table_arn, std::string_view status, ObjectStats::Count count,
                    api::TableDescription& out) {
  const std::string arn = table_arn + "/index/" + index.name;
  if (!index.global) {
    auto& list = out.local_secondary_indexes ? *out.local_secondary_indexes : out.local_secondary_indexes.emplace();
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
  auto& list = out.global_secondary_indexes ? *out.global_secondary_indexes : out.global_secondary_indexes.emplace();
  api::GlobalSecondaryIndexDescription d;
  d.index_name = index.name;
  d.key_schema = key_schema(index.keys);
  d.projection = projection(index);
  d.index_status = std::string(status);
  d.provisioned_throughput = throughput(index.throughput);
  d.index_size_bytes = count.bytes;
  d.item_count = count.items;
  d.index_arn = arn;
  list.push_back(std::move(d));
}

}  // namespace

api::TableDescription describe_table_as(const RequestContext& ctx, const Table& table, std::string_view status,
                                        const ObjectCounts& counts) {
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
  out.provisioned_throughput = throughput(table.throughput);
  const auto count = count_of(counts, table.id);
  out.table_size_bytes = count.bytes;
  out.item_count = count.items;
  out.table_arn = table.arn(ctx.partition);
  out.table_id = table.table_id;
  if (table.billing_mode_given) {
    auto& summary = out.billing_mode_summary.emplace();
    summary.billing_mode = table.on_demand ? "PAY_PER_REQUEST" : "PROVISIONED";
    if (table.on_demand && status != "CREATING") summary.last_update_to_pay_per_request_date_time = table.on_demand_since;
  }
  const std::string_view index_status = status == "CREATING" ? "CREATING" : "ACTIVE";
  for (const auto& index : table.indexes) {
    describe_index(index, *out.table_arn, index_status, count_of(counts, index.id), out);
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
  if (!table.sse_type.empty()) {
    auto& sse = out.sse_description.emplace();
    sse.status = status == "CREATING" ? "ENABLING" : "ENABLED";
    sse.sse_type = table.sse_type;
    if (!table.kms_key.empty()) sse.kms_master_key_arn = table.kms_key;
  }
  return out;
}

}  // namespace virga::dynamodb
