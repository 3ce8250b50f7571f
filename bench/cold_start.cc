// Cold start and warm invoke of the sandbox engine, beside fork+exec of /bin/true in the same run.
//   cold_start [rounds]        (as root; prints p50, p90, p99 and the best, in microseconds)
// A cold start is: engine.start() called with a spare waiting -> the first event's answer in hand,
// full isolation.
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <optional>

#include "async/loop.h"
#include "async/wait.h"
#include "sandbox/engine.h"
#include "sandbox/fd.h"
#include "sandbox/launcher.h"

namespace virga::sandbox {
namespace {

struct Series {
  std::vector<double> micros;
  double at(double share) {
    std::sort(micros.begin(), micros.end());
    return micros.empty()
               ? 0
               : micros[static_cast<size_t>(share * static_cast<double>(micros.size() - 1))];
  }
  void print(const char* name) {
    printf("%-44s n=%-5zu p50 %8.0f  p90 %8.0f  p99 %8.0f  min %8.0f us\n", name, micros.size(),
           at(.5), at(.9), at(.99), at(0));
  }
};

class Bench {
 public:
  explicit Bench(int rounds) : rounds_(rounds), loop_(async::real_env()) {
    char pattern[] = "/tmp/virga-bench-XXXXXX";
    folder_ = ::mkdtemp(pattern);
    ::chmod(folder_.c_str(), 0755);
    Fd ours, theirs;
    make_socketpair(SOCK_SEQPACKET, &ours, &theirs);
    launcher_ = ::fork();
    if (launcher_ == 0) {
      ours = Fd();
      LauncherOptions options;
      options.platform_ports = {4566};
      ::_exit(launcher_main(theirs.get(), options));
    }
    theirs = Fd();
    EngineOptions options;
    options.platform_ports = {4566};
    engine_ = std::move(*Engine::open(loop_, ours.release(), options));
  }
  ~Bench() {
    run(engine_->close());
    engine_.reset();
    ::waitpid(launcher_, nullptr, 0);
    if (::system(("rm -rf " + folder_).c_str()) != 0) printf("left %s\n", folder_.c_str());
  }

  void cold(const char* name, const std::string& runtime, const std::string& file,
            const std::string& text) {
    const SandboxSpec spec = make_spec(runtime, file, text);
    if (!last_.empty())
      engine_->cool(last_);  // what stats() counts as spares is then this runtime's alone
    last_ = runtime;
    run(engine_->warm(runtime));
    Series cold, init, truth;
    for (int i = 0; i < rounds_; ++i) {
      truth.micros.push_back(run_true());
      settle();
      const auto from = loop_.now();
      auto started = run(engine_->start(spec));
      if (!started || !started->sandbox) {
        printf("%s: start failed: %s\n", name,
               started ? started->payload.c_str() : started.error().message.c_str());
        return;
      }
      const auto got = run(started->sandbox->invoke(event(i)));
      cold.micros.push_back(static_cast<double>(loop_.now() - from) / 1000);
      init.micros.push_back(static_cast<double>(started->init_micros));
      if (!got || got->kind != OutcomeKind::response) printf("invoke failed\n");
      run(started->sandbox->stop());
    }
    truth.print("  fork+exec /bin/true, interleaved");
    cold.print(name);
    init.print("  of it until the first request for an event");
    printf("  ratio of p50: %.2f\n", cold.at(.5) / truth.at(.5));
  }

  void warm(const char* name, const std::string& runtime, const std::string& file,
            const std::string& text) {
    auto started = run(engine_->start(make_spec(runtime, file, text)));
    if (!started || !started->sandbox) return;
    Series series;
    for (int i = 0; i < 100 + 10 * rounds_; ++i) {
      const auto from = loop_.now();
      const auto got = run(started->sandbox->invoke(event(i)));
      if (i >= 100 && got) series.micros.push_back(static_cast<double>(loop_.now() - from) / 1000);
    }
    series.print(name);
  }

 private:
  template <class T>
  static async::Detached drive(Task<T> task, std::optional<Result<T>>* out) {
    auto got = co_await as_result(std::move(task));
    out->emplace(std::move(got));
  }
  template <class T>
  Result<T> run(Task<T> task) {
    std::optional<Result<T>> got;
    loop_.post([&] { drive(std::move(task), &got); });
    while (!got) loop_.run_once(1000);
    return std::move(*got);
  }
  // Until the spares stand again and nothing else is going on.
  void settle() {
    while (engine_->stats().spares < 2) loop_.run_once(10);
    const auto until = loop_.now().plus_millis(3);
    while (loop_.now() < until) loop_.run_once(1);
  }
  double run_true() {
    const auto from = loop_.now();
    const pid_t pid = ::fork();
    if (pid == 0) {
      ::execl("/bin/true", "true", nullptr);
      ::_exit(127);
    }
    ::waitpid(pid, nullptr, 0);
    return static_cast<double>(loop_.now() - from) / 1000;
  }
  SandboxSpec make_spec(const std::string& runtime, const std::string& file,
                        const std::string& text) {
    SandboxSpec spec;
    spec.runtime = runtime;
    spec.code_dir = folder_ + "/" + std::to_string(++folders_);
    ::mkdir(spec.code_dir.c_str(), 0755);
    std::ofstream(spec.code_dir + "/" + file) << text;
    spec.handler = file.substr(0, file.find('.')) + ".handler";
    for (const char* name :
         {"AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_FUNCTION_VERSION", "AWS_LAMBDA_LOG_GROUP_NAME",
          "LANG", "AWS_LAMBDA_LOG_STREAM_NAME", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
          "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "LAMBDA_TASK_ROOT"})
      spec.environment.emplace_back(name, "x");
    spec.environment.emplace_back("AWS_REGION", "us-east-1");
    spec.environment.emplace_back("AWS_DEFAULT_REGION", "us-east-1");
    spec.environment.emplace_back("AWS_ENDPOINT_URL", "http://127.0.0.1:4566");
    spec.environment.emplace_back("TZ", ":UTC");
    spec.environment.emplace_back("PATH", "/usr/local/bin:/usr/bin:/bin");
    return spec;
  }
  static InvokeRequest event(int i) {
    InvokeRequest request;
    request.request_id = std::to_string(i);
    request.payload = "{\"name\":\"world\"}";
    request.timeout_ms = 30'000;
    request.function_arn = "arn:aws:lambda:us-east-1:000000000000:function:hello";
    return request;
  }

  const int rounds_;
  async::EpollLoop loop_;
  std::string folder_;
  pid_t launcher_ = 0;
  int folders_ = 0;
  std::string last_;
  std::unique_ptr<Engine> engine_;
};

int bench_main(int rounds) {
  setvbuf(stdout, nullptr, _IOLBF, 0);
  Bench bench(rounds);
  const std::string python = "def handler(event, context):\n    return {'hello': event['name']}\n";
  const std::string boto = "import boto3\ntable = boto3.client('dynamodb')\n" + python;
  const std::string node = "exports.handler = async (event) => ({ hello: event.name });\n";
  bench.cold("cold start, Python hello", "python3.11", "app.py", python);
  bench.cold("cold start, Python with import boto3", "python3.11", "app.py",
             "import boto3\n" + python);
  bench.cold("cold start, Python with a boto3 client", "python3.11", "app.py", boto);
  bench.cold("cold start, Node hello", "nodejs20.x", "index.js", node);
  bench.warm("warm invoke, Python", "python3.11", "app.py", python);
  bench.warm("warm invoke, Node", "nodejs20.x", "index.js", node);
  return 0;
}

}  // namespace
}  // namespace virga::sandbox

int main(int argc, char** argv) {
  return virga::sandbox::bench_main(argc > 1 ? atoi(argv[1]) : 100);
}
