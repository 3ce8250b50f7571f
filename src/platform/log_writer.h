#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "async/task.h"

namespace virga::platform {

// What a service writes on a customer's behalf into CloudWatch Logs: function logs, access logs,
// execution histories.
struct LogEvent {
  int64_t timestamp_millis = 0;  // since 1970, wall clock
  std::string message;           // without a line's end
};

struct LogAppend {
  std::string account;
  std::string region;
  std::string group;             // "/aws/lambda/NAME"; made when it is not there
  std::string stream;            // made when it is not there
  std::vector<LogEvent> events;  // ascending
};

// Implemented by the logs service; others hold a reference that server/ handed over. Lives as long
// as the server; may be called from any loop, resumes on the calling loop.
class LogWriter {
 public:
  virtual ~LogWriter() = default;
  // The events can be read when it returns. Commit class joined: a crash may take the last 20 ms
  // back.
  virtual Task<void> append(LogAppend request) = 0;
};

}  // namespace virga::platform
