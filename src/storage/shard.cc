#include "storage/shard.h"

#include "base/check.h"
#include "base/log.h"
#include "storage/batch.h"
#include "storage/shard_core.h"
#include "storage/store_format.h"

namespace virga::storage {
namespace {

constexpr size_t kReplayBatchBytes = 1 << 20;
constexpr size_t kSpareBatches = 256;
constexpr size_t kSparePayloadBytes = 16 << 10;
// A clean end leaves less than this to replay.
constexpr uint64_t kReplayAtStartBytes = 8 << 20;
// So many writes of one turn do not wait for the turn's end.
constexpr size_t kUnkickedMax = 64;

std::string encode_u64(uint64_t value) {
  return Key(Space{0}).u64(value).str().substr(1);
}
uint64_t decode_u64(std::string_view bytes) {
  return KeyReader(bytes).u64();
}

// Takes the generation off the keys.
class VisibleCursor final : public Cursor {
 public:
  explicit VisibleCursor(std::unique_ptr<Cursor> inner) : inner_(std::move(inner)) {}
  bool valid() const override { return inner_->valid(); }
  std::string_view key() const override { return inner_->key().substr(sizeof(Generation)); }
  std::string_view value() const override { return inner_->value(); }
  void next() override { inner_->next(); }
  Result<void> status() const override { return inner_->status(); }

 private:
  std::unique_ptr<Cursor> inner_;
};

struct FullRange {
  std::string begin, end;
  FullRange(Generation generation, std::string_view from, std::string_view to)
      : begin(generation_prefix(generation).append(from)),
        end(to.empty() ? generation_prefix(generation + 1)
                       : generation_prefix(generation).append(to)) {}
};

class SnapshotView final : public View {
 public:
  SnapshotView(Index& index, Generation generation)
      : index_(index), generation_(generation), snapshot_(index.snapshot()) {}
  Result<std::optional<std::string>> get(std::string_view key) const override {
    std::string value;
    VIRGA_TRY(found,
              index_.get(generation_prefix(generation_).append(key), snapshot_.get(), value));
    if (!found) return std::nullopt;
    return value;
  }
  std::unique_ptr<Cursor> cursor(std::string_view begin, std::string_view end,
                                 Direction direction) const override {
    const FullRange range(generation_, begin, end);
    return std::make_unique<VisibleCursor>(
        index_.cursor(range.begin, range.end, direction, snapshot_.get()));
  }

 private:
  Index& index_;
  Generation generation_;
  Index::SnapshotPtr snapshot_;
};

}  // namespace

std::string generation_prefix(Generation generation) {
  return {static_cast<char>(generation >> 24), static_cast<char>(generation >> 16),
          static_cast<char>(generation >> 8), static_cast<char>(generation)};
}

Result<void> View::scan(std::string_view begin, std::string_view end, Direction direction,
                        FunctionRef<bool(std::string_view, std::string_view)> visit) const {
  const auto at = cursor(begin, end, direction);
  for (; at->valid(); at->next()) {
    if (!visit(at->key(), at->value())) return {};
  }
  return at->status();
}

// ---- transactions
// -------------------------------------------------------------------------------------------------

std::string_view Txn::full(std::string_view key) const {
  scratch_ = generation_prefix(shard_.core_->generation);
  scratch_.append(key);
  return scratch_;
}

Result<std::optional<std::string>> Txn::get(std::string_view key) const {
  Shard::Core& core = *shard_.core_;
  const std::string_view wanted = full(key);
  if (!core.overlay.empty()) {
    if (const auto found = core.overlay.find(wanted)) {
      if (found->batch->lsn != lsn_) depends_on_ = std::max(depends_on_, found->batch->lsn);
      if (!found->value) return std::nullopt;
      return std::string(*found->value);
    }
  }
  std::string value;
  VIRGA_TRY(found, core.index->get(wanted, nullptr, value));
  if (!found) return std::nullopt;
  return value;
}

std::unique_ptr<Cursor> Txn::cursor(std::string_view begin, std::string_view end,
                                    Direction direction) const {
  Shard::Core& core = *shard_.core_;
  const FullRange range(core.generation, begin, end);
  auto base = core.index->cursor(range.begin, range.end, direction, nullptr);
  if (core.overlay.empty()) return std::make_unique<VisibleCursor>(std::move(base));
  return std::make_unique<VisibleCursor>(
      core.overlay.cursor(std::move(base), range.begin, range.end, direction, depends_on_));
}

void Txn::put(std::string_view key, std::string_view value) {
  Shard::Core& core = *shard_.core_;
  core.overlay.put(*core.current, full(key), value);
}
void Txn::erase(std::string_view key) {
  Shard::Core& core = *shard_.core_;
  core.overlay.erase(*core.current, full(key));
}
void Txn::erase_range(std::string_view begin, std::string_view end) {
  Shard::Core& core = *shard_.core_;
  const FullRange range(core.generation, begin, end);
  core.overlay.erase_range(*core.current, range.begin, range.end);
}
void Txn::add_change(std::string_view record) {
  append_op(shard_.core_->current->payload, OpKind::change, record);
}
Generation Txn::generation() const {
  return shard_.core_->generation;
}
uint64_t Txn::new_object_id() {
  Shard::Core& core = *shard_.core_;
  const uint64_t id = ++core.last_object_id;
  append_op(core.current->payload, OpKind::put, kObjectIdKey, encode_u64(id));
  return id;
}
void Txn::on_published(async::Callback callback) {
  shard_.core_->current->on_published.push_back(std::move(callback));
}

std::unique_ptr<InFlightBatch> Shard::Core::take_batch() {
  if (spare_batches.empty()) return std::make_unique<InFlightBatch>();
  auto batch = std::move(spare_batches.back());
  spare_batches.pop_back();
  return batch;
}

void Shard::Core::recycle(std::unique_ptr<InFlightBatch> batch) {
  if (spare_batches.size() >= kSpareBatches || batch->payload.capacity() > kSparePayloadBytes)
    return;
  batch->payload.clear();
  batch->touched.clear();
  batch->on_published.clear();
  spare_batches.push_back(std::move(batch));
}

AwsError Shard::Core::failure_error() {
  return AwsError{.code = "ServiceUnavailable",
                  .http_status = 503,
                  .message = "The storage has failed; the server stops."};
}

// Asked for each write while space is short, so that writes go on as soon as there is room again.
bool Shard::Core::refuses_for_space() {
  if (!low_space.load(std::memory_order_relaxed)) return false;
  const auto free = fs->free_bytes(dir);
  const bool low = !free || *free < options.reserve_bytes;
  low_space.store(low, std::memory_order_relaxed);
  return low;
}

Result<void> Shard::run(const TransactOptions& options, FunctionRef<bool(Txn&)> body,
                        Lsn& depends_on) {
  Core& core = *core_;
  CHECK(async::Loop::current() == core.owner && !core.current);
  if (core.failed.load(std::memory_order_acquire)) return fail(core.failure_error());
  if (options.generation && *options.generation != core.generation) {
    return fail("GenerationGone", 503, "The store was reset while the call was on its way.");
  }
  core.retire_quiet();
  core.current = core.take_batch();
  InFlightBatch& batch = *core.current;
  batch.lsn = core.next_lsn;
  batch.commit_class = options.commit_class;
  Txn txn(*this, batch.lsn);
  const auto give_up = [&] {
    core.overlay.rollback(batch);
    core.recycle(std::move(core.current));
    depends_on = std::min(txn.depends_on_, txn.lsn_ - 1);  // its own writes are gone
    if (core.options.faults.forget_refusal_lsn) depends_on = 0;
  };

  bool good = false;
  try {
    good = body(txn);
  } catch (...) {
    give_up();
    throw;
  }
  if (!good) {
    give_up();
    return {};
  }
  if (batch.payload.empty()) {
    for (auto& callback : batch.on_published) core.owner->post(std::move(callback));
    give_up();
    return {};
  }
  if (batch.payload.size() > core.log->payload_bytes_max()) {
    give_up();
    return fail("TransactionTooLarge", 413,
                "A transaction may write " + std::to_string(core.log->payload_bytes_max()) +
                    " bytes at most.");
  }
  if (core.refuses_for_space() && !txn.allowed_in_low_space_) {
    give_up();
    return fail("ServiceUnavailable", 503,
                "The server is short of disk space and takes no writes.");
  }
  core.overlay.keep();
  depends_on = batch.lsn;
  core.submit(std::move(core.current));
  return {};
}

void Shard::Core::submit(std::unique_ptr<InFlightBatch> batch) {
  InFlightBatch* const raw = batch.get();
  next_lsn = raw->lsn + 1;
  raw->generation = generation;
  in_flight_bytes += raw->payload.size();
  in_flight.push_back(std::move(batch));
  {
    const std::lock_guard guard(mutex);
    queue.push_back(raw);
  }
  submitted.store(raw->lsn, std::memory_order_release);
  if (raw->commit_class == CommitClass::durable ||
      in_flight_bytes > options.in_flight_bytes_max / 2) {
    hurry(raw->lsn);
    kick_soon();
  } else if (joined_timer == async::TimerId::none) {
    joined_timer = owner->add_timer(owner->now().plus_millis(kJoinedDelayMs), [this] {
      joined_timer = async::TimerId::none;
      hurry(submitted.load(std::memory_order_relaxed));
      worker->kick();
    });
  }
}

// The next drain takes everything up to this batch.
void Shard::Core::hurry(Lsn lsn) {
  Lsn before = hurried.load(std::memory_order_relaxed);
  while (before < lsn && !hurried.compare_exchange_weak(before, lsn, std::memory_order_release)) {
  }
}

// Wakes the worker once per turn of the owner loop: the writes of a turn share a drain, and a sync
// costs the same for one record as for fifty.
void Shard::Core::kick_soon() {
  if (++unkicked >= kUnkickedMax) {
    unkicked = 0;
    worker->kick();
  }
  if (std::exchange(kick_posted, true)) return;
  owner->post([self = shared_from_this()] {
    self->kick_posted = false;
    if (std::exchange(self->unkicked, 0) > 0 && !self->closed) self->worker->kick();
  });
}

// The oldest batch is published; who is to be told of it.
std::vector<async::Callback> Shard::Core::retire_front() {
  auto batch = std::move(in_flight.front());
  in_flight.pop_front();
  in_flight_bytes -= batch->payload.size();
  overlay.retire(*batch);
  auto callbacks = std::move(batch->on_published);
  recycle(std::move(batch));
  return callbacks;
}

// What is published and has nobody to be told, before a transaction: quiet drains wake nobody for
// this.
void Shard::Core::retire_quiet() {
  const Lsn up_to = published.load(std::memory_order_acquire);
  while (!in_flight.empty() && in_flight.front()->lsn <= up_to &&
         in_flight.front()->on_published.empty()) {
    retire_front();
  }
}

void Shard::Core::retire(Lsn up_to) {
  if (closed) return;
  while (!in_flight.empty() && in_flight.front()->lsn <= up_to) {
    for (auto& callback : retire_front()) callback();
  }
  if (in_flight_bytes <= options.in_flight_bytes_max) room.set();
}

bool Shard::full() const {
  return core_->in_flight_bytes > core_->options.in_flight_bytes_max;
}

Task<void> Shard::wait_for_room() {
  while (full()) {
    core_->retire_quiet();
    if (!full()) break;
    core_->room.reset();
    co_await core_->room.wait();
  }
  co_return ok();
}

// ---- waiting
// ------------------------------------------------------------------------------------------------------

bool Shard::DurableAwaiter::await_ready() const {
  return core.published.load(std::memory_order_acquire) >= lsn;
}

bool Shard::DurableAwaiter::start(std::coroutine_handle<> h, async::CancelSource* cancel) {
  handle = h;
  loop = async::Loop::current();
  source = cancel;
  if (source && !source->add(*this)) {
    was_cancelled = true;
    return false;
  }
  {
    const std::lock_guard guard(core.mutex);
    if (core.published.load(std::memory_order_acquire) >= lsn || core.failed.load()) {
      unlink();
      return false;
    }
    core.waiters.push_back(this);
  }
  if (lsn > core.hurried.load(std::memory_order_acquire)) {  // a joined batch
    core.hurry(lsn);
    core.worker->kick();
  }
  return true;
}

Result<void> Shard::DurableAwaiter::await_resume() const {
  if (core.published.load(std::memory_order_acquire) >= lsn) return {};
  if (was_cancelled) return fail(source->reason());
  return fail(core.failure_error());
}

void Shard::DurableAwaiter::on_cancel() {
  {
    const std::lock_guard guard(core.mutex);
    if (std::erase(core.waiters, this) == 0) return;  // already on its way to us
  }
  was_cancelled = true;
  loop->resume(handle);
}

Task<void> Shard::wait_durable(Lsn lsn) {
  Result<void> outcome = co_await DurableAwaiter(*core_, lsn);
  co_return std::move(outcome);
}

// ---- reading
// ------------------------------------------------------------------------------------------------------

std::unique_ptr<View> Shard::snapshot() {
  return std::make_unique<SnapshotView>(
      *core_->index, core_->published_generation.load(std::memory_order_acquire));
}

Result<std::optional<std::string>> Shard::get(std::string_view key) const {
  std::string wanted =
      generation_prefix(core_->published_generation.load(std::memory_order_acquire));
  wanted.append(key);
  std::string value;
  VIRGA_TRY(found, core_->index->get(wanted, nullptr, value));
  if (!found) return std::nullopt;
  return value;
}

Lsn Shard::published() const {
  return core_->published.load(std::memory_order_acquire);
}
Generation Shard::generation() const {
  return core_->published_generation.load(std::memory_order_acquire);
}
async::Loop& Shard::owner() const {
  return *core_->owner;
}

Result<Lsn> Shard::changes(Lsn from, FunctionRef<bool(Lsn, std::string_view)> visit) const {
  const Lsn up_to = published();
  ShardLog::Reader reader(*core_->log, from);
  for (Lsn next = std::max<Lsn>(from, 1); next <= up_to; ++next) {
    VIRGA_TRY(record, reader.next(up_to));
    if (!record) return next;
    OpReader ops(record->payload);
    while (const auto op = ops.next()) {
      if (op->kind == OpKind::change && !visit(record->lsn, op->first)) return next + 1;
    }
  }
  return std::max(from, up_to + 1);
}

void Shard::keep_changes_from(Lsn lsn) {
  core_->keep_from.store(lsn, std::memory_order_release);
}

Shard::Stats Shard::stats() const {
  const Core& core = *core_;
  const Lsn published = core.published.load();
  size_t in_flight_bytes = 0;  // without what only waits to be retired by the next transaction
  for (const auto& batch : core.in_flight) {
    if (batch->lsn > published || !batch->on_published.empty())
      in_flight_bytes += batch->payload.size();
  }
  return {.published = published,
          .submitted = core.submitted.load(),
          .drains = core.drains.load(),
          .batches = published,
          .in_flight_bytes = in_flight_bytes,
          .log_bytes = core.log->bytes_since(0),
          .index_memory_bytes = core.index->memory_bytes(),
          .low_space = core.low_space.load(),
          .failed = core.failed.load()};
}

Task<Lsn> Shard::reset() {
  async::Loop* const home = async::Loop::current();
  co_await async::switch_to(owner());
  Lsn lsn = 0;
  Result<void> submitted = run(
      {},
      [&](Txn& txn) {
        const Generation next = core_->generation + 1;
        append_op(core_->current->payload, OpKind::put, kGenerationKey, encode_u64(next));
        core_->generation = next;
        txn.allow_in_low_space();
        return true;
      },
      lsn);
  co_await async::switch_to(*home);
  co_await std::move(submitted);
  const Result<void> durable = co_await as_result(wait_durable(lsn));
  if (!durable) co_return fail(durable.error());
  co_return lsn;
}

// ---- opening and closing
// ------------------------------------------------------------------------------------------

Shard::Shard(std::shared_ptr<Core> core) : core_(std::move(core)) {}

Result<std::unique_ptr<Shard>> Shard::open(FileSystem& fs, std::string dir, ShardOptions options,
                                           async::Loop& owner, async::WorkerHost& workers) {
  auto core = std::make_shared<Core>();
  core->fs = &fs;
  core->dir = std::move(dir);
  core->owner = &owner;
  VIRGA_TRY_VOID(core->open(std::move(options), workers));
  return std::unique_ptr<Shard>(new Shard(std::move(core)));
}

Result<void> Shard::Core::open(ShardOptions wanted, async::WorkerHost& workers) {
  options = std::move(wanted);
  job_host = workers.takes_jobs();
  VIRGA_TRY_VOID(fs->make_dir(dir));
  VIRGA_TRY(held, fs->lock(dir + "/LOCK"));
  lock = std::move(held);
  VIRGA_TRY(format, open_store_format(*fs, dir));
  ignore(format, "one shard; the epoch is for clusters");

  VIRGA_TRY(opened, Index::open({.fs = fs,
                                 .dir = dir + "/index",
                                 .workers = &workers,
                                 .write_buffer_bytes = options.write_buffer_bytes,
                                 .block_cache_bytes = options.block_cache_bytes,
                                 // The worker sees it at its next drain; there is no hurry.
                                 .on_flushed = [this](Lsn lsn) {
                                   flushed.store(lsn, std::memory_order_release);
                                 }}));
  index = std::move(opened);
  flushed = index->applied();
  if (options.hold_changes) keep_from = 1;
  VIRGA_TRY_VOID(replay());

  std::string value;
  VIRGA_TRY(has_generation, index->get(kGenerationKey, nullptr, value));
  if (has_generation) generation = static_cast<Generation>(decode_u64(value));
  published_generation = generation;
  VIRGA_TRY(has_id, index->get(kObjectIdKey, nullptr, value));
  if (has_id) last_object_id = decode_u64(value);
  if (generation > 1 && index->has_any(generation_prefix(1), generation_prefix(generation))) {
    discard_below = generation;
  }
  published = log->last();
  submitted = log->last();
  next_lsn = log->last() + 1;
  worker = workers.start("virga-log", [this] { return step(); });
  worker->kick();
  return {};
}

Result<void> Shard::Core::replay() {
  std::deque<std::string> kept;
  std::vector<std::string_view> batch;
  size_t bytes = 0;
  Lsn last = 0;
  const auto apply = [&]() -> Result<void> {
    if (batch.empty()) return {};
    VIRGA_TRY_VOID(index->apply(batch, last));
    batch.clear();
    kept.clear();
    bytes = 0;
    return {};
  };
  const auto each = [&](const LogRecord& record) -> Result<void> {
    kept.emplace_back(record.payload);
    batch.push_back(kept.back());
    bytes += record.payload.size();
    last = record.lsn;
    if (bytes >= kReplayBatchBytes) return apply();
    return {};
  };
  VIRGA_TRY(opened, ShardLog::open({.fs = fs,
                                    .dir = dir + "/log",
                                    .segment_bytes = options.segment_bytes,
                                    .faults = options.faults},
                                   index->applied(), each));
  log = std::move(opened);
  return apply();
}

Shard::~Shard() {
  Core& core = *core_;
  if (core.joined_timer != async::TimerId::none) core.owner->cancel_timer(core.joined_timer);
  core.worker.reset();
  core.hurried.store(core.submitted.load());
  while (core.step()) {
  }
  core.closed = true;
  CHECK(core.waiters.empty());
  if (!core.failed.load() && !core.job_host &&
      core.index->unflushed_bytes() > kReplayAtStartBytes) {
    ignore(core.index->flush_and_wait(), "the log has it all");
  }
  core.index.reset();
  core.log.reset();
  core.lock.reset();
}

}  // namespace virga::storage
