#pragma once

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <utility>

namespace virga::sandbox {

// Owns one descriptor.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    if (this != &other) {
      if (fd_ >= 0) ::close(fd_);
      fd_ = std::exchange(other.fd_, -1);
    }
    return *this;
  }
  ~Fd() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }
  int release() { return std::exchange(fd_, -1); }

 private:
  int fd_ = -1;
};

inline bool make_socketpair(int type, Fd* a, Fd* b) {
  int pair[2];
  if (::socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, pair) != 0) return false;
  *a = Fd(pair[0]);
  *b = Fd(pair[1]);
  return true;
}

// The read end does not block: a loop reads it.
inline bool make_pipe(Fd* read_end, Fd* write_end) {
  int pair[2];
  if (::pipe2(pair, O_CLOEXEC) != 0) return false;
  *read_end = Fd(pair[0]);
  *write_end = Fd(pair[1]);
  return ::fcntl(pair[0], F_SETFL, O_NONBLOCK) == 0;
}

}  // namespace virga::sandbox
