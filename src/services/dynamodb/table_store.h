#pragma once

#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/error.h"
#include "services/dynamodb/table.h"
#include "storage/shard.h"

namespace virga::dynamodb {

// All reading and writing of table descriptions: dynamodb | account | region | name. Descriptions
// are cached; any thread. A cached one may be a moment old, so a transaction asks `current` before
// it relies on one.
class TableStore {
 public:
  explicit TableStore(storage::Shard& shard) : shard_(shard) {}

  // The published description; null when there is no such table.
  Result<TableRef> find(const std::string& account, const std::string& region,
                        const std::string& name);
  // Inside a transaction: the description that holds now; null when the table is gone.
  Result<TableRef> current(storage::Txn& txn, const TableRef& known);
  Result<TableRef> read(const storage::View& view, std::string_view account,
                        std::string_view region, std::string_view name) const;

  // `previous` (may be null) becomes stale. Owner loop, in a transaction's body.
  void put(storage::Txn& txn, const TableRef& previous, const Table& table);
  // Drops the description and, unless `keep_description`, all items and index entries.
  void erase(storage::Txn& txn, const TableRef& table);
  void erase_items(storage::Txn& txn, const Table& table);
  void erase_index(storage::Txn& txn, uint64_t index_id);

  // Names after `after` in order; `visit` returns false to stop.
  Result<void> list(const storage::View& view, std::string_view account, std::string_view region,
                    std::string_view after,
                    const std::function<bool(const TableRef&)>& visit) const;

  // After each `put` or `erase`, when it is published or failed. The answer of a change waits for
  // this: no request that follows sees the old description.
  void forget(const Table& table);

 private:
  void changing(const Table& table);
  static std::string key_of(std::string_view account, std::string_view region,
                            std::string_view name);

  storage::Shard& shard_;
  std::mutex mutex_;
  // A description read while a change is under way, or before one that began since, counts as stale
  // and is not cached.
  uint64_t epoch_ = 0;  // counts beginnings and ends of changes
  std::unordered_map<std::string, int> changing_;
  storage::Generation generation_ = 0;
  std::unordered_map<std::string, TableRef> cache_;
};

}  // namespace virga::dynamodb
