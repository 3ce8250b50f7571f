// The user that the server becomes when root starts it (--user): the launcher needs root's rights
// for the namespaces and users of sandboxes, the process that reads the network does not.
#pragma once

#include <optional>

#include "base/error.h"
#include "sandbox/supervisor.h"
#include "server/options.h"

namespace virga::server {

// Nothing when --user is not given, or names who runs this already. Makes the data folder for that
// user, or hands over an empty one; one with another's files is an error (code "Usage") that says
// what to do. To be called as root, before anything is opened.
Result<std::optional<sandbox::ServerUser>> server_user(const ServeOptions& options);

}  // namespace virga::server
