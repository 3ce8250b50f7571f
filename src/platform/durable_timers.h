#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "async/clock.h"
#include "async/wait.h"
#include "storage/shard.h"

namespace virga::platform {

// A number for each thing that one transaction makes, rising from transaction to transaction: the
// commit's LSN, then a count. Owner loop.
class Sequencer {
 public:
  uint64_t next(const storage::Txn& txn);

 private:
  storage::Lsn lsn_ = 0;
  uint64_t count_ = 0;
};

// Appointments that survive the process: set in a transaction, fired in a transaction. The handler
// runs inside the transaction that removes its timer, so what it writes happens exactly once,
// however often the process dies. Times are the cloud clock's: whoever freezes or steps it moves
// these. Nothing polls: the earliest due time is one timer of the loop. Lives on the shard's owner
// loop.
class DurableTimers {
 public:
  struct Ref {
    int64_t due_micros = 0;
    uint64_t sequence = 0;
    friend bool operator==(const Ref&, const Ref&) = default;
  };
  // An error leaves the timer set; it is tried again after kRetryDelayMs.
  using Handler = std::function<Result<void>(storage::Txn&, std::string_view payload)>;
  static constexpr int64_t kRetryDelayMs = 5'000;

  DurableTimers(storage::Shard& shard, async::Env& env);
  ~DurableTimers();

  // What to do with timers of a kind; before start(). Kinds are on disk: never renamed.
  void on(std::string kind, Handler handler);
  void start();
  Task<void> stop();

  // Fires at `due` or as soon after as possible, once the transaction is published.
  Ref set(storage::Txn& txn, async::CloudTime due, std::string_view kind, std::string_view payload);
  // No effect when it has fired.
  void cancel(storage::Txn& txn, const Ref& ref);

  uint64_t fired() const { return fired_; }

 private:
  struct Life;  // outlives this object where the clock still refers to it
  struct Due {
    std::string key, kind, payload;
  };

  Result<void> read_mark();
  void arm(int64_t due_micros);
  void check_now();
  Task<void> fire_due();
  Task<void> fire_all();
  Result<std::vector<Due>> collect(int64_t now, int64_t& next_due) const;
  storage::Lsn fire(const Due& due);

  storage::Shard& shard_;
  async::Env& env_;
  std::map<std::string, Handler, std::less<>> handlers_;
  std::shared_ptr<Life> life_;
  async::TaskScope scope_;
  Sequencer sequencer_;
  std::string mark_;  // the least key that may still be set; persisted with each firing
  storage::Generation generation_ = 0;  // that mark_ belongs to
  bool started_ = false, firing_ = false, again_ = false;
  int64_t armed_for_ = INT64_MAX;
  async::TimerId timer_ = async::TimerId::none;
  uint64_t fired_ = 0;
};

}  // namespace virga::platform
