#include "sandbox/launcher.h"

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
#include <sys/epoll.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <memory>

#include "sandbox/bare.h"
#include "sandbox/cgroup.h"
#include "sandbox/egress.h"
#include "sandbox/embedded.h"
#include "sandbox/fd.h"
#include "sandbox/init.h"
#include "sandbox/jail.h"
#include "sandbox/messages.h"
#include "sandbox/provided.h"
#include "sandbox/rootfs.h"
#include "sandbox/zygotes.h"

namespace virga::sandbox {
namespace {

// First of the host user ids that sandboxes get, two each; far above what systems hand out, below
// 2^31.
constexpr uint32_t kUidBase = 1'879'048'192;
constexpr uint32_t kUidPairs = 100'000;
constexpr int64_t kDefaultTmpMb = 512;  // what build_rootfs gives /tmp

void write_map(pid_t pid, const char* file, const std::string& text, bool* ok) {
  const std::string path = "/proc/" + std::to_string(pid) + "/" + file;
  const Fd fd(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (fd.get() < 0 ||
      ::write(fd.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()))
    *ok = false;
}

// On the machine's network its resolver answers.
void use_host_names(RootfsPlan& plan) {
  std::erase_if(plan.files, [](const RootfsFile& file) {
    return file.path == "/etc/resolv.conf" || file.path == "/etc/hosts";
  });
  for (const char* path : {"/etc/resolv.conf", "/etc/hosts"}) plan.binds.emplace_back(path);
}

// One sandbox as the launcher sees it.
struct Cell {
  uint32_t id = 0;
  Interpreter interpreter;
  bool hurry = false;  // somebody waits for it
  pid_t init_pid = 0;
  pid_t runtime_pid = 0;
  bool runtime_started = false, runtime_reaped = false, init_reaped = false, announced = false,
       assigned = false;
  Fd boot;     // to init
  Fd control;  // the engine's end, until it has it
  Fd assign;   // to the runtime process, until its assignment; then its Runtime API (kFdChannel)
  Fd out, err, telemetry;  // read ends, until the engine has them
  Fd child[4];  // write ends of those and the runtime's end of assign, until it is spawned
  std::vector<Fd> namespaces;  // as in vj_fd
  std::vector<Fd> listeners;   // Runtime API, resolver, platform ports
  bool egress = false;         // its connections outside are carried
  Fd egress_listener;
  Cgroup cgroup;
};

class Launcher {
 public:
  Launcher(int engine, const LauncherOptions& options) : engine_(engine), options_(options) {}
  int run();

 private:
  enum Kind : uint64_t { kEngine, kSignals, kBoot, kAssign, kZygote };

  bool prepare();
  bool prepare_bare();
  bool start_egress();
  void create_bare(Cell& cell, Fd keeper_boot, Fd keeper_control);
  bool assign_bare(Cell& cell, const std::vector<std::string>& paths);
  bool host_network() const {
    return bare_ || options_.host_network || (options_.faults & VJ_FAULT_HOST_NET) != 0;
  }
  void watch(int fd, Kind kind, uint32_t id);
  void loop();
  bool read_engine();
  void create(const Message& message);
  bool clone_init(Cell& cell, Fd init_boot, Fd init_control);
  bool map_ids(const Cell& cell) const;
  void on_boot(Cell& cell);
  void spawn_runtime(Cell& cell);
  void spawn_by_exec(Cell& cell, const vj_spawn& spawn, const std::vector<int>& fds);
  [[noreturn]] void run_program(const Cell& cell, const vj_spawn& spawn,
                                const std::vector<int>& fds);
  void on_assign_readable(Cell& cell);
  void announce(Cell& cell);
  void assign(Message& message);
  const char* mount_code(Cell& cell, const std::vector<std::string>& paths, int64_t tmp_mb);
  bool code_allowed(const std::string& path) const;
  void on_zygote(pid_t pid);
  void reap();
  void on_runtime_exit(Cell& cell, int status);
  void fail(Cell& cell, const std::string& why);
  void finish(Cell& cell);
  void sweep();
  void tell(Op op, uint32_t id, const std::string& text = {});
  void shut_down();

  const int engine_;
  const LauncherOptions options_;
  RootfsPlan python_rootfs_, node_rootfs_, provided_rootfs_;
  Cgroups cgroups_;
  Fd epoll_, signals_, own_mnt_;
  Fd egress_;  // the process that carries functions' connections; none without that mode
  bool two_ids_ = true;
  bool bare_ = false;         // without namespaces
  std::string bare_runtime_;  // the folder of the bootstraps
  std::map<uint32_t, std::unique_ptr<Cell>> cells_;
  Zygotes zygotes_{[this](int fd, pid_t pid) { watch(fd, kZygote, static_cast<uint32_t>(pid)); }};
  std::vector<Cgroup> to_remove_;
};

const char* kFailedPrefix = "sandbox: ";

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
  // Mounts first, the network last: in a chroot the root is no mount and the second call fails, and
  // what does without namespaces needs the machine's network.
  if (::unshare(CLONE_NEWNS) != 0) return prepare_bare();
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
  auto owned = std::make_unique<Cell>();
  Cell& cell = *owned;
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

// Nothing but the keeper stands ahead of need: Landlock's rules name the function's code.
void Launcher::create_bare(Cell& cell, Fd keeper_boot, Fd keeper_control) {
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

bool Launcher::assign_bare(Cell& cell, const std::vector<std::string>& paths) {
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

bool Launcher::clone_init(Cell& cell, Fd init_boot, Fd init_control) {
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

bool Launcher::map_ids(const Cell& cell) const {
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

void Launcher::on_boot(Cell& cell) {
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

void Launcher::spawn_runtime(Cell& cell) {
  vj_spawn spawn{cell.id, kSandboxUid, kSandboxGid,
                 options_.faults | (two_ids_ ? 0u : uint32_t{VJ_SHARED_UID}) |
                     (host_network() ? uint32_t{VJ_HOST_NET} : 0u) |
                     (cell.egress ? uint32_t{VJ_EGRESS} : 0u)};
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
void Launcher::spawn_by_exec(Cell& cell, const vj_spawn& spawn, const std::vector<int>& fds) {
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

void Launcher::run_program(const Cell& cell, const vj_spawn& spawn, const std::vector<int>& fds) {
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

void Launcher::on_assign_readable(Cell& cell) {
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

void Launcher::announce(Cell& cell) {
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

const char* Launcher::mount_code(Cell& cell, const std::vector<std::string>& paths,
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

void Launcher::assign(Message& message) {
  const auto found = cells_.find(message.sandbox);
  if (found == cells_.end() || found->second->assigned || !found->second->announced) return;
  Cell& cell = *found->second;
  cell.assigned = true;
  std::vector<std::string> paths;
  size_t at = 0;
  for (int64_t i = 0; i < message.values[2]; ++i) {
    const size_t end = message.text.find('\0', at);
    if (end == std::string::npos) return fail(cell, "malformed assignment");
    paths.push_back(message.text.substr(at, end - at));
    at = end + 1;
  }
  cgroups_.limit_memory(cell.cgroup, message.values[0] << 20);
  if (bare_) {
    if (!assign_bare(cell, paths)) return fail(cell, "code folder outside of the allowed ones");
  } else if (const char* failed = mount_code(cell, paths, message.values[1]))
    return fail(cell, std::string(failed) + ": " + strerror(errno));
  const auto size = static_cast<uint32_t>(message.text.size() - at);
  std::string bytes(reinterpret_cast<const char*>(&size), sizeof size);
  bytes.append(message.text, at);
  if (::send(cell.assign.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) !=
      static_cast<ssize_t>(bytes.size()))
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
  Cell& cell = *found->second;
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

void Launcher::on_runtime_exit(Cell& cell, int status) {
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
void Launcher::fail(Cell& cell, const std::string& why) {
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
    Cell& cell = *it->second;
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

}  // namespace

int launcher_main(int engine_fd, const LauncherOptions& options) {
  // Nothing that the parent had open is any business of this process.
  if (engine_fd != 3 && ::dup3(engine_fd, 3, O_CLOEXEC) != 3) return 1;
  ::syscall(SYS_close_range, 4u, ~0u, 0u);
  Launcher launcher(3, options);
  return launcher.run();
}

}  // namespace virga::sandbox
