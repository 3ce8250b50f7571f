#include "services/logs/service.h"

namespace virga::logs {
namespace {

constexpr size_t kTargetsMax =
    10'000;  // streams that functions write to at one time; beyond it the cache starts anew

}  // namespace

Task<void> Service::append(platform::LogAppend request) {
  if (request.events.empty()) co_return ok();
  storage::Committed<void> done = co_await shard_.transact(
      storage::CommitClass::joined, [&](storage::Txn& txn) { return append_in(txn, request); });
  co_await std::move(done.result);
  storage::Lsn before = last_append_.load();
  while (before < done.lsn && !last_append_.compare_exchange_weak(before, done.lsn)) {
  }
  co_return ok();
}

Result<void> Service::append_in(storage::Txn& txn, const platform::LogAppend& request) {
  if (targets_generation_ != txn.generation() || targets_.size() > kTargetsMax) {
    targets_.clear();
    targets_generation_ = txn.generation();
  }
  LogTransaction logs(txn, request.account, request.region);
  const int64_t now = env_.cloud.now().at.millis();
  std::string name =
      request.account + '\n' + request.region + '\n' + request.group + '\n' + request.stream;
  Target target;
  if (const auto it = targets_.find(name); it != targets_.end()) {
    target = it->second;
  } else {
    VIRGA_TRY(group, logs.find_group(request.group));
    const bool known_group = group.has_value();
    if (!group) {
      group = Group{.name = request.group, .created_millis = now};
      logs.add(*group);
    }
    VIRGA_TRY(stream, logs.find_stream(*group, request.stream));
    const bool known_stream = stream.has_value();
    if (!stream) {
      stream = Stream{.name = request.stream, .created_millis = now};
      logs.add(*group, *stream);
    }
    target = {group->id, stream->id, group->subscribed};
    // Only what is there already: this transaction may still fail.
    if (known_group && known_stream) targets_.emplace(std::move(name), target);
  }
  std::vector<NewEvent> events;
  events.reserve(request.events.size());
  for (const platform::LogEvent& e : request.events)
    events.push_back({e.timestamp_millis, e.message});
  logs.append(target.group, target.stream, now, events);
  if (!target.subscribed) return {};
  return notify_subscribers(
      logs, {request.account, request.region, request.group, request.stream, target.group}, events);
}

Task<void> Service::caught_up() {
  const storage::Lsn lsn = last_append_.load();
  if (lsn > shard_.published()) co_await shard_.wait_durable(lsn);
  co_return ok();
}

}  // namespace virga::logs
