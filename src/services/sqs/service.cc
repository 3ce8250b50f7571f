#include "services/sqs/service.h"

#include <utility>

namespace virga::sqs {

Service::Service(storage::Shard& shard, async::Env& env, ServiceOptions options)
    : shard_(shard),
      env_(env),
      options_(options),
      generation_(shard.generation()),
      life_(std::make_shared<Life>(Life{this})) {
  env_.cloud.on_change([life = std::weak_ptr(life_), owner = &shard_.owner()] {
    if (life.expired()) return;
    owner->post([life] {
      if (const auto alive = life.lock()) alive->service->clock_changed();
    });
  });
}

Service::~Service() {
  for (const auto& [key, queue] : queues_.loaded()) {
    if (queue->timer != async::TimerId::none) shard_.owner().cancel_timer(queue->timer);
  }
}

Task<void> Service::stop() {
  stopping_ = true;
  const auto loaded = queues_.loaded();
  for (const auto& [key, queue] : loaded) wake_all(*queue);
  co_await scope_.stop();
  co_return ok();
}

Work Service::begin(storage::Txn& txn) {
  if (txn.generation() != generation_) {  // the store was reset
    generation_ = txn.generation();
    queues_.forget_all();
  }
  return Work{txn, queues_, sequencer_, now_micros()};
}

void Service::ended(const std::vector<QueueRef>& used, bool good, storage::Lsn lsn) {
  for (const QueueRef& queue : used) {
    if (queue->deleted) {
      wake_all(*queue);
    } else if (!good && (queue->changed || queue->messages->touched())) {
      // Memory is ahead of the store: it is read again by whoever comes next.
      queues_.forget(queue);
      wake_all(*queue);
    } else if (queue->messages->touched()) {
      queue->changed_at = lsn;
      if (!queue->pollers.empty()) wake(*queue);
    }
  }
}

}  // namespace virga::sqs
