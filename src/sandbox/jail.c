#define _GNU_SOURCE 1
#include "sandbox/jail.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

static void die(const char* what) {
  dprintf(2, "virga sandbox: %s: %s\n", what, strerror(errno));
  _exit(99);
}

long vj_receive(int socket, void* data, unsigned long size, int* fds, int fds_max, int* fd_count) {
  struct iovec part = {data, size};
  char control[CMSG_SPACE(sizeof(int) * VJ_FDS_MAX)];
  struct msghdr message;
  memset(&message, 0, sizeof message);
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  long got;
  do {
    got = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
  } while (got < 0 && errno == EINTR);
  *fd_count = 0;
  if (got < 0) return got;
  for (struct cmsghdr* c = CMSG_FIRSTHDR(&message); c; c = CMSG_NXTHDR(&message, c)) {
    if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS) continue;
    const int count = (int)((c->cmsg_len - CMSG_LEN(0)) / sizeof(int));
    for (int i = 0; i < count; ++i) {
      int fd;
      memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof fd);
      if (*fd_count < fds_max) {
        fds[(*fd_count)++] = fd;
      } else {
        close(fd);
      }
    }
  }
  return got;
}

int vj_send(int socket, const void* data, unsigned long size, const int* fds, int fd_count) {
  struct iovec part = {(void*)data, size};
  char control[CMSG_SPACE(sizeof(int) * VJ_FDS_MAX)];
  struct msghdr message;
  memset(&message, 0, sizeof message);
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  if (fd_count > VJ_FDS_MAX) return E2BIG;
  if (fd_count > 0) {
    memset(control, 0, sizeof control);
    message.msg_control = control;
    message.msg_controllen = CMSG_SPACE(sizeof(int) * fd_count);
    struct cmsghdr* c = CMSG_FIRSTHDR(&message);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(sizeof(int) * fd_count);
    memcpy(CMSG_DATA(c), fds, sizeof(int) * fd_count);
  }
  long sent;
  do {
    sent = sendmsg(socket, &message, MSG_NOSIGNAL);
  } while (sent < 0 && errno == EINTR);
  return sent < 0 ? errno : 0;
}

// The bounding and ambient sets; takes CAP_SETPCAP, so it comes before the change of ids.
static int drop_bounding_set(void) {
  prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  for (int cap = 0; cap < 64; ++cap) {
    if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) == 0) continue;
    return errno == EINVAL ? 0 : errno;  // EINVAL: past the last one that this kernel knows
  }
  return 0;
}

static int drop_held_capabilities(void) {
  struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  struct __user_cap_data_struct none[2];
  memset(none, 0, sizeof none);
  return syscall(SYS_capset, &header, none) == 0 ? 0 : errno;
}

// --- Landlock. Debian 12's headers stop at ABI 2, so the constants stand here. Source: kernel,
// include/uapi/linux/landlock.h.

#define LL_EXECUTE (1ull << 0)
#define LL_WRITE_FILE (1ull << 1)
#define LL_READ_FILE (1ull << 2)
#define LL_READ_DIR (1ull << 3)
#define LL_FS_ABI1 ((1ull << 13) - 1)
#define LL_REFER (1ull << 13)
#define LL_TRUNCATE (1ull << 14)
#define LL_IOCTL_DEV (1ull << 15)
#define LL_SCOPE_ABSTRACT_UNIX (1ull << 0)
#define LL_SCOPE_SIGNAL (1ull << 1)

struct ll_ruleset {
  uint64_t fs, net, scoped;
};
struct ll_path_beneath {
  uint64_t access;
  int32_t parent;
} __attribute__((packed));

#define LL_SYS_CREATE 444
#define LL_SYS_ADD 445
#define LL_SYS_RESTRICT 446

int vj_landlock_abi(void) {
  const long abi = syscall(LL_SYS_CREATE, (void*)0, 0ul, 1u /* LANDLOCK_CREATE_RULESET_VERSION */);
  return abi < 0 ? 0 : (int)abi;
}

struct ll_port {
  uint64_t access, port;
};
struct ll_allowed {
  const char* path;
  uint64_t access;
};
enum { LL_CONNECT_TCP = 1 << 1, LL_RULE_PATH = 1, LL_RULE_PORT = 2 };

// All file rights that this kernel can withhold.
static uint64_t all_file_rights(int abi) {
  uint64_t all = LL_FS_ABI1;
  if (abi >= 2) all |= LL_REFER;
  if (abi >= 3) all |= LL_TRUNCATE;
  if (abi >= 5) all |= LL_IOCTL_DEV;
  return all;
}

// `ports`: TCP ports that may be connected to, ended by 0; null for all. Kernels before ABI 4
// cannot withhold them.
static int restrict_to(int abi, const struct ll_allowed* allowed, unsigned count,
                       const uint16_t* ports) {
  const int net = ports && abi >= 4;
  struct ll_ruleset rules = {all_file_rights(abi), net ? LL_CONNECT_TCP : 0,
                             abi >= 6 ? LL_SCOPE_ABSTRACT_UNIX | LL_SCOPE_SIGNAL : 0};
  const unsigned long size = abi >= 6 ? sizeof rules : abi >= 4 ? 16 : 8;
  const int ruleset = (int)syscall(LL_SYS_CREATE, &rules, size, 0u);
  if (ruleset < 0) return errno;
  int error = 0;
  for (unsigned i = 0; i < count && !error; ++i) {
    struct ll_path_beneath rule = {allowed[i].access, open(allowed[i].path, O_PATH | O_CLOEXEC)};
    if (rule.parent < 0) continue;
    if (syscall(LL_SYS_ADD, ruleset, LL_RULE_PATH, &rule, 0u) != 0) error = errno;
    close(rule.parent);
  }
  for (unsigned i = 0; net && ports[i] && !error; ++i) {
    const struct ll_port rule = {LL_CONNECT_TCP, ports[i]};
    if (syscall(LL_SYS_ADD, ruleset, LL_RULE_PORT, &rule, 0u) != 0) error = errno;
  }
  if (!error && syscall(LL_SYS_RESTRICT, ruleset, 0u) != 0) error = errno;
  close(ruleset);
  return error;
}

int vj_landlock(void) {
  const int abi = vj_landlock_abi();
  if (abi == 0) return errno ? errno : ENOSYS;
  const uint64_t all = all_file_rights(abi), read = LL_READ_FILE | LL_READ_DIR,
                 run = read | LL_EXECUTE;
  // The code and layers are mounted later on /var/task and /opt: a rule on a directory counts for
  // what is mounted below it, not for what is mounted on it, so these name the parents.
  const struct ll_allowed allowed[] = {
      {"/",
       run},  // the rootfs holds nothing but what a function may read, and is mounted read-only
      {"/tmp", all},
      {"/dev", read | LL_WRITE_FILE | (all & LL_IOCTL_DEV) | (all & LL_TRUNCATE)},
      {"/proc", read | LL_WRITE_FILE | (all & LL_TRUNCATE)},
  };
  return restrict_to(abi, allowed, sizeof allowed / sizeof *allowed, NULL);
}

static int landlock_bare(const struct vj_bare* bare) {
  const int abi = vj_landlock_abi();
  if (abi == 0) return errno ? errno : ENOSYS;
  const uint64_t all = all_file_rights(abi), read = LL_READ_FILE | LL_READ_DIR,
                 run = read | LL_EXECUTE;
  const uint64_t device = LL_READ_FILE | LL_WRITE_FILE | (all & LL_IOCTL_DEV) | (all & LL_TRUNCATE);
  struct ll_allowed allowed[24] = {
      {"/usr", run},
      {"/lib", run},
      {"/lib64", run},
      {"/bin", run},
      {"/sbin", run},
      {"/etc", read},
      {"/proc", read},
      {"/tmp", all},
      {"/dev/null", device},
      {"/dev/zero", device},
      {"/dev/full", device},
      {"/dev/random", device},
      {"/dev/urandom", device},
      {bare->task, run},
  };
  unsigned count = 14;
  for (unsigned i = 0; i < VJ_BARE_PATHS_MAX && bare->read[i]; ++i)
    allowed[count++] = (struct ll_allowed){bare->read[i], run};
  return restrict_to(abi, allowed, count, bare->ports[0] ? bare->ports : NULL);
}

// --- Entering.

static void join_namespaces(const int* fds, uint32_t flags) {
  static const struct {
    int which, type;
    const char* name;
  } order[] = {
      // The user namespace first: in it the process has the rights that joining the others takes.
      {VJ_NS_USER, CLONE_NEWUSER, "user namespace"},
      {VJ_NS_MNT, CLONE_NEWNS, "mount namespace"},
      {VJ_NS_NET, CLONE_NEWNET, "net namespace"},
      {VJ_NS_IPC, CLONE_NEWIPC, "ipc namespace"},
      {VJ_NS_UTS, CLONE_NEWUTS, "uts namespace"},
      {VJ_NS_CGROUP, 0x02000000 /* CLONE_NEWCGROUP */, "cgroup namespace"},
  };
  for (unsigned i = 0; i < sizeof order / sizeof *order; ++i) {
    if (order[i].which == VJ_NS_NET && (flags & (VJ_FAULT_HOST_NET | VJ_HOST_NET))) continue;
    if (setns(fds[order[i].which], order[i].type) != 0) die(order[i].name);
  }
}

void vj_find_random_devices(struct vj_keep* keep) {
  keep->count = 0;
  for (int fd = VJ_FD_FIRST_FREE; fd < 256 && keep->count < VJ_KEEP_MAX; ++fd) {
    struct stat info;
    // Character devices 1:8 and 1:9. Source: kernel, Documentation/admin-guide/devices.txt.
    if (fstat(fd, &info) == 0 && S_ISCHR(info.st_mode) &&
        (info.st_rdev == makedev(1, 8) || info.st_rdev == makedev(1, 9)))
      keep->fds[keep->count++] = fd;
  }
}

// Standard descriptors in their places, all others closed.
static void arrange_descriptors(const int* fds, const struct vj_keep* keep) {
  const int want[] = {-1, fds[VJ_OUT], fds[VJ_ERR], fds[VJ_TELEMETRY], fds[VJ_ASSIGN]};
  int high[VJ_FD_FIRST_FREE];
  high[0] = open("/dev/null", O_RDWR | O_CLOEXEC);
  if (high[0] < 0) die("/dev/null");
  for (int i = 0; i < VJ_FD_FIRST_FREE; ++i) {
    // First out of the way of the places that are still to be filled.
    high[i] = fcntl(i == 0 ? high[0] : want[i], F_DUPFD_CLOEXEC, 512);
    if (high[i] < 0) die("duplicate descriptor");
  }
  for (int i = 0; i < VJ_FD_FIRST_FREE; ++i)
    if (dup2(high[i], i) < 0) die("place descriptor");
  unsigned from = VJ_FD_FIRST_FREE;
  for (int i = 0; i < keep->count; ++i) {
    const unsigned kept = (unsigned)keep->fds[i];
    if (kept > from && syscall(SYS_close_range, from, kept - 1, 0u) != 0) die("close descriptors");
    from = kept + 1;
  }
  if (syscall(SYS_close_range, from, ~0u, 0u) != 0) die("close descriptors");
}

static void set_limits(void) {
  // Source: Lambda Developer Guide, "Lambda quotas": 1,024 file descriptors, 1,024 processes and
  // threads.
  const struct rlimit files = {1024, 1024}, processes = {1024, 1024}, none = {0, 0};
  if (setrlimit(RLIMIT_NOFILE, &files) != 0) die("limit files");
  if (setrlimit(RLIMIT_NPROC, &processes) != 0) die("limit processes");
  if (setrlimit(RLIMIT_CORE, &none) != 0) die("limit core files");
  if (setrlimit(RLIMIT_MEMLOCK, &none) != 0) die("limit locked memory");
  if (setrlimit(RLIMIT_MSGQUEUE, &none) != 0) die("limit message queues");
}

static void reset_signals(uint32_t flags) {
  if (flags & VJ_EXEC) {  // what is ignored stays ignored over exec; an interpreter that forked
                          // knows its handlers
    for (int number = 1; number < 65; ++number)
      if (number != SIGKILL && number != SIGSTOP) signal(number, SIG_DFL);
  }
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
}

static void check(int error, const char* what) {
  if (error == 0) return;
  errno = error;
  die(what);
}

__attribute__((weak)) int vj_faults_allowed(void) {
  return 0;
}

static void drop_rights(const struct vj_spawn* spawn) {
  check(drop_bounding_set(), "bounding set");
  if (!(spawn->flags & VJ_SHARED_UID)) {
    if (setgroups(0, NULL) != 0) die("groups");
    if (setresgid(spawn->gid, spawn->gid, spawn->gid) != 0) die("group id");
    if (setresuid(spawn->uid, spawn->uid, spawn->uid) != 0) die("user id");
  }
  check(drop_held_capabilities(), "capabilities");
}

void vj_enter(const struct vj_spawn* spawn, const int* fds, int fd_count,
              const struct vj_keep* keep) {
  const uint32_t faults = spawn->flags & ~0xffu;
  if (faults != 0 && vj_faults_allowed() == 0) check(EINVAL, "planted faults");
  for (int i = VJ_FIXED_FDS; i < fd_count; ++i)
    if (write(fds[i], "0", 1) != 1) die("join control group");
  join_namespaces(fds, spawn->flags);
  arrange_descriptors(fds, keep);
  if (setsid() < 0) die("session");
  set_limits();
  umask(022);
  if (!(faults & VJ_FAULT_KEEP_CAPS)) {
    drop_rights(spawn);
  } else if (setresgid(0, 0, 0) != 0 || setresuid(0, 0, 0) != 0) {
    die("root");
  }
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) die("no_new_privs");
  // The change of ids made the process non-dumpable, which would hide its own /proc/self; ptrace is
  // fenced by seccomp.
  prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
  reset_signals(spawn->flags);
  if (!(faults & (VJ_FAULT_NO_SECCOMP | VJ_FAULT_HOST_FILES))) {
    const int error = vj_landlock();
    if (error != ENOSYS && error != EOPNOTSUPP) check(error, "landlock");
  }
  if (chdir("/var/task") != 0) die("working directory");
  if (faults & VJ_FAULT_NO_SECCOMP) return;
  if (!(spawn->flags & VJ_EGRESS)) {
    check(vj_seccomp(NULL), "seccomp");
    return;
  }
  int listener = -1;
  check(vj_seccomp(&listener), "seccomp");
  const char byte = VJ_EGRESS_BYTE;
  check(vj_send(VJ_FD_ASSIGN, &byte, 1, &listener, 1), "send the filter's listener");
  close(listener);
}

void vj_enter_bare(const struct vj_bare* bare) {
  int fds[VJ_FIXED_FDS];
  for (int i = 0; i < 4; ++i) fds[VJ_OUT + i] = bare->fds[i];
  const struct vj_keep nothing = {0, {0}};
  arrange_descriptors(fds, &nothing);
  if (setsid() < 0) die("session");
  umask(022);
  if (bare->switch_ids) {
    set_limits();
    const struct vj_spawn ids = {0, bare->uid, bare->gid, 0};
    drop_rights(&ids);
  } else {
    // Whoever runs this owns other processes too: a limit of their number would count those.
    const struct rlimit files = {1024, 1024}, none = {0, 0};
    if (setrlimit(RLIMIT_NOFILE, &files) != 0 || setrlimit(RLIMIT_CORE, &none) != 0) die("limits");
    check(drop_held_capabilities(), "capabilities");
  }
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) die("no_new_privs");
  prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
  reset_signals(VJ_EXEC);
  const int error = landlock_bare(bare);
  if (error != ENOSYS && error != EOPNOTSUPP) check(error, "landlock");
  if (chdir(bare->task) != 0) die("working directory");
  check(vj_seccomp(NULL), "seccomp");
}
