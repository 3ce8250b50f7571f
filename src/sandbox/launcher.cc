#include "sandbox/launcher.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>

#include "sandbox/bare.h"
#include "sandbox/cgroup.h"
#include "sandbox/egress.h"
#include "sandbox/embedded.h"
#include "sandbox/fd.h"
#include "sandbox/init.h"
#include "sandbox/jail.h"
#include "sandbox/launcher_impl.h"
#include "sandbox/messages.h"
#include "sandbox/root_mount.h"
#include "sandbox/rootfs.h"
#include "sandbox/zygotes.h"

namespace virga::sandbox {
namespace {

// On the machine's network its resolver answers.
void use_host_names(RootfsPlan& plan) {
  std::erase_if(plan.files, [](const RootfsFile& file) {
    return file.path == "/etc/resolv.conf" || file.path == "/etc/hosts";
  });
  for (const char* path : {"/etc/resolv.conf", "/etc/hosts"}) plan.binds.emplace_back(path);
}

const char* kFailedPrefix = "sandbox: ";

}  // namespace

void Launcher::tell(Op op, uint32_t id, const std::string& text) {
  Message message{.op = op, .sandbox = id, .text = text};
  send_message(engine_, message);
}

void Launcher::watch(int fd, Kind kind, uint32_t id) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = (static_cast<uint64_t>(kind) << 32) | id;
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event);
}

// Own namespaces: mounts here are nobody else's, the zygotes get no network. Without root, a user
// namespace first.
bool Launcher::prepare() {
  if (options_.faults != 0 && vj_faults_allowed() == 0) {
    errno = EINVAL;
    return false;
  }
  ::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
  const uid_t uid = ::geteuid();
  const gid_t gid = ::getegid();
  if (uid != 0) {
    two_ids_ = false;
    ::prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);  // who changed its uid may else not write its own id maps
    if (::unshare(CLONE_NEWUSER) != 0) return prepare_bare();
    bool ok = true;
    write_map(::getpid(), "setgroups", "deny", &ok);
    write_map(::getpid(), "uid_map", "0 " + std::to_string(uid) + " 1", &ok);
    write_map(::getpid(), "gid_map", "0 " + std::to_string(gid) + " 1", &ok);
    if (!ok) return false;
  }
  // Mounts first, the network last: what does without namespaces needs the machine's network.
  if (::unshare(CLONE_NEWNS) != 0) return prepare_bare();
  if (const int failed = make_root_a_mount(); failed != 0) {
    errno = failed;
    return prepare_bare();
  }
  if (::mount(nullptr, "/", nullptr, MS_REC | MS_SLAVE, nullptr) != 0) return prepare_bare();
  // That process stays in the machine's network, which we leave.
  if (options_.egress && !start_egress()) return false;
  if (!host_network() && ::unshare(CLONE_NEWNET) != 0) return prepare_bare();
  cgroups_.open();
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &files);

  python_rootfs_ = base_rootfs();
  if (options_.host_network) use_host_names(python_rootfs_);
  node_rootfs_ = provided_rootfs_ = python_rootfs_;
  node_rootfs_.files.push_back(
      {"/var/runtime/bootstrap.cjs", std::string(embedded_node_bootstrap())});
  node_rootfs_.files.push_back(
      {"/var/runtime/rehearsal/virga_rehearsal.js", "exports.handler = async () => ({});\n"});
  if (!options_.node_modules.empty())
    for (const char* place : {"/var/runtime/node_modules", "/var/node_modules"})
      node_rootfs_.mapped.emplace_back(options_.node_modules, place);
  if (options_.faults & VJ_FAULT_HOST_FILES)
    for (RootfsPlan* plan : {&python_rootfs_, &node_rootfs_, &provided_rootfs_})
      plan->mapped.emplace_back("/", "/host");
  own_mnt_ = Fd(::open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC));
  return true;
}

bool Launcher::start_egress() {
  Fd theirs;
  if (!make_socketpair(SOCK_SEQPACKET, &egress_, &theirs)) return false;
  const pid_t pid = ::fork();
  if (pid == 0) egress_main(theirs.get(), options_.egress_allowed);
  return pid > 0;
}

// The machine refuses namespaces (errno says how).
bool Launcher::prepare_bare() {
  const int refused = errno;
  egress_ = Fd();  // what it stands on is not there: functions reach the platform only
  if (!options_.allow_bare || options_.faults != 0) {
    errno = refused;
    return false;
  }
  bare_ = true;
  bare_runtime_ = make_bare_runtime();
  if (bare_runtime_.empty()) return false;
  dprintf(2,
          "virga: this system refuses namespaces (%s): functions run without them, for development "
          "only\n",
          strerror(refused));
  return true;
}

int Launcher::run() {
  epoll_ = Fd(::epoll_create1(EPOLL_CLOEXEC));
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGCHLD);
  ::sigprocmask(SIG_BLOCK, &set, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
  ::signal(SIGINT, SIG_IGN);  // a terminal's ^C goes to the supervisor, which ends us in order
  ::signal(SIGTERM, SIG_IGN);
  signals_ = Fd(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!prepare()) {
    const std::string why = std::string("launcher cannot make namespaces: ") + strerror(errno);
    dprintf(2, "virga: %s\n", why.c_str());
    tell(Op::failed, 0, why);
    return 1;
  }
  ::fcntl(engine_, F_SETFL, ::fcntl(engine_, F_GETFL) | O_NONBLOCK);
  watch(engine_, kEngine, 0);
  watch(signals_.get(), kSignals, 0);
  loop();
  shut_down();
  return 0;
}

void Launcher::loop() {
  epoll_event events[64];
  for (;;) {
    const int count = ::epoll_wait(epoll_.get(), events, 64, to_remove_.empty() ? -1 : 20);
    // The engine first: a waiting assignment is somebody's cold start.
    if (!read_engine()) return;
    for (int i = 0; i < count; ++i) {
      const auto kind = static_cast<Kind>(events[i].data.u64 >> 32);
      const auto id = static_cast<uint32_t>(events[i].data.u64);
      if (kind == kSignals) {
        reap();
      } else if (kind == kZygote) {
        on_zygote(static_cast<pid_t>(id));
      } else if (const auto found = cells_.find(id); found != cells_.end()) {
        if (kind == kBoot) on_boot(*found->second);
        if (kind == kAssign) on_assign_readable(*found->second);
      }
    }
    sweep();
  }
}

bool Launcher::read_engine() {
  for (;;) {
    Message message;
    bool got = false;
    if (!receive_message(engine_, &message, &got)) return false;
    if (!got) return true;
    for (const int fd : message.fds) ::close(fd);  // none is expected
    switch (message.op) {
      case Op::create:
        create(message);
        break;
      case Op::assign:
        assign(message);
        break;
      case Op::warm:
        if (const auto interpreter = find_interpreter(message.text, options_.runtime_paths);
            interpreter && interpreter->family == Family::python)
          zygotes_.warm(*interpreter);
        break;
      case Op::cool:
        if (const auto interpreter = find_interpreter(message.text, options_.runtime_paths))
          zygotes_.cool(interpreter->path);
        break;
      default:
        break;
    }
  }
}

void Launcher::create(const Message& message) {
  const uint32_t id = message.sandbox;
  const std::string& runtime = message.text;
  const auto interpreter = find_interpreter(runtime, options_.runtime_paths);
  if (!interpreter) return tell(Op::failed, id, "no interpreter for " + runtime + " is installed");
  auto owned = std::make_unique<LauncherCell>();
  LauncherCell& cell = *owned;
  cell.id = id;
  cell.interpreter = *interpreter;
  cell.hurry = message.values[0] != 0;
  cells_[id] = std::move(owned);

  Fd init_boot, init_control;
  if (!make_socketpair(SOCK_SEQPACKET, &cell.boot, &init_boot) ||
      !make_socketpair(SOCK_SEQPACKET, &cell.control, &init_control) ||
      !make_socketpair(SOCK_STREAM, &cell.assign, &cell.child[3]) ||
      !make_pipe(&cell.out, &cell.child[0]) || !make_pipe(&cell.err, &cell.child[1]) ||
      !make_pipe(&cell.telemetry, &cell.child[2]))
    return fail(cell, std::string("descriptors: ") + strerror(errno));
  if (bare_) return create_bare(cell, std::move(init_boot), std::move(init_control));
  if ((cgroups_.mode() != CgroupMode::none || cgroups_.can_freeze()) &&
      !cgroups_.create(id, &cell.cgroup))
    return fail(cell, std::string("control group: ") + strerror(errno));
  if (!clone_init(cell, std::move(init_boot), std::move(init_control)))
    return fail(cell, std::string("namespaces: ") + strerror(errno));
  watch(cell.boot.get(), kBoot, id);
}

void Launcher::on_boot(LauncherCell& cell) {
  if (bare_) {
    int status = 0;
    if (::recv(cell.boot.get(), &status, sizeof status, MSG_DONTWAIT) == sizeof status)
      return on_runtime_exit(cell, status);
    cell.boot = Fd();
    return;
  }
  char byte;
  int fds[VJ_FDS_MAX];
  int count = 0;
  const long got = vj_receive(cell.boot.get(), &byte, 1, fds, VJ_FDS_MAX, &count);
  std::vector<Fd> owned;
  for (int i = 0; i < count; ++i) owned.emplace_back(fds[i]);
  if (got <= 0) {
    if (!cell.announced) fail(cell, "its first process ended while it was made");
    cell.boot = Fd();
    return;
  }
  if (count < kInitNamespaces + 2 || !cell.namespaces.empty()) return;
  if (cell.egress) {
    cell.egress_listener = std::move(owned.back());
    owned.pop_back();
  }
  for (size_t i = 0; i < owned.size(); ++i)
    (i < kInitNamespaces ? cell.namespaces : cell.listeners).push_back(std::move(owned[i]));
  spawn_runtime(cell);
}

void Launcher::on_assign_readable(LauncherCell& cell) {
  char byte;
  int fds[1];
  int count = 0;
  const long got = vj_receive(cell.assign.get(), &byte, 1, fds, 1, &count);
  const Fd notify(count > 0 ? fds[0] : -1);
  if (got == 1 && byte == VJ_EGRESS_BYTE && notify.get() >= 0) {
    // Nobody who holds the filter's listener: connect() fails, everything else works.
    const std::vector<int> procs = cgroups_.open_procs(cell.cgroup);
    const int error =
        send_to_egress(egress_.get(), notify.get(), cell.egress_listener.get(), procs);
    for (const int fd : procs) ::close(fd);
    if (error != 0) {
      dprintf(2, "virga: functions' connections are not carried any more: %s\n", strerror(error));
      egress_ = Fd();
    }
    cell.egress_listener = Fd();
    return;
  }
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, cell.assign.get(), nullptr);
  if (got == 1 && byte == 'R' && !cell.announced) announce(cell);
  // An end without 'R' is a process that died on its way in; its exit is reported by whoever reaps
  // it.
}

void Launcher::announce(LauncherCell& cell) {
  Message message{.op = Op::ready, .sandbox = cell.id};
  const Fd memory(cgroups_.open_memory_peak(cell.cgroup));
  const Fd freeze(cgroups_.open_freeze(cell.cgroup));
  const Fd nothing(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  message.values[0] = memory.get() < 0 ? 0 : 1;
  message.values[1] = freeze.get() < 0 ? 0 : 1;
  message.values[2] = host_network() ? 1 : 0;
  message.values[3] = bare_ ? 1 : 0;
  message.fds = {cell.control.get(),
                 cell.out.get(),
                 cell.err.get(),
                 cell.telemetry.get(),
                 cell.assign.get(),
                 cell.listeners[0].get(),
                 cell.listeners[1].get(),
                 memory.get() < 0 ? nothing.get() : memory.get(),
                 freeze.get() < 0 ? nothing.get() : freeze.get()};
  for (size_t i = 2; i < cell.listeners.size(); ++i) message.fds.push_back(cell.listeners[i].get());
  cell.announced = true;
  send_message(engine_, message);
  for (Fd* fd : {&cell.control, &cell.out, &cell.err, &cell.telemetry}) *fd = Fd();
  cell.listeners.clear();
}

void Launcher::assign(Message& message) {
  const auto found = cells_.find(message.sandbox);
  if (found == cells_.end() || found->second->assigned || !found->second->announced) return;
  LauncherCell& cell = *found->second;
  cell.assigned = true;
  std::vector<std::string> paths;
  for (size_t at = 0; at < message.text.size();) {
    const size_t end = std::min(message.text.find('\0', at), message.text.size());
    paths.push_back(message.text.substr(at, end - at));
    at = end + 1;
  }
  cgroups_.limit_memory(cell.cgroup, message.values[0] << 20);
  if (bare_) {
    if (!assign_bare(cell, paths)) return fail(cell, "code folder outside of the allowed ones");
  } else if (const char* failed = mount_code(cell, paths, message.values[1]))
    return fail(cell, std::string(failed) + ": " + strerror(errno));
  if (::send(cell.assign.get(), &kCodeIsThere, 1, MSG_NOSIGNAL) != 1)
    return fail(cell, "the runtime does not take its assignment");
  cell.assign = Fd();  // from here on the engine's
  cell.namespaces.clear();
}

void Launcher::on_zygote(pid_t pid) {
  const auto reply = zygotes_.read(pid);
  if (!reply) return;
  if (reply->kind == VJ_WARMED) return tell(Op::renew, 0, zygotes_.path_of(pid));
  const auto found = cells_.find(reply->sandbox);
  if (found == cells_.end()) return;
  LauncherCell& cell = *found->second;
  switch (reply->kind) {
    case VJ_FORKED:
      cell.runtime_pid = reply->pid;
      cell.runtime_started = true;
      break;
    case VJ_EXITED:
      on_runtime_exit(cell, reply->status);
      break;
    case VJ_FAILED:
      fail(cell, std::string("fork: ") + strerror(reply->status));
      break;
    default:
      break;
  }
}

void Launcher::reap() {
  signalfd_siginfo info;
  while (::read(signals_.get(), &info, sizeof info) > 0) {
  }
  int status = 0;
  pid_t pid;
  while ((pid = ::waitpid(-1, &status, WNOHANG)) > 0) {
    if (const auto path = zygotes_.reaped(pid)) {
      // Who waited for a fork of it would wait for ever.
      for (auto& [id, cell] : cells_)
        if (!cell->runtime_started && !cell->namespaces.empty() && cell->interpreter.path == *path)
          fail(*cell, "the interpreter ended");
      continue;
    }
    for (auto& [id, cell] : cells_) {
      if (cell->runtime_pid == pid) {
        on_runtime_exit(*cell, status);
        break;
      }
      if (cell->init_pid == pid) {
        cell->init_reaped = true;
        if (!cell->announced) fail(*cell, "its first process ended while it was made");
        break;
      }
    }
  }
}

void Launcher::on_runtime_exit(LauncherCell& cell, int status) {
  if (cell.runtime_reaped) return;
  cell.runtime_reaped = true;
  Message message{.op = Op::exited, .sandbox = cell.id};
  message.values[0] = status;
  message.values[1] = cgroups_.oom_kills(cell.cgroup);
  message.values[2] = cgroups_.memory_peak(cell.cgroup);
  if (cell.announced) {
    send_message(engine_, message);
  } else {
    fail(cell, "the runtime ended while it was made, status " + std::to_string(status));
  }
}

// Ends the sandbox and says so once.
void Launcher::fail(LauncherCell& cell, const std::string& why) {
  if (cell.boot.get() >= 0) {
    tell(Op::failed, cell.id, kFailedPrefix + why);
    cell.boot = Fd();
  }
  cell.announced = true;
  if (cell.init_pid == 0) cell.init_reaped = true;
}

// Forgets sandboxes whose processes have all ended.
void Launcher::sweep() {
  for (auto it = cells_.begin(); it != cells_.end();) {
    LauncherCell& cell = *it->second;
    // The kernel lets a pid namespace's init be reaped last, after every other process in it.
    if (!cell.init_reaped) {
      ++it;
      continue;
    }
    if (!cell.cgroup.empty()) to_remove_.push_back(cell.cgroup);
    tell(Op::gone, cell.id);
    it = cells_.erase(it);
  }
  std::erase_if(to_remove_, [&](const Cgroup& group) { return cgroups_.remove(group); });
}

void Launcher::shut_down() {
  zygotes_.close();
  egress_ = Fd();
  for (auto& [id, cell] : cells_) {
    cell->boot = Fd();
    if (cell->init_pid > 0 && !cell->init_reaped) ::kill(cell->init_pid, SIGKILL);
  }
  while (::waitpid(-1, nullptr, 0) > 0 || errno == EINTR) {
  }
  cells_.clear();
  remove_bare_runtime(bare_runtime_);
  cgroups_.close();
}

int launcher_main(int engine_fd, const LauncherOptions& options) {
  // Nothing that the parent had open is any business of this process.
  if (engine_fd != 3 && ::dup3(engine_fd, 3, O_CLOEXEC) != 3) return 1;
  ::syscall(SYS_close_range, 4u, ~0u, 0u);
  Launcher launcher(3, options);
  return launcher.run();
}

}  // namespace virga::sandbox
