#include "server/doctor.h"

#include <fcntl.h>
#include <linux/landlock.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <string>
#include <vector>

#include "async/clock.h"
#include "sandbox/runtimes.h"

namespace virga::server {
namespace {

// Whether a child process may do this; nothing of it stays.
template <class F>
bool child_may(F attempt) {
  const pid_t pid = ::fork();
  if (pid == 0) ::_exit(attempt() ? 0 : 1);
  int status = 0;
  return pid > 0 && ::waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

void row(const char* what, const std::string& found) { std::printf("%-34s %s\n", what, found.c_str()); }
std::string yes_no(bool yes) { return yes ? "yes" : "no"; }

std::string control_groups() {
  std::ifstream mounts("/proc/self/mounts");
  std::string v1;
  bool v2 = false;
  for (std::string line; std::getline(mounts, line);) {
    if (line.find(" cgroup2 ") != std::string::npos) v2 = true;
    for (const char* controller : {"memory", "pids", "cpu", "freezer"}) {
      if (line.find(std::string("/") + controller + " cgroup ") != std::string::npos) v1 += std::string(" ") + controller;
    }
  }
  if (v1.empty()) return v2 ? "v2" : "none: limits by rlimits and sampling";
  return "v1:" + v1 + (v2 ? "; v2 mounted beside it" : "");
}

// Medians over a preallocated file, as the log writes.
std::string sync_latency() {
  const std::string path = "./.virga-doctor-probe";
  const int fd = ::open(path.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600);
  if (fd < 0) return "this folder cannot be written";
  ::unlink(path.c_str());
  const std::string block(4096, 'x');
  std::vector<int64_t> nanos;
  const async::SteadyClock& clock = async::real_env().steady;
  bool good = ::posix_fallocate(fd, 0, 1 << 20) == 0 && ::pwrite(fd, block.data(), block.size(), 0) == 4096;
  for (int i = 0; good && i < 32; ++i) {
    const auto begin = clock.now();
    good = ::pwrite(fd, block.data(), block.size(), 4096L * i) == 4096 && ::fdatasync(fd) == 0;
    nanos.push_back(clock.now() - begin);
  }
  ::close(fd);
  if (!good) return "writing failed";
  std::sort(nanos.begin(), nanos.end());
  char text[96];
  std::snprintf(text, sizeof text, "%.2f ms median, %.2f ms worst of 32 (4 KiB write + fdatasync)",
                static_cast<double>(nanos[nanos.size() / 2]) / 1e6, static_cast<double>(nanos.back()) / 1e6);
  return text;
}

std::string interpreter(const char* runtime) {
  const auto found = sandbox::find_interpreter(runtime, {});
  if (!found) return "not installed";
  return found->path + (found->version.empty() ? "" : " (" + found->version + ")");
}

}  // namespace

int doctor() {
  utsname kernel{};
  ::uname(&kernel);
  constexpr int kAll = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNET | CLONE_NEWCGROUP;
  const bool root = ::geteuid() == 0;
  const bool as_root = root && child_may([] { return ::unshare(kAll) == 0; });
  const bool as_user = child_may([] { return ::unshare(CLONE_NEWUSER | kAll) == 0; });
  const long landlock = ::syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION);

  row("kernel", kernel.release);
  row("user", root ? "root" : "uid " + std::to_string(::geteuid()));
  row("namespaces as root", yes_no(as_root));
  row("namespaces in a user namespace", yes_no(as_user));
  row("control groups", control_groups());
  row("Landlock", landlock > 0 ? "ABI " + std::to_string(landlock) : "no");
  row("seccomp", yes_no(::prctl(PR_GET_SECCOMP, 0, 0, 0, 0) >= 0));
  row("Python functions run on", interpreter("python3.12"));
  row("Node functions run on", interpreter("nodejs20.x"));
  row("disk, this folder", sync_latency());
  const bool isolated = as_root || as_user;
  std::printf("\n%s\n", isolated
                            ? "Functions run isolated: every sandbox has namespaces of its own."
                            : "Functions cannot be isolated here: this machine allows no namespaces (a container without them?).");
  return isolated ? 0 : 1;
}

}  // namespace virga::server
