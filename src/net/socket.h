#pragma once

#include <string>
#include <string_view>

#include "base/error.h"

struct sockaddr;

namespace virga::net {

// Opens a non-blocking listening TCP socket at an IP literal ("127.0.0.1", "::1", "0.0.0.0", "::")
// or "localhost" (the IPv4 loopback). Port 0 lets the kernel choose. SO_REUSEPORT, so that every
// loop has one of its own; IPv6 sockets do not take IPv4. The caller owns the descriptor. Errors:
// code "ListenFailed", the message names address and cause.
Result<int> open_listener(std::string_view host, int port);
// ListenFailed when somebody else listens there. Sockets of SO_REUSEPORT do not notice: two servers
// of one user would share the port, each answering some of the calls.
Result<void> refuse_taken(std::string_view host, int port);

struct SocketAddress {
  std::string host;  // IP literal without brackets; empty for a Unix socket
  int port = 0;
};
SocketAddress socket_address(const sockaddr* address);
// The address a socket is bound to.
SocketAddress local_address(int fd);

}  // namespace virga::net
