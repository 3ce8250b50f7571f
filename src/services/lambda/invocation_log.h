#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "services/lambda/compute.h"
#include "services/lambda/records.h"
#include "services/lambda/scheduler.h"

// The lines that the platform writes around a function's own.
namespace virga::lambda {

// LogResult carries at most this. Source: Lambda API Reference, Invoke, LogResult: "The last 4 KB
// of the execution log".
inline constexpr size_t kLogTailBytes = 4096;

struct InvocationReport {
  std::string request_id;
  std::string version;
  int memory_mb = 128;
  std::string runtime_description;  // "python:3.11.v1"
  std::string runtime_version_arn;
  bool json = false;             // LogFormat JSON
  std::string system_log_level;  // of the JSON format: DEBUG, INFO or WARN
};

// INIT_START (first execution only), the lines of initialisation, START, the function's lines, END,
// REPORT; each without a line's end. Lines of initialisation are those written before
// `execution.started`.
std::vector<LogLine> full_log(const Execution& execution, const InvocationReport& report);

// The same for functions whose LogFormat is JSON: platform.initStart, platform.start,
// platform.report and, at level DEBUG, what lies between. (invocation_log_json.cc)
std::vector<LogLine> full_log_json(const Execution& execution, const InvocationReport& report);

// What a caller is billed for: the duration rounded up to a millisecond, initialisation included.
// Source: AWS Compute Blog, "AWS Lambda standardizes billing for INIT Phase" (August 2025).
int64_t billed_millis(const Execution& execution);

// The last 4 KB as one text, cut at a line's start where possible.
std::string log_tail(const std::vector<LogLine>& lines);

}  // namespace virga::lambda
