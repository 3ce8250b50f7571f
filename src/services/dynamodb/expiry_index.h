#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "async/wait.h"
#include "services/dynamodb/table.h"
#include "storage/shard.h"

namespace virga::dynamodb {

// Which items expire when: an entry per item of a table with time to live, ordered by time, changed
// in the write's own transaction. An entry is a hint: who acts on it looks at the item again. Owner
// loop only.
//   platform | "dynamodb-ttl" | seconds (i64) | the item's key   →   account, region, table name
class ExpiryIndex {
 public:
  // `item_key` went from `before` to `after` (null: none).
  void change(storage::Txn& txn, const Table& table, const std::string& item_key,
              const ItemView* before, const ItemView* after);
  void add(storage::Txn& txn, const Table& table, const std::string& item_key, int64_t seconds);

  struct Entry {
    std::string key;  // of the entry
    std::string item_key;
    int64_t seconds = 0;
    std::string account, region, table;
  };
  // At most `count` entries that are due at `now_seconds`, earliest first; and when the next is
  // due.
  struct Due {
    std::vector<Entry> entries;
    std::optional<int64_t> next_seconds;
  };
  Result<Due> due(const storage::View& view, int64_t now_seconds, size_t count) const;

  // Set when an entry came that is earlier than what `due` told.
  async::Event& woken() { return woken_; }
  void waiting_for(int64_t seconds) { waiting_for_ = seconds; }

 private:
  async::Event woken_;
  int64_t waiting_for_ = INT64_MAX;
};

// The whole seconds at which an item expires: a number attribute of the name. Source: DynamoDB
// Developer Guide, "Using time to live (TTL) in DynamoDB".
std::optional<int64_t> expiry_seconds(ItemView item, const std::string& attribute);
// An item that expired longer ago than this is left alone. Source: the same page.
inline constexpr int64_t kExpiryPastMaxSeconds = 5LL * 365 * 86400;

}  // namespace virga::dynamodb
