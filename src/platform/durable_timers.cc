#include "platform/durable_timers.h"

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

// Timers fired between two looks at the store; then others on the loop have their turn.
constexpr size_t kFireBatch = 64;
// Far appointments are looked at again after this long, should the wall clock have been corrected
// meanwhile.
constexpr int64_t kArmMsMax = 3'600'000;

// timers | 1 | due | sequence → kind, payload;  timers | 0 → the mark
Key mark_key() {
  return Key(Space::timers).u8(0);
}
Key timer_key(int64_t due, uint64_t sequence) {
  return Key(Space::timers).u8(1).i64(due).u64(sequence);
}
std::string first_timer() {
  return Key(Space::timers).u8(1).str();
}

int64_t due_of(std::string_view key) {
  KeyReader reader(key);
  reader.u8();
  reader.u8();
  return reader.i64();
}

}  // namespace

uint64_t Sequencer::next(const Txn& txn) {
  if (txn.lsn() != lsn_) {
    lsn_ = txn.lsn();
    count_ = 0;
  }
  CHECK(count_ < 65'536);
  return lsn_ << 16 | count_++;
}

struct DurableTimers::Life {
  DurableTimers* timers;
};

DurableTimers::DurableTimers(storage::Shard& shard, async::Env& env)
    : shard_(shard), env_(env), life_(std::make_shared<Life>(this)) {}

DurableTimers::~DurableTimers() {
  CHECK(!started_);
}

void DurableTimers::on(std::string kind, Handler handler) {
  CHECK(!started_ && !handlers_.contains(kind));
  handlers_.emplace(std::move(kind), std::move(handler));
}

void DurableTimers::start() {
  started_ = true;
  env_.cloud.on_change([life = std::weak_ptr(life_), &owner = shard_.owner()] {
    if (life.expired()) return;
    owner.post([life] {
      if (const auto alive = life.lock()) alive->timers->check_now();
    });
  });
  check_now();
}

Task<void> DurableTimers::stop() {
  started_ = false;
  life_ = std::make_shared<Life>(this);
  if (timer_ != async::TimerId::none) shard_.owner().cancel_timer(timer_);
  timer_ = async::TimerId::none;
  co_await scope_.stop();
  co_return ok();
}

DurableTimers::Ref DurableTimers::set(Txn& txn, async::CloudTime due, std::string_view kind,
                                      std::string_view payload) {
  const Ref ref{due.at.micros, sequencer_.next(txn)};
  const std::string key = timer_key(ref.due_micros, ref.sequence).take();
  std::string value = Key(Space{1}).text(kind).take();
  value.append(payload);
  txn.put(key, value);
  // Before the mark: nobody would look there after a restart.
  const bool known = generation_ == txn.generation();
  const auto mark = known ? Result<std::optional<std::string>>(mark_) : txn.get(mark_key());
  if (mark && *mark && key < **mark) {
    if (known) mark_ = key;
    txn.put(mark_key(), key);
  }
  txn.on_published([life = std::weak_ptr(life_), due = ref.due_micros] {
    if (const auto alive = life.lock()) alive->timers->arm(due);
  });
  return ref;
}

void DurableTimers::cancel(Txn& txn, const Ref& ref) {
  txn.erase(timer_key(ref.due_micros, ref.sequence));
}

Result<void> DurableTimers::read_mark() {
  if (generation_ == shard_.generation()) return {};
  generation_ = shard_.generation();
  VIRGA_TRY(mark, shard_.get(mark_key()));
  mark_ = mark ? *mark : first_timer();
  return {};
}

// Due earlier than what the loop waits for: wait for that instead. A frozen clock needs no timer:
// its change wakes us.
void DurableTimers::arm(int64_t due_micros) {
  if (!started_ || due_micros >= armed_for_) return;
  const int64_t wait_micros = due_micros - env_.cloud.now().at.micros;
  if (wait_micros <= 0) return check_now();
  if (timer_ != async::TimerId::none) shard_.owner().cancel_timer(timer_);
  timer_ = async::TimerId::none;
  armed_for_ = due_micros;
  if (env_.cloud.frozen()) return;
  const int64_t wait_ms = std::min(kArmMsMax, (wait_micros + 999) / 1000);
  timer_ = shard_.owner().add_timer(shard_.owner().now().plus_millis(wait_ms), [this] {
    timer_ = async::TimerId::none;
    check_now();
  });
}

void DurableTimers::check_now() {
  if (!started_) return;
  if (firing_) {
    again_ = true;
    return;
  }
  firing_ = true;
  scope_.spawn("durable_timers", fire_due());
}

Result<std::vector<DurableTimers::Due>> DurableTimers::collect(int64_t now,
                                                               int64_t& next_due) const {
  std::vector<Due> due;
  const auto view = shard_.snapshot();
  next_due = INT64_MAX;
  VIRGA_TRY_VOID(view->scan(mark_, storage::prefix_end(first_timer()), Direction::forward,
                            [&](std::string_view key, std::string_view value) {
                              if (due_of(key) > now || due.size() == kFireBatch) {
                                next_due = due_of(key);
                                return false;
                              }
                              KeyReader reader(value);
                              reader.u8();
                              std::string kind = reader.text();
                              due.push_back(
                                  {std::string(key), std::move(kind), std::string(reader.rest())});
                              return true;
                            }));
  return due;
}

Task<void> DurableTimers::fire_due() {
  const Result<void> fired = co_await as_result(fire_all());
  firing_ = false;
  if (!fired && started_) {
    LOG_WARN("timers_unreadable", kv("message", fired.error().message));
    armed_for_ = INT64_MAX;
    arm(env_.cloud.now().plus_millis(kRetryDelayMs).at.micros);
  }
  co_return ok();
}

Task<void> DurableTimers::fire_all() {
  for (;;) {
    again_ = false;
    co_await read_mark();
    int64_t next_due = 0;
    const auto due = co_await collect(env_.cloud.now().at.micros, next_due);
    storage::Lsn last = 0;
    for (const Due& one : due) last = std::max(last, fire(one));
    if (!due.empty()) {
      co_await shard_.wait_durable(last);
      co_await async::yield();
      continue;
    }
    if (again_) continue;
    armed_for_ = INT64_MAX;
    if (next_due != INT64_MAX) arm(next_due);
    co_return ok();
  }
}

storage::Lsn DurableTimers::fire(const Due& due) {
  const auto remove = [&](Txn& txn) {
    txn.erase(due.key);
    // Of the mark's own generation only: a reset between here and the snapshot starts over.
    if (generation_ == txn.generation() && due.key >= mark_) {
      mark_ = due.key;
      txn.put(mark_key(), mark_);
    }
  };
  auto done = shard_.transact_now({.generation = generation_}, [&](Txn& txn) -> Result<void> {
    VIRGA_TRY(still, txn.get(due.key));
    if (!still) return {};  // cancelled, or fired already
    const auto handler = handlers_.find(due.kind);
    if (handler == handlers_.end())
      return fail("NoTimerHandler", 500, "no handler for timers of kind " + due.kind);
    VIRGA_TRY_VOID(handler->second(txn, due.payload));
    remove(txn);
    ++fired_;
    return {};
  });
  if (done.result || done.result.error().code == "GenerationGone") return done.lsn;
  LOG_WARN("timer_failed", kv("kind", due.kind), kv("message", done.result.error().message));
  const auto later =
      shard_.transact_now({.generation = generation_}, [&](Txn& txn) -> Result<void> {
        remove(txn);
        set(txn, env_.cloud.now().plus_millis(kRetryDelayMs), due.kind, due.payload);
        return {};
      });
  return later.lsn;
}

}  // namespace virga::platform
