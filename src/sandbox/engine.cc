#include "sandbox/engine.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>

#include <algorithm>
#include <deque>
#include <map>
#include <set>

#include "base/log.h"
#include "sandbox/cell.h"
#include "sandbox/messages.h"

namespace virga::sandbox {
namespace {

// A spare that is not there has to be made, its zygote started maybe (boto3's import takes a third
// of a second).
constexpr int64_t kSpareWithinMs = 30'000;
// After an assignment the machine belongs to the function's first invocation, with a call of a
// service or two; then spares are made again. A start that finds none does not wait for that.
constexpr int64_t kRefillAfterMs = 40;
// In a row without one that came to stand, a pool stops trying until somebody asks.
constexpr int kFailuresMax = 3;

std::string pool_key(const Interpreter& interpreter) {
  return interpreter.family == Family::provided ? "provided" : interpreter.path;
}

// Names and values must not hold NUL; those that do are left out (the API refuses them before).
void append_variable(std::string& out, const std::string& name, const std::string& value) {
  if (name.find('\0') != std::string::npos || value.find('\0') != std::string::npos) return;
  if (!out.empty()) out += '\0';
  out += name + "=" + value;
}

class EngineImpl;

class SandboxHandle final : public Sandbox {
 public:
  explicit SandboxHandle(std::shared_ptr<EngineCell> cell) : cell_(std::move(cell)) {}
  ~SandboxHandle() override { cell_->kill(); }
  Task<InvokeOutcome> invoke(InvokeRequest request) override {
    return cell_->invoke(std::move(request));
  }
  bool alive() const override { return cell_->state != CellState::dead; }
  Task<void> stop() override {
    cell_->kill();
    return cell_->await_gone();
  }
  uint32_t id() const override { return cell_->id; }
  int64_t memory_peak_bytes() const override { return cell_->memory_peak(); }

 private:
  const std::shared_ptr<EngineCell> cell_;
};

// The spares of one interpreter.
struct Pool {
  std::string runtime;  // a name that leads to it
  std::deque<std::shared_ptr<EngineCell>> spares;
  size_t making = 0;   // those that will not be outdated
  size_t waiting = 0;  // starts that wait for a spare
  int failures = 0;
  std::string last_failure;
  bool warm = false;  // keeps spares
  bool refill_planned = false;
  async::SteadyTime last_asked;
  bool cool_planned = false;
  async::Event changed;
};

class EngineImpl final : public Engine, public async::FdHandler {
 public:
  EngineImpl(async::Loop& loop, EngineOptions options)
      : loop_(loop), options_(std::move(options)) {}
  ~EngineImpl() override;

  Task<StartOutcome> start(SandboxSpec spec) override;
  Task<void> warm(std::string runtime) override;
  void prepare(const std::string& runtime) override;
  void cool(const std::string& runtime) override;
  void attach_launcher(int launcher_fd) override;
  bool launcher_alive() const override { return launcher_.get() >= 0; }
  Task<void> close() override;
  EngineStats stats() const override;
  void on_events(uint32_t events) override;

 private:
  Result<Pool*> pool_of(const std::string& runtime);
  Task<std::shared_ptr<EngineCell>> take_spare(Pool* pool);
  void refill(Pool& pool);
  void refill_later(Pool& pool);
  void renew(const std::string& key);
  void drop_outdated(Pool& pool);
  size_t fresh_spares(const Pool& pool) const;
  size_t spares_wanted(const Pool& pool) const;
  void asked_for(Pool& pool);
  void cool_later(Pool& pool, async::SteadyTime at);
  void make_spare(Pool& pool);
  Result<void> send_assignment(EngineCell& cell, const SandboxSpec& spec);
  void on_message(Message& message);
  void lose_launcher();

  async::Loop& loop_;
  const EngineOptions options_;
  Fd launcher_;
  std::string launcher_failure_;  // why it could not work at all
  uint32_t next_id_ = 1;
  std::map<uint32_t, std::shared_ptr<EngineCell>> cells_;
  std::map<std::string, Pool> pools_;
  std::set<async::TimerId> timers_;
  EngineStats stats_;
  bool closing_ = false;
};

EngineImpl::~EngineImpl() {
  closing_ = true;
  for (const auto timer : timers_) loop_.cancel_timer(timer);
  lose_launcher();
}

void EngineImpl::attach_launcher(int launcher_fd) {
  lose_launcher();
  launcher_ = Fd(launcher_fd);
  ::fcntl(launcher_fd, F_SETFL, ::fcntl(launcher_fd, F_GETFL) | O_NONBLOCK);
  loop_.add_fd(launcher_fd, EPOLLIN, *this);
  for (auto& [key, pool] : pools_) {
    pool.failures = 0;
    refill(pool);
  }
}

void EngineImpl::lose_launcher() {
  if (launcher_.get() >= 0) loop_.remove_fd(launcher_.get());
  launcher_ = Fd();
  // Its sandboxes end with it.
  auto cells = std::move(cells_);
  cells_.clear();
  for (auto& [key, pool] : pools_) {
    pool.spares.clear();
    pool.making = 0;
  }
  for (auto& [id, cell] : cells) {
    cell->failure = "the launcher ended";
    cell->on_gone();
  }
  for (auto& [key, pool] : pools_) pool.changed.set();
}

void EngineImpl::on_events(uint32_t) {
  for (int i = 0; i < 64; ++i) {
    Message message;
    bool got = false;
    if (!receive_message(launcher_.get(), &message, &got)) {
      if (!closing_) LOG_ERROR("launcher_lost");
      return lose_launcher();
    }
    if (!got) return;
    on_message(message);
  }
}

void EngineImpl::on_message(Message& message) {
  if (message.op == Op::renew) return renew(message.text);
  const auto found = cells_.find(message.sandbox);
  if (found == cells_.end()) {
    for (const int fd : message.fds) ::close(fd);
    if (message.op == Op::failed) {
      LOG_ERROR("launcher_failed", kv("reason", message.text));
      launcher_failure_ = message.text;
    }
    return;
  }
  const std::shared_ptr<EngineCell> cell = found->second;
  const bool was_making = cell->state == CellState::making;
  Pool& pool = pools_[cell->pool];
  switch (message.op) {
    case Op::ready:
      cell->on_ready(message);
      if (cell->state != CellState::spare) break;
      pool.failures = 0;
      // The best are taken first.
      cell->outdated ? pool.spares.push_back(cell) : pool.spares.push_front(cell);
      drop_outdated(pool);
      break;
    case Op::exited:
      cell->on_exited(message);
      break;
    case Op::failed:
      ++stats_.failed;
      LOG_WARN("sandbox_failed", kv("sandbox", cell->id), kv("reason", message.text));
      if (was_making) {
        ++pool.failures;
        pool.last_failure = message.text;
      }
      cell->on_failed(message.text);
      break;
    case Op::gone:
      cells_.erase(found);
      cell->on_gone();
      break;
    default:
      break;
  }
  if (was_making && cell->state != CellState::making && !cell->outdated) --pool.making;
  if (cell->state == CellState::dead) std::erase(pool.spares, cell);
  pool.changed.set();
  refill(pool);
}

Result<Pool*> EngineImpl::pool_of(const std::string& runtime) {
  const auto interpreter = find_interpreter(runtime, options_.runtime_paths);
  if (!interpreter)
    return fail("InvalidRuntime", 400,
                "no interpreter for " + runtime + " is installed on this machine");
  Pool& pool = pools_[pool_key(*interpreter)];
  if (pool.runtime.empty()) pool.runtime = runtime;
  return &pool;
}

void EngineImpl::make_spare(Pool& pool) {
  const uint32_t id = next_id_++;
  const auto interpreter = find_interpreter(pool.runtime, options_.runtime_paths);
  if (!interpreter) return;
  Message message{.op = Op::create, .sandbox = id, .text = pool.runtime};
  message.values[0] = pool.waiting > 0 ? 1 : 0;
  if (send_message(launcher_.get(), message) != 0) return;
  cells_[id] = std::make_shared<EngineCell>(loop_, options_, id, pool_key(*interpreter));
  ++pool.making;
  ++stats_.created;
}

// The pool's spares are outdated: each is there until another can take its place.
void EngineImpl::renew(const std::string& key) {
  const auto found = pools_.find(key);
  if (found == pools_.end()) return;
  for (const auto& [id, cell] : cells_) {
    if (cell->pool != key || cell->outdated) continue;
    if (cell->state != CellState::making && cell->state != CellState::spare) continue;
    cell->outdated = true;
    if (cell->state == CellState::making) --found->second.making;
  }
  refill(found->second);
}

size_t EngineImpl::fresh_spares(const Pool& pool) const {
  return static_cast<size_t>(std::count_if(pool.spares.begin(), pool.spares.end(),
                                           [](const auto& cell) { return !cell->outdated; }));
}

size_t EngineImpl::spares_wanted(const Pool& pool) const {
  return (pool.warm ? options_.spares_per_runtime : 0) + pool.waiting;
}

void EngineImpl::drop_outdated(Pool& pool) {
  if (fresh_spares(pool) < spares_wanted(pool)) return;
  std::erase_if(pool.spares, [](const auto& cell) {
    if (cell->outdated) cell->kill();
    return cell->outdated;
  });
}

void EngineImpl::refill(Pool& pool) {
  if (closing_ || launcher_.get() < 0 || pool.failures >= kFailuresMax) return;
  while (fresh_spares(pool) + pool.making < spares_wanted(pool)) {
    const size_t before = pool.making;
    make_spare(pool);
    if (pool.making == before) return;
  }
}

void EngineImpl::refill_later(Pool& pool) {
  if (pool.refill_planned) return;
  pool.refill_planned = true;
  auto id = std::make_shared<async::TimerId>();
  *id = loop_.add_timer(loop_.now().plus_millis(kRefillAfterMs), [this, &pool, id] {
    timers_.erase(*id);
    pool.refill_planned = false;
    refill(pool);
  });
  timers_.insert(*id);
}

void EngineImpl::asked_for(Pool& pool) {
  pool.warm = true;
  pool.failures = 0;
  pool.last_asked = loop_.now();
  if (!pool.cool_planned) cool_later(pool, pool.last_asked.plus_millis(options_.cool_after_ms));
}

void EngineImpl::cool_later(Pool& pool, async::SteadyTime at) {
  pool.cool_planned = true;
  auto id = std::make_shared<async::TimerId>();
  *id = loop_.add_timer(at, [this, &pool, id] {
    timers_.erase(*id);
    pool.cool_planned = false;
    if (!pool.warm) return;
    const async::SteadyTime due = pool.last_asked.plus_millis(options_.cool_after_ms);
    if (loop_.now() < due) return cool_later(pool, due);
    if (pool.waiting > 0)  // the machine is slow, nobody lost interest
      return cool_later(pool, loop_.now().plus_millis(options_.cool_after_ms));
    cool(pool.runtime);
  });
  timers_.insert(*id);
}

void EngineImpl::prepare(const std::string& runtime) {
  const auto pool = pool_of(runtime);
  if (!pool || closing_) return;
  asked_for(**pool);
  refill(**pool);
}

Task<std::shared_ptr<EngineCell>> EngineImpl::take_spare(Pool* pool) {
  asked_for(*pool);
  const async::SteadyTime until = loop_.now().plus_millis(kSpareWithinMs);
  while (pool->spares.empty()) {
    if (launcher_.get() < 0 || closing_) {
      const std::string why = launcher_failure_.empty() ? "" : ": " + launcher_failure_;
      co_return fail("SandboxUnavailable", 503, "the sandbox launcher is not running" + why);
    }
    ++pool->waiting;
    refill(*pool);
    pool->changed.reset();
    auto wait = pool->changed.wait();
    auto bounded = async::with_deadline(
        std::move(wait), until, AwsError{"SandboxUnavailable", 503, "no sandbox came to stand"});
    const auto waited = co_await as_result(std::move(bounded));
    --pool->waiting;
    if (!waited) co_return fail(waited.error());
    if (pool->spares.empty() && pool->failures >= kFailuresMax)
      co_return fail("SandboxUnavailable", 503, "a sandbox cannot be made: " + pool->last_failure);
  }
  std::shared_ptr<EngineCell> cell = std::move(pool->spares.front());
  pool->spares.pop_front();
  refill_later(*pool);
  co_return std::move(cell);
}

Result<void> EngineImpl::send_assignment(EngineCell& cell, const SandboxSpec& spec) {
  std::string environment = "_HANDLER=" + spec.handler;
  for (const auto& [name, value] : spec.environment)
    append_variable(environment, name, cell.variable(name, value));
  if (cell.bare() && !spec.layers.empty())
    append_variable(environment, "VIRGA_OPT", spec.layers.front());
  // The process reads it while the launcher puts its code in place.
  if (!cell.send_environment(environment))
    return fail("SandboxUnavailable", 503, "the runtime does not take its assignment");
  Message message{.op = Op::assign, .sandbox = cell.id};
  message.values[0] = spec.memory_mb;
  message.values[1] = spec.tmp_mb;
  message.text = spec.code_dir + '\0';
  for (const auto& layer : spec.layers) message.text += layer + '\0';
  const int error = send_message(launcher_.get(), message);
  if (error != 0)
    return fail("SandboxUnavailable", 503, std::string("assignment: ") + strerror(error));
  return {};
}

Task<StartOutcome> EngineImpl::start(SandboxSpec spec) {
  Pool* const pool = co_await pool_of(spec.runtime);
  if (spec.layers.size() > 1)
    co_return fail("InvalidLayers", 400, "more than one layer is not supported yet");
  const std::shared_ptr<EngineCell> cell = co_await take_spare(pool);
  ++stats_.starts;
  cell->bind(spec);
  const auto sent = send_assignment(*cell, spec);
  if (!sent) {
    cell->kill();
    co_return fail(sent.error());
  }
  StartOutcome outcome = co_await cell->await_init();
  if (outcome.kind == StartOutcome::Kind::ready)
    outcome.sandbox = std::make_unique<SandboxHandle>(cell);
  co_return std::move(outcome);
}

Task<void> EngineImpl::warm(std::string runtime) {
  Pool* const pool = co_await pool_of(runtime);
  const std::shared_ptr<EngineCell> cell = co_await take_spare(pool);
  if (cell->state == CellState::spare) pool->spares.push_front(cell);
  co_return ok();
}

void EngineImpl::cool(const std::string& runtime) {
  const auto pool = pool_of(runtime);
  if (!pool) return;
  (*pool)->warm = false;
  for (auto& cell : (*pool)->spares) cell->kill();
  (*pool)->spares.clear();
  Message message{.op = Op::cool, .text = runtime};
  if (launcher_.get() >= 0) send_message(launcher_.get(), message);
}

Task<void> EngineImpl::close() {
  closing_ = true;
  for (const auto timer : timers_) loop_.cancel_timer(timer);
  timers_.clear();
  const auto cells = cells_;
  for (const auto& [id, cell] : cells) cell->kill();
  for (const auto& [id, cell] : cells) {
    // One that is still being made has no socket to close yet: the launcher's end ends it.
    if (cell->gone || cell->state == CellState::making) continue;
    const auto waited = co_await as_result(cell->await_gone());
    if (!waited) LOG_WARN("sandbox_stays", kv("sandbox", id));
  }
  lose_launcher();
  co_return ok();
}

EngineStats EngineImpl::stats() const {
  EngineStats out = stats_;
  out.live = cells_.size();
  for (const auto& [key, pool] : pools_) out.spares += pool.spares.size();
  return out;
}

}  // namespace

Result<std::unique_ptr<Engine>> Engine::open(async::Loop& loop, int launcher_fd,
                                             EngineOptions options) {
  auto engine = std::make_unique<EngineImpl>(loop, std::move(options));
  engine->attach_launcher(launcher_fd);
  return std::unique_ptr<Engine>(std::move(engine));
}

}  // namespace virga::sandbox
