#include "server/supervisor.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

namespace virga::server {
namespace {

TEST(Supervisor, returns_the_servers_exit_code) {
  EXPECT_EQ(supervise({.server = [](int, int) { return 7; },
                       .launcher = [](int fd) {
                         char byte;
                         return ::recv(fd, &byte, 1, 0) == 0 ? 0 : 1;
                       }}),
            7);
}

TEST(Supervisor, hands_the_server_a_new_launcher_when_one_dies) {
  // Each launcher says its pid once, then waits; the server kills the first and hears from the second.
  const auto launcher = [](int fd) {
    const pid_t self = ::getpid();
    if (::send(fd, &self, sizeof self, 0) < 0) return 1;
    char byte;
    return ::recv(fd, &byte, 1, 0) == 0 ? 0 : 1;
  };
  const auto server = [](int launcher_fd, int control_fd) {
    pid_t first = 0;
    if (::recv(launcher_fd, &first, sizeof first, 0) != sizeof first) return 1;
    ::kill(first, SIGKILL);
    const auto replaced = receive_launcher(control_fd);
    if (!replaced) return 2;
    pid_t second = 0;
    if (::recv(*replaced, &second, sizeof second, 0) != sizeof second) return 3;
    return second != first ? 0 : 4;
  };
  EXPECT_EQ(supervise({.server = server, .launcher = launcher}), 0);
}

TEST(Supervisor, passes_sigterm_to_the_server) {
  const auto server = [](int, int) {
    sigset_t term;
    sigemptyset(&term);
    sigaddset(&term, SIGTERM);
    ::sigprocmask(SIG_BLOCK, &term, nullptr);
    ::kill(::getppid(), SIGTERM);
    int signal = 0;
    ::sigwait(&term, &signal);
    return 42;
  };
  EXPECT_EQ(supervise({.server = server, .launcher = [](int fd) {
              char byte;
              return ::recv(fd, &byte, 1, 0) == 0 ? 0 : 1;
            }}),
            42);
}

}  // namespace
}  // namespace virga::server
