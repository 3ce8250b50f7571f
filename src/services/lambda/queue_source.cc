// A queue that calls a function. Source: Lambda Developer Guide, "Using Lambda with Amazon SQS",
// "Configuring scaling behavior for SQS event source mappings", "Handling errors for an SQS event
// source".
#include <algorithm>

#include "api/sqs/client.h"
#include "api/sqs/delete_message_batch.h"
#include "api/sqs/receive_message.h"
#include "api/sqs/shapes.h"
#include "async/call_on.h"
#include "base/log.h"
#include "services/lambda/destinations.h"
#include "services/lambda/event_sources.h"
#include "services/lambda/source_events.h"

namespace virga::lambda {
namespace {

constexpr int kReceiveMax = 10;       // messages a receive or a deletion takes
constexpr int32_t kWaitSeconds = 20;  // the longest poll there is
// What a synchronous invocation takes. Source: Lambda quotas page.
constexpr size_t kEventBytesMax = 6'291'456;
// Batches at a time: five to begin with, 300 more a minute while there is work for all.
// Source: "Configuring scaling behavior for SQS event source mappings".
constexpr int kAtATimeMin = 5;
constexpr int kAtATimeMax = 1250;
constexpr int64_t kNanosAStep = 200'000'000;
constexpr int64_t kNanosASecond = 1'000'000'000;
// A batch that cannot run is tried again after 100 ms and then twice as long each time; then its
// messages return to the queue.
constexpr int kTries = 7;
constexpr int64_t kRetryMinMs = 100;

struct Taken {
  SourceEvent event;
  std::string receipt;
};
using Batch = std::vector<Taken>;

class QueueSource final : public EventSource {
 public:
  QueueSource(const SourceParts& parts, EventSourceRecord record)
      : EventSource(parts, std::move(record)),
        queues_(*parts.door),
        queue_url_(queue_url_of_arn(record_.source_arn)) {}

 private:
  Task<void> run() override;
  Task<Batch> gather();
  Task<Batch> receive(int max, int32_t wait_seconds);
  Task<void> process(Batch batch);
  Task<void> process_part(Batch batch);
  Task<BatchRun> invoke(std::string payload);
  Task<void> remove(std::vector<std::string> receipts);
  Task<void> remove_some(std::vector<std::string> receipts);
  int at_a_time() const;

  sqs::api::Client queues_;
  const std::string queue_url_;
  SourceFilter filter_;
  int running_ = 0;
  async::SteadyTime busy_since_{};  // all the time since then there was work for everybody
  async::Event freed_;
};

int QueueSource::at_a_time() const {
  if (record_.concurrency) return *record_.concurrency;
  const int64_t busy_nanos = async::Loop::current()->now() - busy_since_;
  return static_cast<int>(std::min<int64_t>(kAtATimeMax, kAtATimeMin + busy_nanos / kNanosAStep));
}

Task<void> QueueSource::run() {
  filter_ = co_await SourceFilter::parse(record_.filters);
  busy_since_ = async::Loop::current()->now();
  for (;;) {
    while (running_ >= at_a_time()) {
      freed_.reset();
      co_await freed_.wait();
    }
    auto gathering = gather();
    auto batch = co_await as_result(std::move(gathering));
    if (!batch) {
      co_await back_off(batch.error());
      continue;
    }
    reading_works();
    if (batch->empty() || running_ == 0) busy_since_ = async::Loop::current()->now();
    if (batch->empty()) continue;
    ++running_;
    if (scope_.stopping()) {
      co_await process(std::move(*batch));
      co_return ok();
    }
    scope_.spawn("event_source_batch", process(std::move(*batch)));
  }
}

// A batch: what one receive gives, or with a window what comes until it is full or over.
Task<Batch> QueueSource::gather() {
  Batch batch = co_await receive(std::min(record_.batch_size, kReceiveMax), kWaitSeconds);
  if (record_.window_seconds == 0 || batch.empty()) co_return std::move(batch);
  async::Loop& loop = *async::Loop::current();
  const auto end = loop.now().plus_micros(int64_t{record_.window_seconds} * 1'000'000);
  size_t bytes = 0;
  for (const auto& taken : batch) bytes += taken.event.json.size();
  bool last = false;
  while (!last && static_cast<int>(batch.size()) < record_.batch_size && bytes < kEventBytesMax) {
    // Polls are whole seconds; what remains at the end is slept.
    const int64_t left = std::max<int64_t>(end - loop.now(), 0);
    const auto wait = static_cast<int32_t>(std::min<int64_t>(left / kNanosASecond, kWaitSeconds));
    last = wait == 0;
    if (last) {
      const auto slept = co_await as_result(async::sleep_until(end));
      ignore(slept, "stopping ends the window");
    }
    const int room = record_.batch_size - static_cast<int>(batch.size());
    auto receiving = receive(std::min(room, kReceiveMax), wait);
    auto more = co_await as_result(std::move(receiving));
    if (!more) break;  // what came already is not lost
    for (auto& taken : *more) {
      bytes += taken.event.json.size();
      batch.push_back(std::move(taken));
    }
  }
  co_return std::move(batch);
}

Task<Batch> QueueSource::receive(int max, int32_t wait_seconds) {
  auto caller = co_await parts_.caller(record_);
  sqs::api::ReceiveMessageInput input;
  input.queue_url = queue_url_;
  input.max_number_of_messages = max;
  input.wait_time_seconds = wait_seconds;
  input.attribute_names.emplace().push_back("All");
  input.message_attribute_names.emplace().push_back("All");
  auto got = co_await queues_.receive_message(std::move(caller), std::move(input));
  Batch out;
  if (!got.messages) co_return std::move(out);
  std::vector<std::string> unwanted;
  for (const auto& message : *got.messages) {
    Taken taken{queue_event(message, record_), message.receipt_handle.value_or("")};
    if (filter_.passes(taken.event, SourceKind::queue)) {
      out.push_back(std::move(taken));
    } else {
      unwanted.push_back(std::move(taken.receipt));
    }
  }
  // What no filter wants is gone, as if it had been processed.
  auto removing = remove(std::move(unwanted));
  const auto removed = co_await as_result(std::move(removing));
  ignore(removed, "they come again and are removed then");
  co_return std::move(out);
}

Task<void> QueueSource::process(Batch batch) {
  while (!batch.empty()) {
    size_t bytes = 0;
    size_t count = 0;
    while (count < batch.size()) {
      bytes += batch[count].event.json.size() + 1;
      if (count > 0 && bytes + 16 > kEventBytesMax) break;
      ++count;
    }
    const auto middle = batch.begin() + static_cast<ptrdiff_t>(count);
    Batch part(std::make_move_iterator(batch.begin()), std::make_move_iterator(middle));
    batch.erase(batch.begin(), middle);
    auto processing = process_part(std::move(part));
    const auto done = co_await as_result(std::move(processing));
    if (!done && !scope_.stopping()) {
      LOG_WARN("event_source_batch_returned", kv("uuid", record_.uuid),
               kv("code", done.error().code), kv("message", done.error().message));
    }
  }
  --running_;
  freed_.set();
  co_return ok();
}

// What the function did not take stays in the queue: it can be received again when its visibility
// timeout is over.
Task<void> QueueSource::process_part(Batch batch) {
  std::vector<const SourceEvent*> events;
  for (const auto& taken : batch) events.push_back(&taken.event);
  const BatchRun done = co_await invoke(join_events(events));
  BatchFailures failures{.all = !done.function_error.empty(), .ids = {}};
  if (!failures.all && record_.report_failures) failures = read_failures(done.payload, events);
  std::vector<std::string> receipts;
  for (auto& taken : batch) {
    if (!failures.has(taken.event.id)) receipts.push_back(std::move(taken.receipt));
  }
  co_await remove(std::move(receipts));
  co_return ok();
}

Task<BatchRun> QueueSource::invoke(std::string payload) {
  for (int tries = 1;; ++tries) {
    auto running = parts_.run(record_.function, payload);
    auto ran = co_await async::call_on(parts_.home, std::move(running));
    if (ran) co_return std::move(*ran);
    const bool passing =
        ran.error().code == "TooManyRequestsException" || ran.error().http_status >= 500;
    if (!passing || tries == kTries) co_return fail(ran.error());
    co_await async::sleep_millis(kRetryMinMs << (tries - 1));
  }
}

// Whatever ends meanwhile: these are done.
Task<void> QueueSource::remove(std::vector<std::string> receipts) {
  if (receipts.empty()) co_return ok();
  auto removing = remove_some(std::move(receipts));
  auto removed = co_await async::call_on(parts_.home, std::move(removing));
  co_return std::move(removed);
}

Task<void> QueueSource::remove_some(std::vector<std::string> receipts) {
  for (size_t at = 0; at < receipts.size(); at += kReceiveMax) {
    auto caller = co_await parts_.caller(record_);
    sqs::api::DeleteMessageBatchInput input;
    input.queue_url = queue_url_;
    auto& entries = input.entries.emplace();
    for (size_t i = at; i < std::min(receipts.size(), at + kReceiveMax); ++i) {
      auto& entry = entries.emplace_back();
      entry.id = std::to_string(i - at);
      entry.receipt_handle = std::move(receipts[i]);
    }
    const auto done = co_await queues_.delete_message_batch(std::move(caller), std::move(input));
  }
  co_return ok();
}

}  // namespace

std::unique_ptr<EventSource> make_queue_source(const SourceParts& parts, EventSourceRecord record) {
  return std::make_unique<QueueSource>(parts, std::move(record));
}

}  // namespace virga::lambda
