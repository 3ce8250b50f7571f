#include <unistd.h>

#include <algorithm>
#include <map>

#include "base/log.h"
#include "storage/shard_core.h"

// The worker's side of a shard: batches become durable, then visible.
namespace virga::storage {
namespace {

constexpr int kExitIoError = 74;  // EX_IOERR of sysexits.h
// The index is told to write its files when the log holds this many segments beyond them.
constexpr uint64_t kUnflushedSegmentsMax = 4;

}  // namespace

// One phase of a drain per step, so that the simulation can stop the world between any two of them.
bool Shard::Core::step() {
  if (failed.load(std::memory_order_acquire)) return false;
  Result<void> done;
  switch (phase) {
    case Phase::idle:
      keep_house();
      if (!take_queue()) return false;
      watch_space();
      done = log->append(records);
      phase = Phase::written;
      break;
    case Phase::written:
      if (!options.faults.answer_before_sync) done = log->sync();
      phase = Phase::synced;
      break;
    case Phase::synced:
      done = apply_drain();
      phase = Phase::idle;
      break;
  }
  if (!done) fail_for_good(done.error());
  return done.has_value();
}

bool Shard::Core::take_queue() {
  drain.clear();
  {
    const std::lock_guard guard(mutex);
    // Joined batches that came during the last drain have their own time to wait.
    if (queue.empty() || queue.front()->lsn > hurried.load(std::memory_order_acquire)) return false;
    drain.swap(queue);
  }
  records.clear();
  for (const InFlightBatch* batch : drain)
    records.push_back({.lsn = batch->lsn, .payload = batch->payload});
  return !drain.empty();
}

Result<void> Shard::Core::apply_drain() {
  payloads.clear();
  for (const LogRecord& record : records) payloads.push_back(record.payload);
  const Lsn last = records.back().lsn;
  VIRGA_TRY_VOID(index->apply(payloads, last));
  const Generation reached = drain.back()->generation;
  if (reached != published_generation.load(std::memory_order_relaxed)) discard_below.store(reached);
  drains.fetch_add(1, std::memory_order_relaxed);
  publish(last, reached);
  return {};
}

// Small, and nobody waits to be told of it: its batches go with the next transaction, and those who
// wait for their answers are woken without the owner's loop being woken first. Whoever waits for
// room is woken all the same: when the shard is full, all that this drain has not taken, and that
// is more than an eighth, is in the next one, which is not quiet.
bool Shard::Core::is_quiet_drain() const {
  size_t bytes = 0;
  for (const InFlightBatch* batch : drain) {
    if (!batch->on_published.empty()) return false;
    bytes += batch->payload.size();
  }
  return bytes <= std::min(kQuietDrainBytes, options.in_flight_bytes_max / 8);
}

// After this the owner may free the batches: nothing of the drain is touched any more.
void Shard::Core::publish(Lsn lsn, Generation reached) {
  std::vector<DurableAwaiter*> woken;
  const bool quiet = is_quiet_drain();
  published_generation.store(reached, std::memory_order_release);
  {
    const std::lock_guard guard(mutex);
    published.store(lsn, std::memory_order_release);
    std::erase_if(waiters, [&](DurableAwaiter* waiter) {
      if (waiter->lsn > lsn) return false;
      woken.push_back(waiter);
      return true;
    });
  }
  if (!quiet) owner->post([self = shared_from_this(), lsn] { self->retire(lsn); });
  wake(std::move(woken));
}

// One message per loop, however many wait there.
void Shard::Core::wake(std::vector<DurableAwaiter*> woken) {
  while (!woken.empty()) {
    async::Loop* const loop = woken.front()->loop;
    std::vector<DurableAwaiter*> here, others;
    for (DurableAwaiter* waiter : woken) (waiter->loop == loop ? here : others).push_back(waiter);
    loop->post([here = std::move(here)] {
      for (DurableAwaiter* waiter : here) {
        waiter->unlink();
        waiter->handle.resume();
      }
    });
    woken = std::move(others);
  }
}

void Shard::Core::watch_space() {
  if (const auto free = fs->free_bytes(dir); free && *free < options.reserve_bytes) {
    if (!low_space.exchange(true))
      LOG_WARN("low_disk_space", kv("folder", dir), kv("free_bytes", *free));
  }
}

void Shard::Core::keep_house() {
  const Lsn safe = flushed.load(std::memory_order_acquire);
  const Lsn keep = keep_from.load(std::memory_order_acquire);
  const Lsn trim_to = keep == 0 ? safe : std::min(safe, keep - 1);
  if (trim_to > trimmed_to) {
    if (const auto trimmed = log->trim(trim_to); !trimmed) {
      LOG_WARN("log_trim_failed", kv("message", trimmed.error().message));
    }
    trimmed_to = trim_to;
  }
  if (log->bytes_since(std::max(safe, flush_asked_at)) >
      kUnflushedSegmentsMax * options.segment_bytes) {
    flush_asked_at = log->last();
    if (const auto asked = index->start_flush(); !asked) {
      LOG_WARN("index_flush_failed", kv("message", asked.error().message));
    }
  }
  if (const Generation below = discard_below.exchange(0); below > 1) {
    const auto discarded = index->discard_range(generation_prefix(1), generation_prefix(below));
    if (!discarded) LOG_WARN("discard_failed", kv("message", discarded.error().message));
  }
}

// Never retried: after a failed sync nobody knows which of the unsynced bytes the disk still has.
void Shard::Core::fail_for_good(const AwsError& error) {
  LOG_ERROR("storage_failed", kv("message", error.message));
  if (!options.on_fatal) ::_exit(kExitIoError);
  std::vector<DurableAwaiter*> woken;
  {
    const std::lock_guard guard(mutex);
    failure = error;
    failed.store(true, std::memory_order_release);
    woken.swap(waiters);
  }
  options.on_fatal(error);
  owner->post([self = shared_from_this()] {
    if (self->closed) return;
    self->in_flight_bytes = 0;  // whoever waits for room comes to hear of the failure
    self->room.set();
  });
  wake(std::move(woken));
}

}  // namespace virga::storage
