#include "services/lambda/service.h"

#include "async/call_on.h"

namespace virga::lambda {
namespace {

// Asynchronous invocations under way in this process; each may occupy a sandbox. The account's
// limit bounds them as well.
constexpr size_t kEventsAtATime = 256;

}  // namespace

Service::Service(storage::Shard& shard, async::Loop& home, Compute& compute, CodeStore& code,
                 platform::LogWriter& logs, platform::DurableTimers& timers, ServiceOptions options)
    : shard_(shard),
      home_(home),
      compute_(compute),
      code_(code),
      logs_(logs),
      options_(options),
      downloads_(code),
      scheduler_(home, compute, options.scheduler),
      events_(shard, timers, home.env(), {.name = "lambda-events", .concurrency = kEventsAtATime},
              [this](platform::QueueMessage message) { return deliver_event(std::move(message)); }),
      sources_(source_parts()) {}

Service::~Service() = default;

void Service::retire(uint64_t function_id, uint64_t below_generation) {
  home_.post(
      [this, function_id, below_generation] { scheduler_.retire(function_id, below_generation); });
}
void Service::retire_all(uint64_t function_id) {
  home_.post([this, function_id] { scheduler_.retire_all(function_id); });
}
void Service::retire_version(uint64_t function_id, std::string version) {
  home_.post([this, function_id, version = std::move(version)] {
    scheduler_.retire_version(function_id, version);
  });
}
void Service::retire_everything() {
  home_.post([this] {
    sources_.forget_all();
    provisioned_.clear();
    scheduler_.retire_everything();
  });
}

Result<void> Service::start() {
  VIRGA_TRY(runtimes, store::all_runtimes(*shard_.snapshot()));
  for (const auto& runtime : runtimes) compute_.prepare(runtime);
  return events_.start();
}

Task<void> Service::stop() {
  co_await async::call_on(home_, sources_.stop());
  co_await async::call_on(home_, streams_.stop());
  co_await async::call_on(home_, events_.stop());
  auto stopped = co_await async::call_on(home_, scheduler_.stop());
  co_return std::move(stopped);
}

}  // namespace virga::lambda
