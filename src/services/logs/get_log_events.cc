#include "api/logs/get_log_events.h"

#include <algorithm>

#include "api/logs/shapes/output_log_event.h"
#include "async/wait.h"
#include "services/logs/errors.h"
#include "services/logs/names.h"
#include "services/logs/retention.h"
#include "services/logs/service.h"
#include "services/logs/tokens.h"

namespace virga::logs {
namespace {

using storage::Direction;

// Source: CloudWatch Logs API Reference, GetLogEvents: up to 1 MB or 10,000 events per page.
constexpr size_t kPageBytesMax = 1'048'576;
constexpr int32_t kPageEventsMax = 10'000;
constexpr size_t kEventOverhead = 26;
constexpr int kEventsPerTurn = 256;  // then others on the loop run

// Where a page begins and which way it reads: by the token, else from the head, else the latest
// events.
Result<EventToken> start_of(const api::GetLogEventsInput& input) {
  if (input.next_token) return read_event_token(*input.next_token);
  if (input.start_from_head.value_or(false))
    return EventToken{Direction::forward, {input.start_time.value_or(0), 0, 0}};
  return EventToken{Direction::backward, {input.end_time.value_or(INT64_MAX), 0, 0}};
}

api::OutputLogEvent to_output(Event&& e) {
  api::OutputLogEvent out;
  out.timestamp = e.at.timestamp;
  out.message = std::move(e.message);
  out.ingestion_time = e.ingested_millis;
  return out;
}

}  // namespace

Task<api::GetLogEventsOutput> Service::get_log_events(Ctx ctx, api::GetLogEventsInput input) {
  const std::string name = co_await group_name(input.log_group_name, input.log_group_identifier);
  const EventToken start = co_await start_of(input);
  co_await caught_up();
  const auto view = shard_.snapshot();
  const LogReader reader(*view, ctx->account, ctx->region);
  const Group group = co_await reader.group(name);
  const Stream stream = co_await reader.stream(group, input.log_stream_name);

  const int64_t from = std::max(input.start_time.value_or(0), oldest_kept(group, ctx->now));
  const int64_t until = input.end_time.value_or(INT64_MAX);
  const auto limit = static_cast<size_t>(input.limit.value_or(kPageEventsMax));
  const bool forward = start.direction == Direction::forward;
  Position begin = start.at;
  if (forward && begin.timestamp < from) begin = {from, 0, 0};
  if (!forward && begin.timestamp > until) begin = {until, 0, 0};

  std::vector<Event> page;
  size_t bytes = 0;
  auto events = reader.events(group, stream, begin, start.direction);
  Event event;
  for (int n = 1; page.size() < limit && events.next(event); ++n) {
    if (forward ? event.at.timestamp >= until : event.at.timestamp < from) break;
    bytes += event.message.size() + kEventOverhead;
    if (bytes > kPageBytesMax && !page.empty()) break;
    page.push_back(std::move(event));
    if (n % kEventsPerTurn == 0) co_await async::yield();
  }
  co_await events.status();
  if (!forward) std::reverse(page.begin(), page.end());

  // Without events both tokens stay where the call began; from the very end that is the range's
  // beginning, so that what comes later is found.
  Position first = start.at;
  Position last = start.at;
  if (page.empty() && !input.next_token && !forward) first = last = {from, 0, 0};
  if (!page.empty()) {
    first = page.front().at;
    last = page.back().at.after();
  }
  api::GetLogEventsOutput output;
  output.next_backward_token = make_event_token(Direction::backward, first);
  output.next_forward_token = make_event_token(Direction::forward, last);
  auto& out = output.events.emplace();
  for (Event& e : page) out.push_back(to_output(std::move(e)));
  co_return output;
}

}  // namespace virga::logs
