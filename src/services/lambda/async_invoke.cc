// Asynchronous invocation: the durable queue "lambda-events". Source: Lambda Developer Guide, "How
// Lambda handles errors and retries with asynchronous invocation": two retries after about one and
// two minutes; throttles and system errors back off from one second to five minutes, up to the
// event's maximum age.
#include <algorithm>

#include "api/lambda/enums.h"
#include "base/document.h"
#include "base/json.h"
#include "base/log.h"
#include "platform/transact.h"
#include "services/lambda/destinations.h"
#include "services/lambda/errors.h"
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
  // Set for an outcome on its way to a queue, topic or bus; `payload` is then what it is told.
  std::string target;
  bool dead_letter = false;
  bool success = false;
  std::string error_code, error_message;
};

constexpr int kTargetAttempts = 10;  // then the outcome is dropped and the log says so

std::string encode(const Event& event) {
  Document d = Document::object();
  d.set("account", event.name.account)
      .set("region", event.name.region)
      .set("partition", event.name.partition);
  d.set("name", event.name.name)
      .set("qualifier", event.name.qualifier)
      .set("request_id", event.request_id);
  d.set("payload", event.payload)
      .set("client_context", event.client_context)
      .set("trace_id", event.trace_id);
  d.set("accepted", event.accepted.micros)
      .set("failures", event.failures)
      .set("postponed", event.postponed);
  if (!event.target.empty()) {
    d.set("target", event.target)
        .set("dead_letter", event.dead_letter)
        .set("success", event.success);
    d.set("error_code", event.error_code).set("error_message", event.error_message);
  }
  std::string out(1, kFormat);
  append_json(out, d);
  return out;
}

Result<Event> decode(std::string_view bytes) {
  if (bytes.empty() || bytes.front() != kFormat)
    return fail(internal_failure("lambda event format"));
  VIRGA_TRY(d, parse_json(bytes.substr(1)));
  auto text = [&](const char* key) { return std::string(d.string_or(key, "")); };
  auto number = [&](const char* key) {
    const Document* found = d.find(key);
    return found && found->is_int() ? found->as_int() : int64_t{0};
  };
  Event out;
  out.name = {.account = text("account"),
              .region = text("region"),
              .partition = text("partition"),
              .name = text("name"),
              .qualifier = text("qualifier")};
  out.request_id = text("request_id");
  out.payload = text("payload");
  out.client_context = text("client_context");
  out.trace_id = text("trace_id");
  out.accepted.micros = number("accepted");
  out.failures = static_cast<int>(number("failures"));
  out.postponed = static_cast<int>(number("postponed"));
  auto flag = [&](const char* key) {
    const Document* found = d.find(key);
    return found && found->is_bool() && found->as_bool();
  };
  out.target = text("target");
  out.dead_letter = flag("dead_letter");
  out.success = flag("success");
  out.error_code = text("error_code");
  out.error_message = text("error_message");
  return out;
}

int64_t throttle_delay_ms(int postponed) {
  return std::min(kThrottleDelayMaxMs, kThrottleDelayMinMs << std::min(postponed, 9));
}

// What an asynchronous invocation of this version does on failure and success.
struct Plan {
  int retries = kRetries;
  int64_t age_seconds = kEventAgeSeconds;
  std::string on_success, on_failure;
  std::string dead_letter;
};

Result<Plan> plan_of(const storage::View& view, const FunctionName& name, const Runnable& what) {
  Plan out{.dead_letter = what.version.dead_letter_arn};
  VIRGA_TRY(config, store::find_event_invoke(view, store::owner_of(name), what.function->id,
                                             name.qualifier_or_latest()));
  if (!config) return out;
  out.retries = config->retry_attempts.value_or(kRetries);
  out.age_seconds = config->event_age_seconds.value_or(static_cast<int>(kEventAgeSeconds));
  out.on_success = config->on_success;
  out.on_failure = config->on_failure;
  return out;
}

// How an invocation ended for good.
struct Ending {
  std::string_view condition;         // Success, RetriesExhausted, EventAgeExceeded
  const Service::Ran* ran = nullptr;  // null: it never ran
  int invoke_count = 0;
};

std::string error_message_of(const std::string& payload) {
  const auto parsed = parse_json(payload);
  return parsed ? std::string(parsed->string_or("errorMessage", "")) : "";
}

// The messages that tell of it: to a destination, and on failure to the dead-letter queue.
std::vector<Event> outcomes_of(const Event& event, const Plan& plan, const Ending& ending,
                               Timestamp now) {
  std::vector<Event> out;
  const bool success = ending.condition == "Success";
  const std::string& destination = success ? plan.on_success : plan.on_failure;
  if (!destination.empty()) {
    InvocationRecord record{.at = now,
                            .request_id = event.request_id,
                            .function_arn = event.name.arn_of(event.name.qualifier_or_latest()),
                            .condition = std::string(ending.condition),
                            .invoke_count = ending.invoke_count,
                            .payload = event.payload};
    if (ending.ran) {
      record.answer = ending.ran->payload;
      record.executed_version = ending.ran->executed_version;
      record.function_error = ending.ran->function_error;
    }
    Event to{.name = event.name,
             .request_id = event.request_id,
             .payload = invocation_record(record),
             .accepted = now,
             .target = destination,
             .success = success};
    if (target_kind(destination) == TargetKind::lambda) {
      const auto function = FunctionName::parse(destination, std::nullopt, event.name.account,
                                                event.name.region, event.name.partition);
      if (function) to.name = *function;
      to.target.clear();  // an asynchronous invocation of its own
      to.trace_id = event.trace_id;
    }
    out.push_back(std::move(to));
  }
  if (!success && !plan.dead_letter.empty()) {
    Event to{.name = event.name,
             .request_id = event.request_id,
             .payload = event.payload,
             .accepted = now,
             .target = plan.dead_letter,
             .dead_letter = true,
             .error_code = "200"};
    if (ending.ran) to.error_message = error_message_of(ending.ran->payload);
    out.push_back(std::move(to));
  }
  return out;
}

}  // namespace

Task<void> Service::enqueue_event(Ctx ctx, FunctionName name, std::string payload,
                                  std::string client_context, std::string trace_id) {
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

// What an event source gives up, on its way to the mapping's destination.
void Service::enqueue_given_up(storage::Txn& txn, const GivenUp& given_up) {
  const Event event{.name = given_up.function,
                    .request_id = given_up.request_id,
                    .payload = given_up.body,
                    .accepted = home_.env().cloud.now().at,
                    .target = given_up.target_arn};
  events_.enqueue(txn, encode(event));
}

// Hands an outcome to a queue, a topic or a bus, on behalf of the function's role.
Task<platform::Delivery> Service::deliver_outcome(platform::QueueMessage message) {
  const Event event = *decode(message.body);
  TargetMessage to{.arn = event.target,
                   .body = event.payload,
                   .dead_letter = event.dead_letter,
                   .request_id = event.request_id,
                   .error_code = event.error_code,
                   .error_message = event.error_message,
                   .success = event.success,
                   .function = event.name};
  const auto what = runnables_.find(*shard_.snapshot(), event.name, 0.0);
  if (what) to.role_arn = (*what)->version.role;
  auto call = make_target_call(to);
  auto acting = act_as_role(to.function, to.role_arn, to.arn);
  auto context = co_await as_result(std::move(acting));
  std::string failure = "no services to call";
  if (!context) {
    failure = context.error().code + ": " + context.error().message;
  } else if (options_.call) {
    auto calling = options_.call(std::move(*context), std::move(call.service),
                                 std::move(call.operation), std::move(call.input));
    const auto done = co_await as_result(std::move(calling));
    if (done) co_return platform::Delivery::done_with();
    failure = done.error().code + ": " + done.error().message;
  }
  LOG_WARN("lambda_destination_failed", kv("function", event.name.name), kv("target", event.target),
           kv("error", failure));
  if (message.attempts + 1 >= kTargetAttempts) co_return platform::Delivery::done_with();
  co_return platform::Delivery::retry_after(throttle_delay_ms(static_cast<int>(message.attempts)));
}

Task<platform::Delivery> Service::deliver_event(platform::QueueMessage message) {
  const auto decoded = decode(message.body);
  if (!decoded) {
    LOG_ERROR("lambda_event_unreadable", kv("sequence", message.sequence));
    co_return platform::Delivery::done_with();
  }
  if (!decoded->target.empty()) {
    auto outcome = co_await deliver_outcome(std::move(message));
    co_return outcome;
  }
  Event event = *decoded;
  const auto now = home_.env().cloud.now();
  const auto view = shard_.snapshot();
  const double chance = static_cast<double>(home_.env().random.below(1000)) / 1000;
  auto what = runnables_.find(*view, event.name, chance);
  if (!what) {  // deleted meanwhile
    LOG_WARN("lambda_event_dropped", kv("function", event.name.name),
             kv("reason", what.error().code));
    co_return platform::Delivery::done_with();
  }
  const Plan plan = co_await plan_of(*view, event.name, **what);

  // One transaction: what was used, and the messages that follow from it.
  const auto end = [this](std::vector<Event> next, std::optional<platform::UsageRecord> usage) {
    return platform::Delivery::done_with(
        [this, next = std::move(next), usage](storage::Txn& txn) -> Result<void> {
          if (usage) platform::put_usage(txn, *usage);
          for (const auto& one : next) events_.enqueue(txn, encode(one));
          return {};
        });
  };
  const bool expired = now.at.micros - event.accepted.micros > plan.age_seconds * 1'000'000;
  const bool unlimited = (*what)->function->reserved_concurrency.value_or(1) > 0;
  if (!unlimited || (expired && event.failures + event.postponed > 0)) {
    LOG_WARN("lambda_event_dropped", kv("function", event.name.name),
             kv("reason", "EventAgeExceeded"));
    const Ending ending{.condition = unlimited ? "EventAgeExceeded" : "ZeroReservedConcurrency",
                        .invoke_count = event.failures};
    co_return end(outcomes_of(event, plan, ending, now.at), std::nullopt);
  }

  RunRequest request{.name = event.name, .what = std::move(*what), .request_id = event.request_id};
  request.payload = event.payload;
  request.client_context = event.client_context;
  request.trace_id = event.trace_id;
  auto running = run(std::move(request));
  const auto ran = co_await as_result(std::move(running));
  int64_t delay_ms = 0;
  if (!ran) {
    delay_ms = throttle_delay_ms(event.postponed++);
  } else {
    const bool good = ran->function_error.empty();
    const int runs = event.failures + 1;
    if (!good) ++event.failures;
    if (good || event.failures > plan.retries) {
      if (!good)
        LOG_WARN("lambda_event_dropped", kv("function", event.name.name),
                 kv("reason", "RetriesExhausted"));
      const Ending ending{
          .condition = good ? "Success" : "RetriesExhausted", .ran = &*ran, .invoke_count = runs};
      co_return end(outcomes_of(event, plan, ending, home_.env().cloud.now().at), ran->usage);
    }
    delay_ms = options_.retry_base_delay_ms * event.failures;
  }
  // The counts change, so it is a new message, due later; one transaction with what was used.
  const auto due = home_.env().cloud.now().plus_millis(delay_ms);
  std::optional<platform::UsageRecord> usage;
  if (ran) usage = ran->usage;
  co_return platform::Delivery::done_with(
      [this, due, body = encode(event), usage](storage::Txn& txn) -> Result<void> {
        if (usage) platform::put_usage(txn, *usage);
        events_.enqueue_at(txn, due, body);
        return {};
      });
}

}  // namespace virga::lambda
