// The parent of the server and the launcher: tiny, single-threaded, without network or parsing. It
// exists so that either of them can die without leaving the other's processes behind, and so that a
// dead launcher is replaced.
#pragma once

#include <sys/types.h>

#include <functional>
#include <optional>
#include <vector>

#include "sandbox/launcher.h"

namespace virga::sandbox {

struct ServerUser {
  uid_t uid = 0;
  gid_t gid = 0;
  std::vector<gid_t> groups;  // its other groups
  bool low_ports = false;     // keeps the right to listen on ports below 1024, and no other
};

struct SupervisorOptions {
  LauncherOptions launcher;
  // The server, not the launcher, goes on as this user; only root may ask for it.
  std::optional<ServerUser> server_user;
  // Called in the server's process right before: reads what only root may.
  std::function<void()> before_server_user;
};

// `launcher_fd` is for Engine::open. `supervisor_fd` (SOCK_SEQPACKET) brings the next launcher's
// descriptor after one died: read it with receive_launcher and give it to Engine::attach_launcher.
// Its end means that the supervisor is gone: stop.
using ServerMain = std::function<int(int launcher_fd, int supervisor_fd)>;

// Forks both before any thread exists, passes SIGTERM, SIGINT and SIGHUP on to the server, and
// returns the server's exit status (128 + signal when one ended it) after everything has ended.
int supervise(const SupervisorOptions& options, const ServerMain& server_main);

// The descriptor of a new launcher; -1 when the supervisor is gone.
int receive_launcher(int supervisor_fd);

}  // namespace virga::sandbox
