// Asynchronous invocation: the durable queue "lambda-events". Source: Lambda Developer Guide, "How Lambda handles errors and
// retries with asynchronous invocation": two retries after about one and two minutes; throttles and system errors back off
// from one second to five minutes, up to the event's maximum age.
#include <algorithm>

#include "api/lambda/enums.h"
#include "base/document.h"
#include "base/json.h"
#include "base/log.h"
#include "platform/transact.h"
#include "services/lambda/service.h"

namespace virga::lambda {
namespace {

constexpr int kRetries = 2;
constexpr int64_t kEventAgeSeconds = 6 * 3600;
constexpr int64_t kThrottleDelayMinMs = 1'000;
constexpr int64_t kThrottleDelayMaxMs = 300'000;
constexpr char kFormat = 1;

// A queued event: a format byte and a JSON object.
struct Event {
  FunctionName name;
  std::string request_id;
  std::string payload;
  std::string client_context;
  std::string trace_id;
  Timestamp accepted;
  int failures = 0;   // runs that ended with an error
  int postponed = 0;  // deliveries that could not run
};

std::string encode(const Event& event) {
  Document d = Document::object();
  d.set("account", event.name.account).set("region", event.name.region).set("partition", event.name.partition);
  d.set("name", event.name.name).set("qualifier", event.name.qualifier).set("request_id", event.request_id);
  d.set("payload", event.payload).set("client_context", event.client_context).set("trace_id", event.trace_id);
  d.set("accepted", event.accepted.micros).set("failures", event.failures).set("postponed", event.postponed);
  std::string out(1, kFormat);
  append_json(out, d);
  return out;
}

Result<Event> decode(std::string_view bytes) {
  if (bytes.empty() || bytes.front() != kFormat) return fail(internal_failure("lambda event format"));
  VIRGA_TRY(d, parse_json(bytes.substr(1)));
  auto text = [&](const char* key) { return std::string(d.string_or(key, "")); };
  auto number = [&](const char* key) {
    const Document* found = d.find(key);
    return found && found->is_int() ? found->as_int() : int64_t{0};
  };
  Event out;
  out.name = {.account = text("account"), .region = text("region"), .partition = text("partition"), .name = text("name"),
              .qualifier = text("qualifier")};
  out.request_id = text("request_id");
  out.payload = text("payload");
  out.client_context = text("client_context");
  out.trace_id = text("trace_id");
  out.accepted.micros = number("accepted");
  out.failures = static_cast<int>(number("failures"));
  out.postponed = static_cast<int>(number("postponed"));
  return out;
}

int64_t throttle_delay_ms(int postponed) {
  return std::min(kThrottleDelayMaxMs, kThrottleDelayMinMs << std::min(postponed, 9));
}

}  // namespace

Task<void> Service::enqueue_event(Ctx ctx, FunctionName name, std::string payload, std::string client_context,
                                  std::string trace_id) {
  Event event{.name = std::move(name),
              .request_id = ctx->request_id,
              .payload = std::move(payload),
              .client_context = std::move(client_context),
              .trace_id = std::move(trace_id),
              .accepted = ctx->now.at};
  const std::string body = encode(event);
  auto add = [this, &body](storage::Txn& txn) -> Result<bool> {
    events_.enqueue(txn, body);
    return true;
  };
  co_await platform::transact(ctx, shard_, std::move(add));
  co_return ok();
}

Task<platform::Delivery> Service::deliver_event(platform::QueueMessage message) {
  const auto decoded = decode(message.body);
  if (!decoded) {
    LOG_ERROR("lambda_event_unreadable", kv("sequence", message.sequence));
    co_return platform::Delivery::done_with();
  }
  Event event = *decoded;
  const auto now = home_.env().cloud.now();
  const auto view = shard_.snapshot();
  const double chance = static_cast<double>(home_.env().random.below(1000)) / 1000;
  auto what = runnables_.find(*view, event.name, chance);
  if (!what) {  // deleted meanwhile
    LOG_WARN("lambda_event_dropped", kv("function", event.name.name), kv("reason", what.error().code));
    co_return platform::Delivery::done_with();
  }
  const auto config = store::find_event_invoke(*view, store::owner_of(event.name), (*what)->function->id,
                                               event.name.qualifier_or_latest());
  int retries = kRetries;
  int64_t age_seconds = kEventAgeSeconds;
  if (config && *config) {
    retries = (*config)->retry_attempts.value_or(kRetries);
    age_seconds = (*config)->event_age_seconds.value_or(static_cast<int>(kEventAgeSeconds));
  }
  const bool expired = now.at.micros - event.accepted.micros > age_seconds * 1'000'000;
  if (expired && event.failures + event.postponed > 0) {
    LOG_WARN("lambda_event_dropped", kv("function", event.name.name), kv("reason", "EventAgeExceeded"));
    co_return platform::Delivery::done_with();
  }

  RunRequest request{.name = event.name, .what = std::move(*what), .request_id = event.request_id};
  request.payload = event.payload;
  request.client_context = event.client_context;
  request.trace_id = event.trace_id;
  auto running = run(std::move(request));
  auto ran = co_await as_result(std::move(running));
  if (ran && ran->function_error.empty()) {
    co_return platform::Delivery::done_with([usage = std::move(ran->usage)](storage::Txn& txn) -> Result<void> {
      platform::put_usage(txn, usage);
      return {};
    });
  }
  int64_t delay_ms = 0;
  std::optional<platform::UsageRecord> usage;
  if (ran) {
    usage = std::move(ran->usage);
    if (++event.failures > retries) {
      LOG_WARN("lambda_event_dropped", kv("function", event.name.name), kv("reason", "RetriesExhausted"));
      co_return platform::Delivery::done_with([usage](storage::Txn& txn) -> Result<void> {
        platform::put_usage(txn, *usage);
        return {};
      });
    }
    delay_ms = options_.retry_base_delay_ms * event.failures;
  } else {
    delay_ms = throttle_delay_ms(event.postponed++);
  }
  // The counts change, so it is a new message, due later; one transaction with what was used.
  const auto due = home_.env().cloud.now().plus_millis(delay_ms);
  co_return platform::Delivery::done_with([this, due, body = encode(event), usage](storage::Txn& txn) -> Result<void> {
    if (usage) platform::put_usage(txn, *usage);
    events_.enqueue_at(txn, due, body);
    return {};
  });
}

}  // namespace virga::lambda
