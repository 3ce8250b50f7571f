#include "async/sim_world.h"

#include <algorithm>

#include "base/check.h"

namespace virga::async {

// ---- loops
// --------------------------------------------------------------------------------------------------------

void SimLoop::post(Callback callback) {
  posted_.push_back(std::move(callback));
}
void SimLoop::resume(std::coroutine_handle<> h) {
  posted_.push_back([h] { h.resume(); });
}
TimerId SimLoop::add_timer(SteadyTime at, Callback callback) {
  return timers_.add(at, std::move(callback));
}
void SimLoop::cancel_timer(TimerId id) {
  timers_.cancel(id);
}
void SimLoop::add_fd(int, uint32_t, FdHandler&) {
  CHECK(!"a simulated loop has no descriptors");
}
void SimLoop::modify_fd(int, uint32_t, FdHandler&) {
  CHECK(!"a simulated loop has no descriptors");
}
void SimLoop::remove_fd(int) {
  CHECK(!"a simulated loop has no descriptors");
}
Env& SimLoop::env() {
  return world_.env();
}

bool SimLoop::run_next() {
  Loop* const before = current();
  set_current(this);
  bool ran = true;
  if (auto due = timers_.take_due(now())) {
    (*due)();
  } else if (!posted_.empty()) {
    Callback next = std::move(posted_.front());
    posted_.pop_front();
    next();
  } else {
    ran = false;
  }
  set_current(before);
  return ran;
}

// ---- workers and jobs
// ---------------------------------------------------------------------------------------------

class SimWorld::SimWorker final : public Worker {
 public:
  SimWorker(SimWorld& world, std::string name, std::function<bool()> step)
      : world_(world), name(std::move(name)), step(std::move(step)) {
    world_.workers_.push_back(this);
  }
  ~SimWorker() override { std::erase(world_.workers_, this); }
  void kick() override { ready = true; }

 private:
  SimWorld& world_;

 public:
  std::string name;
  std::function<bool()> step;
  bool ready = false;
};

class SimWorld::Host final : public WorkerHost {
 public:
  explicit Host(SimWorld& world) : world_(world) {}
  std::unique_ptr<Worker> start(const char* name, std::function<bool()> step) override {
    return std::make_unique<SimWorker>(world_, name, std::move(step));
  }
  bool takes_jobs() const override { return true; }
  void run_later(std::function<void()> job) override { world_.jobs_.push_back(std::move(job)); }

 private:
  SimWorld& world_;
};

// ---- the world
// ----------------------------------------------------------------------------------------------------

SimWorld::SimWorld(uint64_t seed)
    : env_(seed * 2 + 1), chance_(seed * 2 + 2), host_(std::make_unique<Host>(*this)) {}
SimWorld::~SimWorld() {
  CHECK(workers_.empty());
}

WorkerHost& SimWorld::workers() {
  return *host_;
}

SimLoop& SimWorld::add_loop(std::string name) {
  loops_.push_back(std::unique_ptr<SimLoop>(new SimLoop(*this, std::move(name))));
  return *loops_.back();
}

bool SimWorld::run_one() {
  if (one_in(64)) env_.advance_millis(static_cast<int64_t>(below(5)));
  // Loops, workers, then the jobs as one actor.
  const size_t actors = loops_.size() + workers_.size() + 1;
  const size_t start = below(actors);
  for (size_t i = 0; i < actors; ++i) {
    const size_t at = (start + i) % actors;
    if (at < loops_.size()) {
      if (!loops_[at]->run_next()) continue;
      trace(loops_[at]->name_);
      return true;
    }
    if (at < loops_.size() + workers_.size()) {
      SimWorker& worker = *workers_[at - loops_.size()];
      if (!worker.ready) continue;
      trace(worker.name);
      worker.ready = false;
      if (worker.step()) worker.ready = true;
      return true;
    }
    if (jobs_.empty()) continue;
    trace("job");
    auto job = std::move(jobs_.front());
    jobs_.pop_front();
    job();
    return true;
  }
  return pass_time();
}

bool SimWorld::pass_time() {
  const SteadyTime now = env().steady.now();
  std::optional<SteadyTime> next;
  for (const auto& loop : loops_) {
    const auto at = loop->timers_.next();
    if (at && (!next || *at < *next)) next = at;
  }
  if (!next) return false;
  env_.advance_millis((*next - now + 999'999) / 1'000'000);
  return true;
}

void SimWorld::trace(std::string_view event) {
  for (const char c : event) hash_ = (hash_ ^ static_cast<uint8_t>(c)) * 1099511628211u;
  hash_ = (hash_ ^ '\n') * 1099511628211u;
  if (keep_) lines_.emplace_back(event);
}

}  // namespace virga::async
