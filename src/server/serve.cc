#include "server/serve.h"

#include <signal.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <cstdio>
#include <memory>

#include "async/loop.h"
#include "async/wait.h"
#include "base/log.h"
#include "base/version.h"
#include "sandbox/supervisor.h"
#include "server/wiring.h"

namespace virga::server {
namespace {

constexpr int kExitConfig = 78;  // EX_CONFIG: the store cannot be opened, an address cannot be used

sigset_t ending_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  return set;
}

// SIGTERM and SIGINT end the server in order; a second one ends it at once.
class Signals final : public async::FdHandler {
 public:
  Signals(async::Loop& loop, async::Callback on_stop) : loop_(loop), on_stop_(std::move(on_stop)) {
    const sigset_t set = ending_signals();
    fd_ = ::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    CHECK(fd_ >= 0);
    loop_.add_fd(fd_, EPOLLIN, *this);
  }
  ~Signals() {
    loop_.remove_fd(fd_);
    ::close(fd_);
  }
  void on_events(uint32_t) override {
    signalfd_siginfo info;
    if (::read(fd_, &info, sizeof info) != sizeof info) return;
    if (std::exchange(stopping_, true)) ::_exit(128 + static_cast<int>(info.ssi_signo));
    on_stop_();
  }

 private:
  async::Loop& loop_;
  async::Callback on_stop_;
  int fd_ = -1;
  bool stopping_ = false;
};

// The supervisor's line: a new launcher, or the end of the supervisor.
class ControlLine final : public async::FdHandler {
 public:
  ControlLine(async::Loop& loop, int fd, std::function<void(int)> on_launcher,
              async::Callback on_gone)
      : loop_(loop), fd_(fd), on_launcher_(std::move(on_launcher)), on_gone_(std::move(on_gone)) {
    loop_.add_fd(fd_, EPOLLIN, *this);
  }
  ~ControlLine() {
    loop_.remove_fd(fd_);
    ::close(fd_);
  }
  void on_events(uint32_t) override {
    const int launcher = sandbox::receive_launcher(fd_);
    if (launcher >= 0) {
      on_launcher_(launcher);
    } else if (!std::exchange(gone_, true)) {
      loop_.remove_fd(fd_);
      on_gone_();
    }
  }

 private:
  async::Loop& loop_;
  int fd_;
  std::function<void(int)> on_launcher_;
  async::Callback on_gone_;
  bool gone_ = false;
};

async::Detached stop_in_order(Wiring* wiring, async::EpollLoop* loop) {
  const Result<void> stopped = co_await as_result(wiring->stop());
  if (!stopped) LOG_WARN("stop_incomplete", kv("message", stopped.error().message));
  loop->stop();
}

async::Detached start_in_order(Wiring* wiring, async::EpollLoop* loop, int* exit_code) {
  Result<std::string> started = fail(internal_failure("not started"));
  const Result<void> loaded = co_await as_result(wiring->load());
  if (loaded) {
    started = co_await as_result(wiring->start());
    if (started) {
      const Result<void> initialised = co_await as_result(wiring->run_init_scripts());
      if (!initialised) started = fail(initialised.error());
    }
  } else {
    started = fail(loaded.error());
  }
  if (!started) {
    std::fprintf(stderr, "virga: %s\n", started.error().message.c_str());
    *exit_code = kExitConfig;
    stop_in_order(wiring, loop);
    co_return;
  }
  // The line ends in "Ready.": scripts of other local clouds wait for that word.
  std::printf("virga %s on %s. Ready.\n", kVersion, started->c_str());
  std::fflush(stdout);
}

}  // namespace

int serve(const ServeOptions& options, int launcher_fd, int control_fd) {
  // Before any thread exists: one that did not block them would be ended by them, and the process
  // with it.
  const sigset_t signals = ending_signals();
  CHECK(::sigprocmask(SIG_BLOCK, &signals, nullptr) == 0);
  async::EpollLoop loop(async::real_env());
  auto wiring = Wiring::build(loop, options, launcher_fd);
  if (!wiring) {
    std::fprintf(stderr, "virga: %s\n", wiring.error().message.c_str());
    return kExitConfig;
  }
  for (const auto& note : options.notes) LOG_INFO("foreign_variable", kv("note", note));
  int exit_code = 0;
  {
    const Signals ending(loop, [&] { stop_in_order(wiring->get(), &loop); });
    const ControlLine control(
        loop, control_fd, [&](int fd) { (*wiring)->attach_launcher(fd); },
        [&] { stop_in_order(wiring->get(), &loop); });
    loop.post([&] { start_in_order(wiring->get(), &loop, &exit_code); });
    loop.run();
  }
  // Destroyed on its loop's thread, while nothing runs any more: the shard makes durable what it
  // was given.
  wiring->reset();
  return exit_code;
}

}  // namespace virga::server
