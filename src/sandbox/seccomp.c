// The allow-list of system calls. What is not on it answers ENOSYS, so that programs fall back as
// on an older kernel.
#define _GNU_SOURCE 1
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sandbox/jail.h"

#ifndef __x86_64__
#error "the list is written for x86-64"
#endif

// Calls that Debian 12's headers may not name yet.
enum { NR_futex_waitv = 449, NR_fchmodat2 = 452 };
// SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV. Source: kernel, include/uapi/linux/seccomp.h.
enum { WAIT_KILLABLE_RECV = 1 << 5 };

// Absent on purpose: everything about mounts, namespaces, other processes' memory (ptrace,
// process_vm_*, pidfd_getfd, kcmp), keys, bpf, perf, io_uring, userfaultfd, modules, kexec, clocks,
// swap, accounting, quotas, fanotify, handles to files, system-wide names, System V IPC and message
// queues, and clone3, whose flags a filter cannot see.
static const short kAllowed[] = {
    // memory
    SYS_mmap,
    SYS_mprotect,
    SYS_munmap,
    SYS_brk,
    SYS_mremap,
    SYS_msync,
    SYS_mincore,
    SYS_madvise,
    SYS_mlock,
    SYS_munlock,
    SYS_mlockall,
    SYS_munlockall,
    SYS_mlock2,
    SYS_membarrier,
    SYS_memfd_create,
    SYS_pkey_mprotect,
    SYS_pkey_alloc,
    SYS_pkey_free,
    // files
    SYS_read,
    SYS_write,
    SYS_open,
    SYS_close,
    SYS_stat,
    SYS_fstat,
    SYS_lstat,
    SYS_lseek,
    SYS_pread64,
    SYS_pwrite64,
    SYS_readv,
    SYS_writev,
    SYS_preadv,
    SYS_pwritev,
    SYS_preadv2,
    SYS_pwritev2,
    SYS_access,
    SYS_faccessat,
    SYS_faccessat2,
    SYS_dup,
    SYS_dup2,
    SYS_dup3,
    SYS_pipe,
    SYS_pipe2,
    SYS_sendfile,
    SYS_fcntl,
    SYS_flock,
    SYS_fsync,
    SYS_fdatasync,
    SYS_truncate,
    SYS_ftruncate,
    SYS_getdents,
    SYS_getdents64,
    SYS_getcwd,
    SYS_chdir,
    SYS_fchdir,
    SYS_rename,
    SYS_renameat,
    SYS_renameat2,
    SYS_mkdir,
    SYS_mkdirat,
    SYS_rmdir,
    SYS_creat,
    SYS_link,
    SYS_linkat,
    SYS_unlink,
    SYS_unlinkat,
    SYS_symlink,
    SYS_symlinkat,
    SYS_readlink,
    SYS_readlinkat,
    SYS_chmod,
    SYS_fchmod,
    SYS_fchmodat,
    NR_fchmodat2,
    SYS_chown,
    SYS_fchown,
    SYS_lchown,
    SYS_fchownat,
    SYS_umask,
    SYS_utime,
    SYS_utimes,
    SYS_utimensat,
    SYS_futimesat,
    SYS_mknod,
    SYS_mknodat,
    SYS_statfs,
    SYS_fstatfs,
    SYS_statx,
    SYS_newfstatat,
    SYS_openat,
    SYS_openat2,
    SYS_sync,
    SYS_syncfs,
    SYS_sync_file_range,
    SYS_readahead,
    SYS_fadvise64,
    SYS_fallocate,
    SYS_copy_file_range,
    SYS_splice,
    SYS_tee,
    SYS_vmsplice,
    SYS_close_range,
    SYS_setxattr,
    SYS_lsetxattr,
    SYS_fsetxattr,
    SYS_getxattr,
    SYS_lgetxattr,
    SYS_fgetxattr,
    SYS_listxattr,
    SYS_llistxattr,
    SYS_flistxattr,
    SYS_removexattr,
    SYS_lremovexattr,
    SYS_fremovexattr,
    SYS_inotify_init,
    SYS_inotify_init1,
    SYS_inotify_add_watch,
    SYS_inotify_rm_watch,
    // waiting
    SYS_poll,
    SYS_ppoll,
    SYS_select,
    SYS_pselect6,
    SYS_epoll_create,
    SYS_epoll_create1,
    SYS_epoll_ctl,
    SYS_epoll_wait,
    SYS_epoll_pwait,
    SYS_epoll_pwait2,
    SYS_eventfd,
    SYS_eventfd2,
    SYS_signalfd,
    SYS_signalfd4,
    SYS_timerfd_create,
    SYS_timerfd_settime,
    SYS_timerfd_gettime,
    SYS_futex,
    NR_futex_waitv,
    SYS_set_robust_list,
    SYS_get_robust_list,
    SYS_rseq,
    SYS_restart_syscall,
    SYS_pause,
    // time
    SYS_nanosleep,
    SYS_clock_nanosleep,
    SYS_clock_gettime,
    SYS_clock_getres,
    SYS_gettimeofday,
    SYS_time,
    SYS_times,
    SYS_getitimer,
    SYS_setitimer,
    SYS_alarm,
    SYS_timer_create,
    SYS_timer_settime,
    SYS_timer_gettime,
    SYS_timer_getoverrun,
    SYS_timer_delete,
    // processes of the sandbox
    SYS_fork,
    SYS_vfork,
    SYS_execve,
    SYS_execveat,
    SYS_exit,
    SYS_exit_group,
    SYS_wait4,
    SYS_waitid,
    SYS_kill,
    SYS_tkill,
    SYS_tgkill,
    SYS_getpid,
    SYS_getppid,
    SYS_gettid,
    SYS_getpgid,
    SYS_getpgrp,
    SYS_setpgid,
    SYS_getsid,
    SYS_setsid,
    SYS_set_tid_address,
    SYS_arch_prctl,
    SYS_pidfd_open,
    SYS_pidfd_send_signal,
    SYS_getrlimit,
    SYS_setrlimit,
    SYS_prlimit64,
    SYS_getrusage,
    SYS_getpriority,
    SYS_setpriority,
    SYS_sched_yield,
    SYS_sched_setaffinity,
    SYS_sched_getaffinity,
    SYS_sched_setparam,
    SYS_sched_getparam,
    SYS_sched_setscheduler,
    SYS_sched_getscheduler,
    SYS_sched_get_priority_max,
    SYS_sched_get_priority_min,
    SYS_sched_rr_get_interval,
    SYS_sched_setattr,
    SYS_sched_getattr,
    SYS_getcpu,
    // signals
    SYS_rt_sigaction,
    SYS_rt_sigprocmask,
    SYS_rt_sigreturn,
    SYS_rt_sigpending,
    SYS_rt_sigtimedwait,
    SYS_rt_sigqueueinfo,
    SYS_rt_tgsigqueueinfo,
    SYS_rt_sigsuspend,
    SYS_sigaltstack,
    // identity
    SYS_getuid,
    SYS_getgid,
    SYS_geteuid,
    SYS_getegid,
    SYS_getresuid,
    SYS_getresgid,
    SYS_getgroups,
    SYS_setuid,
    SYS_setgid,
    SYS_setreuid,
    SYS_setregid,
    SYS_setresuid,
    SYS_setresgid,
    SYS_setfsuid,
    SYS_setfsgid,
    SYS_setgroups,
    SYS_capget,
    SYS_capset,
    SYS_uname,
    SYS_sysinfo,
    SYS_getrandom,
    // sockets
    SYS_socketpair,
    SYS_connect,
    SYS_accept,
    SYS_accept4,
    SYS_bind,
    SYS_listen,
    SYS_sendto,
    SYS_recvfrom,
    SYS_sendmsg,
    SYS_recvmsg,
    SYS_sendmmsg,
    SYS_recvmmsg,
    SYS_shutdown,
    SYS_getsockname,
    SYS_getpeername,
    SYS_setsockopt,
    SYS_getsockopt,
    // tightening further
    SYS_seccomp,
    444,
    445,
    446,
};

// Calls decided by their arguments.
enum { CHECK_CLONE = 1, CHECK_SOCKET, CHECK_IOCTL, CHECK_PRCTL, CHECK_PERSONALITY };
static const struct {
  short nr, check;
} kChecked[] = {
    {SYS_clone, CHECK_CLONE}, {SYS_socket, CHECK_SOCKET},           {SYS_ioctl, CHECK_IOCTL},
    {SYS_prctl, CHECK_PRCTL}, {SYS_personality, CHECK_PERSONALITY},
};

enum { NR_MAX = 460, PROGRAM_MAX = 1200 };
enum { DENY = 0, ASK = 254, ALLOW = 255 };

struct program {
  struct sock_filter code[PROGRAM_MAX];
  int size;
};

static void put(struct program* p, uint16_t op, uint8_t yes, uint8_t no, uint32_t k) {
  if (p->size >= PROGRAM_MAX) abort();
  p->code[p->size++] = (struct sock_filter){op, yes, no, k};
}
static void give(struct program* p, uint32_t verdict) {
  put(p, BPF_RET | BPF_K, 0, 0, verdict);
}
static void load(struct program* p, uint32_t offset) {
  put(p, BPF_LD | BPF_W | BPF_ABS, 0, 0, offset);
}
static void load_argument(struct program* p, int number) {
  load(p,
       (uint32_t)(offsetof(struct seccomp_data, args) + 8 * (unsigned)number));  // its lower half
}
// If the accumulator equals k: that verdict.
static void give_if_equal(struct program* p, uint32_t k, uint32_t verdict) {
  put(p, BPF_JMP | BPF_JEQ | BPF_K, 0, 1, k);
  give(p, verdict);
}

static const uint32_t kEperm = SECCOMP_RET_ERRNO | EPERM, kEnosys = SECCOMP_RET_ERRNO | ENOSYS;

static void check_clone(struct program* p) {
  load_argument(p, 0);
  put(p, BPF_JMP | BPF_JSET | BPF_K, 0, 1,
      CLONE_NEWNS | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS |
          0x02000000 | 0x80);
  give(p, kEperm);
  give(p, SECCOMP_RET_ALLOW);
}

static void check_socket(struct program* p) {
  // Families: unix, IPv4, IPv6, and netlink's routing protocol, which getifaddrs and getaddrinfo
  // read.
  load_argument(p, 1);
  put(p, BPF_ALU | BPF_AND | BPF_K, 0, 0, 0xf);
  put(p, BPF_MISC | BPF_TAX, 0, 0, 0);
  load_argument(p, 0);
  put(p, BPF_JMP | BPF_JEQ | BPF_K, 0, 3, AF_NETLINK);
  load_argument(p, 2);
  give_if_equal(p, 0 /* NETLINK_ROUTE */, SECCOMP_RET_ALLOW);
  // (falls to the refusal when another netlink protocol was asked for: 16.. is no family below)
  load_argument(p, 0);
  put(p, BPF_JMP | BPF_JEQ | BPF_K, 3, 0, AF_UNIX);
  put(p, BPF_JMP | BPF_JEQ | BPF_K, 2, 0, AF_INET);
  put(p, BPF_JMP | BPF_JEQ | BPF_K, 1, 0, AF_INET6);
  give(p, SECCOMP_RET_ERRNO | EAFNOSUPPORT);
  put(p, BPF_MISC | BPF_TXA, 0, 0, 0);
  give_if_equal(p, SOCK_RAW, kEperm);
  give_if_equal(p, 10 /* SOCK_PACKET */, kEperm);
  give(p, SECCOMP_RET_ALLOW);
}

static void check_ioctl(struct program* p) {
  load_argument(p, 1);
  give_if_equal(p, TIOCSTI, kEperm);
  give_if_equal(p, 0x541C /* TIOCLINUX */, kEperm);
  give(p, SECCOMP_RET_ALLOW);
}

static void check_prctl(struct program* p) {
  static const uint32_t options[] = {
      PR_SET_PDEATHSIG,
      PR_GET_PDEATHSIG,
      PR_GET_DUMPABLE,
      PR_GET_KEEPCAPS,
      PR_SET_NAME,
      PR_GET_NAME,
      PR_GET_SECCOMP,
      PR_SET_SECCOMP,
      PR_CAPBSET_READ,
      PR_GET_TIMERSLACK,
      PR_SET_TIMERSLACK,
      PR_SET_NO_NEW_PRIVS,
      PR_GET_NO_NEW_PRIVS,
      PR_SET_THP_DISABLE,
      PR_GET_THP_DISABLE,
      PR_GET_TID_ADDRESS,
      PR_SET_CHILD_SUBREAPER,
      PR_GET_CHILD_SUBREAPER,
      PR_SET_DUMPABLE,
      0x53564d41 /* PR_SET_VMA */,
      PR_CAP_AMBIENT,
  };
  load_argument(p, 0);
  for (unsigned i = 0; i < sizeof options / sizeof *options; ++i)
    give_if_equal(p, options[i], SECCOMP_RET_ALLOW);
  give(p, SECCOMP_RET_ERRNO | EINVAL);
}

static void check_personality(struct program* p) {
  load_argument(p, 0);
  give_if_equal(p, 0xffffffff, SECCOMP_RET_ALLOW);  // asks only
  give_if_equal(p, 0, SECCOMP_RET_ALLOW);
  give(p, kEperm);
}

static void leaf(struct program* p, int action) {
  switch (action) {
    case ALLOW:
      give(p, SECCOMP_RET_ALLOW);
      return;
    case ASK:
      give(p, SECCOMP_RET_USER_NOTIF);
      return;
    case CHECK_CLONE:
      check_clone(p);
      return;
    case CHECK_SOCKET:
      check_socket(p);
      return;
    case CHECK_IOCTL:
      check_ioctl(p);
      return;
    case CHECK_PRCTL:
      check_prctl(p);
      return;
    case CHECK_PERSONALITY:
      check_personality(p);
      return;
    default:
      give(p, kEnosys);
  }
}

struct interval {
  short first;
  short action;
};

// A balanced search over intervals[from, to): few comparisons per call, each half's code
// contiguous.
static void search(struct program* p, const struct interval* intervals, int from, int to) {
  if (to - from == 1) {
    leaf(p, intervals[from].action);
    return;
  }
  const int middle = (from + to) / 2;
  // below the middle: go on with the left half; else jump over it (a JA, for it may be longer than
  // a byte can say)
  put(p, BPF_JMP | BPF_JGE | BPF_K, 0, 1, (uint32_t)intervals[middle].first);
  const int jump = p->size;
  put(p, BPF_JMP | BPF_JA, 0, 0, 0);
  search(p, intervals, from, middle);
  p->code[jump].k = (uint32_t)(p->size - jump - 1);
  search(p, intervals, middle, to);
}

static int build(struct program* p, int ask_to_connect) {
  unsigned char action[NR_MAX + 1];
  memset(action, DENY, sizeof action);
  for (unsigned i = 0; i < sizeof kAllowed / sizeof *kAllowed; ++i) action[kAllowed[i]] = ALLOW;
  for (unsigned i = 0; i < sizeof kChecked / sizeof *kChecked; ++i)
    action[kChecked[i].nr] = (unsigned char)kChecked[i].check;
  if (ask_to_connect) action[SYS_connect] = ASK;
  struct interval intervals[NR_MAX + 1];
  int count = 0;
  for (int nr = 0; nr <= NR_MAX; ++nr)
    if (nr == 0 || action[nr] != action[nr - 1])
      intervals[count++] = (struct interval){(short)nr, action[nr]};

  p->size = 0;
  load(p, offsetof(struct seccomp_data, arch));
  put(p, BPF_JMP | BPF_JEQ | BPF_K, 1, 0, AUDIT_ARCH_X86_64);
  give(p, SECCOMP_RET_KILL_PROCESS);
  load(p, offsetof(struct seccomp_data, nr));
  // NR_MAX is denied and the last interval, so numbers above it (the x32 calls among them) are too.
  search(p, intervals, 0, count);
  return p->size;
}

int vj_seccomp(int* listener) {
  static struct program p;
  build(&p, listener != NULL);
  struct sock_fprog filter = {(unsigned short)p.size, p.code};
  if (!listener)
    return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0ul, &filter) != 0 ? errno : 0;
  // A stopped call that was received goes on through signals (Linux 5.19; Go sends itself many).
  unsigned long flags = SECCOMP_FILTER_FLAG_NEW_LISTENER | WAIT_KILLABLE_RECV;
  long fd = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &filter);
  if (fd < 0 && errno == EINVAL)
    fd = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
                 (unsigned long)SECCOMP_FILTER_FLAG_NEW_LISTENER, &filter);
  if (fd < 0) return errno;
  *listener = (int)fd;
  return 0;
}
