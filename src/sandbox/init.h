// Process 1 of a sandbox's pid namespace: builds the rootfs, opens the listeners inside, hands
// everything to the launcher, then reaps, stops and continues at a byte's word, and ends the whole
// sandbox by ending itself.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace virga::sandbox {

struct RootfsFile {
  std::string path;  // absolute
  std::string content;
};

// What every sandbox of a runtime looks like; made once by the launcher.
struct RootfsPlan {
  std::vector<std::string> binds;  // host folders or files at the same place inside, read-only
  std::vector<std::pair<std::string, std::string>>
      mapped;  // host folder -> place inside, read-only
  std::vector<RootfsFile> files;
};

struct InitPlan {
  const RootfsPlan* rootfs = nullptr;
  std::vector<uint16_t> platform_ports;
  bool two_ids = true;        // the user namespace maps 0 beside the function's uid
  bool host_network = false;  // no network namespace; the Runtime API gets a port of the machine's
  bool egress = false;        // a listener for outgoing connections (egress.h)
  int boot = -1;              // to the launcher, SOCK_SEQPACKET
  int control = -1;           // to the engine
};

// Bytes on the control socket. Its end means kStop too.
enum : char { kControlFreeze = 'S', kControlThaw = 'C', kControlKill = 'K' };

// Descriptors of init's one message to the launcher: the vj_fd namespaces in their order
// (VJ_NS_USER..VJ_NS_PID), then the Runtime API listener, the resolver's socket, one listener per
// platform port, and with `egress` that listener.
enum { kInitNamespaces = 7 };

[[noreturn]] void init_main(const InitPlan& plan);

// The functions' user inside a sandbox. Source: `id` in a Lambda function: sbx_user1051, uid 993,
// gid 990.
inline constexpr uint32_t kSandboxUid = 993;
inline constexpr uint32_t kSandboxGid = 990;

// What a rootfs needs whatever runs in it.
RootfsPlan base_rootfs();

// Lets go of every capability of this process but one, for good; false with errno.
bool keep_only_capability(int capability);

// A socket on 127.0.0.1, listening if it is a stream's; -1 with errno on failure. Port 0: the
// kernel's choice.
int open_loopback(int type, uint16_t port);

}  // namespace virga::sandbox
