#include "platform/durable_queue.h"

#include <algorithm>

#include "base/check.h"
#include "base/log.h"

namespace virga::platform {

using storage::Direction;
using storage::Key;
using storage::KeyReader;
using storage::Space;
using storage::Txn;

namespace {

// The mark is written with one removal in so many: after a restart at most these are skipped over
// once.
constexpr uint64_t kMarkEvery = 128;
constexpr uint8_t kValueVersion = 1;

// queue | name | 1 | sequence → version, attempts, enqueued, body;  queue | name | 0 → the mark
Key mark_key(std::string_view name) {
  return Key(Space::queue).text(name).u8(0);
}
Key messages(std::string_view name) {
  return Key(Space::queue).text(name).u8(1);
}
Key message_key(std::string_view name, uint64_t sequence) {
  return messages(name).u64(sequence);
}

std::string encode(uint32_t attempts, async::CloudTime enqueued, std::string_view body) {
  return Key(Space{kValueVersion}).u32(attempts).i64(enqueued.at.micros).raw(body).take();
}

std::optional<QueueMessage> decode(std::string_view value) {
  KeyReader reader(value);
  QueueMessage message;
  if (reader.u8() != kValueVersion) return std::nullopt;
  message.attempts = reader.u32();
  message.enqueued = {{reader.i64()}};
  message.body = std::string(reader.rest());
  return reader.ok() ? std::optional(std::move(message)) : std::nullopt;
}

}  // namespace

struct DurableQueue::Life {
  DurableQueue* queue;
};

DurableQueue::DurableQueue(storage::Shard& shard, DurableTimers& timers, async::Env& env,
                           Options options, Handler handler)
    : shard_(shard),
      timers_(timers),
      env_(env),
      options_(std::move(options)),
      handler_(std::move(handler)),
      life_(std::make_shared<Life>(this)) {
  // A postponed message comes back: its timer's payload is the message as it stood in the queue.
  timers_.on(timer_kind(), [this](Txn& txn, std::string_view payload) -> Result<void> {
    const auto message = decode(payload);
    if (!message) return fail("QueueMessageUnreadable", 500, "a postponed message cannot be read");
    put(txn, message->attempts, message->enqueued, message->body);
    return {};
  });
}

DurableQueue::~DurableQueue() {
  CHECK(!started_);
}

Result<void> DurableQueue::start() {
  started_ = true;
  return start_over();
}

Task<void> DurableQueue::stop() {
  started_ = false;
  life_ = std::make_shared<Life>(this);
  head_.clear();
  co_await scope_.stop();
  co_return ok();
}

void DurableQueue::enqueue(Txn& txn, std::string_view body) {
  put(txn, 0, env_.cloud.now(), body);
}

void DurableQueue::enqueue_at(Txn& txn, async::CloudTime due, std::string_view body) {
  timers_.set(txn, due, timer_kind(), encode(0, env_.cloud.now(), body));
}

void DurableQueue::put(Txn& txn, uint32_t attempts, async::CloudTime enqueued,
                       std::string_view body) {
  QueueMessage message{sequencer_.next(txn), attempts, enqueued, std::string(body)};
  txn.put(message_key(options_.name, message.sequence), encode(attempts, enqueued, body));
  txn.on_published([life = std::weak_ptr(life_), generation = txn.generation(),
                    message = std::move(message)]() mutable {
    if (const auto alive = life.lock()) alive->queue->arrived(generation, std::move(message));
  });
}

// In order of commit. What finds no room in memory stays on disk until the head is empty.
void DurableQueue::arrived(storage::Generation generation, QueueMessage message) {
  if (!started_) return;
  if (generation != generation_) {
    if (generation < generation_) return;
    if (const auto over = start_over(); !over)
      LOG_WARN("queue_unreadable", kv("message", over.error().message));
  }
  if (message.sequence >= next_scan_) {
    if (more_on_disk_ || head_.size() >= options_.head_max) {
      more_on_disk_ = true;
    } else {
      next_scan_ = message.sequence + 1;
      head_.push_back(std::move(message));
    }
  }
  dispatch();
}

// The store was opened or reset: what was in memory belongs to the past.
Result<void> DurableQueue::start_over() {
  generation_ = shard_.generation();
  head_.clear();
  unmarked_ = 0;
  VIRGA_TRY(mark, shard_.get(mark_key(options_.name)));
  next_scan_ = mark ? KeyReader(*mark).u64() : 0;
  more_on_disk_ = true;
  dispatch();
  return {};
}

Result<void> DurableQueue::refill() {
  more_on_disk_ = false;
  const auto view = shard_.snapshot();
  return view->scan(message_key(options_.name, next_scan_), messages(options_.name).range_end(),
                    Direction::forward, [&](std::string_view key, std::string_view value) {
                      if (head_.size() >= options_.head_max) {
                        more_on_disk_ = true;
                        return false;
                      }
                      const uint64_t sequence = KeyReader(key.substr(key.size() - 8)).u64();
                      next_scan_ = sequence + 1;
                      auto message = decode(value);
                      if (!message) {
                        LOG_ERROR("queue_message_unreadable", kv("queue", options_.name),
                                  kv("sequence", sequence));
                        return true;
                      }
                      message->sequence = sequence;
                      head_.push_back(std::move(*message));
                      return true;
                    });
}

void DurableQueue::dispatch() {
  if (started_ && shard_.generation() != generation_) {
    if (const auto over = start_over(); !over)
      LOG_WARN("queue_unreadable", kv("message", over.error().message));
    return;
  }
  while (started_ && under_way_.size() < options_.concurrency) {
    if (head_.empty()) {
      if (!more_on_disk_) return;
      if (const auto filled = refill(); !filled) {
        LOG_WARN("queue_unreadable", kv("queue", options_.name),
                 kv("message", filled.error().message));
        return;
      }
      if (head_.empty()) return;
    }
    QueueMessage message = std::move(head_.front());
    head_.pop_front();
    under_way_.insert(message.sequence);
    scope_.spawn("durable_queue", deliver(std::move(message), generation_));
  }
}

Task<void> DurableQueue::deliver(QueueMessage message, storage::Generation generation) {
  co_await async::yield();  // a handler that never suspends must not nest
  ++delivered_;
  Result<Delivery> got = co_await as_result(handler_(message));
  if (!started_) co_return ok();  // stopped: it is still in the queue
  Delivery delivery;
  if (got) {
    delivery = std::move(*got);
  } else {
    LOG_WARN("delivery_failed", kv("queue", options_.name), kv("message", got.error().message));
    delivery = Delivery::retry_after(options_.retry_after_error_ms);
  }
  auto done = shard_.transact_now({.generation = generation},
                                  [&](Txn& txn) { return finish(txn, message, delivery); });
  if (!done.result && done.result.error().code != "GenerationGone") {
    // `also` refused: the outcome cannot be recorded, so the work counts as not done.
    LOG_WARN("delivery_not_recorded", kv("queue", options_.name),
             kv("message", done.result.error().message));
    const Delivery later = Delivery::retry_after(options_.retry_after_error_ms);
    const auto postponed = shard_.transact_now(
        {.generation = generation}, [&](Txn& txn) { return finish(txn, message, later); });
    ignore(postponed, "then it stays, and comes again after a restart");
  }
  under_way_.erase(message.sequence);
  dispatch();
  co_return ok();
}

Result<void> DurableQueue::finish(Txn& txn, const QueueMessage& message, const Delivery& delivery) {
  if (delivery.also) VIRGA_TRY_VOID(delivery.also(txn));
  txn.erase(message_key(options_.name, message.sequence));
  if (delivery.kind == Delivery::Kind::retry) {
    timers_.set(txn, env_.cloud.now().plus_millis(delivery.retry_after_ms), timer_kind(),
                encode(message.attempts + 1, message.enqueued, message.body));
  }
  if (++unmarked_ >= kMarkEvery) {
    unmarked_ = 0;
    txn.put(mark_key(options_.name), Key(Space{0}).u64(low_water()).str().substr(1));
  }
  return {};
}

uint64_t DurableQueue::low_water() const {
  uint64_t least = next_scan_;
  if (!head_.empty()) least = std::min(least, head_.front().sequence);
  if (!under_way_.empty()) least = std::min(least, *under_way_.begin());
  return least;
}

}  // namespace virga::platform
