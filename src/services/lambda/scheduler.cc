#include "services/lambda/scheduler.h"

#include <algorithm>

#include "base/check.h"
#include "base/log.h"
#include "base/strings.h"
#include "services/lambda/errors.h"

namespace virga::lambda {

struct Scheduler::Slot {
  Pool* pool = nullptr;
  std::unique_ptr<Sandbox> sandbox;
  std::string log_stream;
  std::vector<LogLine> log;  // not handed over yet; bounded by kLogLinesMax
  uint64_t log_lines_dropped = 0;
  bool used = false;
  async::SteadyTime born;
  async::SteadyTime idle_since;
};

// A request without a sandbox. Lives in the waiting coroutine's frame.
struct Scheduler::Waiter {
  Pool* pool = nullptr;
  async::Event ready;
  std::shared_ptr<Slot> slot;
  std::optional<AwsError> error;
  bool queued = false;
  std::list<Waiter*>::iterator place;
  ~Waiter();
};

struct Scheduler::Pool {
  Key key;
  std::shared_ptr<const SandboxSpec> spec;
  std::vector<std::shared_ptr<Slot>> idle;  // a stack: the newest at the end
  std::list<Waiter*> waiting;               // oldest first
  int starting = 0;
  int busy = 0;
  bool retired = false;
  bool blocked = false;  // in blocked_
  int provisioned = 0;   // sandboxes that stand ready whether asked or not
  bool provision_failed = false;
};

namespace {

// Lines kept for one sandbox between two executions; a function that writes more without being
// asked loses the rest.
constexpr size_t kLogLinesMax = 50'000;

std::string account_key(const SandboxSpec& spec) {
  return spec.account + "/" + spec.region;
}

}  // namespace

Scheduler::Waiter::~Waiter() {
  if (queued) pool->waiting.erase(place);
}

// Counts a request as running for as long as it lives.
class Scheduler::Admission {
 public:
  static Result<Admission> admit(Scheduler& scheduler, const RunnableVersion& version,
                                 const ConcurrencyLimits& limits) {
    Admission out;
    const auto running = scheduler.function_in_flight_.find(version.function_id);
    const int function_now = running == scheduler.function_in_flight_.end() ? 0 : running->second;
    if (limits.reserved) {
      if (function_now >= *limits.reserved) {
        return fail(errors::too_many_requests(errors::ThrottleReason::reserved_concurrency));
      }
    } else {
      out.account_ = account_key(*version.spec);
      const auto it = scheduler.account_in_flight_.find(out.account_);
      const int account_now = it == scheduler.account_in_flight_.end() ? 0 : it->second;
      if (account_now >= limits.account - limits.account_reserved) {
        return fail(errors::too_many_requests(errors::ThrottleReason::account_concurrency));
      }
      ++scheduler.account_in_flight_[out.account_];
    }
    ++scheduler.function_in_flight_[version.function_id];
    out.scheduler_ = &scheduler;
    out.function_id_ = version.function_id;
    return out;
  }
  Admission(Admission&& other) noexcept
      : scheduler_(std::exchange(other.scheduler_, nullptr)),
        function_id_(other.function_id_),
        account_(std::move(other.account_)) {}
  Admission& operator=(Admission&&) = delete;
  ~Admission() {
    if (scheduler_ == nullptr) return;
    drop(scheduler_->function_in_flight_, function_id_);
    if (!account_.empty()) drop(scheduler_->account_in_flight_, account_);
  }

 private:
  Admission() = default;
  template <class Map, class K>
  static void drop(Map& map, const K& key) {
    const auto it = map.find(key);
    CHECK(it != map.end());
    if (--it->second == 0) map.erase(it);
  }
  Scheduler* scheduler_ = nullptr;
  uint64_t function_id_ = 0;
  std::string account_;
};

Scheduler::Scheduler(async::Loop& loop, Compute& compute, Options options)
    : loop_(loop), compute_(compute), options_(options) {}
Scheduler::~Scheduler() {
  CHECK(pools_.empty());
}

Scheduler::Pool& Scheduler::pool_of(const RunnableVersion& version) {
  Key key{version.function_id, version.version, version.generation};
  auto& pool = pools_[key];
  if (!pool) {
    pool = std::make_unique<Pool>();
    pool->key = std::move(key);
    pool->spec = version.spec;
    // A request that read the function just before it changed: it is served, but nothing of it
    // stays.
    for (const auto& [other, unused] : pools_) {
      if (other.function_id == version.function_id && other.version == version.version &&
          other.generation > version.generation) {
        pool->retired = true;
      }
    }
  }
  return *pool;
}

Task<Execution> Scheduler::execute(RunnableVersion version, ConcurrencyLimits limits,
                                   Invocation invocation) {
  if (stopping_) co_return fail(errors::service_exception("The server is stopping."));
  const auto admission = co_await Admission::admit(*this, version, limits);
  Pool* const pool = &pool_of(version);
  auto slot = co_await acquire(pool);
  auto running = run_on(std::move(slot), std::move(invocation));
  auto execution = co_await std::move(running);
  co_return execution;
}

Task<std::shared_ptr<Scheduler::Slot>> Scheduler::acquire(Pool* pool) {
  if (auto slot = take_idle(*pool)) co_return slot;
  Waiter waiter;
  waiter.pool = pool;
  waiter.place = pool->waiting.insert(pool->waiting.end(), &waiter);
  waiter.queued = true;
  start_for(*pool);
  const auto give_up = loop_.now().plus_millis(options_.queue_wait_ms);
  auto waiting =
      async::with_deadline(waiter.ready.wait(), give_up,
                           errors::service_exception("No execution environment became available."));
  const auto woken = co_await as_result(std::move(waiting));
  if (waiter.slot) co_return std::move(waiter.slot);
  if (waiter.queued) {
    pool->waiting.erase(waiter.place);
    waiter.queued = false;
    drop_if_empty(pool->key);
  }
  if (waiter.error) co_return fail(*waiter.error);
  CHECK(!woken);
  co_return fail(woken.error());
}

// The newest idle sandbox that can still be used; others found on the way end. The pool stays, even
// when it is left empty.
std::shared_ptr<Scheduler::Slot> Scheduler::take_idle(Pool& pool) {
  while (!pool.idle.empty()) {
    auto slot = std::move(pool.idle.back());
    pool.idle.pop_back();
    if (slot->sandbox->alive() && loop_.now() - slot->born < options_.age_max_ms * 1'000'000) {
      ++pool.busy;
      return slot;
    }
    --live_;
  }
  top_up(pool);
  return nullptr;
}

Task<Execution> Scheduler::run_on(std::shared_ptr<Slot> slot, Invocation invocation) {
  Execution out;
  out.log_stream = slot->log_stream;
  // What was initialised ahead of need is not the first request's.
  if (!std::exchange(slot->used, true) && !slot->pool->spec->provisioned)
    out.init_micros = slot->sandbox->init_micros();
  out.started = loop_.env().wall.now().at;
  if (const auto& failed = slot->sandbox->init_failure()) {
    out.outcome = *failed;
    out.outcome.reusable = false;
  } else {
    auto got = co_await as_result(slot->sandbox->invoke(std::move(invocation)));
    if (!got) {
      discard(slot);
      co_return fail(got.error());
    }
    out.outcome = std::move(*got);
  }
  out.ended = loop_.env().wall.now().at;
  out.log = std::move(slot->log);
  slot->log.clear();
  if (slot->log_lines_dropped > 0) {
    const auto at = out.log.empty() ? Timestamp{} : out.log.back().at;
    out.log.push_back({at, "[virga] " + std::to_string(std::exchange(slot->log_lines_dropped, 0)) +
                               " log lines were dropped: too many between two invocations"});
  }
  if (out.outcome.reusable && !slot->pool->retired && !stopping_) {
    release(slot);
  } else {
    discard(slot);
  }
  co_return out;
}

void Scheduler::release(const std::shared_ptr<Slot>& slot) {
  Pool& pool = *slot->pool;
  --pool.busy;
  hand_over(pool, slot);
}

// The slot is counted in live_ and nowhere else: it goes to who waits longest, or becomes idle.
void Scheduler::hand_over(Pool& pool, std::shared_ptr<Slot> slot) {
  if (!pool.waiting.empty()) {
    Waiter& waiter = *pool.waiting.front();
    pool.waiting.pop_front();
    waiter.queued = false;
    waiter.slot = std::move(slot);
    ++pool.busy;
    waiter.ready.set();
    return;
  }
  slot->idle_since = loop_.now();
  pool.idle.push_back(std::move(slot));
  if (pool.retired || stopping_) {
    retire_pool(pool);
    return;
  }
  if (!blocked_.empty()) {
    serve_blocked();
  } else {
    schedule_reap();
  }
}

void Scheduler::discard(const std::shared_ptr<Slot>& slot) {
  Pool& pool = *slot->pool;
  const Key key = pool.key;  // the pool itself may go in what follows
  --pool.busy;
  --live_;
  slot->sandbox.reset();
  start_for(pool);  // others may have counted on this one
  top_up(pool);
  serve_blocked();
  drop_if_empty(key);
}

// As many starts as there are requests waiting, as far as there is room.
void Scheduler::start_for(Pool& pool) {
  while (!stopping_ && pool.starting < static_cast<int>(pool.waiting.size())) {
    if (live_ >= options_.sandboxes_max && !evict_one()) {
      if (!std::exchange(pool.blocked, true)) blocked_.push_back(pool.key);
      return;
    }
    start(pool);
  }
}

void Scheduler::start(Pool& pool) {
  ++pool.starting;
  ++live_;
  starts_.spawn("lambda_start", start_one(&pool));
}

// As many starts as provisioned concurrency lacks.
void Scheduler::top_up(Pool& pool) {
  const auto standing = [&] {
    return static_cast<int>(pool.idle.size()) + pool.busy + pool.starting;
  };
  while (!stopping_ && !pool.retired && !pool.provision_failed && standing() < pool.provisioned &&
         (live_ < options_.sandboxes_max || evict_one()))
    start(pool);
}

// Idle ones that neither age nor make room for others.
size_t Scheduler::kept_idle(const Pool& pool) {
  return static_cast<size_t>(std::max(0, pool.provisioned - pool.busy));
}

void Scheduler::provision(RunnableVersion version, int count) {
  const auto found = pools_.find(Key{version.function_id, version.version, version.generation});
  if (found == pools_.end() && count == 0) return;
  if (stopping_) return;
  Pool& pool = pool_of(version);
  pool.provisioned = count;
  pool.provision_failed = false;
  auto spec = std::make_shared<SandboxSpec>(*pool.spec);
  spec->provisioned = count > 0;
  pool.spec = std::move(spec);
  top_up(pool);
  schedule_reap();
  drop_if_empty(pool.key);
}

Scheduler::Provisioned Scheduler::provisioned(const RunnableVersion& version) const {
  Provisioned out;
  const auto found = pools_.find(Key{version.function_id, version.version, version.generation});
  if (found == pools_.end()) return out;
  const Pool& pool = *found->second;
  const int idle = static_cast<int>(pool.idle.size());
  out.allocated = std::min(pool.provisioned, idle + pool.busy);
  out.available = std::min(pool.provisioned, idle);
  out.failed = pool.provision_failed;
  return out;
}

Task<void> Scheduler::await_provisioned(RunnableVersion version, async::SteadyTime until) {
  const AwsError late = errors::service_exception("Provisioning takes its time.");
  for (;;) {
    const auto found = pools_.find(Key{version.function_id, version.version, version.generation});
    if (found == pools_.end()) co_return ok();
    const Provisioned now = provisioned(version);
    if (now.failed || now.allocated >= found->second->provisioned) co_return ok();
    started_.reset();
    co_await async::with_deadline(started_.wait(), until, late);
  }
}

Task<void> Scheduler::start_one(Pool* pool) {
  auto slot = std::make_shared<Slot>();
  slot->pool = pool;
  slot->log_stream =
      make_log_stream_name(loop_.env().wall.now().at, pool->key.version, loop_.env().random);
  // The sink belongs to the sandbox, which the slot owns: a weak reference, lest they keep each
  // other.
  LogSink sink = [weak = std::weak_ptr<Slot>(slot)](LogLine line) {
    const auto to = weak.lock();
    if (!to) return;
    if (to->log.size() < kLogLinesMax) {
      to->log.push_back(std::move(line));
    } else {
      ++to->log_lines_dropped;
    }
  };
  // Not inside start_for(), which still counts: an engine that answers at once would change the
  // pools under it.
  const auto turn = co_await as_result(async::yield());
  Result<std::unique_ptr<Sandbox>> got = std::unexpected(async::stopped_error());
  if (turn) {
    auto starting = compute_.start(pool->spec, slot->log_stream, std::move(sink));
    got = co_await as_result(std::move(starting));
  }
  --pool->starting;
  if (!got) {
    --live_;
    const Key key = pool->key;
    if (pool->waiting.empty()) pool->provision_failed = true;
    started_.set();
    fail_waiter(*pool, got.error());
    start_for(*pool);
    serve_blocked();
    drop_if_empty(key);
    co_return ok();
  }
  slot->sandbox = std::move(*got);
  slot->born = loop_.now();
  if (slot->sandbox->init_failure() && pool->waiting.empty()) {
    // Whoever it was started for was served by another one. It can serve nobody.
    LOG_WARN("lambda_init_failed_unasked", kv("function", pool->spec->function_name));
    pool->provision_failed = true;
    started_.set();
    ++pool->busy;
    discard(slot);
    co_return ok();
  }
  hand_over(*pool, std::move(slot));
  started_.set();
  co_return ok();
}

void Scheduler::fail_waiter(Pool& pool, const AwsError& error) {
  if (pool.waiting.empty()) return;
  Waiter& waiter = *pool.waiting.front();
  pool.waiting.pop_front();
  waiter.queued = false;
  waiter.error = error.code == async::stopped_error().code
                     ? errors::service_exception("The server is stopping.")
                     : error;
  waiter.ready.set();
}

void Scheduler::serve_blocked() {
  while (!blocked_.empty()) {
    const Key key = blocked_.front();
    const auto it = pools_.find(key);
    // Its requests may have been served by the pool's own sandboxes meanwhile.
    if (it != pools_.end() && !it->second->waiting.empty() && live_ >= options_.sandboxes_max &&
        !evict_one())
      return;
    blocked_.remove(key);
    if (it == pools_.end()) continue;
    it->second->blocked = false;
    start_for(*it->second);
  }
}

// Ends the sandbox that has been idle longest, of any function.
bool Scheduler::evict_one() {
  Pool* oldest = nullptr;
  for (const auto& [key, pool] : pools_) {
    if (pool->idle.size() <= kept_idle(*pool)) continue;
    if (oldest == nullptr || pool->idle.front()->idle_since < oldest->idle.front()->idle_since)
      oldest = pool.get();
  }
  if (oldest == nullptr) return false;
  oldest->idle.erase(oldest->idle.begin());
  --live_;
  drop_if_empty(oldest->key);
  return true;
}

void Scheduler::retire_pool(Pool& pool) {
  pool.retired = true;
  live_ -= static_cast<int>(pool.idle.size());
  pool.idle.clear();
  drop_if_empty(pool.key);
  serve_blocked();
}

void Scheduler::drop_if_empty(Key key) {
  const auto it = pools_.find(key);
  if (it == pools_.end()) return;
  const Pool& pool = *it->second;
  if (!pool.idle.empty() || pool.busy > 0 || pool.starting > 0 || !pool.waiting.empty()) return;
  if (pool.provisioned > 0 && !pool.retired) return;
  if (pool.blocked) blocked_.remove(key);
  pools_.erase(it);
}

// Retiring one pool may remove others that it found empty: keys, not pointers.
template <class Predicate>
void Scheduler::retire_where(Predicate predicate) {
  std::vector<Key> old;
  for (const auto& [key, pool] : pools_) {
    if (predicate(key)) old.push_back(key);
  }
  for (const Key& key : old) {
    const auto it = pools_.find(key);
    if (it != pools_.end()) retire_pool(*it->second);
  }
}

void Scheduler::retire(uint64_t function_id, uint64_t below_generation) {
  retire_where([&](const Key& key) {
    return key.function_id == function_id && key.version == "$LATEST" &&
           key.generation < below_generation;
  });
}
void Scheduler::retire_version(uint64_t function_id, const std::string& version) {
  retire_where(
      [&](const Key& key) { return key.function_id == function_id && key.version == version; });
}
void Scheduler::retire_all(uint64_t function_id) {
  retire_where([&](const Key& key) { return key.function_id == function_id; });
}
void Scheduler::retire_everything() {
  retire_where([](const Key&) { return true; });
}

void Scheduler::schedule_reap() {
  if (reap_timer_ != async::TimerId::none) return;
  // One timer for all: a sandbox goes at most one second after its time.
  const auto at = loop_.now().plus_millis(std::min<int64_t>(options_.idle_ms, 1000));
  reap_timer_ = loop_.add_timer(at, [this] {
    reap_timer_ = async::TimerId::none;
    reap();
  });
}

void Scheduler::reap() {
  const auto now = loop_.now();
  std::vector<Key> changed;
  bool some_left = false;
  for (const auto& [key, pool] : pools_) {
    auto& idle = pool->idle;
    const size_t surplus = idle.size() - std::min(idle.size(), kept_idle(*pool));
    const auto end = idle.begin() + static_cast<ptrdiff_t>(surplus);
    const auto kept = std::find_if(idle.begin(), end, [&](const auto& slot) {
      return now - slot->idle_since < options_.idle_ms * 1'000'000;
    });
    if (kept != idle.begin()) {
      live_ -= static_cast<int>(kept - idle.begin());
      idle.erase(idle.begin(), kept);
      changed.push_back(key);
    }
    some_left = some_left || idle.size() > kept_idle(*pool);
  }
  for (const Key& key : changed) drop_if_empty(key);
  serve_blocked();
  if (some_left) schedule_reap();
}

Scheduler::Counts Scheduler::counts() const {
  Counts out;
  for (const auto& [key, pool] : pools_) {
    out.idle += static_cast<int>(pool->idle.size());
    out.busy += pool->busy;
    out.starting += pool->starting;
    out.waiting += static_cast<int>(pool->waiting.size());
  }
  return out;
}

Task<void> Scheduler::stop() {
  stopping_ = true;
  if (reap_timer_ != async::TimerId::none)
    loop_.cancel_timer(std::exchange(reap_timer_, async::TimerId::none));
  retire_everything();
  co_await starts_.stop();
  const AwsError stopped = errors::service_exception("The server is stopping.");
  std::vector<Key> all;
  for (const auto& [key, pool] : pools_) {
    while (!pool->waiting.empty()) fail_waiter(*pool, stopped);
    all.push_back(key);
  }
  for (const Key& key : all) drop_if_empty(key);
  // Requests that run end by the function's own timeout at the latest.
  while (!pools_.empty()) {
    retire_everything();
    co_await async::sleep_millis(5);
  }
  co_return ok();
}

std::string make_log_stream_name(Timestamp now, const std::string& version, async::Random& random) {
  const auto civil = to_civil(now);
  char date[16];
  std::snprintf(date, sizeof date, "%04d/%02d/%02d", civil.year, civil.month, civil.day);
  return std::string(date) + "/[" + version + "]" + to_hex(random.bytes(16));
}

}  // namespace virga::lambda
