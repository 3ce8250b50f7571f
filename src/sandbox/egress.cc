#include "sandbox/egress.h"

#include <errno.h>
#include <linux/capability.h>
#include <linux/seccomp.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include <fstream>
#include <map>
#include <string_view>

#include "sandbox/egress_policy.h"
#include "sandbox/fd.h"
#include "sandbox/init.h"
#include "sandbox/jail.h"

namespace virga::sandbox {
namespace {

constexpr size_t kBufferBytes = 64 * 1024;  // held of one direction of one connection
constexpr size_t kSessionsMax = 1024;       // as many descriptors as a function may have

// Kernel headers of Debian 12 name these; its libc has no wrappers.
int pidfd_open(pid_t pid) {
  return static_cast<int>(::syscall(SYS_pidfd_open, pid, 0u));
}
int pidfd_getfd(int pidfd, int fd) {
  return static_cast<int>(::syscall(SYS_pidfd_getfd, pidfd, fd, 0u));
}

// The process of a thread; 0 when it is gone.
pid_t process_of(pid_t thread) {
  constexpr std::string_view kWord = "Tgid:";
  std::ifstream status("/proc/" + std::to_string(thread) + "/status");
  // By lines: a thread names itself as it likes, but not with a line's end.
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with(kWord)) return ::atoi(line.c_str() + kWord.size());
  }
  return 0;
}

void end_with_reset(Fd& socket) {
  const linger now{1, 0};
  if (socket.get() >= 0) ::setsockopt(socket.get(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
  socket = Fd();
}

// What a function asked for.
struct Wish {
  uint64_t id = 0;  // of the notification
  Fd socket;        // the function's own
  int family = AF_INET;
  bool blocking = true;
  sockaddr_storage to{};
  socklen_t to_size = 0;
};

// One direction of a connection: bytes read and not yet written.
struct Flow {
  std::string held;
  bool ended = false;  // nothing more to read
  bool shut = false;   // and the other side knows

  // False when the connection is broken.
  bool move(int from, int to) {
    while (!ended && held.size() < kBufferBytes) {
      const size_t had = held.size();
      held.resize(kBufferBytes);
      const ssize_t got = ::recv(from, held.data() + had, kBufferBytes - had, 0);
      held.resize(had + static_cast<size_t>(std::max<ssize_t>(got, 0)));
      if (got == 0) ended = true;
      if (got < 0 && errno == EAGAIN) break;
      if (got < 0 && errno != EINTR) return false;
    }
    size_t sent = 0;
    while (sent < held.size()) {
      const ssize_t put = ::send(to, held.data() + sent, held.size() - sent, MSG_NOSIGNAL);
      if (put < 0 && errno == EAGAIN) break;
      if (put < 0 && errno != EINTR) return false;
      if (put > 0) sent += static_cast<size_t>(put);
    }
    held.erase(0, sent);
    if (ended && held.empty() && !shut) {
      shut = true;
      ::shutdown(to, SHUT_WR);
    }
    return true;
  }
  bool wants_input() const { return !ended && held.size() < kBufferBytes; }
};

struct Session {
  Fd inside, outside;
  bool dialling = true;
  uint16_t inside_port = 0;  // of the function's socket, once that is connected to the listener
  Wish waiting;              // a blocking connect() that has no answer yet; id 0: none
  Flow out, in;
};

// One sandbox's connections.
class Egress {
 public:
  Egress(Fd notify, Fd listener, std::vector<in6_addr> allowed)
      : notify_(std::move(notify)), listener_(std::move(listener)), allowed_(std::move(allowed)) {}

  // Until the sandbox has ended.
  void run() {
    epoll_ = Fd(::epoll_create1(EPOLL_CLOEXEC));
    watch(notify_.get(), EPOLLIN, kNotify);
    watch(listener_.get(), EPOLLIN, kListener);
    epoll_event events[64];
    for (;;) {
      const int count = ::epoll_wait(epoll_.get(), events, 64, -1);
      for (int i = 0; i < count; ++i) {
        const uint64_t key = events[i].data.u64;
        if (key == kListener) {
          accept_inside();
        } else if (key == kNotify) {
          // The filter's last process has ended.
          if (events[i].events & (EPOLLHUP | EPOLLERR)) return;
          on_notification();
        } else {
          on_socket(key / 2);
        }
      }
    }
  }

 private:
  // Keys of sockets are twice a session's number, plus one for the one outside.
  static constexpr uint64_t kNotify = 0, kListener = 1;

  // Without events not at all: the kernel reports an ended connection to whoever listens.
  void watch(int fd, uint32_t events, uint64_t key) {
    if (events == 0) {
      ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);
      return;
    }
    epoll_event event{};
    event.events = events;
    event.data.u64 = key;
    if (::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, fd, &event) != 0)
      ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event);
  }

  // Answers a stopped connect(): 0 or an errno, or (`go_on`) lets the kernel carry it out.
  void answer(uint64_t id, int error, bool go_on = false) {
    seccomp_notif_resp response{};
    response.id = id;
    response.error = -error;
    if (go_on) response.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
    ::ioctl(notify_.get(), SECCOMP_IOCTL_NOTIF_SEND, &response);
  }

  void on_notification() {
    seccomp_notif stopped{};
    if (::ioctl(notify_.get(), SECCOMP_IOCTL_NOTIF_RECV, &stopped) != 0) return;
    // Whatever goes on in the sandbox's own namespace stays there, so what is let through need not
    // be what we saw.
    const auto let = [&] { answer(stopped.id, 0, true); };
    Wish wish{.id = stopped.id};
    const auto size = static_cast<size_t>(stopped.data.args[2]);
    if (size < sizeof(sockaddr_in) || size > sizeof wish.to) return let();
    iovec local{&wish.to, size},
        remote{reinterpret_cast<void*>(static_cast<uintptr_t>(stopped.data.args[1])), size};
    const auto thread = static_cast<pid_t>(stopped.pid);
    if (::process_vm_readv(thread, &local, 1, &remote, 1, 0) != static_cast<ssize_t>(size))
      return answer(stopped.id, EFAULT);
    wish.to_size = static_cast<socklen_t>(size);

    in6_addr address{};
    if (wish.to.ss_family == AF_INET) {
      address = mapped_address(reinterpret_cast<const sockaddr_in*>(&wish.to)->sin_addr);
    } else if (wish.to.ss_family == AF_INET6 && size >= sizeof(sockaddr_in6)) {
      address = reinterpret_cast<const sockaddr_in6*>(&wish.to)->sin6_addr;
    } else {
      return let();
    }
    const auto own = own_addresses();
    if (!own) return answer(stopped.id, EHOSTUNREACH);
    const Destination destination = destination_of(address, *own, allowed_);
    if (destination == Destination::inside) return let();
    if (destination == Destination::refused) return answer(stopped.id, EHOSTUNREACH);

    const Fd process(pidfd_open(process_of(thread)));
    wish.socket = Fd(pidfd_getfd(process.get(), static_cast<int>(stopped.data.args[0])));
    // Still the same process, or the number may have become another's.
    if (::ioctl(notify_.get(), SECCOMP_IOCTL_NOTIF_ID_VALID, &stopped.id) != 0) return;
    if (wish.socket.get() < 0) return answer(stopped.id, EBADF);
    dial(std::move(wish));
  }

  void dial(Wish wish) {
    const uint64_t id = wish.id;
    int type = 0;
    socklen_t size = sizeof type;
    if (::getsockopt(wish.socket.get(), SOL_SOCKET, SO_TYPE, &type, &size) != 0)
      return answer(id, ENOTSOCK);
    size = sizeof wish.family;
    ::getsockopt(wish.socket.get(), SOL_SOCKET, SO_DOMAIN, &wish.family, &size);
    if (wish.family != AF_INET && wish.family != AF_INET6) return answer(id, EAFNOSUPPORT);
    if (type != SOCK_STREAM) return answer(id, ENETUNREACH);
    if (sessions_.size() >= kSessionsMax) return answer(id, EAGAIN);
    sockaddr_storage peer{};
    size = sizeof peer;
    if (::getpeername(wish.socket.get(), reinterpret_cast<sockaddr*>(&peer), &size) == 0)
      return answer(id, EISCONN);

    const uint64_t number = next_session_++;
    Session session;
    session.outside =
        Fd(::socket(wish.to.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP));
    if (session.outside.get() < 0) return answer(id, errno);
    const int on = 1;
    ::setsockopt(session.outside.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    ::setsockopt(session.outside.get(), SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    if (::connect(session.outside.get(), reinterpret_cast<const sockaddr*>(&wish.to),
                  wish.to_size) != 0 &&
        errno != EINPROGRESS)
      return answer(id, errno);
    wish.blocking = (::fcntl(wish.socket.get(), F_GETFL) & O_NONBLOCK) == 0;
    Session& kept = sessions_[number] = std::move(session);
    watch(kept.outside.get(), EPOLLOUT, 2 * number + 1);
    if (wish.blocking) {
      kept.waiting = std::move(wish);  // answered when the other machine has
      return;
    }
    const int error = connect_inside(kept, wish);
    answer(id, error != 0 ? error : EINPROGRESS);
    if (error != 0) sessions_.erase(number);
    accept_inside();
  }

  // Connects the function's socket to our listener in its namespace; 0 or an errno.
  int connect_inside(Session& session, const Wish& wish) {
    sockaddr_in v4{};
    v4.sin_family = AF_INET;
    v4.sin_port = htons(kEgressPort);
    v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    sockaddr_in6 v6{};
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(kEgressPort);
    v6.sin6_addr = in6addr_loopback;
    const bool six = wish.family == AF_INET6;
    // Never waits: a function may have filled the listener's queue.
    const int flags = ::fcntl(wish.socket.get(), F_GETFL);
    if (wish.blocking) ::fcntl(wish.socket.get(), F_SETFL, flags | O_NONBLOCK);
    const int failed =
        ::connect(wish.socket.get(),
                  six ? reinterpret_cast<sockaddr*>(&v6) : reinterpret_cast<sockaddr*>(&v4),
                  six ? sizeof v6 : sizeof v4);
    const int error = failed != 0 && errno != EINPROGRESS ? errno : 0;
    if (wish.blocking) ::fcntl(wish.socket.get(), F_SETFL, flags);
    if (error == 0) session.inside_port = port_of(wish.socket.get(), ::getsockname);
    return error;
  }

  static uint16_t port_of(int fd, int (*name)(int, sockaddr*, socklen_t*)) {
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    if (name(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) return 0;
    return ntohs(address.ss_family == AF_INET
                     ? reinterpret_cast<const sockaddr_in&>(address).sin_port
                     : reinterpret_cast<const sockaddr_in6&>(address).sin6_port);
  }

  // The other ends of sockets that were connected inside. Nobody else's connection finds a session.
  void accept_inside() {
    for (;;) {
      Fd fd(::accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
      if (fd.get() < 0) return;
      const uint16_t port = port_of(fd.get(), ::getpeername);
      for (auto& [number, session] : sessions_) {
        if (session.inside.get() >= 0 || session.inside_port != port) continue;
        const int on = 1;
        ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        session.inside = std::move(fd);
        carry(number);
        break;
      }
    }
  }

  void on_socket(uint64_t number) {
    const auto found = sessions_.find(number);
    if (found == sessions_.end()) return;
    Session& session = found->second;
    if (!session.dialling) return carry(number);
    if (!dialled(session)) return drop(number);
    carry(number);
    accept_inside();
  }

  // The other machine has answered; false when it refused.
  bool dialled(Session& session) {
    int error = 0;
    socklen_t size = sizeof error;
    ::getsockopt(session.outside.get(), SOL_SOCKET, SO_ERROR, &error, &size);
    session.dialling = false;
    if (session.waiting.id != 0) {
      const Wish wish = std::move(session.waiting);
      session.waiting.id = 0;
      if (error == 0) error = connect_inside(session, wish);
      answer(wish.id, error);
    }
    return error == 0;
  }

  void carry(uint64_t number) {
    Session& session = sessions_.at(number);
    if (session.dialling) return;
    const int inside = session.inside.get(), outside = session.outside.get();
    if (inside < 0) return watch(outside, 0, 2 * number + 1);  // its other end is about to arrive
    if (!session.out.move(inside, outside) || !session.in.move(outside, inside))
      return drop(number);
    if (session.out.shut && session.in.shut) {
      sessions_.erase(number);
      return;
    }
    const auto interest = [](const Flow& from, const Flow& to) {
      return (from.wants_input() ? uint32_t{EPOLLIN} : 0u) |
             (to.held.empty() ? 0u : uint32_t{EPOLLOUT});
    };
    watch(inside, interest(session.out, session.in), 2 * number);
    watch(outside, interest(session.in, session.out), 2 * number + 1);
  }

  void drop(uint64_t number) {
    Session& session = sessions_.at(number);
    end_with_reset(session.inside);
    end_with_reset(session.outside);
    sessions_.erase(number);
  }

  const Fd notify_, listener_;
  const std::vector<in6_addr> allowed_;
  Fd epoll_;
  uint64_t next_session_ = 1;
  std::map<uint64_t, Session> sessions_;
};

void use_all_descriptors() {
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &files);
}

}  // namespace

int send_to_egress(int channel, int notify, int listener, const std::vector<int>& procs) {
  const char sandbox = 'S';
  std::vector<int> fds = {notify, listener};
  fds.insert(fds.end(), procs.begin(), procs.end());
  return vj_send(channel, &sandbox, 1, fds.data(), static_cast<int>(fds.size()));
}

void egress_main(int channel, const std::vector<std::string>& allowed) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  ::prctl(PR_SET_NAME, "virga-egress", 0, 0, 0);
  if (channel != 3 && ::dup3(channel, 3, O_CLOEXEC) != 3) ::_exit(1);
  ::syscall(SYS_close_range, 4u, ~0u, 0u);
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::signal(SIGCHLD, SIG_IGN);  // nobody waits for the processes of single sandboxes
  use_all_descriptors();
  // Functions' sockets and addresses are read with it, nothing else is needed.
  if (!keep_only_capability(CAP_SYS_PTRACE)) ::_exit(1);
  std::vector<in6_addr> addresses;
  for (const auto& text : allowed) {
    if (const auto address = parse_address(text)) addresses.push_back(*address);
  }
  for (;;) {
    char byte;
    int received[VJ_FDS_MAX];
    int count = 0;
    if (vj_receive(3, &byte, 1, received, VJ_FDS_MAX, &count) <= 0) ::_exit(0);
    std::vector<Fd> fds;
    for (int i = 0; i < count; ++i) fds.emplace_back(received[i]);
    if (fds.size() < 2 || ::fork() != 0) continue;
    ::close(3);
    ::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    for (size_t i = 2; i < fds.size(); ++i) {
      if (::write(fds[i].get(), "0", 1) != 1) ::_exit(1);
      fds[i] = Fd();
    }
    Egress(std::move(fds[0]), std::move(fds[1]), addresses).run();
    ::_exit(0);
  }
}

}  // namespace virga::sandbox
