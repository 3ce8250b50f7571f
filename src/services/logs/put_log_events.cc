#include "api/logs/put_log_events.h"

#include "api/logs/shapes/input_log_event.h"
#include "api/logs/shapes/rejected_log_events_info.h"
#include "services/logs/errors.h"
#include "services/logs/service.h"
#include "services/logs/tokens.h"

namespace virga::logs {
namespace {

// Source: CloudWatch Logs API Reference, PutLogEvents, constraints of a batch.
constexpr size_t kBatchBytesMax = 1'048'576;
constexpr size_t kEventBytesMax = 1'048'576;
constexpr size_t kEventOverhead = 26;
constexpr int64_t kHourMillis = 3'600'000;
constexpr int64_t kFutureMillis = 2 * kHourMillis;
constexpr int64_t kDayMillis = 24 * kHourMillis;
constexpr int64_t kPastMillis = 14 * kDayMillis;

Result<void> check_batch(const std::vector<api::InputLogEvent>& events) {
  size_t bytes = 0;
  for (size_t i = 0; i < events.size(); ++i) {
    const size_t size = events[i].message.size() + kEventOverhead;
    if (size > kEventBytesMax) {
      return fail(errors::invalid_parameter("Log event too large: " + std::to_string(size) +
                                            " bytes exceeds limit of " +
                                            std::to_string(kEventBytesMax)));
    }
    bytes += size;
    if (i > 0 && events[i].timestamp < events[i - 1].timestamp) {
      return fail(errors::invalid_parameter(
          "Log events in a single PutLogEvents request must be in chronological order."));
    }
  }
  if (bytes > kBatchBytesMax) {
    return fail(errors::invalid_parameter("Upload too large: " + std::to_string(bytes) +
                                          " bytes exceeds limit of " +
                                          std::to_string(kBatchBytesMax)));
  }
  return {};
}

// The valid events of a batch are [begin, end); what lies outside is told in `info`.
struct Valid {
  size_t begin = 0;
  size_t end = 0;
};

Valid sort_out(const std::vector<api::InputLogEvent>& events, int64_t now, int32_t retention_days,
               Box<api::RejectedLogEventsInfo>& info) {
  Valid valid{0, events.size()};
  size_t expired = 0;
  const int64_t expiry = retention_days ? now - retention_days * kDayMillis : INT64_MIN;
  while (expired < events.size() && events[expired].timestamp < expiry) ++expired;
  while (valid.begin < events.size() && events[valid.begin].timestamp < now - kPastMillis)
    ++valid.begin;
  while (valid.end > valid.begin && events[valid.end - 1].timestamp > now + kFutureMillis)
    --valid.end;
  if (valid.begin > 0 || expired > 0 || valid.end < events.size()) info.emplace();
  if (valid.begin > 0) info->too_old_log_event_end_index = static_cast<int32_t>(valid.begin);
  if (expired > valid.begin) {
    info->expired_log_event_end_index = static_cast<int32_t>(expired);
    valid.begin = std::min(expired, valid.end);
  }
  if (valid.end < events.size())
    info->too_new_log_event_start_index = static_cast<int32_t>(valid.end);
  return valid;
}

}  // namespace

Task<api::PutLogEventsOutput> Service::put_log_events(Ctx ctx, api::PutLogEventsInput input) {
  co_await check_batch(input.log_events);
  const int64_t now = ctx->now.at.millis();
  api::PutLogEventsOutput output;
  co_await write(ctx, [&](LogTransaction& logs) -> Result<void> {
    VIRGA_TRY(group, logs.group(input.log_group_name));
    VIRGA_TRY(stream, logs.stream(group, input.log_stream_name));
    const Valid valid =
        sort_out(input.log_events, now, group.retention_days, output.rejected_log_events_info);
    if (valid.begin >= valid.end) return {};
    const auto& events = input.log_events;
    if (events[valid.end - 1].timestamp - events[valid.begin].timestamp > kDayMillis) {
      return fail(
          errors::invalid_parameter("The batch of log events in a single PutLogEvents request "
                                    "cannot span more than 24 hours."));
    }
    std::vector<NewEvent> fresh;
    for (size_t i = valid.begin; i < valid.end; ++i)
      fresh.push_back({events[i].timestamp, events[i].message});
    logs.append(group.id, stream.id, now, fresh);
    if (!group.subscribed) return {};
    return notify_subscribers(logs, {ctx->account, ctx->region, group.name, stream.name, group.id},
                              fresh);
  });
  // Ignored by AWS and by us when it comes back; older SDKs want to see one.
  output.next_sequence_token = position_digits({now, ctx->depends_on_lsn, 0});
  co_return output;
}

}  // namespace virga::logs
