#include "sandbox/root_mount.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sandbox/fd.h"

namespace virga::sandbox {
namespace {

bool root_is_a_mount() {
  struct statx info{};
  return ::statx(AT_FDCWD, "/", 0, 0, &info) == 0 &&
         (info.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
}

// From the namespace's real root: puts the tree of `folder` onto it as a mount and makes that the
// root.
bool exchange_root(int folder) {
  if (::mount(nullptr, "/", nullptr, MS_REC | MS_SLAVE, nullptr) != 0) return false;
  const Fd tree(static_cast<int>(::syscall(
      SYS_open_tree, folder, "", AT_EMPTY_PATH | AT_RECURSIVE | OPEN_TREE_CLONE | O_CLOEXEC)));
  return tree.get() >= 0 &&
         ::syscall(SYS_move_mount, tree.get(), "", folder, "",
                   MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) == 0 &&
         ::fchdir(tree.get()) == 0 && ::syscall(SYS_pivot_root, ".", ".") == 0 &&
         ::umount2(".", MNT_DETACH) == 0 && ::chdir("/") == 0;
}

}  // namespace

int make_root_a_mount() {
  if (root_is_a_mount()) return 0;
  const Fd folder(::open("/", O_PATH | O_DIRECTORY | O_CLOEXEC));
  const Fd mounts(::open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC));
  if (folder.get() < 0 || mounts.get() < 0) return errno;
  // Entering one's own namespace leads to its real root (setns(2)): only from there can it be kept
  // apart from the namespace that it was copied from, and only that root can be exchanged.
  if (::setns(mounts.get(), CLONE_NEWNS) != 0) return errno;
  if (exchange_root(folder.get())) return 0;
  const int failed = errno;
  if (::fchdir(folder.get()) != 0 || ::chroot(".") != 0) ::_exit(1);  // never beyond the chroot
  return failed;
}

}  // namespace virga::sandbox
