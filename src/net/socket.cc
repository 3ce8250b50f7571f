#include "net/socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

namespace virga::net {
namespace {

constexpr int kBacklog = 4096;  // the kernel cuts it to net.core.somaxconn

std::unexpected<AwsError> listen_failed(std::string_view host, int port, std::string_view step) {
  return fail("ListenFailed", 500,
              std::string(step) + " " + std::string(host) + " port " + std::to_string(port) + ": " +
                  strerror(errno));
}

enum class Sharing { alone, with_other_loops };

// A bound socket.
Result<int> bound_socket(std::string_view host, int port, Sharing sharing) {
  const std::string name(host == "localhost" ? "127.0.0.1" : host);
  sockaddr_storage storage{};
  socklen_t length = 0;
  auto* const v4 = reinterpret_cast<sockaddr_in*>(&storage);
  auto* const v6 = reinterpret_cast<sockaddr_in6*>(&storage);
  if (port < 0 || port > 65535) {
    errno = EINVAL;
    return listen_failed(host, port, "no such port:");
  }
  if (inet_pton(AF_INET, name.c_str(), &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons(static_cast<uint16_t>(port));
    length = sizeof *v4;
  } else if (inet_pton(AF_INET6, name.c_str(), &v6->sin6_addr) == 1) {
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(static_cast<uint16_t>(port));
    length = sizeof *v6;
  } else {
    errno = EINVAL;
    return listen_failed(host, port, "not an IP address:");
  }
  const int fd = ::socket(storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return listen_failed(host, port, "cannot open a socket for");
  const int on = 1;
  ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (sharing == Sharing::with_other_loops)
    ::setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
  if (storage.ss_family == AF_INET6) ::setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
  if (::bind(fd, reinterpret_cast<sockaddr*>(&storage), length) != 0) {
    auto error = listen_failed(host, port, "cannot listen at");
    ::close(fd);
    return error;
  }
  return fd;
}

}  // namespace

Result<int> open_listener(std::string_view host, int port) {
  VIRGA_TRY(fd, bound_socket(host, port, Sharing::with_other_loops));
  if (::listen(fd, kBacklog) == 0) return fd;
  auto error = listen_failed(host, port, "cannot listen at");
  ::close(fd);
  return error;
}

Result<void> refuse_taken(std::string_view host, int port) {
  if (port == 0) return {};
  const auto fd = bound_socket(host, port, Sharing::alone);
  if (fd) {
    ::close(*fd);
  } else if (errno == EADDRINUSE) {
    return fail(fd.error());
  }
  return {};
}

SocketAddress socket_address(const sockaddr* address) {
  char text[INET6_ADDRSTRLEN] = "";
  if (address->sa_family == AF_INET) {
    const auto* const v4 = reinterpret_cast<const sockaddr_in*>(address);
    inet_ntop(AF_INET, &v4->sin_addr, text, sizeof text);
    return {text, ntohs(v4->sin_port)};
  }
  if (address->sa_family == AF_INET6) {
    const auto* const v6 = reinterpret_cast<const sockaddr_in6*>(address);
    inet_ntop(AF_INET6, &v6->sin6_addr, text, sizeof text);
    return {text, ntohs(v6->sin6_port)};
  }
  return {};
}

SocketAddress local_address(int fd) {
  sockaddr_storage storage{};
  socklen_t length = sizeof storage;
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&storage), &length) != 0) return {};
  return socket_address(reinterpret_cast<const sockaddr*>(&storage));
}

}  // namespace virga::net
