// Sandboxes on machines that refuse namespaces (default Docker): a keeper process instead of an
// init, Landlock, the seccomp allow-list and a uid of its own (as root), but the machine's files,
// process numbers and network. For development.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sandbox/fd.h"
#include "sandbox/runtimes.h"

namespace virga::sandbox {

struct BarePlan {
  Interpreter interpreter;
  std::string runtime_dir;      // holds the bootstraps; readable by everybody
  std::string node_modules;     // may be empty
  std::vector<uint16_t> ports;  // TCP ports a function may connect to; empty: all
  uint32_t uid = 0, gid = 0;
  bool switch_ids = true;
  int boot = -1;      // to the launcher, SOCK_SEQPACKET
  int control = -1;   // to the engine
  int child[4] = {};  // stdout, stderr, telemetry, assignment
};

// The keeper: waits for its assignment on `boot` ("task\0opt\0"), runs the runtime, tells its wait
// status on `boot`, and ends everything that came from it when `control` or `boot` closes.
[[noreturn]] void bare_main(const BarePlan& plan);

// A folder with the bootstraps, made for this process; empty when it cannot be.
// remove_bare_runtime() removes it.
std::string make_bare_runtime();
void remove_bare_runtime(const std::string& folder);

}  // namespace virga::sandbox
