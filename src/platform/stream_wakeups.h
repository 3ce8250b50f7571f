#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace virga::platform {

// Who wants to know that a stream has new records: event source mappings, pipes. The service that
// writes the records tells here once they are published, readers then ask it through its API:
// nothing polls. A wake-up says "look", not what came; it is never lost while one watches, and may
// come without need. Not stored: who watches looks once when it begins. Lives on the shard's owner
// loop, as long as the server.
class StreamWakeups {
 public:
  using Wake = std::function<void()>;  // on the owner loop; does not write, does not throw

  uint64_t watch(std::string stream_arn, Wake wake) {
    const uint64_t id = ++last_id_;
    watchers_.emplace(std::move(stream_arn), std::make_pair(id, std::move(wake)));
    return id;
  }
  void unwatch(uint64_t id) {
    for (auto it = watchers_.begin(); it != watchers_.end(); ++it) {
      if (it->second.first != id) continue;
      watchers_.erase(it);
      return;
    }
  }

  bool empty() const { return watchers_.empty(); }
  bool watched(std::string_view stream_arn) const {
    return watchers_.find(stream_arn) != watchers_.end();
  }
  void notify(std::string_view stream_arn) const {
    const auto [begin, end] = watchers_.equal_range(stream_arn);
    // Copied first: who is woken may watch and unwatch.
    std::vector<Wake> wakes;
    for (auto it = begin; it != end; ++it) wakes.push_back(it->second.second);
    for (const auto& wake : wakes) wake();
  }

 private:
  uint64_t last_id_ = 0;
  std::multimap<std::string, std::pair<uint64_t, Wake>, std::less<>> watchers_;
};

}  // namespace virga::platform
