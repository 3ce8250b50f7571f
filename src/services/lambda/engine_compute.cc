#include "services/lambda/engine_compute.h"

#include <sys/stat.h>
#include <sys/wait.h>

#include <cstdio>
#include <cstring>

#include "base/hashing.h"
#include "base/strings.h"
#include "services/lambda/errors.h"
#include "services/lambda/runtimes.h"
#include "services/lambda/streamed_answer.h"

namespace virga::lambda {
namespace {

constexpr int64_t kInitMillis = 10'000;  // Source: Lambda Developer Guide, "Understanding the
                                         // Lambda execution environment lifecycle".
constexpr int64_t kCredentialSeconds =
    12 * 3600;  // outlives every sandbox (Scheduler::Options::age_max_ms)

std::string seconds_text(int64_t millis) {
  char buffer[32];
  std::snprintf(buffer, sizeof buffer, "%.2f", static_cast<double>(millis) / 1000);
  return buffer;
}

void describe_timeout(Outcome& out, int64_t timeout_ms) {
  out.kind = OutcomeKind::timed_out;
  out.error_type = "Sandbox.Timedout";
  out.message = "Task timed out after " + seconds_text(timeout_ms) + " seconds";
  out.duration_micros = timeout_ms * 1000;
  out.reusable = false;
}
void describe_exit(Outcome& out, int wait_status) {
  out.kind = OutcomeKind::exited;
  out.error_type = "Runtime.ExitError";
  out.message = exit_message(wait_status);
  out.reusable = false;
}
void describe_out_of_memory(Outcome& out) {
  out.kind = OutcomeKind::out_of_memory;
  out.error_type = "Runtime.OutOfMemory";
  out.message = "Runtime exited with error: signal: killed";
  out.reusable = false;
}

Outcome from_start(sandbox::StartOutcome& start, int64_t timeout_ms) {
  Outcome out{.kind = OutcomeKind::init_error, .reusable = false};
  switch (start.kind) {
    case sandbox::StartOutcome::Kind::ready:
    case sandbox::StartOutcome::Kind::init_error:
      out.payload = std::move(start.payload);
      out.error_type = std::move(start.error_type);
      break;
    case sandbox::StartOutcome::Kind::timed_out:
      describe_timeout(out, timeout_ms);
      break;
    case sandbox::StartOutcome::Kind::exited:
      describe_exit(out, start.wait_status);
      break;
    case sandbox::StartOutcome::Kind::out_of_memory:
      describe_out_of_memory(out);
      break;
  }
  return out;
}

Outcome from_invoke(sandbox::InvokeOutcome& got, int64_t timeout_ms) {
  Outcome out;
  out.duration_micros = got.duration_micros;
  out.max_memory_bytes = static_cast<uint64_t>(got.memory_peak_bytes);
  out.payload = std::move(got.payload);
  out.content_type = std::move(got.content_type);
  switch (got.kind) {
    case sandbox::OutcomeKind::response:
      break;
    case sandbox::OutcomeKind::error:
      out.kind = OutcomeKind::handler_error;
      out.error_type = std::move(got.error_type);
      break;
    case sandbox::OutcomeKind::timed_out:
      out.payload.clear();
      describe_timeout(out, timeout_ms);
      break;
    case sandbox::OutcomeKind::exited:
      out.payload.clear();
      describe_exit(out, got.wait_status);
      break;
    case sandbox::OutcomeKind::out_of_memory:
      out.payload.clear();
      describe_out_of_memory(out);
      break;
    case sandbox::OutcomeKind::too_large:
      out.payload.clear();
      out.kind = OutcomeKind::too_large;
      out.error_type = "Function.ResponseSizeTooLarge";
      out.message = "Response payload size exceeded maximum allowed payload size (6291556 bytes).";
      break;
  }
  return out;
}

class AnswerTaker final : public sandbox::AnswerStream {
 public:
  explicit AnswerTaker(std::shared_ptr<StreamedAnswer> to) : to_(std::move(to)) {}
  void begin(std::string_view content_type) override { to_->begin(content_type); }
  bool piece(std::string_view bytes, std::function<void()> resume) override {
    return to_->piece(bytes, std::move(resume));
  }

 private:
  std::shared_ptr<StreamedAnswer> to_;
};

class EngineSandbox final : public Sandbox {
 public:
  EngineSandbox(async::Env& env, std::unique_ptr<sandbox::Sandbox> running, int64_t init_micros,
                std::optional<Outcome> failure, int64_t timeout_ms)
      : env_(env),
        running_(std::move(running)),
        init_micros_(init_micros),
        failure_(std::move(failure)),
        timeout_ms_(timeout_ms) {}

  Task<Outcome> invoke(Invocation invocation) override {
    sandbox::InvokeRequest request{.request_id = std::move(invocation.request_id),
                                   .payload = std::move(invocation.payload),
                                   .timeout_ms = timeout_ms_,
                                   .deadline_epoch_ms = env_.wall.now().at.millis() + timeout_ms_,
                                   .function_arn = std::move(invocation.invoked_function_arn),
                                   .trace_id = std::move(invocation.trace_id),
                                   .client_context = std::move(invocation.client_context)};
    if (invocation.stream)
      request.stream = std::make_shared<AnswerTaker>(std::move(invocation.stream));
    auto running = running_->invoke(std::move(request));
    auto got = co_await std::move(running);
    Outcome out = from_invoke(got, timeout_ms_);
    if (!running_->alive()) out.reusable = false;
    co_return out;
  }
  int64_t init_micros() const override { return init_micros_; }
  const std::optional<Outcome>& init_failure() const override { return failure_; }
  bool alive() const override { return running_ && running_->alive(); }

 private:
  async::Env& env_;
  std::unique_ptr<sandbox::Sandbox> running_;  // null after a failed initialisation
  int64_t init_micros_;
  std::optional<Outcome> failure_;
  int64_t timeout_ms_;
};

// Framed records may hold several lines; each is an event of its own only in CloudWatch's text of
// AWS when the runtime says so: a record is one event, with its inner line ends.
std::string without_line_end(std::string_view text) {
  while (text.ends_with('\n') || text.ends_with('\r')) text.remove_suffix(1);
  return std::string(text);
}

}  // namespace

std::string exit_message(int wait_status) {
  if (WIFSIGNALED(wait_status)) {
    const char* const name = ::sigdescr_np(WTERMSIG(wait_status));
    return "Runtime exited with error: signal: " +
           to_lower(name ? name : std::to_string(WTERMSIG(wait_status)));
  }
  const int code = WEXITSTATUS(wait_status);
  if (code == 0) return "Runtime exited without providing a reason";
  return "Runtime exited with error: exit status " + std::to_string(code);
}

std::map<std::string, std::string> function_environment(const SandboxSpec& spec,
                                                        const std::string& log_stream,
                                                        const EngineCompute::Options& options) {
  std::map<std::string, std::string> out = {
      // Defaults that the function's own variables may replace.
      {"LANG", "en_US.UTF-8"},
      {"TZ", ":UTC"},
      {"PATH", "/var/lang/bin:/usr/local/bin:/usr/bin:/bin:/opt/bin"},
      {"LD_LIBRARY_PATH",
       "/var/lang/lib:/lib64:/usr/lib64:/var/runtime:/var/runtime/lib:/var/task:/var/task/lib:/opt/"
       "lib"},
      {"AWS_XRAY_CONTEXT_MISSING", "LOG_ERROR"},
      {"AWS_ENDPOINT_URL", options.endpoint_url},
      {"LOCALSTACK_HOSTNAME", "127.0.0.1"},
      {"EDGE_PORT", std::to_string(options.edge_port)},
  };
  for (const auto& [name, value] : spec.user_environment) out[name] = value;
  out["AWS_REGION"] = spec.region;
  out["AWS_DEFAULT_REGION"] = spec.region;
  if (!spec.runtime.starts_with("provided"))
    out["AWS_EXECUTION_ENV"] = execution_environment(spec.runtime);
  out["AWS_LAMBDA_FUNCTION_NAME"] = spec.function_name;
  out["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"] = std::to_string(spec.memory_mb);
  out["AWS_LAMBDA_FUNCTION_VERSION"] = spec.version;
  out["AWS_LAMBDA_INITIALIZATION_TYPE"] =
      spec.provisioned ? "provisioned-concurrency" : "on-demand";
  out["AWS_LAMBDA_LOG_FORMAT"] = spec.log_format;
  if (!spec.application_log_level.empty()) out["AWS_LAMBDA_LOG_LEVEL"] = spec.application_log_level;
  out["AWS_LAMBDA_LOG_GROUP_NAME"] = spec.log_group;
  out["AWS_LAMBDA_LOG_STREAM_NAME"] = log_stream;
  out["AWS_LAMBDA_RUNTIME_API"] = "127.0.0.1:9001";
  out["LAMBDA_TASK_ROOT"] = "/var/task";
  out["LAMBDA_RUNTIME_DIR"] = "/var/runtime";
  return out;
}

EngineCompute::EngineCompute(sandbox::Engine& engine, async::Env& env, CodeStore& code,
                             platform::CredentialIssuer& credentials, Options options)
    : engine_(engine),
      env_(env),
      code_(code),
      credentials_(credentials),
      options_(std::move(options)) {}
EngineCompute::~EngineCompute() = default;

Task<std::unique_ptr<Sandbox>> EngineCompute::start(std::shared_ptr<const SandboxSpec> spec,
                                                    std::string log_stream, LogSink sink) {
  platform::CredentialIssuer::Request wanted{.role_arn = spec->role_arn,
                                             .session_name = spec->function_name,
                                             .service = "lambda.amazonaws.com",
                                             .duration_seconds = kCredentialSeconds};
  const auto credentials = co_await credentials_.issue(std::move(wanted));
  auto environment = function_environment(*spec, log_stream, options_);
  environment["AWS_ACCESS_KEY_ID"] = credentials.access_key_id;
  environment["AWS_SECRET_ACCESS_KEY"] = credentials.secret_access_key;
  environment["AWS_SESSION_TOKEN"] = credentials.session_token;

  sandbox::SandboxSpec start{.runtime = spec->runtime, .handler = spec->handler};
  start.code_dir = co_await code_.folder(spec->code_sha256_hex);
  if (!spec->layer_sha256_hex.empty()) {
    std::string merged = co_await code_.layers_folder(spec->layer_sha256_hex);
    start.layers.push_back(std::move(merged));
  }
  start.environment.assign(environment.begin(), environment.end());
  start.memory_mb = spec->memory_mb;
  start.tmp_mb = spec->tmp_mb;
  start.init_timeout_ms = kInitMillis;
  start.owner = spec->account + "/" + spec->region + "/" + spec->function_name;
  start.log = [&wall = env_.wall, sink](sandbox::LogStream, std::string_view text) {
    sink({wall.now().at, without_line_end(text)});
  };
  auto starting = engine_.start(start);
  auto started = co_await std::move(starting);
  if (started.kind == sandbox::StartOutcome::Kind::timed_out) {
    // It has run for 10 s: once more, now under the function's own timeout. Source: Lambda
    // Developer Guide, "Understanding the Lambda execution environment lifecycle", "Init phase".
    sink({env_.wall.now().at, "INIT_REPORT Init Duration: " + seconds_text(kInitMillis * 1000) +
                                  " ms\tPhase: init\tStatus: timeout"});
    start.init_timeout_ms = spec->timeout_ms;
    auto again = engine_.start(std::move(start));
    started = co_await std::move(again);
  }
  std::optional<Outcome> failure;
  if (started.kind != sandbox::StartOutcome::Kind::ready)
    failure = from_start(started, spec->timeout_ms);
  std::unique_ptr<Sandbox> out = std::make_unique<EngineSandbox>(
      env_, std::move(started.sandbox), started.init_micros, std::move(failure), spec->timeout_ms);
  co_return out;
}

std::optional<Compute::RuntimeVersion> EngineCompute::runtime_version(
    const std::string& runtime) const {
  const std::lock_guard lock(mutex_);
  const auto known = versions_.find(runtime);
  if (known != versions_.end()) return known->second;
  std::optional<RuntimeVersion> out;
  if (const auto found = sandbox::find_interpreter(runtime, options_.runtime_paths)) {
    // Another interpreter, another version: its file tells.
    struct stat st{};
    if (!found->path.empty()) ::stat(found->path.c_str(), &st);
    const std::string identity = found->path + "|" + found->version + "|" +
                                 std::to_string(st.st_size) + "|" + std::to_string(st.st_mtime);
    const auto digest = sha256(identity);
    const char* const family = found->family == sandbox::Family::python ? "python"
                               : found->family == sandbox::Family::node ? "nodejs"
                                                                        : "provided";
    const std::string version =
        found->version.empty() ? runtime.substr(runtime.find('.') + 1) : found->version;
    out = RuntimeVersion{.description = std::string(family) + ":" + version + ".v1",
                         .hash = to_hex(as_bytes(digest))};
  }
  versions_.emplace(runtime, out);
  return out;
}

}  // namespace virga::lambda
