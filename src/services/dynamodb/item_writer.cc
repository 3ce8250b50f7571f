#include "services/dynamodb/item_writer.h"

#include <algorithm>

#include "services/dynamodb/errors.h"
#include "services/dynamodb/expression_evaluator.h"
#include "services/dynamodb/item_key.h"
#include "services/dynamodb/item_size.h"
#include "storage/keys.h"

namespace virga::dynamodb {
namespace {

constexpr const char* kWrongType = "An operand in the update expression has an incorrect data type";

void add_units(std::vector<std::pair<std::string, int64_t>>& to, const std::string& index,
               int64_t units) {
  for (auto& [name, sum] : to) {
    if (name == index) {
      sum += units;
      return;
    }
  }
  to.emplace_back(index, units);
}

Result<Item> updated_item(const ItemWrite& write, const Table& table, ItemView base) {
  auto made = apply_update(write.actions, base);
  if (!made) {
    if (write.legacy_update && made.error() == kWrongType) {
      return fail(errors::validation("Type mismatch for attribute to update"));
    }
    return fail(errors::validation(std::move(made.error())));
  }
  VIRGA_TRY_VOID(check_index_keys(table, *made, &base));
  if (item_bytes(*made) > kItemBytesMax) {
    return fail(errors::validation("Item size to update has exceeded the maximum allowed size"));
  }
  return std::move(*made);
}

}  // namespace

void WriteUnits::add(const WriteUnits& other) {
  table += other.table;
  for (const auto& [name, units] : other.local) add_units(local, name, units);
  for (const auto& [name, units] : other.global) add_units(global, name, units);
}
int64_t WriteUnits::total() const {
  int64_t sum = table;
  for (const auto* list : {&local, &global}) {
    for (const auto& [name, units] : *list) sum += units;
  }
  return sum;
}

std::optional<ItemView> PreparedWrite::old_item() const {
  if (old_record.empty()) return std::nullopt;
  return *item_of_record(old_record);  // prepare checked it
}

std::optional<ItemView> PreparedWrite::new_item() const {
  switch (outcome) {
    case Outcome::given:
      return given;
    case Outcome::updated:
      return updated.view();
    case Outcome::unchanged:
      return old_item();
    default:
      return std::nullopt;
  }
}

Result<PreparedWrite> ItemWriter::prepare(storage::Txn& txn, const ItemWrite& write) {
  PreparedWrite out;
  VIRGA_TRY(table, tables_.current(txn, write.table));
  if (!table) return fail(errors::resource_not_found());
  out.table = table;
  VIRGA_TRY(record, txn.get(write.key));
  if (record) {
    VIRGA_TRY_VOID(item_of_record(*record));
    out.old_record = std::move(*record);
  }
  const std::optional<ItemView> old_item = out.old_item();
  if (write.condition && !matches(*write.condition, old_item.value_or(ItemView()))) {
    if (!write.item_on_failure || !old_item) return fail(errors::conditional_check_failed());
    const Item copy(*old_item);
    return fail(errors::conditional_check_failed(&copy));
  }
  switch (write.kind) {
    case ItemWrite::Kind::put:
      // The indexes may have changed since the request was checked.
      if (table != write.table) VIRGA_TRY_VOID(check_index_keys(*table, write.item, nullptr));
      out.outcome = PreparedWrite::Outcome::given;
      out.given = write.item;
      break;
    case ItemWrite::Kind::update: {
      VIRGA_TRY(made, updated_item(write, *table, old_item.value_or(write.item)));
      out.updated = std::move(made);
      out.outcome = PreparedWrite::Outcome::updated;
      break;
    }
    case ItemWrite::Kind::erase:
      break;
    case ItemWrite::Kind::check:
      out.outcome = PreparedWrite::Outcome::unchanged;
      break;
  }
  return out;
}

void ItemWriter::commit(storage::Txn& txn, const ItemWrite& write, PreparedWrite& prepared,
                        int64_t now_micros) {
  const Table& table = *prepared.table;
  const auto old_item = prepared.old_item();
  const auto new_item = prepared.new_item();
  if (write.kind == ItemWrite::Kind::check) {
    prepared.bytes = static_cast<int64_t>(old_item ? item_bytes(*old_item) : 0);
    prepared.units.table = write_units(static_cast<size_t>(prepared.bytes));
    return;
  }
  const auto old_bytes = static_cast<int64_t>(old_item ? item_bytes(*old_item) : 0);
  const auto new_bytes = static_cast<int64_t>(new_item ? item_bytes(*new_item) : 0);
  prepared.bytes = std::max(old_bytes, new_bytes);
  prepared.units.table = write_units(static_cast<size_t>(prepared.bytes));
  if (new_item) {
    txn.put(write.key, encode_record(txn.lsn(), now_micros, *new_item));
  } else if (old_item) {
    txn.erase(write.key);
    txn.allow_in_low_space();
  } else {
    return;
  }
  const int items = (new_item ? 1 : 0) - (old_item ? 1 : 0);
  stats_.change(table.id, write.key, items, new_bytes - old_bytes);
  if (!table.ttl_attribute.empty()) {
    expiries_.change(txn, table, write.key, old_item ? &*old_item : nullptr,
                     new_item ? &*new_item : nullptr);
  }
  changes_.add(txn, table, old_item ? &*old_item : nullptr, new_item ? &*new_item : nullptr,
               write.by_service, now_micros);
  for (const auto& index : table.indexes) {
    const int64_t units = update_index(txn, table, index, prepared, now_micros);
    if (units > 0)
      add_units(index.global ? prepared.units.global : prepared.units.local, index.name, units);
  }
}

Result<std::string> ItemWriter::backfill(storage::Txn& txn, const Table& table, const Index& index,
                                         const std::string& begin, size_t rows,
                                         int64_t now_micros) {
  std::vector<std::pair<std::string, Item>>
      entries;  // collected first: no write while a cursor is open
  std::string next;
  Result<void> read;
  VIRGA_TRY_VOID(txn.scan(begin, storage::prefix_end(items_prefix(table.id)),
                          storage::Direction::forward,
                          [&](std::string_view key, std::string_view record) {
                            if (rows-- == 0) {
                              next = key;
                              return false;
                            }
                            const auto item = item_of_record(record);
                            if (!item) {
                              read = fail(item.error());
                              return false;
                            }
                            if (is_in_index(index, *item)) {
                              entries.emplace_back(index_entry_key(table, index, *item),
                                                   projected(table, index, *item));
                            }
                            return true;
                          }));
  if (!read) return fail(read.error());
  for (const auto& [key, entry] : entries) {
    VIRGA_TRY(existing, txn.get(key));
    if (existing) continue;  // written since the index is there
    txn.put(key, encode_record(txn.lsn(), now_micros, entry));
    stats_.change(index.id, key, 1, static_cast<int64_t>(item_bytes(entry)));
  }
  return next;
}

Result<std::string> ItemWriter::fill_expiries(storage::Txn& txn, const Table& table,
                                              const std::string& begin) {
  constexpr size_t kRows = 1000;
  std::vector<std::pair<std::string, int64_t>>
      found;  // collected first: no write while a cursor is open
  size_t rows = 0;
  std::string next;
  Result<void> read;
  VIRGA_TRY_VOID(txn.scan(begin, storage::prefix_end(items_prefix(table.id)),
                          storage::Direction::forward,
                          [&](std::string_view key, std::string_view record) {
                            if (rows++ == kRows) {
                              next = key;
                              return false;
                            }
                            const auto item = item_of_record(record);
                            if (!item) {
                              read = fail(item.error());
                              return false;
                            }
                            const auto seconds = expiry_seconds(*item, table.ttl_attribute);
                            if (seconds) found.emplace_back(key, *seconds);
                            return true;
                          }));
  if (!read) return fail(read.error());
  for (const auto& [key, seconds] : found) expiries_.add(txn, table, key, seconds);
  return next;
}

int64_t ItemWriter::update_index(storage::Txn& txn, const Table& table, const Index& index,
                                 const PreparedWrite& prepared, int64_t now_micros) {
  const auto old_item = prepared.old_item();
  const auto new_item = prepared.new_item();
  const bool was_in = old_item && is_in_index(index, *old_item);
  const bool is_in = new_item && is_in_index(index, *new_item);
  std::string old_key, new_key;
  Item old_entry, new_entry;
  int64_t old_bytes = 0, new_bytes = 0;
  if (was_in) {
    old_key = index_entry_key(table, index, *old_item);
    old_entry = projected(table, index, *old_item);
    old_bytes = static_cast<int64_t>(item_bytes(old_entry));
  }
  if (is_in) {
    new_key = index_entry_key(table, index, *new_item);
    new_entry = projected(table, index, *new_item);
    new_bytes = static_cast<int64_t>(item_bytes(new_entry));
  }
  if (was_in && is_in && old_key == new_key) {
    if (old_entry == new_entry) return 0;
    txn.put(new_key, encode_record(txn.lsn(), now_micros, new_entry));
    stats_.change(index.id, new_key, 0, new_bytes - old_bytes);
    return write_units(static_cast<size_t>(std::max(old_bytes, new_bytes)));
  }
  int64_t units = 0;
  if (was_in) {
    txn.erase(old_key);
    stats_.change(index.id, old_key, -1, -old_bytes);
    units += write_units(static_cast<size_t>(old_bytes));
  }
  if (is_in) {
    txn.put(new_key, encode_record(txn.lsn(), now_micros, new_entry));
    stats_.change(index.id, new_key, 1, new_bytes);
    units += write_units(static_cast<size_t>(new_bytes));
  }
  return units;
}

}  // namespace virga::dynamodb
