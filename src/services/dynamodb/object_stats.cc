#include "services/dynamodb/object_stats.h"

#include "services/dynamodb/item_key.h"
#include "services/dynamodb/item_size.h"
#include "storage/keys.h"

namespace virga::dynamodb {

Result<bool> ObjectStats::count_some(uint64_t id, std::string_view prefix,
                                     const storage::View& view, size_t rows) {
  Object& object = objects_[id];
  if (object.complete) return true;
  if (object.reached.empty()) object.reached = prefix;
  Result<void> read;
  const std::string begin = object.reached;
  std::string reached = storage::prefix_end(prefix);
  const Result<void> scanned =
      view.scan(begin, storage::prefix_end(prefix), storage::Direction::forward,
                [&](std::string_view key, std::string_view value) {
                  if (rows-- == 0) {
                    reached = key;
                    return false;
                  }
                  const auto item = item_of_record(value);
                  if (!item) {
                    read = fail(item.error());
                    return false;
                  }
                  ++object.count.items;
                  object.count.bytes += static_cast<int64_t>(item_bytes(*item));
                  return true;
                });
  if (!scanned) return fail(scanned.error());
  if (!read) return fail(read.error());
  object.complete = reached == storage::prefix_end(prefix);
  object.reached = std::move(reached);
  return object.complete;
}

}  // namespace virga::dynamodb
