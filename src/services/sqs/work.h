#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "platform/durable_timers.h"
#include "services/sqs/errors.h"
#include "services/sqs/queue.h"

namespace virga::sqs {

// One transaction over queues while it runs.
struct Work {
  Work(storage::Txn& t, Queues& q, platform::Sequencer& s, int64_t at)
      : txn(t), queues(q), sequencer(s), now(at) {}

  storage::Txn& txn;
  Queues& queues;
  platform::Sequencer& sequencer;
  int64_t now;  // microseconds
  std::vector<QueueRef> used;

  // Null when there is none.
  Result<QueueRef> find(const QueueAddress& address) {
    VIRGA_TRY(queue, queues.find(txn, address));
    if (queue) note(queue);
    return queue;
  }
  // Errors: QueueDoesNotExist.
  Result<QueueRef> existing(const QueueAddress& address) {
    VIRGA_TRY(queue, find(address));
    if (!queue) return fail(errors::queue_does_not_exist());
    return queue;
  }
  // Before the queue's messages are looked at or changed.
  Result<Messages*> messages(Queue& queue) {
    const bool loaded =
        std::any_of(loaded_.begin(), loaded_.end(), [&](Queue* q) { return q == &queue; });
    if (!loaded) {
      VIRGA_TRY_VOID(queue.messages->ensure_loaded(txn, now));
      loaded_.push_back(&queue);
      VIRGA_TRY_VOID(
          queue.messages->expire(txn, now, queue.settings.retention_seconds * 1'000'000));
    }
    return queue.messages.get();
  }
  void note(const QueueRef& queue) {
    if (std::find(used.begin(), used.end(), queue) != used.end()) return;
    queue->changed = false;
    queue->messages->begin();
    used.push_back(queue);
  }
  void created(const QueueRef& queue) {
    note(queue);
    queue->changed = true;
  }
  void finish() {
    for (Queue* queue : loaded_) {
      if (!queue->deleted) queue->messages->finish(txn, now);
    }
  }

 private:
  std::vector<Queue*> loaded_;
};

}  // namespace virga::sqs
