#pragma once

#include <optional>
#include <queue>
#include <unordered_map>
#include <vector>

#include "async/loop.h"

namespace virga::async {

// Timers of one loop, in order of (instant, creation). Cancelled entries leave the heap when their
// time comes or when they are the majority.
class TimerQueue {
 public:
  TimerId add(SteadyTime at, Callback callback);
  void cancel(TimerId id);
  // The earliest live timer's instant.
  std::optional<SteadyTime> next();
  // Takes the earliest timer that is due at `now`, if any.
  std::optional<Callback> take_due(SteadyTime now);
  size_t size() const { return callbacks_.size(); }

 private:
  struct Entry {
    SteadyTime at;
    uint64_t id;
    friend bool operator>(const Entry& a, const Entry& b) {
      return a.at != b.at ? a.at > b.at : a.id > b.id;
    }
  };
  void drop_cancelled_head();
  void compact();

  std::priority_queue<Entry, std::vector<Entry>, std::greater<>> heap_;
  std::unordered_map<uint64_t, Callback> callbacks_;
  uint64_t next_id_ = 1;
};

}  // namespace virga::async
