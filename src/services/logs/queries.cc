// StartQuery, GetQueryResults, StopQuery, DescribeQueries, GetLogRecord: Insights. A query is kept
// as it was asked and run when its results are asked for, over the events that had arrived when it
// was started: it is complete at once, and its results survive a restart. Source: CloudWatch Logs
// API Reference, the pages of these operations.
#include <algorithm>

#include "api/logs/describe_queries.h"
#include "api/logs/get_log_record.h"
#include "api/logs/get_query_results.h"
#include "api/logs/shapes/query_info.h"
#include "api/logs/shapes/query_statistics.h"
#include "api/logs/shapes/result_field.h"
#include "api/logs/start_query.h"
#include "api/logs/stop_query.h"
#include "async/wait.h"
#include "base/json.h"
#include "base/strings.h"
#include "services/logs/errors.h"
#include "services/logs/insights_query.h"
#include "services/logs/names.h"
#include "services/logs/retention.h"
#include "services/logs/service.h"
#include "services/logs/tokens.h"

namespace virga::logs {
namespace {

constexpr char kRunFormat = 1;
constexpr size_t kGroupsMax = 50;
constexpr size_t kResultsDefault = 10'000;
constexpr int64_t kKeptMillis = int64_t{7} * 86'400'000;  // GetQueryResults, "available for 7 days"
constexpr size_t kRunsMax = 1000;
constexpr size_t kHeldBytesMax = 16 * 1024 * 1024;  // of the events that one query looks at
constexpr int kEventsPerTurnOfQuery = 256;
// Seconds, or milliseconds where the number is too large for seconds.
constexpr int64_t kSecondsMax = 100'000'000'000;

struct QueryRun {
  std::string id;
  std::string text;
  std::vector<std::string> groups;
  int64_t begin_millis = 0;
  int64_t end_millis = 0;  // included
  int64_t created_millis = 0;
  int64_t limit = kResultsDefault;
};

std::string encode_run(const QueryRun& run) {
  Document groups = Document::array();
  for (const std::string& group : run.groups) groups.push(group);
  Document d = Document::object();
  d.set("id", run.id).set("text", run.text).set("groups", std::move(groups));
  d.set("begin", run.begin_millis).set("end", run.end_millis);
  d.set("created", run.created_millis).set("limit", run.limit);
  std::string bytes(1, kRunFormat);
  append_json(bytes, d);
  return bytes;
}

Result<QueryRun> decode_run(std::string_view bytes) {
  const auto d = !bytes.empty() && bytes.front() == kRunFormat ? parse_json(bytes.substr(1))
                                                               : Result<Document>(Document());
  if (!d || !d->is_object()) return fail(internal_failure("a query of an unknown format"));
  QueryRun run;
  run.id = d->string_or("id", "");
  run.text = d->string_or("text", "");
  for (const Document& group : d->find("groups")->as_array())
    run.groups.push_back(group.as_string());
  run.begin_millis = d->find("begin")->as_int();
  run.end_millis = d->find("end")->as_int();
  run.created_millis = d->find("created")->as_int();
  run.limit = d->find("limit")->as_int();
  return run;
}

Result<std::vector<std::string>> queried_groups(const api::StartQueryInput& input,
                                                const RequestContext& ctx) {
  const int ways = (input.log_group_name ? 1 : 0) + (input.log_group_names ? 1 : 0) +
                   (input.log_group_identifiers ? 1 : 0);
  if (ways != 1) {
    return fail(errors::invalid_parameter(
        "Exactly one of logGroupName, logGroupNames and logGroupIdentifiers must be given."));
  }
  std::vector<std::string> names;
  if (input.log_group_name) names.push_back(*input.log_group_name);
  if (input.log_group_names) names = *input.log_group_names;
  for (const std::string& identifier :
       input.log_group_identifiers.value_or(std::vector<std::string>())) {
    VIRGA_TRY(name, group_name(std::nullopt, identifier));
    const auto arn = split(identifier, ':');
    if (arn.front() == "arn" && (arn[3] != ctx.region || arn[4] != ctx.account)) {
      return fail(errors::invalid_parameter("The log group " + identifier +
                                            " is not one of this account and region."));
    }
    names.push_back(std::move(name));
  }
  if (names.empty() || names.size() > kGroupsMax) {
    return fail(errors::invalid_parameter("A query looks at 1 to 50 log groups."));
  }
  return names;
}

Result<QueryRun> find_run(const LogReader& reader, const std::string& id) {
  VIRGA_TRY(bytes, reader.find_setting(Setting::query_run, kAccountWide, id));
  if (!bytes) {
    return fail("ResourceNotFoundException", 400, "The specified query does not exist.");
  }
  return decode_run(*bytes);
}

Result<std::vector<QueryRun>> all_runs(const LogReader& reader) {
  std::vector<QueryRun> runs;
  Result<void> decoded;
  VIRGA_TRY_VOID(reader.each_setting(Setting::query_run, kAccountWide, [&](std::string_view b) {
    auto run = decode_run(b);
    if (run) runs.push_back(std::move(*run));
    if (!run) decoded = fail(run.error());
    return decoded.has_value();
  }));
  VIRGA_TRY_VOID(decoded);
  std::sort(runs.begin(), runs.end(), [](const QueryRun& a, const QueryRun& b) {
    return std::tie(b.created_millis, b.id) < std::tie(a.created_millis, a.id);  // newest first
  });
  return runs;
}

std::string pointer_to(const std::string& group, const std::string& stream, const Position& at) {
  return make_token(position_digits(at) + group + "\n" + stream);
}

constexpr size_t kPositionDigits = 56;

struct Scanned {
  std::vector<InsightsRecord> records;
  double events = 0;
  double bytes = 0;
  size_t held_bytes = 0;
};

}  // namespace

Task<api::StartQueryOutput> Service::start_query(Ctx ctx, api::StartQueryInput input) {
  if (input.query_language && *input.query_language != "CWLI") {
    co_return fail("NotImplemented", 501,
                   "The query language " + *input.query_language + " is not implemented by Virga.");
  }
  QueryRun run;
  run.groups = co_await queried_groups(input, *ctx);
  run.text = input.query_string;
  const auto parsed = co_await InsightsQuery::parse(run.text);
  if (input.start_time > input.end_time) {
    co_return fail(errors::invalid_parameter("The start time of a query is not behind its end."));
  }
  const auto is_seconds = [](int64_t t) { return t < kSecondsMax; };
  run.begin_millis = is_seconds(input.start_time) ? input.start_time * 1000 : input.start_time;
  run.end_millis = is_seconds(input.end_time) ? input.end_time * 1000 + 999 : input.end_time;
  run.created_millis = ctx->now.at.millis();
  run.limit = input.limit.value_or(static_cast<int32_t>(kResultsDefault));
  run.id = ctx->env->random.uuid();
  co_await write(ctx, [&](LogTransaction& logs) -> Result<void> {
    for (const std::string& name : run.groups) {
      VIRGA_TRY(found, logs.find_group(name));
      if (found) continue;
      return fail("ResourceNotFoundException", 400,
                  "Log group '" + name + "' does not exist for account ID '" + ctx->account + "'");
    }
    VIRGA_TRY(runs, all_runs(logs));
    for (size_t i = 0; i < runs.size(); ++i) {
      if (i + 1 >= kRunsMax || runs[i].created_millis < run.created_millis - kKeptMillis)
        logs.erase_setting(Setting::query_run, kAccountWide, runs[i].id);
    }
    logs.put_setting(Setting::query_run, kAccountWide, run.id, encode_run(run));
    return {};
  });
  api::StartQueryOutput output;
  output.query_id = run.id;
  co_return output;
}

Task<api::GetQueryResultsOutput> Service::get_query_results(Ctx ctx,
                                                            api::GetQueryResultsInput input) {
  co_await caught_up();
  const auto view = shard_.snapshot();
  const LogReader reader(*view, ctx->account, ctx->region);
  const QueryRun run = co_await find_run(reader, input.query_id);
  const InsightsQuery query = co_await InsightsQuery::parse(run.text);
  Scanned scanned;
  int n = 0;
  bool too_much = false;
  for (const std::string& name : run.groups) {
    const auto group = co_await reader.find_group(name);
    if (!group) continue;  // deleted since
    std::vector<Stream> streams;
    co_await reader.each_stream(*group, "", [&](Stream&& s) {
      streams.push_back(std::move(s));
      return true;
    });
    const Position begin{std::max(run.begin_millis, oldest_kept(*group, ctx->now)), 0, 0};
    for (const Stream& stream : streams) {
      auto events = reader.events(*group, stream, begin, storage::Direction::forward);
      Event event;
      while (!too_much && events.next(event)) {
        if (event.at.timestamp > run.end_millis) break;
        if (++n % kEventsPerTurnOfQuery == 0) co_await async::yield();
        if (event.ingested_millis > run.created_millis) continue;
        scanned.events += 1;
        scanned.bytes += static_cast<double>(event.message.size());
        InsightsRecord record{.timestamp = event.at.timestamp,
                              .ingested = event.ingested_millis,
                              .message = std::move(event.message),
                              .stream = stream.name,
                              .log = ctx->account + ":" + name,
                              .pointer = pointer_to(name, stream.name, event.at)};
        if (!query.wants(record)) continue;
        scanned.held_bytes += record.message.size() + record.pointer.size() + sizeof(record);
        too_much = scanned.held_bytes > kHeldBytesMax;
        scanned.records.push_back(std::move(record));
      }
      co_await events.status();
    }
  }

  api::GetQueryResultsOutput output;
  output.query_language = "CWLI";
  auto& statistics = output.statistics.emplace();
  statistics.records_scanned = scanned.events;
  statistics.bytes_scanned = scanned.bytes;
  statistics.estimated_records_skipped = 0;
  statistics.estimated_bytes_skipped = 0;
  statistics.log_groups_scanned = static_cast<double>(run.groups.size());
  output.status = too_much ? "Failed" : "Complete";
  auto& results = output.results.emplace();
  if (too_much) co_return std::move(output);
  auto ran = query.run(std::move(scanned.records), static_cast<size_t>(run.limit));
  if (ran.too_much) output.status = "Failed";
  statistics.records_matched = static_cast<double>(ran.matched);
  for (InsightsFields& fields : ran.rows) {
    auto& result = results.emplace_back();
    for (auto& [name, value] : fields) {
      auto& field = result.emplace_back();
      field.field = std::move(name);
      field.value = std::move(value);
    }
  }
  co_return std::move(output);
}

Task<api::StopQueryOutput> Service::stop_query(Ctx ctx, api::StopQueryInput input) {
  const auto view = shard_.snapshot();
  const LogReader reader(*view, ctx->account, ctx->region);
  const QueryRun run = co_await find_run(reader, input.query_id);
  co_return fail(errors::invalid_parameter("The query " + run.id + " is not running."));
}

Task<api::DescribeQueriesOutput> Service::describe_queries(Ctx ctx,
                                                           api::DescribeQueriesInput input) {
  static constexpr int32_t kQueriesPerPage = 1000;
  const std::string after = co_await read_token(input.next_token);
  const auto view = shard_.snapshot();
  const LogReader reader(*view, ctx->account, ctx->region);
  const std::vector<QueryRun> runs = co_await all_runs(reader);
  const auto limit = static_cast<size_t>(input.max_results.value_or(kQueriesPerPage));
  const bool none = (input.status && *input.status != "Complete") ||
                    (input.query_language && *input.query_language != "CWLI");
  api::DescribeQueriesOutput output;
  auto& queries = output.queries.emplace();
  bool begun = after.empty();
  for (const QueryRun& run : runs) {
    if (none) break;
    const std::string& group = run.groups.front();
    if (!begun || (input.log_group_name && *input.log_group_name != group)) {
      begun = begun || run.id == after;
      continue;
    }
    if (queries.size() == limit) {
      output.next_token = make_token(*queries.back().query_id);
      break;
    }
    auto& info = queries.emplace_back();
    info.query_language = "CWLI";
    info.query_id = run.id;
    info.query_string = run.text;
    info.status = "Complete";
    info.create_time = run.created_millis;
    info.log_group_name = group;
  }
  co_return output;
}

Task<api::GetLogRecordOutput> Service::get_log_record(Ctx ctx, api::GetLogRecordInput input) {
  const std::string place = co_await read_token(input.log_record_pointer);
  const size_t line = place.find('\n');
  const auto at = read_position_digits(place.substr(0, kPositionDigits));
  if (!at || line == std::string::npos || line < kPositionDigits)
    co_return fail(errors::invalid_parameter("The specified logRecordPointer is not valid."));
  const std::string name = place.substr(kPositionDigits, line - kPositionDigits);
  co_await caught_up();
  const auto view = shard_.snapshot();
  const LogReader reader(*view, ctx->account, ctx->region);
  const Group group = co_await reader.group(name);
  const Stream stream = co_await reader.stream(group, place.substr(line + 1));
  auto events = reader.events(group, stream, *at, storage::Direction::forward);
  Event event;
  if (!events.next(event) || event.at != *at)
    co_return fail("ResourceNotFoundException", 400, "The specified log record does not exist.");
  api::GetLogRecordOutput output;
  auto& record = output.log_record.emplace();
  record["@message"] = event.message;
  record["@timestamp"] = std::to_string(event.at.timestamp);
  record["@ingestionTime"] = std::to_string(event.ingested_millis);
  record["@logStream"] = stream.name;
  record["@log"] = ctx->account + ":" + name;
  if (const auto parsed = parse_json(event.message); parsed && parsed->is_object()) {
    for (const auto& [key, value] : parsed->as_object())
      record[key] = value.is_string() ? value.as_string() : to_json(value);
  }
  co_return output;
}

}  // namespace virga::logs
