// For tests of this folder: a real launcher in a process of its own, an engine on a loop driven by
// hand, functions in a temporary folder.
#pragma once

#include <grp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "async/loop.h"
#include "async/wait.h"
#include "base/check.h"
#include "sandbox/engine.h"
#include "sandbox/fd.h"
#include "sandbox/launcher.h"

namespace virga::sandbox {

struct LogLine {
  LogStream stream;
  std::string text;
};

class Bed {
 public:
  // `launcher_user`: who the launcher runs as; root by default.
  explicit Bed(LauncherOptions launcher = {}, EngineOptions engine = {}, uid_t launcher_user = 0)
      : loop(async::real_env()), launcher_user_(launcher_user) {
    char pattern[] = "/tmp/virga-sandbox-test-XXXXXX";
    folder = ::mkdtemp(pattern);
    ::chmod(folder.c_str(), 0755);
    if (launcher.platform_ports.empty()) launcher.platform_ports = {4566};
    engine.platform_ports = launcher.platform_ports;
    launcher_options_ = launcher;
    engine_ = std::move(*Engine::open(loop, fork_launcher(), std::move(engine)));
  }
  ~Bed() {
    run(engine_->close());
    engine_.reset();
    int status = 0;
    ::waitpid(launcher_pid, &status, 0);
    ignore(::system(("rm -rf " + folder).c_str()), "a temporary folder");
  }

  // Replaces a launcher that died.
  void new_launcher() {
    ::waitpid(launcher_pid, nullptr, 0);
    engine_->attach_launcher(fork_launcher());
  }

  Engine& engine() { return *engine_; }

  // Runs a task until it is done. The limit is for what hangs: a fork bomb of a thousand processes
  // takes five seconds on an idle machine and a minute beside a build.
  template <class T>
  Result<T> run(Task<T> task) {
    std::optional<Result<T>> got;
    loop.post([&] { start(std::move(task), &got); });
    const auto until = loop.now().plus_millis(300'000);
    while (!got && loop.now() < until) loop.run_once(100);
    CHECK(got.has_value());
    return std::move(*got);
  }

  // A code folder with one file.
  std::string code(const std::string& name, const std::string& file, const std::string& text) {
    const std::string dir = folder + "/" + name;
    ::mkdir(dir.c_str(), 0755);
    const std::string path = dir + "/" + file;
    std::ofstream(path) << text;
    ::chmod(path.c_str(), 0755);
    return dir;
  }

  SandboxSpec python(const std::string& text) {
    SandboxSpec spec;
    spec.runtime = "python3.12";
    spec.code_dir = code("python" + std::to_string(++count_), "app.py", text);
    spec.handler = "app.handler";
    spec.environment = {{"AWS_LAMBDA_FUNCTION_NAME", "test"},
                        {"AWS_LAMBDA_RUNTIME_API", "127.0.0.1:9001"},
                        {"PATH", "/usr/bin:/bin"},
                        {"TZ", ":UTC"},
                        {"LANG", "en_US.UTF-8"}};
    spec.log = [this](LogStream stream, std::string_view text) {
      logs.push_back({stream, std::string(text)});
    };
    return spec;
  }

  std::unique_ptr<Sandbox> started(SandboxSpec spec) {
    auto outcome = run(engine_->start(std::move(spec)));
    if (!outcome) {
      printf("start failed: %s\n", outcome.error().message.c_str());
      return nullptr;
    }
    if (!outcome->sandbox) printf("INIT failed: %s\n", outcome->payload.c_str());
    last_init_micros = outcome->init_micros;
    return std::move(outcome->sandbox);
  }

  InvokeOutcome invoke(Sandbox& sandbox, const std::string& payload, int64_t timeout_ms = 20'000) {
    InvokeRequest request;
    request.request_id = "req-" + std::to_string(++count_);
    request.payload = payload;
    request.timeout_ms = timeout_ms;
    request.deadline_epoch_ms = loop.env().wall.now().at.millis() + timeout_ms;
    request.function_arn = "arn:aws:lambda:us-east-1:000000000000:function:test";
    auto outcome = run(sandbox.invoke(std::move(request)));
    if (!outcome) {
      InvokeOutcome none;
      none.kind = OutcomeKind::exited;
      none.payload = outcome.error().code;
      return none;
    }
    return std::move(*outcome);
  }

  // Starts, invokes once and ends.
  InvokeOutcome once(SandboxSpec spec, const std::string& payload = "{}") {
    auto sandbox = started(std::move(spec));
    if (!sandbox) return InvokeOutcome{.kind = OutcomeKind::exited};
    return invoke(*sandbox, payload);
  }

  std::string log_text() const {
    std::string out;
    for (const auto& line : logs) out += line.text + "\n";
    return out;
  }

  async::EpollLoop loop;
  std::string folder;
  pid_t launcher_pid = 0;
  int64_t last_init_micros = 0;
  std::vector<LogLine> logs;

 private:
  template <class T>
  static async::Detached start(Task<T> task, std::optional<Result<T>>* out) {
    auto got = co_await as_result(std::move(task));
    out->emplace(std::move(got));
  }
  int fork_launcher() {
    Fd ours, theirs;
    make_socketpair(SOCK_SEQPACKET, &ours, &theirs);
    launcher_pid = ::fork();
    if (launcher_pid == 0) {
      ours = Fd();
      if (launcher_user_ != 0 &&
          (::setgroups(0, nullptr) != 0 ||
           ::setresgid(launcher_user_, launcher_user_, launcher_user_) != 0 ||
           ::setresuid(launcher_user_, launcher_user_, launcher_user_) != 0))
        ::_exit(1);
      ::_exit(launcher_main(theirs.get(), launcher_options_));
    }
    return ours.release();
  }
  const uid_t launcher_user_;
  LauncherOptions launcher_options_;
  std::unique_ptr<Engine> engine_;
  int count_ = 0;
};

}  // namespace virga::sandbox
