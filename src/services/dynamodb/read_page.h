#pragma once

#include <optional>
#include <string>
#include <vector>

#include "async/task.h"
#include "services/dynamodb/capacity.h"
#include "services/dynamodb/expression.h"
#include "services/dynamodb/table.h"
#include "storage/shard.h"

namespace virga::dynamodb {

// What Query and Scan come down to: a range of items or index entries, read in one direction until
// a limit.
struct PageRequest {
  TableRef table;
  const Index* index = nullptr;  // null: the table's items
  std::string begin, end;        // keys
  storage::Direction direction = storage::Direction::forward;
  std::optional<int64_t> limit;  // rows looked at
  std::optional<Condition> filter;
  std::optional<ParsedProjection> projection;
  bool count_only = false;
  bool fetch_items = false;  // a local index: the attributes that it lacks are read from the table
  bool consistent = false;
};

struct Page {
  std::vector<Item> items;
  int64_t count = 0, scanned = 0;
  std::optional<Item> last_key;  // where the next page goes on
  ReadUnits units;               // half units
};

// Reads one page from the published state. Yields to others on the loop every few hundred rows.
Task<Page> read_page(storage::Shard& shard, PageRequest request);

// Which attributes a read wants, and what that means for the index: the checks of Select.
struct Selection {
  bool count_only = false;
  bool fetch_items = false;
};
enum class ReadKind { query, scan };
Result<void> check_select(ReadKind kind, const std::optional<std::string>& select,
                          bool attributes_to_get, bool projection_expression, bool index);
// A query of an index filters by what the index has. `heads`: first names of the filter's paths.
Result<void> check_filter_projected(const Table& table, const Index* index,
                                    const std::vector<std::string>& heads);
Result<Selection> resolve_select(const std::optional<std::string>& select, const Table& table,
                                 const Index* index,
                                 const std::optional<ParsedProjection>& projection);
// With --lifecycle-delay a new index is not read before it is ready.
Result<void> check_index_readable(const Table& table, const std::optional<std::string>& name,
                                  Timestamp now);
// The index of the request or null; ConsistentRead does not go with global ones.
Result<const Index*> find_read_index(const Table& table, const std::optional<std::string>& name,
                                     bool consistent);

// An ExclusiveStartKey's own values: some findings get a head before them, some do not.
Result<void> check_start_key_values(const std::optional<Item>& key);

}  // namespace virga::dynamodb
