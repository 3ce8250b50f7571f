#include "sandbox/init.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sandbox/egress.h"
#include "sandbox/jail.h"
#include "sandbox/rootfs.h"

namespace virga::sandbox {
namespace {

[[noreturn]] void die(const char* what) {
  dprintf(2, "virga init: %s: %s\n", what, strerror(errno));
  _exit(98);
}

void loopback_up() {
  const int fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) die("socket");
  ifreq request{};
  strcpy(request.ifr_name, "lo");
  request.ifr_flags = IFF_UP | IFF_RUNNING;
  if (::ioctl(fd, SIOCSIFFLAGS, &request) != 0) die("loopback");
  ::close(fd);
}

int must_open(int type, uint16_t port) {
  const int fd = open_loopback(type, port);
  if (fd < 0) die("loopback socket");
  return fd;
}

// One socket for 127.0.0.1 and ::1: nothing but loopback exists in here, so the wildcard address is
// no wider.
int open_platform_listener(uint16_t port) {
  const int fd = ::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return must_open(SOCK_STREAM, port);  // a kernel without IPv6
  const int off = 0;
  ::setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  address.sin6_port = htons(port);
  if (::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 ||
      ::listen(fd, 128) != 0)
    die("platform port");
  return fd;
}

void open_namespaces(int* fds) {
  // In the order of vj_fd.
  static const char* const names[kInitNamespaces] = {"user", "mnt",    "net", "ipc",
                                                     "uts",  "cgroup", "pid"};
  for (int i = 0; i < kInitNamespaces; ++i) {
    const std::string path = std::string("/proc/self/ns/") + names[i];
    fds[i] = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fds[i] < 0) die(path.c_str());
  }
}

[[noreturn]] void serve(int boot, int control) {
  sigset_t child;
  sigemptyset(&child);
  sigaddset(&child, SIGCHLD);
  ::sigprocmask(SIG_SETMASK, &child, nullptr);
  const int children = ::signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK);
  for (;;) {
    pollfd waits[3] = {{control, POLLIN, 0}, {boot, POLLIN, 0}, {children, POLLIN, 0}};
    if (::poll(waits, 3, -1) < 0) continue;
    if (waits[0].revents != 0) {
      char order;
      if (::read(control, &order, 1) != 1 || order == kControlKill) _exit(0);
      ::kill(-1, order == kControlFreeze ? SIGSTOP : SIGCONT);
    }
    if (waits[1].revents != 0) _exit(0);  // the launcher is gone
    if (waits[2].revents != 0) {
      signalfd_siginfo info;
      while (::read(children, &info, sizeof info) > 0) {
      }
      while (::waitpid(-1, nullptr, WNOHANG) > 0) {
      }
    }
  }
}

// Keeps the two sockets as 3 and 4 and closes the rest.
void keep_descriptors(int* boot, int* control) {
  const int a = ::fcntl(*boot, F_DUPFD_CLOEXEC, 512), b = ::fcntl(*control, F_DUPFD_CLOEXEC, 512);
  if (a < 0 || b < 0 || ::dup2(a, 3) < 0 || ::dup2(b, 4) < 0) die("descriptors");
  ::syscall(SYS_close_range, 5u, ~0u, 0u);
  *boot = 3;
  *control = 4;
}

}  // namespace

bool keep_only_capability(int capability) {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[2]{};
  data[0].effective = data[0].permitted = 1u << capability;
  return ::syscall(SYS_capset, &header, data) == 0 &&
         ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0;
}

int open_loopback(int type, uint16_t port) {
  const int fd = ::socket(AF_INET, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (fd < 0) return -1;
  if (::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0 &&
      (type != SOCK_STREAM || ::listen(fd, 16) == 0)) {
    return fd;
  }
  ::close(fd);
  return -1;
}

void init_main(const InitPlan& plan) {
  int boot = plan.boot, control = plan.control;
  char go = 0;
  if (::read(boot, &go, 1) != 1) _exit(0);  // ids are mapped now
  ::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  if (plan.two_ids && (::setresgid(0, 0, 0) != 0 || ::setresuid(0, 0, 0) != 0)) die("ids");
  const int network = plan.host_network ? 0 : CLONE_NEWNET;
  if (::unshare(CLONE_NEWNS | network | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP) != 0)
    die("namespaces");
  ::sethostname("sandbox", 7);
  if (!plan.host_network) loopback_up();

  std::vector<int> fds(kInitNamespaces);
  open_namespaces(fds.data());
  fds.push_back(must_open(SOCK_STREAM, plan.host_network ? 0 : 9001));
  fds.push_back(must_open(SOCK_DGRAM, plan.host_network ? 0 : 53));
  // On the machine's own network the platform's own listeners answer.
  if (!plan.host_network)
    for (const uint16_t port : plan.platform_ports) fds.push_back(open_platform_listener(port));
  if (plan.egress) fds.push_back(open_platform_listener(kEgressPort));
  if (const char* failed = build_rootfs(*plan.rootfs)) die(failed);

  const char ready = 'I';
  if (vj_send(boot, &ready, 1, fds.data(), static_cast<int>(fds.size())) != 0) _exit(0);
  keep_descriptors(&boot, &control);
  // Only signalling is left to do: to processes of the function's uid, which in a two-id namespace
  // is not ours.
  if (!keep_only_capability(CAP_KILL)) die("capabilities");
  serve(boot, control);
}

}  // namespace virga::sandbox
