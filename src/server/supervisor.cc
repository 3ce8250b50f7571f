#include "server/supervisor.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/check.h"
#include "base/log.h"

namespace virga::server {
namespace {

// A launcher that dies this often within one run is broken, not unlucky.
constexpr int kLauncherRestartsMax = 100;

struct Pair {
  int ours;
  int theirs;
};

Pair make_pair() {
  int fds[2];
  CHECK(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) == 0);
  return {fds[0], fds[1]};
}

bool send_descriptor(int socket, int fd) {
  char byte = 'L';
  iovec io{&byte, 1};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  msghdr message{};
  message.msg_iov = &io;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  cmsghdr* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof(int));
  memcpy(CMSG_DATA(header), &fd, sizeof fd);
  return ::sendmsg(socket, &message, MSG_NOSIGNAL) == 1;
}

// The child's side of a fork: default signals, and it goes when the supervisor is killed.
void enter_child(const sigset_t& mask, pid_t parent) {
  ::sigprocmask(SIG_SETMASK, &mask, nullptr);
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (::getppid() != parent) ::_exit(0);
}

// `link.ours` and `control` are the supervisor's: a copy left in the launcher would hide the server's end from it.
pid_t start_launcher(const Children& children, Pair link, const sigset_t& mask, int control) {
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  CHECK(pid >= 0);
  if (pid == 0) {
    enter_child(mask, parent);
    ::close(control);
    if (link.ours >= 0) ::close(link.ours);
    ::_exit(children.launcher(link.theirs));
  }
  ::close(link.theirs);
  return pid;
}

int exit_code(int status) {
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace

int supervise(const Children& children) {
  sigset_t watched;
  sigset_t before;
  sigemptyset(&watched);
  for (const int s : {SIGCHLD, SIGTERM, SIGINT, SIGHUP}) sigaddset(&watched, s);
  CHECK(::sigprocmask(SIG_BLOCK, &watched, &before) == 0);

  const pid_t self = ::getpid();
  const Pair control = make_pair();
  Pair link = make_pair();
  const pid_t server = ::fork();
  CHECK(server >= 0);
  if (server == 0) {
    enter_child(before, self);
    ::close(control.ours);
    ::close(link.theirs);
    ::_exit(children.server(link.ours, control.theirs));
  }
  ::close(control.theirs);
  ::close(link.ours);
  link.ours = -1;
  pid_t launcher = start_launcher(children, link, before, control.ours);

  int restarts = 0;
  int outcome = 0;
  for (bool running = true; running;) {
    int signal = 0;
    ::sigwait(&watched, &signal);
    if (signal == SIGTERM || signal == SIGINT || signal == SIGHUP) {
      ::kill(server, SIGTERM);
      continue;
    }
    int status = 0;
    for (pid_t ended; (ended = ::waitpid(-1, &status, WNOHANG)) > 0;) {
      if (ended == server) {
        outcome = exit_code(status);
        running = false;
      } else if (ended == launcher && running) {
        if (++restarts > kLauncherRestartsMax) {
          LOG_ERROR("launcher_given_up", kv("restarts", restarts));
          launcher = -1;
          continue;
        }
        LOG_WARN("launcher_restarted", kv("exit", exit_code(status)));
        link = make_pair();
        launcher = start_launcher(children, link, before, control.ours);
        ignore(send_descriptor(control.ours, link.ours), "a server that is ending does not take it");
        ::close(link.ours);
      }
    }
  }
  ::close(control.ours);
  if (launcher > 0) {
    // It ends by itself when the server's end of their socket is gone; this is for one that hangs.
    for (int i = 0; i < 200 && ::waitpid(launcher, nullptr, WNOHANG) == 0; ++i) ::usleep(10'000);
    ::kill(launcher, SIGKILL);
    ::waitpid(launcher, nullptr, 0);
  }
  return outcome;
}

Result<int> receive_launcher(int control_fd) {
  char byte;
  iovec io{&byte, 1};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))];
  msghdr message{};
  message.msg_iov = &io;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  const ssize_t n = ::recvmsg(control_fd, &message, MSG_CMSG_CLOEXEC);
  if (n == 0) return fail("EndOfFile", 500, "the supervisor is gone");
  const cmsghdr* header = n > 0 ? CMSG_FIRSTHDR(&message) : nullptr;
  if (!header || header->cmsg_type != SCM_RIGHTS) return fail("BadMessage", 500, "no descriptor in the message");
  int fd;
  memcpy(&fd, CMSG_DATA(header), sizeof fd);
  return fd;
}

}  // namespace virga::server
