#include "services/lambda/invocation_log.h"

#include <algorithm>
#include <cstdio>

#include "base/json.h"

namespace virga::lambda {
namespace {

std::string millis_text(int64_t micros) {
  const int64_t hundredths = micros % 1000 / 10;
  return std::to_string(micros / 1000) + (hundredths < 10 ? ".0" : ".") +
         std::to_string(hundredths);
}

// "\tStatus: timeout", "\tStatus: error\tError Type: Runtime.ExitError". Source: Lambda Developer
// Guide, "Report log".
std::string status_text(const Outcome& outcome) {
  switch (outcome.kind) {
    case OutcomeKind::success:
    case OutcomeKind::handler_error:
    case OutcomeKind::too_large:
      return "";
    case OutcomeKind::timed_out:
      return "\tStatus: timeout";
    case OutcomeKind::init_error:
    case OutcomeKind::exited:
    case OutcomeKind::out_of_memory:
      return "\tStatus: error\tError Type: " +
             (outcome.error_type.empty() ? "Runtime.ExitError" : outcome.error_type);
  }
  return "";
}

std::string report_line(const Execution& execution, const InvocationReport& report) {
  const uint64_t megabyte = 1024 * 1024;
  const uint64_t limit = static_cast<uint64_t>(report.memory_mb);
  // A process that died of memory used all of it, whatever was sampled last.
  const uint64_t used =
      execution.outcome.kind == OutcomeKind::out_of_memory
          ? limit
          : std::min(limit, (execution.outcome.max_memory_bytes + megabyte - 1) / megabyte);
  std::string out;
  out.reserve(256);
  out += "REPORT RequestId: ";
  out += report.request_id;
  out += "\tDuration: ";
  out += millis_text(execution.outcome.duration_micros);
  out += " ms\tBilled Duration: ";
  out += std::to_string(billed_millis(execution));
  out += " ms\tMemory Size: ";
  out += std::to_string(report.memory_mb);
  out += " MB\tMax Memory Used: ";
  out += std::to_string(used);
  out += " MB";
  if (execution.init_micros && execution.outcome.kind != OutcomeKind::init_error) {
    out += "\tInit Duration: " + millis_text(*execution.init_micros) + " ms";
  }
  return out + status_text(execution.outcome);
}

}  // namespace

std::string error_payload(const Outcome& outcome, const std::string& request_id) {
  if (!outcome.payload.empty()) return outcome.payload;
  std::string out;
  JsonWriter writer(out);
  writer.begin_object();
  writer.key("errorType");
  writer.string(outcome.error_type);
  writer.key("errorMessage");
  // The size of an answer is stated without the request. Source: Lambda Developer Guide,
  // "Troubleshoot invocation issues".
  writer.string(outcome.kind == OutcomeKind::too_large
                    ? outcome.message
                    : "RequestId: " + request_id + " Error: " + outcome.message);
  writer.end_object();
  return out;
}

int64_t billed_millis(const Execution& execution) {
  const int64_t micros = execution.outcome.duration_micros + execution.init_micros.value_or(0);
  return std::max<int64_t>(1, (micros + 999) / 1000);
}

std::vector<LogLine> full_log(const Execution& execution, const InvocationReport& report) {
  if (report.json) return full_log_json(execution, report);
  const Timestamp started = execution.started;
  const Timestamp ended = execution.ended;
  std::vector<LogLine> out;
  out.reserve(execution.log.size() + 5);
  auto line = execution.log.begin();
  if (execution.init_micros) {
    Timestamp at{started.micros - *execution.init_micros};
    if (line != execution.log.end()) at = std::min(at, line->at);
    out.push_back({at, "INIT_START Runtime Version: " + report.runtime_description +
                           "\tRuntime Version ARN: " + report.runtime_version_arn});
    for (; line != execution.log.end() && line->at < started; ++line) out.push_back(*line);
    if (execution.outcome.kind == OutcomeKind::init_error) {
      out.push_back({started, "INIT_REPORT Init Duration: " + millis_text(*execution.init_micros) +
                                  " ms\tPhase: init" + status_text(execution.outcome)});
    }
  }
  // Written by threads after the previous answer, they belong before START.
  for (; line != execution.log.end() && line->at < started; ++line) out.push_back(*line);
  out.push_back({started, "START RequestId: " + report.request_id + " Version: " + report.version});
  for (; line != execution.log.end(); ++line) out.push_back(*line);
  const auto& outcome = execution.outcome;
  if (outcome.kind == OutcomeKind::timed_out) {
    out.push_back(
        {ended, format_iso8601_millis(ended) + " " + report.request_id + " " + outcome.message});
  } else if (!outcome.message.empty()) {
    out.push_back({ended, "RequestId: " + report.request_id + " Error: " + outcome.message});
    if (outcome.kind != OutcomeKind::too_large) out.push_back({ended, outcome.error_type});
  }
  out.push_back({ended, "END RequestId: " + report.request_id});
  out.push_back({ended, report_line(execution, report)});
  return out;
}

std::string log_tail(const std::vector<LogLine>& lines) {
  std::string out;
  size_t first = lines.size();
  size_t bytes = 0;
  while (first > 0 && bytes + lines[first - 1].text.size() + 1 <= kLogTailBytes) {
    --first;
    bytes += lines[first].text.size() + 1;
  }
  if (first == lines.size() && first > 0) {  // one line longer than all: its end
    const auto& text = lines.back().text;
    return text.substr(text.size() - std::min(text.size(), kLogTailBytes - 1)) + "\n";
  }
  for (; first < lines.size(); ++first) {
    out += lines[first].text;
    out += '\n';
  }
  return out;
}

}  // namespace virga::lambda
