#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "async/wait.h"
#include "platform/durable_timers.h"
#include "storage/shard.h"

namespace virga::platform {

struct QueueMessage {
  uint64_t sequence = 0;
  uint32_t attempts = 0;      // deliveries before this one
  async::CloudTime enqueued;  // first time, through all retries
  std::string body;
};

// What became of a delivery. `also` joins the transaction that removes (or postpones) the message:
// the state that the work led to, the next step's message, a usage record.
struct Delivery {
  enum class Kind { done, retry } kind = Kind::done;
  int64_t retry_after_ms = 0;
  std::function<Result<void>(storage::Txn&)> also;

  static Delivery done_with(std::function<Result<void>(storage::Txn&)> also = {}) {
    return {Kind::done, 0, std::move(also)};
  }
  static Delivery retry_after(int64_t ms) { return {Kind::retry, ms, {}}; }
};

// Work that survives the process, the outbox of every service: enqueued in the transaction that
// makes it necessary, handed to a consumer as soon as that is published, removed in the transaction
// that records its outcome. At least once, in order of commit but with several deliveries at a
// time. Retries wait on durable timers. The head is in memory, the rest on disk; a persisted
// low-water mark keeps scans off the remains of consumed messages. Lives on the shard's owner loop.
class DurableQueue {
 public:
  struct Options {
    std::string name;         // on disk: never changed
    size_t concurrency = 64;  // deliveries at a time
    size_t head_max = 512;    // messages kept in memory
    // A handler's error counts as a retry after this long.
    int64_t retry_after_error_ms = 1000;
  };
  using Handler = std::function<Task<Delivery>(QueueMessage)>;

  // Before timers.start(): it registers a kind of timer. The handler is called on the owner loop.
  DurableQueue(storage::Shard& shard, DurableTimers& timers, async::Env& env, Options options,
               Handler handler);
  ~DurableQueue();

  Result<void> start();
  Task<void> stop();  // waits for deliveries under way; their waits are cancelled

  // Part of the caller's transaction.
  void enqueue(storage::Txn& txn, std::string_view body);
  void enqueue_at(storage::Txn& txn, async::CloudTime due, std::string_view body);

  size_t in_memory() const { return head_.size(); }
  size_t under_way() const { return under_way_.size(); }
  uint64_t delivered() const { return delivered_; }

 private:
  struct Life;

  void put(storage::Txn& txn, uint32_t attempts, async::CloudTime enqueued, std::string_view body);
  void arrived(storage::Generation generation, QueueMessage message);
  Result<void> refill();
  Result<void> start_over();
  void dispatch();
  Task<void> deliver(QueueMessage message, storage::Generation generation);
  Result<void> finish(storage::Txn& txn, const QueueMessage& message, const Delivery& delivery);
  uint64_t low_water() const;
  std::string timer_kind() const { return "queue:" + options_.name; }

  storage::Shard& shard_;
  DurableTimers& timers_;
  async::Env& env_;
  Options options_;
  Handler handler_;
  std::shared_ptr<Life> life_;
  async::TaskScope scope_;
  Sequencer sequencer_;
  bool started_ = false;
  storage::Generation generation_ = 0;
  std::deque<QueueMessage> head_;
  std::set<uint64_t> under_way_;
  uint64_t next_scan_ = 0;     // messages below are in head_, under way or gone
  bool more_on_disk_ = false;  // at or above next_scan_
  uint64_t unmarked_ = 0;      // removals since the mark was written
  uint64_t delivered_ = 0;
};

}  // namespace virga::platform
