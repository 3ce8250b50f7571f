#include "services/lambda/event_sources.h"

#include <algorithm>

#include "async/call_on.h"
#include "base/log.h"

namespace virga::lambda {
namespace {

constexpr int64_t kBackOffMinMs = 500;
constexpr int64_t kBackOffMaxMs = 30'000;

}  // namespace

Task<void> EventSource::stop() {
  co_await async::call_on(parts_.home, scope_.stop());
  co_return ok();
}

Task<void> EventSource::back_off(AwsError error) {
  if (failures_ == 0) {
    LOG_WARN("event_source_unreadable", kv("uuid", record_.uuid), kv("source", record_.source_arn),
             kv("code", error.code), kv("message", error.message));
  }
  const int64_t delay_ms = std::min(kBackOffMaxMs, kBackOffMinMs << std::min(failures_, 6));
  ++failures_;
  co_await async::sleep_millis(delay_ms);
  co_return ok();
}

Result<void> EventSources::start(aws::Door& door) {
  parts_.door = &door;
  started_ = true;
  VIRGA_TRY(records, store::all_event_sources(*parts_.shard.snapshot()));
  for (auto& record : records) begin(std::move(record));
  return {};
}

void EventSources::begin(EventSourceRecord record) {
  if (!started_ || !record.enabled || active_.contains(record.uuid)) return;
  const std::string uuid = record.uuid;
  auto source = record.kind() == SourceKind::queue ? make_queue_source(parts_, std::move(record))
                                                   : make_stream_source(parts_, std::move(record));
  source->start();
  active_.emplace(uuid, std::move(source));
}

void EventSources::changed(store::Owner owner, std::string uuid) {
  // Not inside the publication that brings it.
  parts_.home.post([this, owner = std::move(owner), uuid = std::move(uuid)]() mutable {
    if (!started_) return;
    const auto [at, first] = changing_.emplace(uuid, false);
    if (first) {
      scope_.spawn("event_source_change", change(std::move(owner), std::move(uuid)));
    } else {
      at->second = true;
    }
  });
}

// What runs by the old settings ends first: a stream has one reader a mapping.
Task<void> EventSources::change(store::Owner owner, std::string uuid) {
  do {
    changing_[uuid] = false;
    if (const auto found = active_.find(uuid); found != active_.end()) {
      std::unique_ptr<EventSource> old = std::move(found->second);
      active_.erase(found);
      co_await old->stop();
    }
    auto record = store::find_event_source(*parts_.shard.snapshot(), owner, uuid);
    if (record && *record) begin(std::move(**record));
  } while (changing_[uuid]);
  changing_.erase(uuid);
  co_return ok();
}

Task<void> EventSources::end(std::unique_ptr<EventSource> source) {
  co_await source->stop();
  co_return ok();
}

void EventSources::forget_all() {
  for (auto& [uuid, source] : std::exchange(active_, {}))
    scope_.spawn("event_source_end", end(std::move(source)));
}

Task<void> EventSources::stop() {
  if (!started_) co_return ok();
  started_ = false;
  forget_all();
  co_await async::call_on(parts_.home, scope_.stop());
  co_return ok();
}

std::string EventSources::last_result(const std::string& uuid) const {
  const auto found = active_.find(uuid);
  return found == active_.end() ? "No records processed" : found->second->last_result();
}

}  // namespace virga::lambda
