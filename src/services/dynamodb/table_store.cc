#include "services/dynamodb/table_store.h"

#include "services/dynamodb/item_key.h"
#include "storage/keys.h"

namespace virga::dynamodb {
namespace {

std::string cache_id(std::string_view account, std::string_view region, std::string_view name) {
  std::string id;
  id.reserve(account.size() + region.size() + name.size() + 2);
  id.append(account).append(1, '\0').append(region).append(1, '\0').append(name);
  return id;
}

}  // namespace

using storage::Key;
using storage::Space;

std::string TableStore::key_of(std::string_view account, std::string_view region,
                               std::string_view name) {
  return Key(Space::dynamodb).account(account).region(region).text(name).str();
}

Result<TableRef> TableStore::find(const std::string& account, const std::string& region,
                                  const std::string& name) {
  const std::string id = cache_id(account, region, name);
  const storage::Generation generation = shard_.generation();
  uint64_t epoch = 0;
  {
    const std::lock_guard lock(mutex_);
    if (generation != generation_) {  // the shard was reset
      cache_.clear();
      generation_ = generation;
      ++epoch_;
    }
    if (const auto it = cache_.find(id); it != cache_.end()) return it->second;
    epoch = epoch_;
  }
  VIRGA_TRY(bytes, shard_.get(key_of(account, region, name)));
  if (!bytes) return TableRef();
  VIRGA_TRY(table, decode_table(*bytes, account, region, generation));
  const std::lock_guard lock(mutex_);
  if (epoch == epoch_ && generation == generation_ && !changing_.contains(id)) {
    cache_[id] = table;
  } else {
    table->stale = true;
  }
  return table;
}

Result<TableRef> TableStore::read(const storage::View& view, std::string_view account,
                                  std::string_view region, std::string_view name) const {
  VIRGA_TRY(bytes, view.get(key_of(account, region, name)));
  if (!bytes) return TableRef();
  return decode_table(*bytes, account, region, shard_.generation());
}

Result<TableRef> TableStore::current(storage::Txn& txn, const TableRef& known) {
  if (!known->stale.load(std::memory_order_relaxed)) return known;
  VIRGA_TRY(table, read(txn, known->account, known->region, known->name));
  if (!table || table->id != known->id) return TableRef();
  return table;
}

void TableStore::put(storage::Txn& txn, const TableRef& previous, const Table& table) {
  txn.put(key_of(table.account, table.region, table.name), encode_table(table));
  if (previous) previous->stale.store(true, std::memory_order_relaxed);
  changing(table);
}

void TableStore::erase(storage::Txn& txn, const TableRef& table) {
  txn.erase(key_of(table->account, table->region, table->name));
  table->stale.store(true, std::memory_order_relaxed);
  changing(*table);
}

void TableStore::erase_items(storage::Txn& txn, const Table& table) {
  const std::string prefix = items_prefix(table.id);
  txn.erase_range(prefix, storage::prefix_end(prefix));
  for (const auto& index : table.indexes) erase_index(txn, index.id);
}

void TableStore::erase_index(storage::Txn& txn, uint64_t index_id) {
  const std::string prefix = index_prefix(index_id);
  txn.erase_range(prefix, storage::prefix_end(prefix));
}

Result<void> TableStore::list(const storage::View& view, std::string_view account,
                              std::string_view region, std::string_view after,
                              const std::function<bool(const TableRef&)>& visit) const {
  const std::string begin = after.empty()
                                ? Key(Space::dynamodb).account(account).region(region).str()
                                : storage::prefix_end(key_of(account, region, after));
  const std::string end = Key(Space::dynamodb).account(account).region(region).range_end();
  Result<void> decoded;
  const Result<void> scanned = view.scan(
      begin, end, storage::Direction::forward, [&](std::string_view, std::string_view value) {
        auto table = decode_table(value, account, region, shard_.generation());
        if (!table) {
          decoded = fail(std::move(table.error()));
          return false;
        }
        return visit(*table);
      });
  if (!scanned) return scanned;
  return decoded;
}

void TableStore::changing(const Table& table) {
  const std::string id = cache_id(table.account, table.region, table.name);
  const std::lock_guard lock(mutex_);
  ++epoch_;
  ++changing_[id];
  const auto it = cache_.find(id);
  if (it == cache_.end()) return;
  it->second->stale.store(true, std::memory_order_relaxed);
  cache_.erase(it);
}

void TableStore::forget(const Table& table) {
  const std::string id = cache_id(table.account, table.region, table.name);
  const std::lock_guard lock(mutex_);
  ++epoch_;
  if (const auto it = changing_.find(id); it != changing_.end() && --it->second == 0)
    changing_.erase(it);
}

}  // namespace virga::dynamodb
