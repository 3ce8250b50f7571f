#include "api/logs/filter_log_events.h"

#include <algorithm>
#include <map>

#include "api/logs/shapes/filtered_log_event.h"
#include "api/logs/shapes/searched_log_stream.h"
#include "async/wait.h"
#include "services/logs/errors.h"
#include "services/logs/filter_pattern.h"
#include "services/logs/names.h"
#include "services/logs/retention.h"
#include "services/logs/service.h"
#include "services/logs/tokens.h"

namespace virga::logs {
namespace {

constexpr size_t kPageBytesMax = 1'048'576;
constexpr int32_t kPageEventsMax = 10'000;
constexpr size_t kEventOverhead = 26;
constexpr int kEventsPerTurn = 256;

// The earliest matches of a group's streams, bounded: once it is full, later events only push the
// latest ones out.
class Earliest {
 public:
  explicit Earliest(size_t limit) : limit_(limit) {}

  struct Found {
    Event event;
    const std::string* stream;
  };
  // False when nothing after `at` can get in any more.
  bool wants(const Position& at) const { return !full_ || at < found_.rbegin()->first; }
  void add(Event&& event, const std::string* stream) {
    bytes_ += event.message.size() + kEventOverhead;
    const Position at = event.at;
    found_.emplace(at, Found{std::move(event), stream});
    while (found_.size() > 1 && (found_.size() > limit_ || bytes_ > kPageBytesMax)) {
      const auto last = std::prev(found_.end());
      bytes_ -= last->second.event.message.size() + kEventOverhead;
      found_.erase(last);
      full_ = true;
    }
    if (found_.size() == limit_) full_ = true;
  }
  bool full() const { return full_; }
  std::map<Position, Found>& found() { return found_; }

 private:
  size_t limit_;
  size_t bytes_ = 0;
  bool full_ = false;
  std::map<Position, Found> found_;
};

Result<std::vector<Stream>> streams_of(const LogReader& reader, const Group& group,
                                       const api::FilterLogEventsInput& input) {
  std::vector<Stream> out;
  if (input.log_stream_names) {
    for (const std::string& name : *input.log_stream_names) {
      VIRGA_TRY(stream, reader.stream(group, name));
      const bool twice =
          std::any_of(out.begin(), out.end(), [&](const Stream& s) { return s.id == stream.id; });
      if (!twice) out.push_back(std::move(stream));
    }
    return out;
  }
  VIRGA_TRY_VOID(
      reader.each_stream(group, input.log_stream_name_prefix.value_or(""), [&](Stream&& s) {
        out.push_back(std::move(s));
        return true;
      }));
  return out;
}

api::FilteredLogEvent to_output(Earliest::Found&& f) {
  api::FilteredLogEvent out;
  out.log_stream_name = *f.stream;
  out.timestamp = f.event.at.timestamp;
  out.message = std::move(f.event.message);
  out.ingestion_time = f.event.ingested_millis;
  out.event_id = position_digits(f.event.at);
  return out;
}

}  // namespace

Task<api::FilterLogEventsOutput> Service::filter_log_events(Ctx ctx,
                                                            api::FilterLogEventsInput input) {
  const std::string name = co_await group_name(input.log_group_name, input.log_group_identifier);
  if (input.log_stream_names && input.log_stream_name_prefix) {
    co_return fail(errors::invalid_parameter(
        "LogStreamNamePrefix and LogStreamNames are mutually exclusive parameters."));
  }
  const FilterPattern pattern = co_await FilterPattern::parse(input.filter_pattern.value_or(""));
  const std::string token = co_await read_token(input.next_token);
  co_await caught_up();
  const auto view = shard_.snapshot();
  const LogReader reader(*view, ctx->account, ctx->region);
  const Group group = co_await reader.group(name);
  const std::vector<Stream> streams = co_await streams_of(reader, group, input);

  Position begin{std::max(input.start_time.value_or(0), oldest_kept(group, ctx->now)), 0, 0};
  if (!token.empty()) {
    const auto at = read_position_digits(token);
    if (!at) co_return fail(errors::invalid_token());
    begin = std::max(begin, *at);
  }
  const int64_t until = input.end_time.value_or(INT64_MAX);  // included, other than in GetLogEvents
  Earliest page(static_cast<size_t>(input.limit.value_or(kPageEventsMax)));
  int n = 0;
  for (const Stream& stream : streams) {
    auto events = reader.events(group, stream, begin, storage::Direction::forward);
    Event event;
    while (events.next(event)) {
      if (event.at.timestamp > until || !page.wants(event.at)) break;
      if (pattern.matches(event.message)) page.add(std::move(event), &stream.name);
      if (++n % kEventsPerTurn == 0) co_await async::yield();
    }
    co_await events.status();
  }

  api::FilterLogEventsOutput output;
  auto& out = output.events.emplace();
  if (page.full())
    output.next_token = make_token(position_digits(page.found().rbegin()->first.after()));
  for (auto& [at, found] : page.found()) out.push_back(to_output(std::move(found)));
  output.searched_log_streams.emplace();  // always empty since June 2019
  co_return output;
}

}  // namespace virga::logs
