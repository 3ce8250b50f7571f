#pragma once

#include "sandbox/init.h"

namespace virga::sandbox {

// Makes the calling process's mount namespace a small read-only tree: a tmpfs root with read-only
// binds of the system's programs, own /etc, /dev, /proc, and a writable /tmp. The process must be
// alone in fresh user, mount and pid namespaces. Returns null, or what failed (errno says why).
const char* build_rootfs(const RootfsPlan& plan);

// A detached, read-only, nosuid, nodev copy of the mount tree at `path`; -1 and errno when refused.
int open_read_only_tree(const char* path);
// Attaches such a tree at `target`. 0 or an errno.
int attach_tree(int tree, const char* target);

}  // namespace virga::sandbox
