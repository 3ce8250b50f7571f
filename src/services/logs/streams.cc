#include <algorithm>
#include <tuple>

#include "api/logs/create_log_stream.h"
#include "api/logs/delete_log_stream.h"
#include "api/logs/describe_log_streams.h"
#include "api/logs/shapes/log_stream.h"
#include "services/logs/errors.h"
#include "services/logs/names.h"
#include "services/logs/service.h"
#include "services/logs/tokens.h"

namespace virga::logs {
namespace {

constexpr int32_t kStreamsPerPage = 50;

// A stream with what its first and last events say; they are read, not stored with the stream, so
// that a line is one write.
struct Described {
  Stream stream;
  int64_t last_event = 0;
  api::LogStream answer;
};

Result<Described> describe(const RequestContext& context, const LogReader& reader,
                           const Group& group, Stream stream) {
  Described d{.stream = std::move(stream)};
  api::LogStream& out = d.answer;
  out.log_stream_name = d.stream.name;
  out.creation_time = d.stream.created_millis;
  out.arn = group_arn(context, group.name) + ":log-stream:" + d.stream.name;
  out.stored_bytes = 0;  // as AWS answers since 2019
  Event event;
  auto first = reader.events(group, d.stream, {}, storage::Direction::forward);
  if (first.next(event)) {
    out.first_event_timestamp = event.at.timestamp;
    auto last = reader.events(group, d.stream, {INT64_MAX, UINT64_MAX, UINT32_MAX},
                              storage::Direction::backward);
    if (last.next(event)) {
      d.last_event = event.at.timestamp;
      out.last_event_timestamp = event.at.timestamp;
      out.last_ingestion_time = event.ingested_millis;
      out.upload_sequence_token = position_digits(event.at.after());
    }
    VIRGA_TRY_VOID(last.status());
  }
  VIRGA_TRY_VOID(first.status());
  return d;
}

}  // namespace

Task<api::CreateLogStreamOutput> Service::create_log_stream(Ctx ctx,
                                                            api::CreateLogStreamInput input) {
  co_await write(ctx, [&](LogTransaction& logs) -> Result<void> {
    VIRGA_TRY(group, logs.group(input.log_group_name));
    VIRGA_TRY(found, logs.find_stream(group, input.log_stream_name));
    if (found) return fail(errors::stream_exists());
    Stream stream{.name = input.log_stream_name, .created_millis = ctx->now.at.millis()};
    logs.add(group, stream);
    return {};
  });
  co_return api::CreateLogStreamOutput();
}

Task<api::DeleteLogStreamOutput> Service::delete_log_stream(Ctx ctx,
                                                            api::DeleteLogStreamInput input) {
  co_await write(ctx, [&](LogTransaction& logs) -> Result<void> {
    VIRGA_TRY(group, logs.group(input.log_group_name));
    VIRGA_TRY(stream, logs.stream(group, input.log_stream_name));
    targets_.clear();
    logs.erase(group, stream);
    return {};
  });
  co_return api::DeleteLogStreamOutput();
}

Task<api::DescribeLogStreamsOutput> Service::describe_log_streams(
    Ctx ctx, api::DescribeLogStreamsInput input) {
  const std::string name = co_await group_name(input.log_group_name, input.log_group_identifier);
  const bool by_time = input.order_by.value_or("") == "LastEventTime";
  if (by_time && input.log_stream_name_prefix) {
    co_return fail(
        errors::invalid_parameter("Cannot order by LastEventTime with a logStreamNamePrefix."));
  }
  const std::string after = co_await read_token(input.next_token);
  co_await caught_up();
  const auto view = shard_.snapshot();
  const LogReader reader(*view, ctx->account, ctx->region);
  const Group group = co_await reader.group(name);
  std::vector<Stream> streams;
  co_await reader.each_stream(group, input.log_stream_name_prefix.value_or(""), [&](Stream&& s) {
    streams.push_back(std::move(s));
    return true;
  });
  const bool descending = input.descending.value_or(false);
  if (descending && !by_time) std::reverse(streams.begin(), streams.end());
  const auto limit = static_cast<size_t>(input.limit.value_or(kStreamsPerPage));

  std::vector<Described> page;
  api::DescribeLogStreamsOutput output;
  if (by_time) {
    for (Stream& s : streams) {
      auto d = co_await describe(*ctx, reader, group, std::move(s));
      page.push_back(std::move(d));
    }
    std::sort(page.begin(), page.end(), [&](const Described& a, const Described& b) {
      const auto left = std::tie(a.last_event, a.stream.name);
      const auto right = std::tie(b.last_event, b.stream.name);
      return descending ? left > right : left < right;
    });
  } else {
    for (Stream& s : streams) {
      if (!after.empty() && (descending ? s.name >= after : s.name <= after)) continue;
      if (page.size() > limit) break;
      auto d = co_await describe(*ctx, reader, group, std::move(s));
      page.push_back(std::move(d));
    }
  }
  // By time, the token is the name of the last stream that was shown.
  auto begin = page.begin();
  if (by_time && !after.empty()) {
    begin = std::find_if(page.begin(), page.end(),
                         [&](const Described& d) { return d.stream.name == after; });
    if (begin != page.end()) ++begin;
  }
  auto& out = output.log_streams.emplace();
  for (auto it = begin; it != page.end(); ++it) {
    if (out.size() == limit) {
      output.next_token = make_token(*out.back().log_stream_name);
      break;
    }
    out.push_back(std::move(it->answer));
  }
  co_return output;
}

}  // namespace virga::logs
