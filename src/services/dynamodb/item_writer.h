#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "aws/attribute_value.h"
#include "services/dynamodb/change_feed.h"
#include "services/dynamodb/expiry_index.h"
#include "services/dynamodb/expression.h"
#include "services/dynamodb/object_stats.h"
#include "services/dynamodb/table.h"
#include "services/dynamodb/table_store.h"
#include "storage/shard.h"

namespace virga::dynamodb {

// One write of one item, checked as far as that goes without the stored item. Views are into the
// request.
struct ItemWrite {
  enum class Kind { put, update, erase, check };
  Kind kind = Kind::put;
  TableRef table;
  std::string key;  // item_key
  ItemView item;    // put: the whole item; else its key
  std::optional<Condition> condition;
  std::vector<UpdateAction> actions;
  bool legacy_update = false;    // other words for a type mismatch
  bool item_on_failure = false;  // ReturnValuesOnConditionCheckFailure
  bool by_service = false;       // an expiry: its change record says so
};

// Write capacity of one write, by whom it is consumed.
struct WriteUnits {
  int64_t table = 0;
  std::vector<std::pair<std::string, int64_t>> local, global;  // by index name
  void add(const WriteUnits& other);
  int64_t total() const;
};

// A write whose condition held: what was there, what will be. Moves freely; its views end with it,
// and a put's new item with the request.
struct PreparedWrite {
  enum class Outcome { nothing, given, updated, unchanged };
  TableRef table;
  std::string old_record;  // empty: there was no item
  Outcome outcome = Outcome::nothing;
  ItemView given;
  Item updated;
  WriteUnits units;  // set by commit
  int64_t bytes =
      0;  // what they are charged for: the larger of the old and the new item; set by commit

  std::optional<ItemView> old_item() const;
  std::optional<ItemView> new_item() const;
};

// What happens inside a write's transaction: the item, its index entries, its change record, the
// counts. Owner loop.
class ItemWriter {
 public:
  ItemWriter(TableStore& tables, ChangeFeed& changes) : tables_(tables), changes_(changes) {}

  // Reads the item, evaluates condition and update. Errors: ConditionalCheckFailedException,
  // ValidationException, ResourceNotFoundException when the table went meanwhile.
  Result<PreparedWrite> prepare(storage::Txn& txn, const ItemWrite& write);
  // Writes what was prepared. Prepared writes of one transaction concern different items.
  void commit(storage::Txn& txn, const ItemWrite& write, PreparedWrite& prepared,
              int64_t now_micros);
  Result<PreparedWrite> write(storage::Txn& txn, const ItemWrite& write, int64_t now_micros) {
    VIRGA_TRY(prepared, prepare(txn, write));
    commit(txn, write, prepared, now_micros);
    return std::move(prepared);
  }

  // Gives at most `rows` items from the key `begin` on their entries in an index. Returns where to
  // go on; empty: done.
  Result<std::string> backfill(storage::Txn& txn, const Table& table, const Index& index,
                               const std::string& begin, size_t rows, int64_t now_micros);

  // The same for a table's expiries.
  Result<std::string> fill_expiries(storage::Txn& txn, const Table& table,
                                    const std::string& begin);

  ObjectStats& stats() { return stats_; }
  ExpiryIndex& expiries() { return expiries_; }

 private:
  int64_t update_index(storage::Txn& txn, const Table& table, const Index& index,
                       const PreparedWrite& prepared, int64_t now_micros);

  TableStore& tables_;
  ChangeFeed& changes_;
  ObjectStats stats_;
  ExpiryIndex expiries_;
};

}  // namespace virga::dynamodb
