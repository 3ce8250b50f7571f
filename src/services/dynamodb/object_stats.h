#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/error.h"
#include "storage/shard.h"

namespace virga::dynamodb {

// How many items a table or an index holds, and their bytes, kept current by each write. Not
// stored: after a start an object is counted when someone first asks, in steps between which writes
// go on. A write counts if it lies before the place that the count has reached; what lies behind it
// the count will meet. Owner loop only.
class ObjectStats {
 public:
  struct Count {
    int64_t items = 0, bytes = 0;
  };
  // A new object: empty, and counted from now on.
  void start_empty(uint64_t id) { objects_[id] = {.count = {}, .complete = true, .reached = {}}; }
  void drop(uint64_t id) { objects_.erase(id); }

  void change(uint64_t id, std::string_view key, int64_t items, int64_t bytes) {
    const auto it = objects_.find(id);
    if (it == objects_.end()) return;
    Object& object = it->second;
    if (!object.complete && key >= object.reached) return;
    object.count.items += items;
    object.count.bytes += bytes;
  }

  std::optional<Count> find(uint64_t id) const {
    const auto it = objects_.find(id);
    if (it == objects_.end() || !it->second.complete) return std::nullopt;
    return it->second.count;
  }
  // Counts at most `rows` further rows under the object's key prefix. True when the count is
  // complete.
  Result<bool> count_some(uint64_t id, std::string_view prefix, const storage::View& view,
                          size_t rows);

 private:
  struct Object {
    Count count;
    bool complete = false;
    std::string reached;  // all keys before it are counted
  };
  std::unordered_map<uint64_t, Object> objects_;
};

}  // namespace virga::dynamodb
