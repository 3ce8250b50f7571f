#pragma once

#include "server/options.h"

namespace virga::server {

// The server process: opens the store, constructs every service, serves until SIGTERM or until the
// supervisor is gone, drains, and returns the exit code. `launcher_fd` and `control_fd` come from
// the supervisor (sandbox/supervisor.h).
int serve(const ServeOptions& options, int launcher_fd, int control_fd);

}  // namespace virga::server
