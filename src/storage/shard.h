#pragma once

#include <coroutine>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

#include "async/cancel.h"
#include "async/loop.h"
#include "async/task.h"
#include "async/wait.h"
#include "async/worker.h"
#include "storage/file_system.h"
#include "storage/keys.h"
#include "storage/types.h"
#include "storage/view.h"

// One shard: a log, an ordered index, one writer. docs/ARCHITECTURE.md, "storage", has the picture;
// in short:
//
//   const auto done = co_await shard.transact(CommitClass::durable, [&](Txn& txn) -> Result<int> {
//     VIRGA_TRY(old, txn.get(key));                    // published state + batches in flight + own
//     writes if (old) return fail(errors::exists(name));      // nothing is written txn.put(key,
//     value); return 7;
//   });
//   co_await shard.wait_durable(done.lsn);             // the door does this, before it sends the
//   answer const auto value = co_await done.result;           // 7 or the error
namespace virga::storage {

// A transaction's outcome and the LSN it depends on: its own if it wrote, else the highest among
// the batches in flight whose writes (or erasures) it saw. Errors depend on what they saw as well.
template <class T>
struct Committed {
  Result<T> result;
  Lsn lsn = 0;
};

class Shard;

// A transaction while its body runs: on the owner loop, without suspension. References and cursors
// end with the body.
class Txn final : public View {
 public:
  Result<std::optional<std::string>> get(std::string_view key) const override;
  std::unique_ptr<Cursor> cursor(std::string_view begin, std::string_view end,
                                 Direction direction = Direction::forward) const override;

  void put(std::string_view key, std::string_view value);
  void erase(std::string_view key);
  // Costs later reads of the range a little until the index is compacted: for dropping whole
  // objects, not single keys.
  void erase_range(std::string_view begin, std::string_view end);

  // An opaque record kept in the log at this LSN for readers of the change history
  // (Shard::changes).
  void add_change(std::string_view record);

  // The LSN that this transaction gets if it writes anything.
  Lsn lsn() const { return lsn_; }
  Generation generation() const;
  // A number that no other call ever returned or will return, across restarts and resets.
  uint64_t new_object_id();
  // Runs on the owner loop once the transaction is published; not when the body fails.
  void on_published(async::Callback callback);
  // Deletions and clean-up go on when disk space is short; other writes are refused then.
  void allow_in_low_space() { allowed_in_low_space_ = true; }

 private:
  friend class Shard;
  Txn(Shard& shard, Lsn lsn) : shard_(shard), lsn_(lsn) {}
  std::string_view full(std::string_view key) const;

  Shard& shard_;
  Lsn lsn_;
  mutable Lsn depends_on_ = 0;
  mutable std::string scratch_;
  bool allowed_in_low_space_ = false;
};

struct ShardOptions {
  size_t write_buffer_bytes = 16 << 20;
  size_t block_cache_bytes = 32 << 20;
  uint64_t segment_bytes = 64 << 20;
  // Batches that are not yet published; transactions wait when there are more.
  size_t in_flight_bytes_max = 32 << 20;
  // Writes are refused when the disk has less.
  uint64_t reserve_bytes = 64 << 20;
  // The log is a promise: when it cannot be kept, the process ends (code 74, EX_IOERR). Tests and
  // the simulation look on instead; the shard then refuses everything.
  std::function<void(const AwsError&)> on_fatal;
  // Keeps the whole log from the opening until keep_changes_from() says what is still needed.
  bool hold_changes = false;
  PlantedFaults faults;
};

struct TransactOptions {
  CommitClass commit_class = CommitClass::durable;
  // When set: refused with GenerationGone if the shard was reset since.
  std::optional<Generation> generation;
};

// Created and closed on its owner loop. Any loop may call transact, wait_durable and snapshot.
class Shard {
 public:
  // Opens or creates the shard in `dir`; reads and replays on the calling thread. Errors:
  // FileLocked when another process has the folder, FormatTooNew, LogCorrupt, file errors.
  static Result<std::unique_ptr<Shard>> open(FileSystem& fs, std::string dir, ShardOptions options,
                                             async::Loop& owner,
                                             async::WorkerHost& workers = async::thread_workers());
  // Everything submitted is made durable first (unless the log failed). No transaction may be
  // running or waiting.
  ~Shard();
  Shard(const Shard&) = delete;
  Shard& operator=(const Shard&) = delete;

  // The published state: durable data only. Any thread; must not outlive the shard.
  std::unique_ptr<View> snapshot();
  // One key of the latest published state, cheaper than a snapshot.
  Result<std::optional<std::string>> get(std::string_view key) const;

  // TODO(perf): a read in the body that misses the block cache blocks the loop for one disk read.
  // Runs `body` (Result<T>(Txn&)) on the owner loop, hopping there and back if need be; resumes on
  // the calling loop. An error of the body means that nothing is written. Does not wait for
  // durability. Fails (in `result`) when disk space is short, when the batch is too large, or when
  // the generation is gone.
  template <class F, class R = std::invoke_result_t<F&, Txn&>>
  Task<Committed<typename R::value_type>> transact(TransactOptions options, F body);
  template <class F>
  auto transact(CommitClass commit_class, F body) {
    return transact(TransactOptions{.commit_class = commit_class}, std::move(body));
  }
  // The same on the owner loop, at once; for services whose code runs there anyway. Ignores
  // back-pressure.
  template <class F, class R = std::invoke_result_t<F&, Txn&>>
  Committed<typename R::value_type> transact_now(TransactOptions options, F body);

  // Resumes on the calling loop once `lsn` is synced and visible to snapshots.
  Task<void> wait_durable(Lsn lsn);
  Lsn published() const;
  Generation generation() const;  // published

  // One durable commit after which nothing of before is visible; the space is freed in the
  // background.
  Task<Lsn> reset();

  // Change records (Txn::add_change) from `from` on, oldest first, published ones only. `visit`
  // returns false to stop. Returns the LSN to go on from. Error LogTrimmed when they are no longer
  // kept. Blocks on files: call it on a pool.
  Result<Lsn> changes(Lsn from, FunctionRef<bool(Lsn lsn, std::string_view record)> visit) const;
  // Keeps the log from `lsn` on (for readers of changes); 0: keeps nothing beyond what replay
  // needs.
  void keep_changes_from(Lsn lsn);

  async::Loop& owner() const;

  struct Stats {
    Lsn published = 0, submitted = 0;
    uint64_t drains = 0, batches = 0, in_flight_bytes = 0, log_bytes = 0, index_memory_bytes = 0;
    bool low_space = false, failed = false;
  };
  Stats stats() const;

 private:
  friend class Txn;
  struct Core;
  struct DurableAwaiter;
  explicit Shard(std::shared_ptr<Core> core);

  // Evaluates `body` and submits what it wrote; null when it failed. Owner loop.
  Result<void> run(const TransactOptions& options, FunctionRef<bool(Txn&)> body, Lsn& depends_on);
  bool full() const;
  Task<void> wait_for_room();

  std::shared_ptr<Core> core_;  // shared with callbacks that loops may still hold
};

template <class F, class R>
Committed<typename R::value_type> Shard::transact_now(TransactOptions options, F body) {
  std::optional<R> got;
  Lsn lsn = 0;
  Result<void> submitted = run(
      options,
      [&](Txn& txn) {
        got.emplace(body(txn));
        return got->has_value();
      },
      lsn);
  if (!submitted) return {std::unexpected(std::move(submitted.error())), lsn};
  return {std::move(*got), lsn};
}

template <class F, class R>
Task<Committed<typename R::value_type>> Shard::transact(TransactOptions options, F body) {
  async::Loop* const home = async::Loop::current();
  co_await async::switch_to(owner());
  if (full()) {
    const Result<void> room = co_await as_result(wait_for_room());
    if (!room) {
      co_await async::switch_to(*home);
      co_return Committed<typename R::value_type>{std::unexpected(room.error()), 0};
    }
  }
  Committed<typename R::value_type> done = transact_now<F, R>(options, std::move(body));
  co_await async::switch_to(*home);
  co_return std::move(done);
}

}  // namespace virga::storage
