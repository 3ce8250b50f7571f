// What the Python zygote cannot say in Python: receiving descriptors, forking into another pid
// namespace, entering a sandbox. Loaded by ctypes; needs no Python headers, so one build serves
// every version of CPython.
#define _GNU_SOURCE 1
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sandbox/jail.h"

static int g_socket = -1;
static int g_children = -1;  // signalfd
static int g_own_pid_ns = -1;
static struct vj_spawn g_spawn;
static int g_fds[VJ_FDS_MAX];
static int g_fd_count;
static struct vj_keep g_keep;

// The launcher keeps numbers of its own for the children; here only the last few hundred have to be
// known.
enum { CHILDREN_MAX = 16384 };
static struct {
  pid_t pid;
  uint32_t sandbox;
} g_table[CHILDREN_MAX];

static void report(uint32_t kind, uint32_t sandbox, pid_t pid, int status) {
  const struct vj_reply reply = {kind, sandbox, pid, status};
  if (vj_send(g_socket, &reply, sizeof reply, NULL, 0) != 0) _exit(0);  // the launcher is gone
}

static void reap(void) {
  int status;
  pid_t pid;
  while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
    for (int i = 0; i < CHILDREN_MAX; ++i) {
      if (g_table[i].pid != pid) continue;
      g_table[i].pid = 0;
      report(VJ_EXITED, g_table[i].sandbox, pid, status);
      break;
    }
  }
}

#define EXPORT __attribute__((visibility("default")))

EXPORT int virga_zygote_open(int socket) {
  g_socket = socket;
  sigset_t child;
  sigemptyset(&child);
  sigaddset(&child, SIGCHLD);
  sigprocmask(SIG_BLOCK, &child, NULL);
  g_children = signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK);
  g_own_pid_ns = open("/proc/self/ns/pid", O_RDONLY | O_CLOEXEC);
  // What the imported libraries opened (AWS's own TLS library keeps /dev/urandom) stays open in the
  // children.
  vj_find_random_devices(&g_keep);
  if (g_children < 0 || g_own_pid_ns < 0) return errno;
  report(VJ_STARTED, 0, getpid(), 0);
  return 0;
}

// Waits for the next order to fork and makes the next fork's child land in that sandbox's pid
// namespace. Ends the process when the launcher has closed the socket.
EXPORT void virga_zygote_wait(void) {
  for (;;) {
    struct pollfd waits[2] = {{g_socket, POLLIN, 0}, {g_children, POLLIN, 0}};
    if (poll(waits, 2, -1) < 0) continue;
    if (waits[1].revents) {
      struct signalfd_siginfo info;
      while (read(g_children, &info, sizeof info) > 0) {
      }
      reap();
    }
    if (!waits[0].revents) continue;
    const long got = vj_receive(g_socket, &g_spawn, sizeof g_spawn, g_fds, VJ_FDS_MAX, &g_fd_count);
    if (got <= 0) _exit(0);
    if (got == sizeof g_spawn && g_fd_count >= VJ_FIXED_FDS &&
        setns(g_fds[VJ_NS_PID], CLONE_NEWPID) == 0)
      return;
    report(VJ_FAILED, g_spawn.sandbox, 0, errno ? errno : EINVAL);
    for (int i = 0; i < g_fd_count; ++i) close(g_fds[i]);
  }
}

// What the children inherit is complete: those made before lack some of it.
EXPORT void virga_zygote_warmed(void) {
  report(VJ_WARMED, 0, getpid(), 0);
}

// 1 when nothing was asked for `milliseconds`.
EXPORT int virga_zygote_idle(int milliseconds) {
  struct pollfd wait = {g_socket, POLLIN, 0};
  return poll(&wait, 1, milliseconds) == 0;
}

// In the zygote, after the fork (pid < 0: it failed).
EXPORT void virga_zygote_forked(int pid) {
  const int error = errno;
  // Back, so as not to hold a namespace that ends. Without root this is refused, and each fork is
  // preceded by a setns anyway.
  if (setns(g_own_pid_ns, CLONE_NEWPID) != 0 && errno != EPERM) abort();
  for (int i = 0; i < g_fd_count; ++i) close(g_fds[i]);
  if (pid < 0) {
    report(VJ_FAILED, g_spawn.sandbox, 0, error);
    return;
  }
  for (int i = 0; i < CHILDREN_MAX; ++i) {
    if (g_table[i].pid != 0) continue;
    g_table[i].pid = pid;
    g_table[i].sandbox = g_spawn.sandbox;
    break;
  }
  report(VJ_FORKED, g_spawn.sandbox, pid, 0);
}

// In the child: 1 when somebody waits for it.
EXPORT int virga_zygote_hurry(void) {
  return (g_spawn.flags & VJ_HURRY) != 0;
}

// In the child: leaves it locked down inside the sandbox.
EXPORT void virga_zygote_enter(void) {
  vj_enter(&g_spawn, g_fds, g_fd_count, &g_keep);
}

// In the child: gives the allocator memory of this process's own at hand. What the zygote had freed
// lies on pages that it shares, each of which costs a fault when a function's first allocations get
// a piece of it. Seven of each small size are what glibc keeps for a thread (malloc/malloc.c,
// TCACHE_FILL_COUNT, up to 1,032 bytes); beyond that a few buffers as they are read and parsed.
EXPORT void virga_own_memory(void) {
  enum { STEP = 16, SMALL_MAX = 1032, EACH = 7, LARGE_MAX = 128 * 1024, PAGE = 4096 };
  for (size_t size = STEP - 8; size <= SMALL_MAX; size += STEP) {
    char* volatile got[EACH];
    for (int i = 0; i < EACH; ++i) {
      got[i] = malloc(size);
      if (got[i]) *got[i] = 0;
    }
    for (int i = 0; i < EACH; ++i) free(got[i]);
  }
  for (size_t size = LARGE_MAX; size > SMALL_MAX; size /= 2) {
    char* volatile got = malloc(size);
    for (size_t at = 0; got && at < size; at += PAGE) got[at] = 0;
    free(got);
  }
}

// In the child: _X_AMZN_TRACE_ID for the programs that the function starts. One buffer that stands
// in the environment and changes, because setenv() never gives back what it was told.
EXPORT void virga_set_trace_id(const char* value) {
  static const char name[] = "_X_AMZN_TRACE_ID";
  static char variable[1024];
  const int length = snprintf(variable, sizeof variable, "%s=%s", name, value);
  if (length < 0 || (size_t)length >= sizeof variable) {
    unsetenv(name);
    return;
  }
  if (getenv(name) != variable + sizeof name) putenv(variable);
}
