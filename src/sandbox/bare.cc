#include "sandbox/bare.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <sstream>

#include "sandbox/embedded.h"
#include "sandbox/init.h"
#include "sandbox/jail.h"
#include "sandbox/provided.h"

namespace virga::sandbox {
namespace {

// Children of this process, orphans of its descendants included: it is their subreaper.
std::vector<pid_t> children() {
  const std::string path = "/proc/self/task/" + std::to_string(::getpid()) + "/children";
  const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  std::string text;
  char part[4096];
  ssize_t got;
  while (fd.get() >= 0 && (got = ::read(fd.get(), part, sizeof part)) > 0)
    text.append(part, static_cast<size_t>(got));
  std::istringstream words(text);
  std::vector<pid_t> out;
  for (pid_t pid; words >> pid;) out.push_back(pid);
  return out;
}

// Ends everything below: what loses its parent becomes ours and is ended in the next round.
[[noreturn]] void end_all(pid_t runtime) {
  for (;;) {
    if (runtime > 0) ::kill(-runtime, SIGKILL);  // its session's first group
    for (const pid_t pid : children()) ::kill(pid, SIGKILL);
    if (::waitpid(-1, nullptr, 0) < 0 && errno == ECHILD) _exit(0);
  }
}

// The folder of an interpreter that does not lie in the system's: /opt/python3.12/bin/python3 reads
// below /opt/python3.12.
std::string interpreter_root(const std::string& path) {
  const size_t name = path.rfind('/');
  const size_t bin =
      name == std::string::npos || name == 0 ? std::string::npos : path.rfind('/', name - 1);
  return bin == std::string::npos || bin == 0 ? "/usr" : path.substr(0, bin);
}

// Imports of ECMAScript modules look upwards from the code and know no NODE_PATH (Node.js,
// "ECMAScript modules"): the SDK is linked beside the folders of code.
void link_modules(const std::string& modules, const std::string& task) {
  const size_t name = task.rfind('/');
  if (modules.empty() || name == std::string::npos) return;
  const std::string link = task.substr(0, name) + "/node_modules";
  if (::symlink(modules.c_str(), link.c_str()) != 0 && errno != EEXIST)
    dprintf(2, "virga: %s: %s\n", link.c_str(), strerror(errno));
}

[[noreturn]] void run_runtime(const BarePlan& plan, const std::string& task,
                              const std::string& opt) {
  vj_bare bare{};
  bare.uid = plan.uid;
  bare.gid = plan.gid;
  bare.switch_ids = plan.switch_ids ? 1 : 0;
  std::copy(plan.child, plan.child + 4, bare.fds);
  bare.task = task.c_str();
  const std::string root = interpreter_root(plan.interpreter.path);
  int count = 0;
  for (const std::string* path : {&plan.runtime_dir, &plan.node_modules, &opt, &root})
    if (!path->empty()) bare.read[count++] = path->c_str();
  const size_t ports = std::min<size_t>(plan.ports.size(), VJ_BARE_PORTS_MAX - 1);
  std::copy_n(plan.ports.begin(), ports, bare.ports);
  vj_enter_bare(&bare);
  if (plan.interpreter.family == Family::provided)
    provided_main(task.c_str(), opt.empty() ? "/opt" : opt.c_str());
  const std::string python = plan.runtime_dir + "/bootstrap.py",
                    node = plan.runtime_dir + "/bootstrap.cjs";
  const std::string task_variable = "VIRGA_TASK=" + task;
  const std::string node_path = "NODE_PATH=" + (opt.empty() ? "/opt" : opt) +
                                "/nodejs/node_modules:" + plan.node_modules + ":" + task;
  const char* const environment[] = {"TZ=:UTC",
                                     "LANG=en_US.UTF-8",
                                     "PATH=/usr/local/bin:/usr/bin:/bin",
                                     "AWS_EC2_METADATA_DISABLED=true",
                                     "HOME=/nonexistent",
                                     "VIRGA_BARE=1",
                                     task_variable.c_str(),
                                     node_path.c_str(),
                                     nullptr};
  const char* const path = plan.interpreter.path.c_str();
  const char* const for_python[] = {path,   "-I",           "-B",   "-X",
                                    "utf8", python.c_str(), "bare", nullptr};
  const char* const for_node[] = {path, node.c_str(), nullptr};
  const bool is_python = plan.interpreter.family == Family::python;
  ::execve(path, const_cast<char* const*>(is_python ? for_python : for_node),
           const_cast<char* const*>(environment));
  dprintf(2, "virga: cannot execute %s: %s\n", path, strerror(errno));
  _exit(97);
}

bool write_readable(const std::string& path, std::string_view content) {
  const Fd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
  return fd.get() >= 0 &&
         ::write(fd.get(), content.data(), content.size()) ==
             static_cast<ssize_t>(content.size()) &&
         ::fchmod(fd.get(), 0644) == 0;
}

}  // namespace

void bare_main(const BarePlan& plan) {
  ::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0);
  ::prctl(PR_SET_NAME, "virga-keeper", 0, 0, 0);
  ::setsid();
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGCHLD);
  sigaddset(&set, SIGTERM);
  ::sigprocmask(SIG_SETMASK, &set, nullptr);
  const Fd signals(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  pid_t runtime = 0;
  for (;;) {
    pollfd waits[3] = {
        {plan.control, POLLIN, 0}, {plan.boot, POLLIN, 0}, {signals.get(), POLLIN, 0}};
    if (::poll(waits, 3, -1) < 0) continue;
    if (waits[0].revents != 0) {
      char order;
      // What freezes other sandboxes has no counterpart here.
      if (::read(plan.control, &order, 1) != 1 || order == kControlKill) end_all(runtime);
    }
    if (waits[1].revents != 0) {
      char text[8192];
      const ssize_t got = ::read(plan.boot, text, sizeof text - 1);
      if (got <= 0 || runtime != 0) end_all(runtime);
      const std::string_view message(text, static_cast<size_t>(got));
      const size_t zero = message.find('\0');
      if (zero == std::string_view::npos) end_all(runtime);
      const std::string task(message.substr(0, zero));
      const std::string rest(message.substr(zero + 1));
      if (plan.interpreter.family == Family::node) link_modules(plan.node_modules, task);
      runtime = ::fork();
      if (runtime == 0) run_runtime(plan, task, rest.substr(0, rest.find('\0')));
      for (const int fd : plan.child) ::close(fd);
    }
    if (waits[2].revents != 0) {
      signalfd_siginfo info;
      while (::read(signals.get(), &info, sizeof info) > 0)
        if (info.ssi_signo == SIGTERM) end_all(runtime);
      int status = 0;
      pid_t pid;
      while ((pid = ::waitpid(-1, &status, WNOHANG)) > 0)
        if (pid == runtime &&
            ::send(plan.boot, &status, sizeof status, MSG_NOSIGNAL) != sizeof status)
          end_all(0);
    }
  }
}

std::string make_bare_runtime() {
  char pattern[] = "/tmp/virga-runtime-XXXXXX";
  if (::mkdtemp(pattern) == nullptr) return {};
  const std::string folder = pattern;
  ::chmod(folder.c_str(), 0755);
  if (write_readable(folder + "/bootstrap.py", embedded_python_bootstrap()) &&
      write_readable(folder + "/bootstrap.cjs", embedded_node_bootstrap()))
    return folder;
  remove_bare_runtime(folder);
  return {};
}

void remove_bare_runtime(const std::string& folder) {
  if (folder.empty()) return;
  for (const char* name : {"/bootstrap.py", "/bootstrap.cjs"}) ::unlink((folder + name).c_str());
  ::rmdir(folder.c_str());
}

}  // namespace virga::sandbox
