#include "async/timer_queue.h"

namespace virga::async {

TimerId TimerQueue::add(SteadyTime at, Callback callback) {
  const uint64_t id = next_id_++;
  callbacks_.emplace(id, std::move(callback));
  heap_.push({at, id});
  return TimerId{id};
}

void TimerQueue::cancel(TimerId id) {
  callbacks_.erase(static_cast<uint64_t>(id));
  // Deadlines are mostly cancelled long before they are due: without this the heap would hold every
  // one of them.
  if (heap_.size() > 64 && heap_.size() > callbacks_.size() * 2) compact();
}

void TimerQueue::compact() {
  std::vector<Entry> live;
  live.reserve(callbacks_.size());
  while (!heap_.empty()) {
    if (callbacks_.contains(heap_.top().id)) live.push_back(heap_.top());
    heap_.pop();
  }
  heap_ = decltype(heap_)(std::greater<>(), std::move(live));
}

void TimerQueue::drop_cancelled_head() {
  while (!heap_.empty() && !callbacks_.contains(heap_.top().id)) heap_.pop();
}

std::optional<SteadyTime> TimerQueue::next() {
  drop_cancelled_head();
  if (heap_.empty()) return std::nullopt;
  return heap_.top().at;
}

std::optional<Callback> TimerQueue::take_due(SteadyTime now) {
  drop_cancelled_head();
  if (heap_.empty() || heap_.top().at > now) return std::nullopt;
  const auto found = callbacks_.find(heap_.top().id);
  Callback callback = std::move(found->second);
  callbacks_.erase(found);
  heap_.pop();
  return callback;
}

}  // namespace virga::async
