#include "sandbox/supervisor.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "sandbox/fd.h"
#include "sandbox/jail.h"

namespace virga::sandbox {
namespace {

// A launcher that cannot even start says so by this status and is not started again.
constexpr int kLauncherCannot = 1;
// One that dies this often within kWindowSeconds is given up: functions fail, everything else goes
// on.
constexpr int kRestartsMax = 10;
constexpr time_t kWindowSeconds = 60;

class Supervisor {
 public:
  explicit Supervisor(const SupervisorOptions& options) : options_(options) {}
  int run(const ServerMain& server_main);

 private:
  pid_t start_launcher(Fd* engine_end);
  pid_t start_server(const ServerMain& server_main, Fd engine_end);
  static bool become(const ServerUser& user);
  void restart_launcher();
  bool reap();

  const SupervisorOptions options_;
  sigset_t before_{};
  Fd signals_, server_;  // server_: to the server
  pid_t launcher_pid_ = 0, server_pid_ = 0;
  int server_status_ = 0;
  int restarts_ = 0;
  time_t window_from_ = 0;
};

pid_t Supervisor::start_launcher(Fd* engine_end) {
  Fd launcher_end;
  if (!make_socketpair(SOCK_SEQPACKET, engine_end, &launcher_end)) return -1;
  const pid_t pid = ::fork();
  if (pid != 0) return pid;
  // It must not hold what others close to tell each other that they end.
  *engine_end = Fd();
  server_ = Fd();
  signals_ = Fd();
  ::sigprocmask(SIG_SETMASK, &before_, nullptr);
  ::prctl(PR_SET_NAME, "virga-launcher", 0, 0, 0);
  ::_exit(launcher_main(launcher_end.get(), options_.launcher));
}

// Becomes the server's user for good: no way back by saved ids, capabilities or set-user-ID
// programs.
bool Supervisor::become(const ServerUser& user) {
  if (::prctl(PR_SET_KEEPCAPS, user.low_ports ? 1 : 0, 0, 0, 0) != 0 ||
      ::setgroups(user.groups.size(), user.groups.data()) != 0 ||
      ::setresgid(user.gid, user.gid, user.gid) != 0 ||
      ::setresuid(user.uid, user.uid, user.uid) != 0 ||
      ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
    return false;
  if (!user.low_ports) return true;
  __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3] = {};
  sets[0].effective = sets[0].permitted = 1U << CAP_NET_BIND_SERVICE;
  return ::syscall(SYS_capset, &header, sets) == 0 && ::prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0) == 0;
}

pid_t Supervisor::start_server(const ServerMain& server_main, Fd engine_end) {
  Fd theirs;
  if (!make_socketpair(SOCK_SEQPACKET, &server_, &theirs)) return -1;
  const pid_t pid = ::fork();
  if (pid != 0) return pid;
  server_ = Fd();
  signals_ = Fd();
  ::sigprocmask(SIG_SETMASK, &before_, nullptr);
  if (options_.server_user && options_.before_server_user) options_.before_server_user();
  if (options_.server_user && !become(*options_.server_user)) {
    dprintf(2, "virga: cannot become user %u: %s\n", options_.server_user->uid, strerror(errno));
    ::_exit(1);
  }
  ::prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0);  // after the change of ids, which clears it
  const int status = server_main(engine_end.release(), theirs.release());
  ::fflush(nullptr);
  ::_exit(status);
}

void Supervisor::restart_launcher() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  if (now.tv_sec - window_from_ > kWindowSeconds) {
    window_from_ = now.tv_sec;
    restarts_ = 0;
  }
  if (++restarts_ > kRestartsMax) {
    dprintf(2, "virga: the launcher keeps dying and is not started again\n");
    return;
  }
  Fd engine_end;
  launcher_pid_ = start_launcher(&engine_end);
  const char word = 'L';
  const int fd = engine_end.get();
  if (launcher_pid_ > 0) vj_send(server_.get(), &word, 1, &fd, 1);
}

// True when the server has ended.
bool Supervisor::reap() {
  int status = 0;
  pid_t pid;
  bool ended = false;
  while ((pid = ::waitpid(-1, &status, WNOHANG)) > 0) {
    if (pid == server_pid_) {
      server_status_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
      server_pid_ = 0;
      ended = true;
    } else if (pid == launcher_pid_) {
      launcher_pid_ = 0;
      const bool cannot = WIFEXITED(status) && WEXITSTATUS(status) == kLauncherCannot;
      if (!ended && !cannot && server_pid_ != 0) restart_launcher();
    }
  }
  return ended;
}

int Supervisor::run(const ServerMain& server_main) {
  sigset_t set;
  sigemptyset(&set);
  for (const int number : {SIGCHLD, SIGTERM, SIGINT, SIGHUP}) sigaddset(&set, number);
  ::sigprocmask(SIG_BLOCK, &set, &before_);
  signals_ = Fd(::signalfd(-1, &set, SFD_CLOEXEC));
  Fd engine_end;
  launcher_pid_ = start_launcher(&engine_end);
  if (launcher_pid_ < 0) return 1;
  server_pid_ = start_server(server_main, std::move(engine_end));
  if (server_pid_ < 0) return 1;
  for (;;) {
    signalfd_siginfo info{};
    if (::read(signals_.get(), &info, sizeof info) != sizeof info) continue;
    if (info.ssi_signo == SIGCHLD) {
      if (reap()) break;
    } else if (server_pid_ > 0) {
      ::kill(server_pid_, static_cast<int>(info.ssi_signo));
    }
  }
  server_ = Fd();
  // The launcher sees the server's end and takes every sandbox with it.
  while (launcher_pid_ > 0 && ::waitpid(launcher_pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
  return server_status_;
}

}  // namespace

int supervise(const SupervisorOptions& options, const ServerMain& server_main) {
  Supervisor supervisor(options);
  return supervisor.run(server_main);
}

int receive_launcher(int supervisor_fd) {
  char word;
  int fd = -1;
  int count = 0;
  const long got = vj_receive(supervisor_fd, &word, 1, &fd, 1, &count);
  return got == 1 && count == 1 ? fd : -1;
}

}  // namespace virga::sandbox
