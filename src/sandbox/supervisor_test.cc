#include "sandbox/supervisor.h"

#include <gtest/gtest.h>
#include <sys/epoll.h>

#include "sandbox/test_support.h"

namespace virga::sandbox {
namespace {

// Runs supervise() in a child, as main() would; the server part writes what it found to a pipe.
struct Supervised {
  Fd answers;
  pid_t pid = 0;

  explicit Supervised(const ServerMain& server) {
    Fd write_end;
    int pair[2];
    if (::pipe2(pair, O_CLOEXEC) != 0) ::abort();
    answers = Fd(pair[0]);
    write_end = Fd(pair[1]);
    pid = ::fork();
    if (pid == 0) {
      answers = Fd();
      const int out = write_end.get();
      ::dup2(out, 9);
      ::_exit(supervise({}, server));
    }
  }
  std::string line() {
    std::string text;
    char c;
    while (::read(answers.get(), &c, 1) == 1 && c != '\n') text += c;
    return text;
  }
  int status() {
    int status = 0;
    ::waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }
};

void say(const std::string& text) {
  ignore(::write(9, (text + "\n").data(), text.size() + 1), "the test reads it");
}

TEST(Supervisor, gives_the_servers_exit_status) {
  Supervised s([](int, int) { return 42; });
  EXPECT_EQ(s.status(), 42);
}

TEST(Supervisor, passes_signals_on_and_reports_a_killed_server) {
  Supervised s([](int, int) {
    say("up");
    ::pause();
    return 0;
  });
  EXPECT_EQ(s.line(), "up");
  ::kill(s.pid, SIGTERM);
  EXPECT_EQ(s.status(), 128 + SIGTERM);
}

TEST(Supervisor, replaces_a_launcher_that_was_killed) {
  Supervised s([](int launcher_fd, int supervisor_fd) {
    async::EpollLoop loop(async::real_env());
    // The launcher names itself by its children: its pid stands in /proc/<pid>/task/<pid>/children
    // of the supervisor.
    const std::string children = "/proc/" + std::to_string(::getppid()) + "/task/" +
                                 std::to_string(::getppid()) + "/children";
    pid_t launcher = 0;
    std::ifstream list(children);
    for (pid_t pid; list >> pid;)
      if (pid != ::getpid()) launcher = pid;
    ::kill(launcher, SIGKILL);
    char byte;
    if (::recv(launcher_fd, &byte, 1, 0) != 0) return 1;  // its end
    const int next = receive_launcher(supervisor_fd);
    if (next < 0) return 2;
    auto engine = Engine::open(loop, next, {});
    say((*engine)->launcher_alive() ? "replaced" : "dead");
    engine->reset();
    return 0;
  });
  EXPECT_EQ(s.line(), "replaced");
  EXPECT_EQ(s.status(), 0);
}

TEST(Supervisor, takes_the_server_along_when_it_is_killed) {
  Supervised s([](int, int supervisor_fd) {
    say(std::to_string(::getpid()));
    // PR_SET_PDEATHSIG ends it; the end of this socket says the same.
    const int fd = receive_launcher(supervisor_fd);
    say(fd < 0 ? "alone" : "?");
    return 0;
  });
  EXPECT_GT(atoi(s.line().c_str()), 0);
  ::kill(s.pid, SIGKILL);
  EXPECT_EQ(s.status(), -1);
  s.line();  // returns at the end of the pipe: the server, which held it, is gone
}

}  // namespace
}  // namespace virga::sandbox
