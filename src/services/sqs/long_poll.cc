// Waiting for messages: pollers stand in line at their queue. A transaction that leaves a message
// to be received wakes the first; what that one's own transaction leaves wakes the next. For
// messages that are hidden there is one timer a queue.
#include <utility>

#include "services/sqs/service.h"

namespace virga::sqs {
namespace {

// A place in the line, for as long as this lives.
class Poller {
 public:
  explicit Poller(Queue& queue) : queue_(queue) { queue_.pollers.push_back(&event_); }
  ~Poller() { queue_.pollers.remove(&event_); }
  Poller(const Poller&) = delete;
  Poller& operator=(const Poller&) = delete;
  async::Event& event() { return event_; }

 private:
  Queue& queue_;
  async::Event event_;
};

}  // namespace

Task<void> Service::wait_for_message(QueueAddress address, async::SteadyTime until) {
  const QueueRef queue = queues_.in_memory(address);
  if (!queue || stopping_) co_return ok();
  Poller poller(*queue);
  arm(*queue);
  const AwsError over{
      .code = "PollOver", .http_status = 500, .message = "nothing came in time", .detail = nullptr};
  const Result<void> woken =
      co_await as_result(async::with_deadline(poller.event().wait(), until, over));
  // Woken and out of time at once: the message is for the next in line.
  if (!woken && poller.event().is_set()) wake(*queue);
  if (!woken && woken.error().code != over.code) co_return fail(woken.error());
  co_return ok();
}

void Service::wake(Queue& queue) {
  if (!queue.pollers.empty() && queue.messages->has_next(now_micros())) {
    async::Event* const first = queue.pollers.front();
    queue.pollers.pop_front();
    first->set();
  }
  arm(queue);
}

void Service::wake_all(Queue& queue) {
  const auto pollers = std::exchange(queue.pollers, {});
  for (async::Event* poller : pollers) poller->set();
}

void Service::arm(Queue& queue) {
  async::Loop& loop = shard_.owner();
  if (queue.timer != async::TimerId::none)
    loop.cancel_timer(std::exchange(queue.timer, async::TimerId::none));
  if (queue.pollers.empty() || queue.deleted || env_.cloud.frozen()) return;
  const int64_t now = now_micros();
  const auto due = queue.messages->next_due(now);
  if (!due) return;
  const auto found = queues_.in_memory(queue.address);
  if (found.get() != &queue) return;
  // A microsecond later, so that the message is visible when the timer fires.
  const int64_t wait = *due > now ? *due - now + 1 : 0;
  queue.timer = loop.add_timer(loop.now().plus_micros(wait),
                               [this, life = std::weak_ptr(life_), weak = std::weak_ptr(found)] {
                                 const auto alive = life.lock();
                                 const auto queue = weak.lock();
                                 if (!alive || !queue) return;
                                 queue->timer = async::TimerId::none;
                                 wake(*queue);
                               });
}

void Service::clock_changed() {
  const auto loaded = queues_.loaded();
  for (const auto& [key, queue] : loaded) {
    if (!queue->pollers.empty()) wake(*queue);
  }
}

}  // namespace virga::sqs
