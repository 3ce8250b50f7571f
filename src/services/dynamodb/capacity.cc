#include "services/dynamodb/capacity.h"

#include <map>

namespace virga::dynamodb {
namespace {

bool wanted(const std::optional<std::string>& mode) {
  return mode && (*mode == "TOTAL" || *mode == "INDEXES");
}

enum class Kind { plain, transactional_read, transactional_write };

api::Capacity capacity(double units, Kind kind) {
  api::Capacity out;
  out.capacity_units = units;
  if (kind == Kind::transactional_read) out.read_capacity_units = units;
  if (kind == Kind::transactional_write) out.write_capacity_units = units;
  return out;
}

std::map<std::string, api::Capacity> by_index(
    const std::vector<std::pair<std::string, int64_t>>& units, Kind kind) {
  std::map<std::string, api::Capacity> out;
  for (const auto& [name, amount] : units)
    out.emplace(name, capacity(static_cast<double>(amount), kind));
  return out;
}

}  // namespace

Box<api::ConsumedCapacity> write_capacity(const std::optional<std::string>& mode,
                                          const Table& table, const WriteUnits& units,
                                          bool transactional) {
  Box<api::ConsumedCapacity> out;
  if (!wanted(mode)) return out;
  const Kind kind = transactional ? Kind::transactional_write : Kind::plain;
  auto& c = out.emplace();
  c.table_name = table.name;
  c.capacity_units = static_cast<double>(units.total());
  if (transactional) c.write_capacity_units = c.capacity_units;
  if (*mode != "INDEXES") return out;
  c.table = capacity(static_cast<double>(units.table), kind);
  if (!units.local.empty()) c.local_secondary_indexes = by_index(units.local, kind);
  if (!units.global.empty()) c.global_secondary_indexes = by_index(units.global, kind);
  return out;
}

Box<api::ConsumedCapacity> read_capacity(const std::optional<std::string>& mode, const Table& table,
                                         ReadUnits halves, const Index* index, bool transactional) {
  Box<api::ConsumedCapacity> out;
  if (!wanted(mode)) return out;
  const Kind kind = transactional ? Kind::transactional_read : Kind::plain;
  auto& c = out.emplace();
  c.table_name = table.name;
  c.capacity_units = static_cast<double>(halves.table + halves.index) / 2;
  if (transactional) c.read_capacity_units = c.capacity_units;
  if (*mode != "INDEXES") return out;
  c.table = capacity(static_cast<double>(halves.table) / 2, kind);
  if (index) {
    auto& indexes =
        (index->global ? c.global_secondary_indexes : c.local_secondary_indexes).emplace();
    indexes.emplace(index->name, capacity(static_cast<double>(halves.index) / 2, kind));
  }
  return out;
}

Box<api::ItemCollectionMetrics> collection_metrics(const std::optional<std::string>& mode,
                                                   const Table& table, ItemView item) {
  Box<api::ItemCollectionMetrics> out;
  if (!mode || *mode != "SIZE" || !table.has_local_indexes()) return out;
  auto& metrics = out.emplace();
  Item key;
  key.append(table.keys.hash[0].name, *item.find(table.keys.hash[0].name));
  metrics.item_collection_key = std::move(key);
  // TODO(compat): the estimate is the lowest range whatever the collection's size.
  metrics.size_estimate_range_gb = std::vector<double>{0.0, 1.0};
  return out;
}

}  // namespace virga::dynamodb
