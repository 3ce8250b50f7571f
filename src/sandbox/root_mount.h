#pragma once

namespace virga::sandbox {

// In a chroot the root is a folder, not a mount: the kernel refuses user namespaces there
// (user_namespaces(7), EPERM) and pivot_root(2) as well (EINVAL). A process with a mount namespace
// of its own and the rights of root makes that folder the namespace's root mount; what lay around
// it is out of reach afterwards. Does nothing where the root is a mount. 0 or an errno.
int make_root_a_mount();

}  // namespace virga::sandbox
