// Subscription filters: what matches goes to a function as it arrives. The lines and the work of
// delivering them are one transaction; deliveries wait in the durable queue "logs-subscriptions".
// Source: CloudWatch Logs User Guide, "Real-time processing of log data with subscriptions";
// CloudWatch Logs API Reference, the pages of these operations; quota "Subscription filters": 2 per
// log group.
#include <algorithm>

#include "api/lambda/client.h"
#include "api/lambda/invoke.h"
#include "api/logs/delete_subscription_filter.h"
#include "api/logs/describe_subscription_filters.h"
#include "api/logs/put_subscription_filter.h"
#include "api/logs/shapes/subscription_filter.h"
#include "base/json.h"
#include "base/log.h"
#include "base/strings.h"
#include "net/gzip.h"
#include "services/logs/errors.h"
#include "services/logs/filter_pattern.h"
#include "services/logs/names.h"
#include "services/logs/service.h"
#include "services/logs/settings.h"
#include "services/logs/tokens.h"

namespace virga::logs {
namespace {

constexpr size_t kFiltersPerGroup = 2;
constexpr int32_t kFiltersPerPage = 50;
constexpr char kFilterFormat = 1;
constexpr int64_t kRetryForMillis =
    24 * 3600 * 1000;  // "CloudWatch Logs retries for up to 24 hours"
constexpr int64_t kRetryMillisMax = 60'000;

Result<void> check_destination(const api::PutSubscriptionFilterInput& input) {
  const auto parts = split(input.destination_arn, ':');
  if (parts.size() < 6 || parts[0] != "arn")
    return fail(errors::invalid_parameter("Invalid destinationArn"));
  if (parts[2] != "lambda") {
    return fail("NotImplemented", 501,
                "NotImplemented: subscription filters deliver to Lambda functions only.");
  }
  if (parts.size() < 7 || parts[5] != "function")
    return fail(errors::invalid_parameter("Invalid destinationArn"));
  if (input.role_arn) {
    return fail(
        errors::invalid_parameter("destinationArn for vendor lambda cannot be used with roleArn"));
  }
  return {};
}

// One delivery: a format byte and JSON. `data` is the document that the function gets.
struct Delivery {
  std::string account;
  std::string region;
  std::string group_arn;
  std::string destination;
  std::string data;
};

std::string encode(const Delivery& d) {
  Document out = Document::object();
  out.set("account", d.account).set("region", d.region).set("group", d.group_arn);
  out.set("destination", d.destination).set("data", d.data);
  std::string bytes(1, kFilterFormat);
  append_json(bytes, out);
  return bytes;
}

Result<Delivery> decode(std::string_view bytes) {
  if (bytes.empty() || bytes.front() != kFilterFormat)
    return fail(internal_failure("logs delivery of an unknown format"));
  VIRGA_TRY(d, parse_json(bytes.substr(1)));
  const auto text = [&](const char* name) { return std::string(d.string_or(name, "")); };
  return Delivery{text("account"), text("region"), text("group"), text("destination"),
                  text("data")};
}

bool worth_a_retry(const AwsError& error) {
  return error.http_status >= 500 || error.http_status == 429;
}

}  // namespace

Task<api::PutSubscriptionFilterOutput> Service::put_subscription_filter(
    Ctx ctx, api::PutSubscriptionFilterInput input) {
  co_await FilterPattern::parse(input.filter_pattern);
  co_await check_destination(input);
  api::SubscriptionFilter filter;
  filter.filter_name = input.filter_name;
  filter.log_group_name = input.log_group_name;
  filter.filter_pattern = input.filter_pattern;
  filter.destination_arn = input.destination_arn;
  filter.distribution = input.distribution.value_or("ByLogStream");
  filter.creation_time = ctx->now.at.millis();
  filter.apply_on_transformed_logs = input.apply_on_transformed_logs.value_or(false);
  co_await write(ctx, [&](LogTransaction& logs) -> Result<void> {
    VIRGA_TRY(group, logs.group(input.log_group_name));
    VIRGA_TRY(found, logs.find_setting(Setting::subscription, group.id, input.filter_name));
    if (!found) {
      VIRGA_TRY(count, logs.count_settings(Setting::subscription, group.id));
      if (count >= kFiltersPerGroup) return fail(errors::limit_exceeded());
    } else {
      VIRGA_TRY(before, decode_setting<api::SubscriptionFilter>(*found));
      filter.creation_time = before.creation_time;
    }
    logs.put_setting(Setting::subscription, group.id, input.filter_name, encode_setting(filter));
    group.subscribed = true;
    logs.put(group);
    targets_.clear();
    return {};
  });
  co_return api::PutSubscriptionFilterOutput();
}

Task<api::DescribeSubscriptionFiltersOutput> Service::describe_subscription_filters(
    Ctx ctx, api::DescribeSubscriptionFiltersInput input) {
  const std::string after = co_await read_token(input.next_token);
  const auto limit = static_cast<size_t>(input.limit.value_or(kFiltersPerPage));
  const auto view = shard_.snapshot();
  const LogReader reader(*view, ctx->account, ctx->region);
  const Group group = co_await reader.group(input.log_group_name);
  api::DescribeSubscriptionFiltersOutput output;
  auto& out = output.subscription_filters.emplace();
  Result<void> decoded;
  co_await reader.each_setting(Setting::subscription, group.id, [&](std::string_view bytes) {
    auto filter = decode_setting<api::SubscriptionFilter>(bytes);
    if (!filter) {
      decoded = fail(filter.error());
      return false;
    }
    const std::string& name = *filter->filter_name;
    if (!name.starts_with(input.filter_name_prefix.value_or("")) ||
        (!after.empty() && name <= after))
      return true;
    if (out.size() == limit) {
      output.next_token = make_token(*out.back().filter_name);
      return false;
    }
    out.push_back(std::move(*filter));
    return true;
  });
  co_await decoded;
  co_return output;
}

Task<api::DeleteSubscriptionFilterOutput> Service::delete_subscription_filter(
    Ctx ctx, api::DeleteSubscriptionFilterInput input) {
  co_await write(ctx, [&](LogTransaction& logs) -> Result<void> {
    VIRGA_TRY(group, logs.group(input.log_group_name));
    VIRGA_TRY(found, logs.find_setting(Setting::subscription, group.id, input.filter_name));
    if (!found) return fail(errors::no_such_subscription_filter());
    logs.erase_setting(Setting::subscription, group.id, input.filter_name);
    VIRGA_TRY(left, logs.count_settings(Setting::subscription, group.id));
    group.subscribed = left > 0;
    logs.put(group);
    targets_.clear();
    return {};
  });
  co_return api::DeleteSubscriptionFilterOutput();
}

void Service::deliver_to(aws::Door& door, platform::DurableTimers& timers) {
  door_ = &door;
  deliveries_ = std::make_unique<platform::DurableQueue>(
      shard_, timers, env_, platform::DurableQueue::Options{.name = "logs-subscriptions"},
      [this](platform::QueueMessage message) { return deliver(std::move(message)); });
}

Result<void> Service::start() {
  if (deliveries_) return deliveries_->start();
  return {};
}

Task<void> Service::stop() {
  if (deliveries_) co_await deliveries_->stop();
  co_return ok();
}

Result<void> Service::notify_subscribers(LogTransaction& logs, const LogPlace& place,
                                         const std::vector<NewEvent>& events) {
  if (!deliveries_) return {};
  storage::Txn& txn = logs.txn();
  std::vector<api::SubscriptionFilter> filters;
  Result<void> decoded;
  VIRGA_TRY_VOID(
      logs.each_setting(Setting::subscription, place.group_id, [&](std::string_view bytes) {
        auto filter = decode_setting<api::SubscriptionFilter>(bytes);
        if (!filter) {
          decoded = fail(filter.error());
          return false;
        }
        filters.push_back(std::move(*filter));
        return true;
      }));
  VIRGA_TRY_VOID(decoded);
  for (const auto& filter : filters) {
    VIRGA_TRY(pattern, FilterPattern::parse(*filter.filter_pattern));
    Document matching = Document::array();
    Position at{INT64_MIN, txn.lsn(),
                0};  // events of one timestamp are numbered: log_store.h, Position
    for (const NewEvent& event : events) {
      at = event.timestamp == at.timestamp ? at.after() : Position{event.timestamp, txn.lsn(), 0};
      if (!pattern.matches(event.message)) continue;
      matching.push(Document::object()
                        .set("id", position_digits(at))
                        .set("timestamp", event.timestamp)
                        .set("message", std::string(event.message)));
    }
    if (matching.as_array().empty()) continue;
    Document data = Document::object();
    data.set("messageType", "DATA_MESSAGE")
        .set("owner", place.account)
        .set("logGroup", place.group);
    data.set("logStream", place.stream);
    data.set("subscriptionFilters", std::move(Document::array().push(*filter.filter_name)));
    data.set("logEvents", std::move(matching));
    const std::string arn = "arn:" + std::string(partition_of(place.region)) +
                            ":logs:" + place.region + ":" + place.account +
                            ":log-group:" + place.group + ":*";
    deliveries_->enqueue(
        txn, encode({place.account, place.region, arn, *filter.destination_arn, to_json(data)}));
  }
  return {};
}

Task<platform::Delivery> Service::deliver(platform::QueueMessage message) {
  const Delivery d = co_await decode(message.body);
  const Document event = Document::object().set(
      "awslogs", Document::object().set("data", to_base64(net::gzip(d.data))));
  lambda::api::InvokeInput input;
  input.function_name = d.destination;
  input.invocation_type = "Event";
  input.payload = to_json(event);
  aws::CallContext call;
  call.principal.kind = Principal::Kind::service;
  call.principal.service = "logs.amazonaws.com";
  call.account = d.account;
  call.region = d.region;
  call.source_arn = d.group_arn;
  call.source_account = d.account;
  lambda::api::Client functions(*door_);
  const auto invoked = co_await as_result(functions.invoke(std::move(call), std::move(input)));
  const int64_t age = env_.cloud.now().at.millis() - message.enqueued.at.millis();
  if (!invoked && worth_a_retry(invoked.error()) && age < kRetryForMillis) {
    co_return platform::Delivery::retry_after(
        std::min(kRetryMillisMax, int64_t{1000} << std::min(message.attempts, 6u)));
  }
  if (!invoked) {
    LOG_WARN("log_subscription_dropped", kv("group", d.group_arn), kv("destination", d.destination),
             kv("code", invoked.error().code), kv("message", invoked.error().message));
  }
  co_return platform::Delivery::done_with();
}

}  // namespace virga::logs
