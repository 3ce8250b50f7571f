#pragma once

#include <atomic>
#include <deque>
#include <mutex>
#include <vector>

#include "storage/index.h"
#include "storage/overlay.h"
#include "storage/shard.h"
#include "storage/shard_log.h"

// The inside of a shard. Included by shard*.cc only.
namespace virga::storage {

// Joined batches wait at most this long for a drain of others.
inline constexpr int64_t kJoinedDelayMs = 20;
// A published drain of at most so many bytes may lie about until the next transaction.
inline constexpr size_t kQuietDrainBytes = 64 << 10;

inline constexpr std::string_view kGenerationKey("\0\0\0\0generation", 14);
inline constexpr std::string_view kObjectIdKey("\0\0\0\0object_id", 13);

std::string generation_prefix(Generation generation);

struct Shard::DurableAwaiter final : async::CancelNode {
  Core& core;
  const Lsn lsn;
  std::coroutine_handle<> handle;
  async::Loop* loop = nullptr;
  async::CancelSource* source = nullptr;
  bool was_cancelled = false;

  DurableAwaiter(Core& c, Lsn wanted) : core(c), lsn(wanted) {}
  bool await_ready() const;
  template <class Promise>
  bool await_suspend(std::coroutine_handle<Promise> h) {
    return start(h, h.promise().cancel);
  }
  Result<void> await_resume() const;
  void on_cancel() override;

 private:
  bool start(std::coroutine_handle<> h, async::CancelSource* cancel);
};

// Three parties: the owner loop (evaluates, stages, submits), the worker (writes, syncs, applies,
// publishes), anyone (reads, waits). Each group of members says whose it is.
struct Shard::Core : std::enable_shared_from_this<Core> {
  // Constant after open.
  ShardOptions options;
  FileSystem* fs = nullptr;
  std::string dir;
  async::Loop* owner = nullptr;
  bool job_host = false;
  std::unique_ptr<FileLock> lock;
  std::unique_ptr<ShardLog> log;
  std::unique_ptr<Index> index;
  std::unique_ptr<async::Worker> worker;

  // Owner loop.
  Overlay overlay;
  std::deque<std::unique_ptr<InFlightBatch>> in_flight;  // submitted, not retired; by LSN
  std::vector<std::unique_ptr<InFlightBatch>> spare_batches;
  std::unique_ptr<InFlightBatch> current;  // of the running transaction
  Lsn next_lsn = 1;
  Generation generation = 1;
  uint64_t last_object_id = 0;
  size_t in_flight_bytes = 0;
  async::Event room;
  async::TimerId joined_timer = async::TimerId::none;
  size_t unkicked = 0;  // durable batches of this turn that the worker does not know of
  bool kick_posted = false;
  bool closed = false;

  // Worker.
  enum class Phase { idle, written, synced } phase = Phase::idle;
  std::vector<InFlightBatch*> drain;
  std::vector<LogRecord> records;
  std::vector<std::string_view> payloads;
  Lsn trimmed_to = 0;
  Lsn flush_asked_at = 0;

  // Shared.
  std::mutex mutex;
  std::vector<InFlightBatch*> queue;     // under mutex: submitted, not yet taken
  std::vector<DurableAwaiter*> waiters;  // under mutex
  std::optional<AwsError> failure;       // under mutex
  std::atomic<bool> failed{false};
  std::atomic<Lsn> published{0};
  std::atomic<Lsn> submitted{0};
  std::atomic<Lsn> hurried{0};  // batches up to this one wait for no company
  std::atomic<Lsn> flushed{0};  // the index holds this in files
  std::atomic<Lsn> keep_from{0};
  std::atomic<Generation> published_generation{1};
  std::atomic<Generation> discard_below{0};
  std::atomic<uint64_t> drains{0};
  std::atomic<bool> low_space{false};

  Result<void> open(ShardOptions wanted, async::WorkerHost& workers);
  Result<void> replay();

  // Owner loop.
  std::unique_ptr<InFlightBatch> take_batch();
  void recycle(std::unique_ptr<InFlightBatch> batch);
  void submit(std::unique_ptr<InFlightBatch> batch);
  void retire(Lsn up_to);
  void retire_quiet();
  std::vector<async::Callback> retire_front();
  bool refuses_for_space();
  void hurry(Lsn lsn);
  void kick_soon();
  AwsError failure_error();

  // Worker.
  bool step();
  bool take_queue();
  bool is_quiet_drain() const;
  Result<void> apply_drain();
  void publish(Lsn lsn, Generation generation);
  void watch_space();
  void keep_house();
  void fail_for_good(const AwsError& error);
  void wake(std::vector<DurableAwaiter*> woken);
};

}  // namespace virga::storage
