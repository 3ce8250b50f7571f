#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "async/task.h"
#include "base/time.h"

// What Lambda needs of a compute engine: sandboxes that are started for one function version, take
// one invocation at a time, and end. sandbox::Engine stands behind it (engine_compute.h); unit
// tests use a fake. All of it lives on the scheduler's loop.
namespace virga::lambda {

class StreamedAnswer;

// Everything that a sandbox is given for life. Immutable, shared by the sandboxes of one function
// version.
struct SandboxSpec {
  std::string account;
  std::string region;
  std::string function_name;
  std::string version;
  std::string role_arn;
  std::string runtime;  // as the user named it: "python3.12"
  std::string handler;
  std::string code_sha256_hex;  // names the unpacked deployment package, mounted at /var/task
  std::vector<std::string> layer_sha256_hex;  // later ones on top, merged at /opt
  std::string log_group;
  std::string log_format = "Text";
  std::string application_log_level;  // JSON format only
  std::map<std::string, std::string> user_environment;
  int memory_mb = 128;
  int tmp_mb = 512;
  int64_t timeout_ms = 3000;
  bool provisioned = false;  // of provisioned concurrency
};

struct Invocation {
  std::string request_id;
  std::string invoked_function_arn;
  std::string payload;         // JSON text
  std::string client_context;  // JSON text, may be empty
  std::string trace_id;
  // Who takes a streamed answer while it is written; null: it is collected like any other.
  std::shared_ptr<StreamedAnswer> stream;
};

// How an invocation ended. For all but `success` the caller sees an error document: error_payload()
// gives it.
enum class OutcomeKind {
  success,
  handler_error,  // the handler raised or the runtime reported an error
  init_error,     // the module could not be imported, the handler was not found, …
  timed_out,
  exited,  // the process ended without an answer
  out_of_memory,
  too_large,  // the answer is over the limit
};

struct Outcome {
  OutcomeKind kind = OutcomeKind::success;
  std::string payload;       // the answer, or the function's error document
  std::string content_type;  // of the answer, as the runtime named it
  std::string error_type;    // "Runtime.ExitError", also where the payload is still to be made from
                             // it and `message`
  std::string message;  // "Task timed out after 3.00 seconds": what happened, where the runtime
                        // could not say so
  int64_t duration_micros = 0;
  uint64_t max_memory_bytes = 0;
  bool reusable = true;  // false: the sandbox has ended
};

// The document that the caller gets for an outcome that is no success: what the runtime reported,
// else
// {"errorType": …, "errorMessage": "RequestId: … Error: …"}.
std::string error_payload(const Outcome& outcome, const std::string& request_id);

struct LogLine {
  Timestamp at;
  std::string text;  // without the line's end
};

// Called for each line that the function writes, before the outcome of the invocation during which
// it was written.
using LogSink = std::function<void(LogLine)>;

class Sandbox {
 public:
  virtual ~Sandbox() = default;  // ends the sandbox's processes if they still run
  // One at a time. Errors are the engine's own failures (ServiceException); whatever the function
  // does is an Outcome.
  virtual Task<Outcome> invoke(Invocation invocation) = 0;
  // Time spent initialising, once started.
  virtual int64_t init_micros() const = 0;
  // False once its processes have ended, for whatever reason: it takes no further invocation.
  virtual bool alive() const = 0;
  // Set when initialisation failed: the sandbox takes no invocation, its first caller gets this.
  virtual const std::optional<Outcome>& init_failure() const = 0;
};

class Compute {
 public:
  virtual ~Compute() = default;
  // Ready for its first invocation when it returns. `log_stream` is the sandbox's own.
  virtual Task<std::unique_ptr<Sandbox>> start(std::shared_ptr<const SandboxSpec> spec,
                                               std::string log_stream, LogSink sink) = 0;
  // Functions of this runtime exist: what their first start needs may be made ready. On the
  // scheduler's loop.
  virtual void prepare(const std::string& runtime) { static_cast<void>(runtime); }
  // "Python 3.11.2" and a stable hash of the interpreter for RuntimeVersionArn; nullopt when
  // nothing can run `runtime`.
  struct RuntimeVersion {
    std::string description;  // "python:3.11.v0"
    std::string hash;         // 64 hex digits
  };
  virtual std::optional<RuntimeVersion> runtime_version(const std::string& runtime) const = 0;
};

}  // namespace virga::lambda
