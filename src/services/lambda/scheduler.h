#pragma once

#include <cstdint>
#include <deque>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "async/loop.h"
#include "async/wait.h"
#include "services/lambda/compute.h"

namespace virga::lambda {

// A function version as the scheduler knows it. `generation` grows with every change of code or
// configuration, so that sandboxes of an older one are never used for newer requests.
struct RunnableVersion {
  uint64_t function_id = 0;  // never reused: a function deleted and made again is another one
  std::string version;       // "$LATEST", "7"
  uint64_t generation = 0;
  std::shared_ptr<const SandboxSpec> spec;
};

struct ConcurrencyLimits {
  int account = 1000;           // of all functions of the account in the region
  int account_reserved = 0;     // how much of it is reserved for single functions
  std::optional<int> reserved;  // this function's share, if it has one
};

// What came of one request.
struct Execution {
  Outcome outcome;
  std::vector<LogLine>
      log;  // written since the sandbox's previous execution, initialisation included
  std::string log_stream;
  Timestamp started,
      ended;  // wall clock; lines before `started` are of the initialisation or of before
  std::optional<int64_t> init_micros;  // set on the sandbox's first execution
};

// Puts requests and sandboxes together, by event: an idle sandbox takes the request; else one is
// started, and whichever becomes free first takes the request that waits longest. Idle ones are a
// stack, so that the surplus ages and goes; a function that is not called has no process. Owned by
// the service; lives on one loop, all calls there.
//
// Invariants: a sandbox serves one (function, version, generation) for life and one request at a
// time; starts in flight of a pool never exceed its waiting requests; sandboxes alive never exceed
// Options::sandboxes_max.
class Scheduler {
 public:
  struct Options {
    int sandboxes_max = 1000;
    int64_t idle_ms = 5 * 60'000;  // an idle sandbox ends after this
    int64_t age_max_ms =
        6 *
        3600'000;  // then a new one takes its place: its credentials last no longer than 12 hours
    int64_t queue_wait_ms = 5 * 60'000;  // a request that no sandbox could be started for gives up
  };
  struct Counts {
    int idle = 0;
    int busy = 0;
    int starting = 0;
    int waiting = 0;
  };

  Scheduler(async::Loop& loop, Compute& compute, Options options);
  ~Scheduler();

  // TooManyRequestsException when the limits are used up; ServiceException when no sandbox can be
  // had.
  Task<Execution> execute(RunnableVersion version, ConcurrencyLimits limits, Invocation invocation);

  // Provisioned concurrency: `count` sandboxes of the version stand ready, those at work included,
  // and are not reaped; 0: no longer.
  void provision(RunnableVersion version, int count);
  struct Provisioned {
    int allocated = 0;    // of the wanted ones
    int available = 0;    // idle ones among them
    bool failed = false;  // its initialisation fails: nothing is started until it is asked for
  };
  Provisioned provisioned(const RunnableVersion& version) const;
  // Returns when they stand, or cannot; an error when that takes too long.
  Task<void> await_provisioned(RunnableVersion version, async::SteadyTime until);

  // Sandboxes of the function's older generations end: idle ones now, busy ones after their
  // request.
  void retire(uint64_t function_id, uint64_t below_generation);
  // The function, or one version of it, is gone.
  void retire_all(uint64_t function_id);
  void retire_version(uint64_t function_id, const std::string& version);
  // Everything goes (reset).
  void retire_everything();

  Counts counts() const;
  // Ends every sandbox; requests that still wait fail. Nothing may be executed afterwards.
  Task<void> stop();

 private:
  struct Pool;
  struct Slot;
  struct Waiter;
  struct Key {
    uint64_t function_id;
    std::string version;
    uint64_t generation;
    friend auto operator<=>(const Key&, const Key&) = default;
  };
  class Admission;

  Pool& pool_of(const RunnableVersion& version);
  Task<std::shared_ptr<Slot>> acquire(Pool* pool);
  Task<Execution> run_on(std::shared_ptr<Slot> slot, Invocation invocation);
  void start_for(Pool& pool);
  void top_up(Pool& pool);
  void start(Pool& pool);
  static size_t kept_idle(const Pool& pool);
  Task<void> start_one(Pool* pool);
  std::shared_ptr<Slot> take_idle(Pool& pool);
  void release(const std::shared_ptr<Slot>& slot);
  void discard(const std::shared_ptr<Slot>& slot);
  void hand_over(Pool& pool, std::shared_ptr<Slot> slot);
  void fail_waiter(Pool& pool, const AwsError& error);
  void serve_blocked();
  bool evict_one();
  void retire_pool(Pool& pool);
  void drop_if_empty(Key key);
  template <class Predicate>
  void retire_where(Predicate predicate);
  void schedule_reap();
  void reap();

  async::Loop& loop_;
  Compute& compute_;
  Options options_;
  std::map<Key, std::unique_ptr<Pool>> pools_;
  std::unordered_map<std::string, int> account_in_flight_;  // by account/region; unreserved only
  std::unordered_map<uint64_t, int> function_in_flight_;    // by function id
  int live_ = 0;                                            // idle, busy and starting
  std::list<Key> blocked_;                                  // pools whose requests wait for room
  async::TimerId reap_timer_ = async::TimerId::none;
  async::TaskScope starts_;
  async::Event started_;  // a start ended, one way or the other
  bool stopping_ = false;
};

// "2026/03/01/[$LATEST]<32 hex>". Source: Lambda Developer Guide, "Viewing CloudWatch logs for
// Lambda functions".
std::string make_log_stream_name(Timestamp now, const std::string& version, async::Random& random);

}  // namespace virga::lambda
