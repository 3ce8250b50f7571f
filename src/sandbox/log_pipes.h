// Reads what a sandbox writes: lines from stdout and stderr, framed records from the telemetry
// descriptor.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "async/loop.h"
#include "sandbox/engine.h"
#include "sandbox/fd.h"

namespace virga::sandbox {

// A line longer than this is delivered in pieces. Source: CloudWatch Logs quotas, event size 256
// KiB.
inline constexpr size_t kLogEventBytesMax = 256 * 1024;

class LogPipe final : public async::FdHandler {
 public:
  LogPipe(async::Loop& loop, Fd fd, LogStream stream, const LogSink& sink);
  ~LogPipe();
  void on_events(uint32_t events) override;
  // Reads all that is there now of each and delivers it, unfinished lines too: the invocation is
  // over.
  static void drain(const std::vector<std::unique_ptr<LogPipe>>& pipes);

 private:
  void drain();
  void deliver_unfinished();
  bool read_some();
  void deliver_lines();
  void deliver_records();
  void give(std::string_view text);

  async::Loop& loop_;
  Fd fd_;
  const LogStream stream_;
  const LogSink& sink_;  // the sandbox's
  std::string buffer_;
};

}  // namespace virga::sandbox
