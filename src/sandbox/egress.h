// Outgoing TCP connections of functions (--function-network egress), without a network device or a
// socket of the machine's inside the sandbox. The sandbox's network namespace holds loopback only;
// its seccomp filter stops every connect() and asks here. An address outside is dialled by a
// process of ours in the machine's network, the function's own socket is connected to a listener
// inside, and bytes are carried between the two. A function can therefore never do with such a
// connection what the machine's own sockets allow, whatever it changes while we look: all that it
// holds belongs to its own namespace.
//
// What a function sees of this: getpeername() names the listener; a refusal reaches a non-blocking
// socket as a reset connection instead of the error of connect(). UDP is not carried; names are
// resolved by the sandbox's resolver (dns.h).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace virga::sandbox {

// The listener's port inside, beside the Runtime API's 9001.
inline constexpr uint16_t kEgressPort = 9002;

// The launcher's side: hands a sandbox over. `notify`: its filter's listener (seccomp_unotify(2));
// `listener`: the socket at kEgressPort; `procs`: cgroup.procs of its control groups, which then
// pay for what is carried. All stay the caller's. 0 or an errno.
int send_to_egress(int channel, int notify, int listener, const std::vector<int>& procs);

// Serves the sandboxes that arrive at `channel` (SOCK_SEQPACKET), each by a process of its own,
// until it closes. Call it in a process forked for it, in the machine's network. `allowed`:
// addresses of this machine that functions may reach all the same.
[[noreturn]] void egress_main(int channel, const std::vector<std::string>& allowed);

}  // namespace virga::sandbox
