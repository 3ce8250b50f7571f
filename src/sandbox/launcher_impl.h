// What the launcher's two files share: launcher.cc has its life and its talk with the engine and
// the zygotes, launcher_cells.cc how one sandbox comes to be.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "sandbox/cgroup.h"
#include "sandbox/fd.h"
#include "sandbox/init.h"
#include "sandbox/jail.h"
#include "sandbox/launcher.h"
#include "sandbox/messages.h"
#include "sandbox/runtimes.h"
#include "sandbox/zygotes.h"

namespace virga::sandbox {

// One sandbox as the launcher sees it.
struct LauncherCell {
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

// The privileged process: one loop over what the engine orders, what zygotes and inits report and
// which processes end. It parses nothing that comes from a network.
class Launcher {
 public:
  Launcher(int engine, const LauncherOptions& options) : engine_(engine), options_(options) {}
  int run();

 private:
  enum Kind : uint64_t { kEngine, kSignals, kBoot, kAssign, kZygote };

  bool prepare();
  bool prepare_bare();
  bool start_egress();
  void create_bare(LauncherCell& cell, Fd keeper_boot, Fd keeper_control);
  bool assign_bare(LauncherCell& cell, const std::vector<std::string>& paths);
  bool host_network() const {
    return bare_ || options_.host_network || (options_.faults & VJ_FAULT_HOST_NET) != 0;
  }
  void watch(int fd, Kind kind, uint32_t id);
  void loop();
  bool read_engine();
  void create(const Message& message);
  bool clone_init(LauncherCell& cell, Fd init_boot, Fd init_control);
  bool map_ids(const LauncherCell& cell) const;
  void on_boot(LauncherCell& cell);
  void spawn_runtime(LauncherCell& cell);
  void spawn_by_exec(LauncherCell& cell, const vj_spawn& spawn, const std::vector<int>& fds);
  [[noreturn]] void run_program(const LauncherCell& cell, const vj_spawn& spawn,
                                const std::vector<int>& fds);
  void on_assign_readable(LauncherCell& cell);
  void announce(LauncherCell& cell);
  void assign(Message& message);
  const char* mount_code(LauncherCell& cell, const std::vector<std::string>& paths, int64_t tmp_mb);
  bool code_allowed(const std::string& path) const;
  void on_zygote(pid_t pid);
  void reap();
  void on_runtime_exit(LauncherCell& cell, int status);
  void fail(LauncherCell& cell, const std::string& why);
  void finish(LauncherCell& cell);
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
  std::map<uint32_t, std::unique_ptr<LauncherCell>> cells_;
  Zygotes zygotes_{[this](int fd, pid_t pid) { watch(fd, kZygote, static_cast<uint32_t>(pid)); }};
  std::vector<Cgroup> to_remove_;
};

// Writes an id map or its like of a process; clears *ok when that fails.
void write_map(pid_t pid, const char* file, const std::string& text, bool* ok);

}  // namespace virga::sandbox
