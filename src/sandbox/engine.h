// The compute engine as the server sees it: sandboxes that run a function's code, made by the
// launcher, spoken to by the Lambda Runtime API. Knows processes and runtimes, not AWS services.
// Everything here belongs to one loop.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "async/loop.h"
#include "async/task.h"
#include "sandbox/dns.h"
#include "sandbox/runtimes.h"

namespace virga::sandbox {

enum class LogStream { out, err, record };  // record: a framed event, which may hold several lines

// Called on the engine's loop. `text` has no final newline (lines) or is the event as the runtime
// framed it (records).
using LogSink = std::function<void(LogStream stream, std::string_view text)>;

// What a sandbox is to run. Bound for life: a changed function gets new sandboxes.
struct SandboxSpec {
  std::string runtime;   // "python3.12", "nodejs20.x", "provided.al2023"
  std::string code_dir;  // unpacked code, readable by others; mounted read-only at /var/task
  std::vector<std::string> layers;  // mounted read-only at /opt; at most one folder
  std::string handler;              // becomes _HANDLER
  std::vector<std::pair<std::string, std::string>>
      environment;  // all of it: the function's own and the reserved names
  int64_t memory_mb = 128;
  int64_t tmp_mb = 512;
  int64_t init_timeout_ms =
      10'000;  // Lambda Developer Guide, "Lambda execution environment": INIT ends after 10 s
  std::string owner;  // given back with platform connections: who calls
  LogSink log;        // may be empty
};

// Takes an answer that the function streams, while it is written. On the engine's loop.
class AnswerStream {
 public:
  virtual ~AnswerStream() = default;
  virtual void begin(std::string_view content_type) = 0;
  // False: enough for now; `resume` is called when more may come.
  virtual bool piece(std::string_view bytes, std::function<void()> resume) = 0;
};

struct InvokeRequest {
  std::string request_id;
  std::string payload;
  int64_t timeout_ms = 3000;
  int64_t deadline_epoch_ms = 0;  // wall clock, shown to the function
  std::string function_arn;
  std::string trace_id;          // empty: no header
  std::string client_context;    // JSON text; empty: no header
  std::string cognito_identity;  // JSON text; empty: no header
  std::string tenant_id;         // empty: no header
  // Without it a streamed answer is collected like any other. The outcome of an answer that was
  // streamed has no payload, but for an error that came after its beginning.
  std::shared_ptr<AnswerStream> stream;
};

enum class OutcomeKind {
  response,       // payload is the answer
  error,          // payload is the error document, error_type its type; the sandbox lives on
  timed_out,      // the sandbox is dead, as after all that follow
  exited,         // wait_status says how
  out_of_memory,  // killed for exceeding memory_mb
  too_large,      // the answer exceeded 6,291,556 bytes; the sandbox lives on
};

struct InvokeOutcome {
  OutcomeKind kind = OutcomeKind::response;
  std::string payload;
  std::string content_type;
  std::string error_type;
  int wait_status = 0;
  int64_t duration_micros = 0;    // event delivered -> answer received, steady clock
  int64_t memory_peak_bytes = 0;  // of the sandbox so far; 0 when it cannot be known
};

class Sandbox {
 public:
  virtual ~Sandbox() = default;  // ends it, without waiting

  // One at a time. The function's log lines of this invocation have reached the sink when it
  // returns.
  virtual Task<InvokeOutcome> invoke(InvokeRequest request) = 0;
  // False once it ended for whatever reason; invoke then fails with SandboxGone, 500.
  virtual bool alive() const = 0;
  // Ends it and waits until no process is left.
  virtual Task<void> stop() = 0;
  virtual uint32_t id() const = 0;
  virtual int64_t memory_peak_bytes() const = 0;
};

struct StartOutcome {
  enum class Kind { ready, init_error, timed_out, exited, out_of_memory };
  Kind kind = Kind::ready;
  std::unique_ptr<Sandbox> sandbox;  // when ready
  std::string payload;               // init_error: the error document
  std::string error_type;
  int wait_status = 0;
  int64_t init_micros = 0;  // assignment -> first request for an event
};

// Who is at the other end of a connection that came through a sandbox's platform listener.
struct PlatformPeer {
  uint32_t sandbox = 0;
  std::string owner;
  uint16_t port = 0;
};

struct EngineOptions {
  RuntimePaths runtime_paths;  // the same as the launcher's
  std::vector<uint16_t> platform_ports;
  size_t spares_per_runtime = 2;     // ready and waiting for each interpreter in use
  int64_t cool_after_ms = 3600'000;  // spares and zygotes of an interpreter that nobody asks for go
  int64_t freeze_after_ms = 20;      // back-to-back invokes never pay for a thaw
  // Names outside are asked there; without it they do not exist inside.
  std::optional<DnsServer> resolver;
  // Takes the descriptor (non-blocking, connected). Without it such connections are closed.
  std::function<void(int fd, const PlatformPeer& peer)> on_platform_connection;
};

struct EngineStats {
  size_t spares = 0, live = 0, starts = 0, created = 0, failed = 0;
};

class Engine {
 public:
  // `launcher_fd`: the other end of launcher_main's socket; the engine owns it from here on.
  static Result<std::unique_ptr<Engine>> open(async::Loop& loop, int launcher_fd,
                                              EngineOptions options);
  virtual ~Engine() = default;

  // Takes a spare (or has one made) and runs INIT. Fails with InvalidRuntime (400),
  // SandboxUnavailable (503).
  virtual Task<StartOutcome> start(SandboxSpec spec) = 0;
  // The runtime will be needed: its zygote and spares are made, nobody waits.
  virtual void prepare(const std::string& runtime) = 0;
  // Makes the runtime's zygote and spares ahead of need; waits until one spare stands.
  virtual Task<void> warm(std::string runtime) = 0;
  // Lets a runtime's zygote and spares go: no function of it is left.
  // An interpreter that is asked for nothing cools by itself after EngineOptions::cool_after_ms.
  virtual void cool(const std::string& runtime) = 0;
  // A new launcher after the old one died (on_launcher_lost was called).
  virtual void attach_launcher(int launcher_fd) = 0;
  virtual bool launcher_alive() const = 0;
  // Ends everything: sandboxes and spares.
  virtual Task<void> close() = 0;
  virtual EngineStats stats() const = 0;
};

}  // namespace virga::sandbox
