// The launcher: the small privileged process that makes sandboxes. Single-threaded, no network,
// parses nothing but the engine's messages; forked before the server has threads. Everything it
// makes ends when it ends.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sandbox/runtimes.h"

namespace virga::sandbox {

struct LauncherOptions {
  RuntimePaths runtime_paths;  // --runtime NAME=PATH
  std::vector<uint16_t>
      platform_ports;  // the platform answers on these at 127.0.0.1 and ::1 inside (at most 4)
  std::string node_modules;  // folder with the JavaScript SDK for Node functions; may be empty
  // Code may be mounted only from below these folders (empty: from anywhere), so that a server that
  // was taken over cannot show a sandbox the rest of the disk.
  std::vector<std::string> code_roots;
  // Functions share the machine's network instead of having one that leads to the platform only.
  // For development.
  bool host_network = false;
  // Functions reach other machines by TCP (egress.h), and of this one the addresses named.
  bool egress = false;
  std::vector<std::string> egress_allowed;
  // Where namespaces are refused: run functions without them (bare.h). Not where tenants meet.
  bool allow_bare = true;
  uint32_t faults = 0;  // planted faults (vj_flags); programs that are no tests refuse them
};

// Serves the engine at `engine_fd` (SOCK_SEQPACKET) until it closes; the exit status for the
// process. Call it in a process forked for it: it enters namespaces and changes limits.
int launcher_main(int engine_fd, const LauncherOptions& options);

}  // namespace virga::sandbox
