#pragma once

#include <functional>

#include "base/error.h"

namespace virga::server {

// The bodies of the two child processes. Descriptors are theirs to close.
struct Children {
  // The network-facing server. `launcher_fd`: its end of the socket pair to the launcher. `control_fd`: the supervisor's
  // line; a new launcher's end arrives on it (receive_launcher), end of file means the supervisor is gone.
  std::function<int(int launcher_fd, int control_fd)> server;
  // The privileged helper that makes sandboxes; ends when `server_fd` closes.
  std::function<int(int server_fd)> launcher;
};

// Runs until the server ends and returns its exit code. Forks both children before any thread exists, passes SIGTERM and
// SIGINT on to the server, and replaces a launcher that died. Holds no network socket and parses nothing.
int supervise(const Children& children);

// Server side: takes the descriptor of a replaced launcher from the control line. Error "EndOfFile" when the
// supervisor is gone.
Result<int> receive_launcher(int control_fd);

}  // namespace virga::server
