// One sandbox inside the engine: its Runtime API, logs, state. Owned by the engine until the
// launcher says that all of its processes are gone; the Sandbox handle that users hold refers to
// it.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "async/wait.h"
#include "sandbox/dns.h"
#include "sandbox/engine.h"
#include "sandbox/fd.h"
#include "sandbox/log_pipes.h"
#include "sandbox/messages.h"
#include "sandbox/runtime_api.h"

namespace virga::sandbox {

enum class CellState { making, spare, init, idle, busy, dead };

class EngineCell final : public std::enable_shared_from_this<EngineCell> {
 public:
  EngineCell(async::Loop& loop, const EngineOptions& options, uint32_t id, std::string pool);
  ~EngineCell();

  // Events from the launcher.
  void on_ready(Message& message);
  void on_exited(const Message& message);
  void on_failed(const std::string& why);
  void on_gone();

  // Bound to a function: to be called on a spare. The engine sends the assignment.
  void bind(SandboxSpec spec);
  // The environment of the function (NAME=VALUE joined by NULs), to the process that becomes it.
  // False: the process does not take it.
  bool send_environment(std::string_view environment);
  Task<StartOutcome> await_init();
  Task<InvokeOutcome> invoke(InvokeRequest request);
  // Closes the control socket, which ends every process in it. May be called in any state, any
  // number of times.
  void kill();
  Task<void> await_gone();
  int64_t memory_peak() const;

  // The variables that this sandbox needs otherwise than the caller wrote them.
  std::string variable(const std::string& name, const std::string& value) const;
  bool bare() const { return bare_; }

  const uint32_t id;
  const std::string pool;  // the interpreter's path: which spares it counts among
  CellState state = CellState::making;
  async::Event changed;  // state or outcome: set on every change, reset by who waits
  bool gone = false;
  bool outdated = false;  // a spare that knows less than those made today
  std::string failure;    // why it could not be made

 private:
  class PlatformListener;

  void on_request(ApiConnection& connection, ApiRequest& request);
  void on_next(ApiConnection& connection);
  void on_answer(ApiConnection& connection, ApiRequest& request, bool is_error);
  bool streams_answer(ApiConnection& connection, const ApiRequest& head);
  bool on_piece(std::string_view bytes);
  void on_init_error(ApiConnection& connection, ApiRequest& request);
  void on_connection_closed(ApiConnection& connection);
  void deliver();
  int64_t sampled_memory_peak(int64_t duration_micros);
  void drain_logs();
  void end_busy(InvokeOutcome outcome);
  void freeze_later();
  void arm_freeze();
  void thaw();
  bool order_freeze(bool frozen);
  void stop_timers();

  async::Loop& loop_;
  const EngineOptions& options_;
  SandboxSpec spec_;
  LogSink sink_;
  Fd control_, memory_, freeze_;  // freeze_: of cgroup v2; without it init stops and continues
  std::unique_ptr<ApiServer> api_;
  std::vector<std::unique_ptr<LogPipe>> logs_;
  std::vector<std::unique_ptr<PlatformListener>> platform_;
  std::unique_ptr<DnsResponder> dns_;
  ApiConnection* channel_ = nullptr;  // the bootstrap's own
  ApiConnection* parked_ = nullptr;   // waits for its next event
  std::optional<InvokeRequest> request_;
  bool delivered_ = false;
  ApiConnection* streaming_ = nullptr;  // an answer is coming in by pieces
  std::optional<InvokeOutcome> outcome_;
  std::optional<StartOutcome> init_;
  async::SteadyTime init_from_, delivered_at_;
  async::SteadyTime freeze_at_;
  async::TimerId freeze_timer_ = async::TimerId::none;
  int64_t peak_bytes_ = 0;  // as last read
  async::SteadyTime peak_read_at_;
  bool frozen_ = false;
  bool bare_ = false;
  bool told_of_network_ = false;
  uint16_t api_port_ = 0;   // of the machine's loopback; 0: 9001 inside
  std::string api_secret_;  // first part of the API's path there: others reach the port too
  bool exited_ = false;
  int64_t exit_peak_ = 0;
};

}  // namespace virga::sandbox
