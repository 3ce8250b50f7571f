#pragma once

#include <coroutine>
#include <deque>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "async/clock.h"
#include "async/loop.h"
#include "async/timer_queue.h"
#include "async/worker.h"

// A world of one thread in which a seed decides who runs next: loops, workers and jobs are actors,
// and time passes only when the world lets it. The same seed gives the same run, step for step.
namespace virga::async {

class SimWorld;

// A loop whose callbacks run when the world picks it. No descriptors.
class SimLoop final : public Loop {
 public:
  void post(Callback callback) override;
  void resume(std::coroutine_handle<> h) override;
  TimerId add_timer(SteadyTime at, Callback callback) override;
  void cancel_timer(TimerId id) override;
  void add_fd(int fd, uint32_t events, FdHandler& handler) override;
  void modify_fd(int fd, uint32_t events, FdHandler& handler) override;
  void remove_fd(int fd) override;
  Env& env() override;

 private:
  friend class SimWorld;
  SimLoop(SimWorld& world, std::string name) : world_(world), name_(std::move(name)) {}
  bool run_next();  // one callback or due timer

  SimWorld& world_;
  std::string name_;
  std::deque<Callback> posted_;
  TimerQueue timers_;
};

class SimWorld {
 public:
  explicit SimWorld(uint64_t seed);
  ~SimWorld();
  SimWorld(const SimWorld&) = delete;
  SimWorld& operator=(const SimWorld&) = delete;

  Env& env() { return env_.env(); }
  WorkerHost& workers();
  SimLoop& add_loop(std::string name);

  // The scheduler's and the faults' chance; code under test has env().random.
  uint64_t below(uint64_t bound) { return chance_.env().random.below(bound); }
  bool one_in(uint64_t n) { return below(n) == 0; }

  // Lets one actor take one step, or time pass to the next timer. False: nothing will ever happen
  // again by itself.
  bool run_one();
  // Until `done` says so or nothing is left to happen; returns done().
  template <class F>
  bool run_until(F done) {
    while (!done()) {
      if (!run_one()) return done();
    }
    return true;
  }

  // What happened, as a running hash; with keep_trace() as text too.
  void trace(std::string_view event);
  uint64_t trace_hash() const { return hash_; }
  void keep_trace() { keep_ = true; }
  const std::vector<std::string>& trace_lines() const { return lines_; }

 private:
  friend class SimLoop;
  class Host;
  class SimWorker;
  bool pass_time();

  FakeEnv env_;
  FakeEnv chance_;
  std::vector<std::unique_ptr<SimLoop>> loops_;
  std::unique_ptr<Host> host_;
  std::vector<SimWorker*> workers_;  // owned by those who started them
  std::deque<std::function<void()>> jobs_;
  uint64_t hash_ = 14695981039346656037u;
  bool keep_ = false;
  std::vector<std::string> lines_;
};

}  // namespace virga::async
