#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/sched.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>

#include "sandbox/bare.h"
#include "sandbox/launcher_impl.h"
#include "sandbox/provided.h"
#include "sandbox/rootfs.h"

namespace virga::sandbox {
namespace {

// First of the host user ids that sandboxes get, two each; far above what systems hand out, below
// 2^31.
constexpr uint32_t kUidBase = 1'879'048'192;
constexpr uint32_t kUidPairs = 100'000;
constexpr int64_t kDefaultTmpMb = 512;  // what build_rootfs gives /tmp

}  // namespace

void write_map(pid_t pid, const char* file, const std::string& text, bool* ok) {
  const std::string path = "/proc/" + std::to_string(pid) + "/" + file;
  const Fd fd(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (fd.get() < 0 ||
      ::write(fd.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()))
    *ok = false;
}

// Nothing but the keeper stands ahead of need: Landlock's rules name the function's code.
void Launcher::create_bare(LauncherCell& cell, Fd keeper_boot, Fd keeper_control) {
  for (const int type : {SOCK_STREAM, SOCK_DGRAM}) {
    cell.listeners.emplace_back(open_loopback(type, 0));
    if (cell.listeners.back().get() < 0)
      return fail(cell, std::string("loopback port: ") + strerror(errno));
  }
  BarePlan plan{.interpreter = cell.interpreter,
                .runtime_dir = bare_runtime_,
                .node_modules = options_.node_modules};
  if (!options_.host_network) {
    sockaddr_in address{};
    socklen_t size = sizeof address;
    ::getsockname(cell.listeners[0].get(), reinterpret_cast<sockaddr*>(&address), &size);
    plan.ports = options_.platform_ports;
    plan.ports.insert(plan.ports.begin(), ntohs(address.sin_port));
  }
  plan.switch_ids = ::geteuid() == 0;
  plan.uid = plan.gid = kUidBase + 2 * (cell.id % kUidPairs) + 1;
  plan.boot = keeper_boot.get();
  plan.control = keeper_control.get();
  for (int i = 0; i < 4; ++i) plan.child[i] = cell.child[i].get();
  const pid_t pid = ::fork();
  if (pid < 0) return fail(cell, std::string("fork: ") + strerror(errno));
  if (pid == 0) {
    // Only what it is for: others' ends would keep them alive.
    std::vector<int> kept = {plan.boot,     plan.control,  plan.child[0],
                             plan.child[1], plan.child[2], plan.child[3]};
    std::sort(kept.begin(), kept.end());
    unsigned from = 3;
    for (const int fd : kept) {
      if (static_cast<unsigned>(fd) > from)
        ::syscall(SYS_close_range, from, static_cast<unsigned>(fd) - 1, 0u);
      from = static_cast<unsigned>(fd) + 1;
    }
    ::syscall(SYS_close_range, from, ~0u, 0u);
    bare_main(plan);
  }
  cell.init_pid = pid;
  for (auto& fd : cell.child) fd = Fd();
  watch(cell.boot.get(), kBoot, cell.id);
  announce(cell);
}

bool Launcher::assign_bare(LauncherCell& cell, const std::vector<std::string>& paths) {
  for (const auto& path : paths) {
    if (!code_allowed(path)) return false;
  }
  std::string text = paths.empty() ? "" : paths[0];
  text += '\0';
  if (paths.size() > 1) text += paths[1];
  text += '\0';
  return ::send(cell.boot.get(), text.data(), text.size(), MSG_NOSIGNAL) ==
         static_cast<ssize_t>(text.size());
}

bool Launcher::clone_init(LauncherCell& cell, Fd init_boot, Fd init_control) {
  InitPlan plan;
  plan.rootfs = cell.interpreter.family == Family::python ? &python_rootfs_
                : cell.interpreter.family == Family::node ? &node_rootfs_
                                                          : &provided_rootfs_;
  plan.platform_ports = options_.platform_ports;
  plan.two_ids = two_ids_;
  plan.host_network = host_network();
  plan.egress = cell.egress = egress_.get() >= 0;
  plan.boot = init_boot.get();
  plan.control = init_control.get();
  clone_args args{};
  args.flags = CLONE_NEWUSER | CLONE_NEWPID;
  args.exit_signal = SIGCHLD;
  const pid_t pid = static_cast<pid_t>(::syscall(SYS_clone3, &args, sizeof args));
  if (pid < 0) return false;
  if (pid == 0) {
    // Ends of its own sockets that the launcher holds must not keep it from seeing their end.
    cell.boot = Fd();
    cell.control = Fd();
    init_main(plan);
  }
  cell.init_pid = pid;
  const char go = 'G';
  return map_ids(cell) && ::send(cell.boot.get(), &go, 1, MSG_NOSIGNAL) == 1;
}

bool Launcher::map_ids(const LauncherCell& cell) const {
  bool ok = true;
  if (two_ids_) {
    const uint32_t base = kUidBase + 2 * (cell.id % kUidPairs);
    const std::string host0 = std::to_string(base), host1 = std::to_string(base + 1);
    write_map(cell.init_pid, "uid_map",
              "0 " + host0 + " 1\n" + std::to_string(kSandboxUid) + " " + host1 + " 1\n", &ok);
    write_map(cell.init_pid, "gid_map",
              "0 " + host0 + " 1\n" + std::to_string(kSandboxGid) + " " + host1 + " 1\n", &ok);
  } else {
    write_map(cell.init_pid, "setgroups", "deny", &ok);
    write_map(cell.init_pid, "uid_map", std::to_string(kSandboxUid) + " 0 1", &ok);
    write_map(cell.init_pid, "gid_map", std::to_string(kSandboxGid) + " 0 1", &ok);
  }
  return ok;
}

void Launcher::spawn_runtime(LauncherCell& cell) {
  vj_spawn spawn{cell.id, kSandboxUid, kSandboxGid,
                 options_.faults | (two_ids_ ? 0u : uint32_t{VJ_SHARED_UID}) |
                     (host_network() ? uint32_t{VJ_HOST_NET} : 0u) |
                     (cell.egress ? uint32_t{VJ_EGRESS} : 0u) |
                     (cell.hurry ? uint32_t{VJ_HURRY} : 0u)};
  std::vector<int> fds;
  for (const auto& fd : cell.namespaces) fds.push_back(fd.get());
  for (const auto& fd : cell.child) fds.push_back(fd.get());
  std::vector<Fd> procs;
  for (const int fd : cgroups_.open_procs(cell.cgroup)) {
    procs.emplace_back(fd);
    fds.push_back(fd);
  }
  watch(cell.assign.get(), kAssign, cell.id);
  if (cell.interpreter.family == Family::python) {
    const int error = zygotes_.fork_into(cell.interpreter, spawn, fds);
    if (error != 0) return fail(cell, std::string("zygote: ") + strerror(error));
  } else {
    spawn.flags |= VJ_EXEC;
    spawn_by_exec(cell, spawn, fds);
  }
  for (auto& fd : cell.child) fd = Fd();
}

// A helper child joins the pid namespace and forks the runtime process, which becomes ours when the
// helper ends (we are a subreaper). The launcher itself could not always come back: without root
// its own pid namespace belongs to somebody else.
void Launcher::spawn_by_exec(LauncherCell& cell, const vj_spawn& spawn,
                             const std::vector<int>& fds) {
  Fd pid_read, pid_write;
  if (!make_pipe(&pid_read, &pid_write)) return fail(cell, "pipe");
  ::fcntl(pid_read.get(), F_SETFL, 0);
  const pid_t helper = ::fork();
  if (helper == 0) {
    if (::setns(cell.namespaces[VJ_NS_PID].get(), CLONE_NEWPID) != 0) ::_exit(1);
    const pid_t pid = ::fork();
    if (pid == 0) run_program(cell, spawn, fds);
    ::_exit(pid > 0 && ::write(pid_write.get(), &pid, sizeof pid) == sizeof pid ? 0 : 1);
  }
  pid_write = Fd();
  pid_t pid = 0;
  if (helper < 0 || ::read(pid_read.get(), &pid, sizeof pid) != sizeof pid)
    return fail(cell, "fork into the pid namespace");
  cell.runtime_pid = pid;
  cell.runtime_started = true;
}

void Launcher::run_program(const LauncherCell& cell, const vj_spawn& spawn,
                           const std::vector<int>& fds) {
  const vj_keep nothing{};
  vj_enter(&spawn, fds.data(), static_cast<int>(fds.size()), &nothing);
  if (cell.interpreter.family == Family::provided) {
    if (::write(VJ_FD_ASSIGN, "R", 1) != 1) _exit(0);
    provided_main();
  }
  const char* const arguments[] = {cell.interpreter.path.c_str(), "/var/runtime/bootstrap.cjs",
                                   nullptr};
  const char* const environment[] = {
      "TZ=:UTC",
      "LANG=en_US.UTF-8",
      "PATH=/var/lang/bin:/usr/local/bin:/usr/bin:/bin:/opt/bin",
      "NODE_PATH=/opt/nodejs/node_modules:/var/runtime/node_modules:/var/runtime:/var/task",
      cell.hurry ? "VIRGA_HURRY=1" : nullptr,
      nullptr};
  ::execve(arguments[0], const_cast<char* const*>(arguments),
           const_cast<char* const*>(environment));
  dprintf(2, "virga: cannot execute %s: %s\n", arguments[0], strerror(errno));
  _exit(97);
}

bool Launcher::code_allowed(const std::string& path) const {
  if (options_.code_roots.empty()) return true;
  char resolved[PATH_MAX];
  if (::realpath(path.c_str(), resolved) == nullptr) return false;
  const std::string real = resolved;
  return std::any_of(
      options_.code_roots.begin(), options_.code_roots.end(), [&](const std::string& root) {
        return real.starts_with(root) && (real.size() == root.size() || real[root.size()] == '/');
      });
}

const char* Launcher::mount_code(LauncherCell& cell, const std::vector<std::string>& paths,
                                 int64_t tmp_mb) {
  std::vector<Fd> trees;
  for (const auto& path : paths) {
    if (!code_allowed(path)) {
      errno = EACCES;
      return "code folder outside of the allowed ones";
    }
    Fd tree(open_read_only_tree(path.c_str()));
    if (tree.get() < 0) return "code folder";
    trees.push_back(std::move(tree));
  }
  if (::setns(cell.namespaces[VJ_NS_MNT].get(), CLONE_NEWNS) != 0) return "mount namespace";
  const char* failed = nullptr;
  if (!trees.empty() && attach_tree(trees[0].get(), "/var/task") != 0) failed = "attach code";
  if (failed == nullptr && trees.size() == 2 && attach_tree(trees[1].get(), "/opt") != 0)
    failed = "attach layer";
  if (failed == nullptr && tmp_mb != kDefaultTmpMb) {
    const std::string size = "size=" + std::to_string(tmp_mb) + "m";
    if (::mount(nullptr, "/tmp", nullptr, MS_REMOUNT | MS_NOSUID | MS_NODEV, size.c_str()) != 0)
      failed = "size of /tmp";
  }
  if (::setns(own_mnt_.get(), CLONE_NEWNS) != 0) abort();
  return failed;
}

}  // namespace virga::sandbox
