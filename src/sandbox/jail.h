// The last step into a sandbox, in plain C because three programs take it: the Python zygote's shim
// (a shared library that knows nothing of ours), the launcher for runtimes it executes, and the
// tests. A process calls vj_enter() right after fork; when it returns the process stands in the
// sandbox's namespaces with an unprivileged uid, no capability, Landlock and the seccomp allow-list
// in force, five descriptors and nothing else. With VJ_EGRESS it has sent VJ_EGRESS_BYTE and the
// filter's listener over VJ_FD_ASSIGN.
#pragma once

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// Descriptors of a runtime process: 0 is /dev/null, 1 stdout, 2 stderr, then these.
enum { VJ_FD_TELEMETRY = 3, VJ_FD_ASSIGN = 4, VJ_FD_FIRST_FREE = 5 };

enum { VJ_EGRESS_BYTE = 'N' };

// Descriptors that travel with a vj_spawn, in this order; cgroup.procs descriptors to join follow
// them.
enum vj_fd {
  VJ_NS_USER,
  VJ_NS_MNT,
  VJ_NS_NET,
  VJ_NS_IPC,
  VJ_NS_UTS,
  VJ_NS_CGROUP,
  VJ_NS_PID,
  VJ_OUT,
  VJ_ERR,
  VJ_TELEMETRY,
  VJ_ASSIGN,
  VJ_FIXED_FDS
};
enum { VJ_FDS_MAX = 24 };

enum vj_flags {
  VJ_SHARED_UID = 1,  // one id is mapped: nothing to switch to
  VJ_HOST_NET = 4,    // there is no network of its own to join
  VJ_EGRESS = 8,      // connect() asks the filter's listener, which goes to the launcher
  VJ_EXEC = 2,        // the process executes a program next: signals go back to their defaults
  VJ_HURRY = 16,      // somebody waits for this process: nothing is rehearsed
  // Planted faults: tests show with them that an attack would succeed if a fence were missing.
  // Refused unless the program defines vj_faults_allowed, which only a test does.
  VJ_FAULT_NO_SECCOMP = 256,  // nor Landlock
  VJ_FAULT_KEEP_CAPS = 512,
  VJ_FAULT_HOST_FILES = 1024,
  VJ_FAULT_HOST_NET = 2048,
};

// 0 here; a test program's own definition takes its place.
int vj_faults_allowed(void);

struct vj_spawn {
  uint32_t sandbox;   // the launcher's number, echoed in replies
  uint32_t uid, gid;  // inside the user namespace
  uint32_t flags;
};

// Descriptors above VJ_FD_ASSIGN that a forked interpreter's libraries hold open and would miss:
// random devices only.
enum { VJ_KEEP_MAX = 8 };
struct vj_keep {
  int count;
  int fds[VJ_KEEP_MAX];  // ascending
};
// Those of the calling process.
void vj_find_random_devices(struct vj_keep* keep);

// What a zygote reports.
enum vj_reply_kind {
  VJ_STARTED = 1,
  VJ_FORKED = 2,
  VJ_EXITED = 3,
  VJ_FAILED = 4,
  VJ_WARMED = 5,  // it has loaded all that it is going to
};
struct vj_reply {
  uint32_t kind;
  uint32_t sandbox;
  int32_t pid;
  int32_t status;  // VJ_EXITED: as waitpid gives it; VJ_FAILED: errno
};

// Enters and locks down. Does not return on failure: says why on stderr and exits with 99.
void vj_enter(const struct vj_spawn* spawn, const int* fds, int fd_count,
              const struct vj_keep* keep);

// The same where the machine refuses namespaces: no files, network or process numbers of its own,
// but a uid (as root), no capability, Landlock and the allow-list. For development: see README.md.
enum { VJ_BARE_PATHS_MAX = 8, VJ_BARE_PORTS_MAX = 8 };
struct vj_bare {
  uint32_t uid, gid;
  int switch_ids;                       // 0: everything runs as whoever started the server
  int fds[4];                           // stdout, stderr, telemetry, assignment
  const char* task;                     // the code folder: the working directory
  const char* read[VJ_BARE_PATHS_MAX];  // folders that may be read and run beside the system's;
                                        // null ends the list
  uint16_t ports[VJ_BARE_PORTS_MAX];  // TCP ports that may be connected to; all when the first is 0
};
void vj_enter_bare(const struct vj_bare* bare);

// Puts the seccomp allow-list in force for the calling process; 0 or an errno. With `listener`
// every connect() stops until its holder answers (seccomp_unotify(2)); it receives the descriptor.
int vj_seccomp(int* listener);
// Restricts file access to what the rootfs offers; 0, ENOSYS/EOPNOTSUPP where the kernel has no
// Landlock, or an errno.
int vj_landlock(void);
// The Landlock version of the running kernel; 0 without.
int vj_landlock_abi(void);

// Reads one message with descriptors; sets *fd_count. Returns bytes, 0 at the end, -1 on error.
// Descriptors are CLOEXEC.
long vj_receive(int socket, void* data, unsigned long size, int* fds, int fds_max, int* fd_count);
// Sends one message with descriptors; 0 or an errno.
int vj_send(int socket, const void* data, unsigned long size, const int* fds, int fd_count);

#ifdef __cplusplus
}
#endif
