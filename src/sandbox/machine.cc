#include "sandbox/machine.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

#include "sandbox/cgroup.h"
#include "sandbox/fd.h"
#include "sandbox/jail.h"
#include "sandbox/root_mount.h"

namespace virga::sandbox {
namespace {

// Runs `probe` in a child and returns what it said.
template <class F>
std::string in_child(F probe) {
  int pair[2];
  if (::pipe2(pair, O_CLOEXEC) != 0) return "?";
  Fd read_end(pair[0]), write_end(pair[1]);
  const pid_t pid = ::fork();
  if (pid == 0) {
    const std::string text = probe();
    ::_exit(::write(write_end.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size())
                ? 0
                : 1);
  }
  write_end = Fd();
  std::string text;
  char part[512];
  ssize_t got;
  while ((got = ::read(read_end.get(), part, sizeof part)) > 0)
    text.append(part, static_cast<size_t>(got));
  if (pid > 0) ::waitpid(pid, nullptr, 0);
  return text;
}

// Empty when a sandbox's namespaces and mounts can be made, else what failed.
std::string probe_namespaces() {
  const int all = CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC |
                  CLONE_NEWUTS | CLONE_NEWCGROUP;
  if (::geteuid() == 0) {  // as the launcher does
    if (::unshare(CLONE_NEWNS) != 0) return std::string("unshare: ") + strerror(errno);
    if (const int failed = make_root_a_mount(); failed != 0)
      return std::string("chroot: ") + strerror(failed);
  }
  if (::unshare(all) != 0) return std::string("unshare: ") + strerror(errno);
  if (::mount(nullptr, "/", nullptr, MS_REC | MS_SLAVE, nullptr) != 0)
    return std::string("mount: ") + strerror(errno);
  if (::mount("tmpfs", "/tmp", "tmpfs", 0, nullptr) != 0)
    return std::string("tmpfs: ") + strerror(errno);
  return {};
}

std::string probe_cgroups() {
  Cgroups groups;
  groups.open();
  std::string text = groups.describe();
  if (groups.mode() == CgroupMode::none) {
    text += ::geteuid() == 0 ? "; this group has no memory and pids controllers to hand on"
                             : "; for limits start it in a group of its own: systemd-run --user "
                               "--scope -p Delegate=yes virga serve";
  }
  groups.close();
  return text;
}

// The number in a file of /proc/sys; -1 when there is none.
long setting(const char* name) {
  long value = -1;
  std::ifstream(std::string("/proc/sys/") + name) >> value;
  return value;
}

// What an administrator can do about refused namespaces.
std::string how_to_allow_namespaces() {
  if (setting("user/max_user_namespaces") == 0)
    return "allow them with sysctl user.max_user_namespaces=10000";
  if (::geteuid() != 0 && setting("kernel/unprivileged_userns_clone") == 0)  // Debian
    return "allow them with sysctl kernel.unprivileged_userns_clone=1, or start as root with "
           "--user";
  if (::geteuid() != 0 && setting("kernel/apparmor_restrict_unprivileged_userns") == 1)  // Ubuntu
    return "allow them with sysctl kernel.apparmor_restrict_unprivileged_userns=0, or start as "
           "root with --user";
  return "in a container they need --privileged";
}

}  // namespace

bool namespaces_allowed() {
  return in_child(probe_namespaces).empty();
}

std::vector<MachineLine> describe_machine(const RuntimePaths& overrides) {
  std::vector<MachineLine> lines;
  const std::string refused = in_child(probe_namespaces);
  const bool root = ::geteuid() == 0;
  if (!refused.empty()) {
    lines.push_back({"sandboxes",
                     "this system refuses namespaces (" + refused +
                         "): functions run without them, with Landlock, seccomp and " +
                         (root ? "uids of their own" : "the uid of the server") +
                         "; for development, not with --auth strict; " + how_to_allow_namespaces(),
                     false});
  } else if (root) {
    lines.push_back(
        {"sandboxes", "root: all namespaces, host user ids of their own for each sandbox"});
  } else {
    lines.push_back({"sandboxes", "rootless: all namespaces through a user namespace"});
  }
  lines.push_back({"control groups", in_child(probe_cgroups)});
  const int abi = vj_landlock_abi();
  lines.push_back({"landlock", abi > 0 ? "ABI " + std::to_string(abi)
                                       : "not in this kernel (the other fences stand)"});
  lines.push_back({"seccomp", in_child([] {
                     ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
                     const int error = vj_seccomp(nullptr);
                     return error == 0 ? std::string("allow-list of system calls")
                                       : std::string("refused: ") + strerror(error);
                   })});
  if (root) lines.push_back({"server", "stays root unless --user names who it becomes"});
  for (const char* name : {"python3.9", "python3.10", "python3.11", "python3.12", "python3.13",
                           "python3.14", "nodejs18.x", "nodejs20.x", "nodejs22.x", "nodejs24.x"}) {
    const auto found = find_interpreter(name, overrides);
    lines.push_back({name, found ? found->path : "not installed", found.has_value()});
  }
  return lines;
}

}  // namespace virga::sandbox
