// What the engine (in the server) and the launcher say to each other: one SOCK_SEQPACKET message
// per statement, descriptors beside it. Both ends are the same binary, so the form needs no
// version.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace virga::sandbox {

enum class Op : uint32_t {
  // engine -> launcher
  create = 1,  // text: runtime name. Makes a spare; values: whether somebody waits for it
  assign,      // values: memory_mb, tmp_mb; text: paths (code, then layers), each ended by NUL. The
               // engine has sent the environment to the runtime itself; the launcher sends it
               // kCodeIsThere.
  warm,        // text: runtime name. Starts its zygote ahead of need.
  cool,        // text: runtime name. Ends its zygote; its sandboxes live on.
  // launcher -> engine
  ready = 16,  // the spare waits for its assignment; fds as ReadyFd says, then platform listeners;
               // values tell whether the
  // memory and the freeze descriptors are real, whether the network is the machine's (the Runtime
  // API then has a
  // port of its own and a secret path), and whether the sandbox is bare (bare.h)
  failed,  // text: why. The sandbox is gone.
  exited,  // values: wait status of the runtime process, out-of-memory kills, peak memory in bytes
  gone,    // all of its processes have ended and its control groups are removed
  renew,   // text: path of an interpreter. Its zygote has loaded more than the spares made so far
           // know
};

// Descriptors of Op::ready.
enum ReadyFd {
  kFdControl,
  kFdStdout,
  kFdStderr,
  kFdTelemetry,
  kFdChannel,  // the bootstrap's own connection to the Runtime API, once it has its assignment
  kFdRuntimeApi,
  kFdDns,
  kFdMemory,
  kFdFreeze,
  kReadyFds
};

// What an assigned runtime process reads: four bytes of size (of this machine's order), then the
// environment (NAME=VALUE joined by NULs), both from the engine; then this, from the launcher.
inline constexpr char kCodeIsThere = 'C';

struct Message {
  Op op{};
  uint32_t sandbox = 0;
  int64_t values[4] = {};
  std::string text;
  std::vector<int> fds;  // owned by the receiver
};

// Largest message: an assignment with its paths stays far below.
inline constexpr size_t kMessageMax = 128 * 1024;

// 0 or an errno. The message's descriptors stay the caller's.
int send_message(int socket, const Message& message);
// False at the end of the connection or on an error other than EAGAIN; *got tells whether there was
// a message.
bool receive_message(int socket, Message* message, bool* got);

}  // namespace virga::sandbox
