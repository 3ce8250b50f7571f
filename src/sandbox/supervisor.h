// The parent of the server and the launcher: tiny, single-threaded, without network or parsing. It
// exists so that either of them can die without leaving the other's processes behind, and so that a
// dead launcher is replaced.
#pragma once

#include <sys/types.h>

#include <functional>

#include "sandbox/launcher.h"

namespace virga::sandbox {

struct SupervisorOptions {
  LauncherOptions launcher;
  // When started by root the server goes on as this user (the data folder's owner); -1 keeps it as
  // it is.
  uid_t server_uid = static_cast<uid_t>(-1);
  gid_t server_gid = static_cast<gid_t>(-1);
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
