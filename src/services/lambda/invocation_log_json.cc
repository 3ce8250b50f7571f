// The platform's lines in JSON. Source: Lambda Developer Guide, "Configuring JSON and plain text
// log formats", "System log level event mapping"; Lambda Telemetry API Event schema reference.
#include <algorithm>

#include "base/json.h"
#include "services/lambda/invocation_log.h"

namespace virga::lambda {
namespace {

enum class Level { debug, info, warn };

Level parse_level(std::string_view text) {
  if (text == "DEBUG") return Level::debug;
  return text == "WARN" ? Level::warn : Level::info;
}

std::string_view status_of(const Outcome& outcome) {
  switch (outcome.kind) {
    case OutcomeKind::success:
      return "success";
    case OutcomeKind::handler_error:
    case OutcomeKind::init_error:
      return "error";
    case OutcomeKind::timed_out:
      return "timeout";
    case OutcomeKind::exited:
    case OutcomeKind::out_of_memory:
    case OutcomeKind::too_large:
      return "failure";
  }
  return "failure";
}

// Collects events of the least level and above.
class Events {
 public:
  Events(Level least, std::vector<LogLine>& out) : least_(least), out_(out) {}

  template <class Body>
  void add(Level level, Timestamp at, std::string_view type, Body body) {
    if (level < least_) return;
    std::string text;
    JsonWriter writer(text);
    writer.begin_object();
    member(writer, "time", format_iso8601_millis(at));
    member(writer, "type", type);
    writer.key("record");
    writer.begin_object();
    body(writer);
    writer.end_object();
    writer.end_object();
    out_.push_back({at, std::move(text)});
  }
  static void member(JsonWriter& writer, std::string_view name, std::string_view value) {
    writer.key(name);
    writer.string(value);
  }
  static void millis(JsonWriter& writer, std::string_view name, int64_t micros) {
    writer.key(name);
    writer.real(static_cast<double>(micros / 10) / 100);
  }

 private:
  Level least_;
  std::vector<LogLine>& out_;
};

void write_report(JsonWriter& writer, const Execution& execution, const InvocationReport& report) {
  const uint64_t megabyte = 1024 * 1024;
  const uint64_t limit = static_cast<uint64_t>(report.memory_mb);
  const uint64_t used =
      execution.outcome.kind == OutcomeKind::out_of_memory
          ? limit
          : std::min(limit, (execution.outcome.max_memory_bytes + megabyte - 1) / megabyte);
  Events::member(writer, "requestId", report.request_id);
  writer.key("metrics");
  writer.begin_object();
  Events::millis(writer, "durationMs", execution.outcome.duration_micros);
  writer.key("billedDurationMs");
  writer.integer(billed_millis(execution));
  writer.key("memorySizeMB");
  writer.integer(report.memory_mb);
  writer.key("maxMemoryUsedMB");
  writer.integer(static_cast<int64_t>(used));
  if (execution.init_micros && execution.outcome.kind != OutcomeKind::init_error) {
    Events::millis(writer, "initDurationMs", *execution.init_micros);
  }
  writer.end_object();
  Events::member(writer, "status", status_of(execution.outcome));
  if (!execution.outcome.error_type.empty())
    Events::member(writer, "errorType", execution.outcome.error_type);
}

void add_init(Events& events, const InvocationReport& report, Timestamp began) {
  events.add(Level::info, began, "platform.initStart", [&](JsonWriter& w) {
    Events::member(w, "initializationType", "on-demand");
    Events::member(w, "phase", "init");
    Events::member(w, "runtimeVersion", report.runtime_description);
    Events::member(w, "runtimeVersionArn", report.runtime_version_arn);
  });
}

void add_init_end(Events& events, const Execution& execution) {
  const bool failed = execution.outcome.kind == OutcomeKind::init_error;
  const std::string_view status = failed ? "error" : "success";
  events.add(failed ? Level::warn : Level::debug, execution.started, "platform.initRuntimeDone",
             [&](JsonWriter& w) {
               Events::member(w, "initializationType", "on-demand");
               Events::member(w, "phase", "init");
               Events::member(w, "status", status);
               if (failed) Events::member(w, "errorType", execution.outcome.error_type);
             });
  events.add(failed ? Level::info : Level::debug, execution.started, "platform.initReport",
             [&](JsonWriter& w) {
               Events::member(w, "initializationType", "on-demand");
               Events::member(w, "phase", "init");
               Events::member(w, "status", status);
               w.key("metrics");
               w.begin_object();
               Events::millis(w, "durationMs", *execution.init_micros);
               w.end_object();
             });
}

}  // namespace

std::vector<LogLine> full_log_json(const Execution& execution, const InvocationReport& report) {
  std::vector<LogLine> out;
  out.reserve(execution.log.size() + 6);
  Events events(parse_level(report.system_log_level), out);
  auto line = execution.log.begin();
  if (execution.init_micros) {
    Timestamp began{execution.started.micros - *execution.init_micros};
    if (line != execution.log.end()) began = std::min(began, line->at);
    add_init(events, report, began);
  }
  for (; line != execution.log.end() && line->at < execution.started; ++line) out.push_back(*line);
  if (execution.init_micros) add_init_end(events, execution);
  events.add(Level::info, execution.started, "platform.start", [&](JsonWriter& w) {
    Events::member(w, "requestId", report.request_id);
    Events::member(w, "version", report.version);
  });
  for (; line != execution.log.end(); ++line) out.push_back(*line);
  const bool good = execution.outcome.kind == OutcomeKind::success;
  events.add(good ? Level::debug : Level::warn, execution.ended, "platform.runtimeDone",
             [&](JsonWriter& w) {
               Events::member(w, "requestId", report.request_id);
               Events::member(w, "status", status_of(execution.outcome));
               w.key("metrics");
               w.begin_object();
               Events::millis(w, "durationMs", execution.outcome.duration_micros);
               w.end_object();
             });
  events.add(good ? Level::info : Level::warn, execution.ended, "platform.report",
             [&](JsonWriter& w) { write_report(w, execution, report); });
  return out;
}

}  // namespace virga::lambda
