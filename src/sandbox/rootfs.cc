#include "sandbox/rootfs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace virga::sandbox {
namespace {

// Source: kernel, include/uapi/linux/mount.h (glibc 2.36 has them, other headers disagree about
// where).
constexpr unsigned kOpenTreeClone = 1;
constexpr unsigned kMoveMountEmptyPath = 4;
constexpr uint64_t kAttrReadOnly = 1, kAttrNoSuid = 2, kAttrNoDev = 4;
constexpr unsigned kRecursive = 0x8000;  // AT_RECURSIVE

struct MountAttr {
  uint64_t set, clear, propagation, userns_fd;
};

int set_attributes(int tree, uint64_t attributes, unsigned flags) {
  MountAttr attr{attributes, 0, 0, 0};
  return static_cast<int>(
      ::syscall(442 /* mount_setattr */, tree, "", AT_EMPTY_PATH | flags, &attr, sizeof attr));
}

int open_tree(const char* path) {
  return static_cast<int>(
      ::syscall(428 /* open_tree */, AT_FDCWD, path, kOpenTreeClone | kRecursive | O_CLOEXEC));
}

struct Tree {
  int fd;
  std::string target;
  bool folder;
};

void make_parents(const std::string& path) {
  for (size_t at = path.find('/', 1); at != std::string::npos; at = path.find('/', at + 1))
    ::mkdir(path.substr(0, at).c_str(), 0755);
}

// `path` is absolute; the new root is the working directory.
std::string below(const std::string& path) {
  return "." + path;
}

bool write_file(const RootfsFile& file) {
  const std::string path = below(file.path);
  make_parents(path);
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
  if (fd < 0) return false;
  const bool wrote = ::write(fd, file.content.data(), file.content.size()) ==
                     static_cast<ssize_t>(file.content.size());
  ::close(fd);
  return wrote;
}

bool is_folder(const char* path) {
  struct stat info{};
  return ::stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

constexpr const char* kDevices[] = {"/dev/null", "/dev/zero", "/dev/full", "/dev/random",
                                    "/dev/urandom"};
// Files of /proc that tell about the whole machine or act on it.
constexpr const char* kMasked[] = {"/proc/kcore",         "/proc/keys",       "/proc/key-users",
                                   "/proc/sysrq-trigger", "/proc/timer_list", "/proc/kmsg",
                                   "/proc/kallsyms",      "/proc/kpagecount", "/proc/kpageflags",
                                   "/proc/sched_debug"};

const char* collect_trees(const RootfsPlan& plan, std::vector<Tree>* trees) {
  const auto add = [&](const std::string& source, const std::string& target) {
    const int fd = open_read_only_tree(source.c_str());
    if (fd >= 0) trees->push_back({fd, target, is_folder(source.c_str())});
    return fd >= 0 || errno == ENOENT;
  };
  for (const auto& path : plan.binds)
    if (!add(path, path)) return "bind";
  for (const auto& [source, target] : plan.mapped)
    if (!add(source, target)) return "bind mapped";
  for (const char* device : kDevices) {
    const int fd = open_tree(device);
    if (fd < 0) return device;
    trees->push_back({fd, device, false});
  }
  return nullptr;
}

const char* place(std::vector<Tree>& trees) {
  for (auto& tree : trees) {
    const std::string target = below(tree.target);
    make_parents(target);
    if (tree.folder) {
      ::mkdir(target.c_str(), 0755);
    } else {
      ::close(::open(target.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
    }
    const int error = attach_tree(tree.fd, target.c_str());
    ::close(tree.fd);
    if (error != 0) {
      errno = error;
      return "attach";
    }
  }
  return nullptr;
}

}  // namespace

int open_read_only_tree(const char* path) {
  const int fd = open_tree(path);
  if (fd < 0) return -1;
  if (set_attributes(fd, kAttrReadOnly | kAttrNoSuid | kAttrNoDev, kRecursive) == 0) return fd;
  const int error = errno;
  ::close(fd);
  errno = error;
  return -1;
}

int attach_tree(int tree, const char* target) {
  return ::syscall(429 /* move_mount */, tree, "", AT_FDCWD, target, kMoveMountEmptyPath) == 0
             ? 0
             : errno;
}

const char* build_rootfs(const RootfsPlan& plan) {
  if (::mount(nullptr, "/", nullptr, MS_REC | MS_SLAVE, nullptr) != 0) return "mount propagation";
  // Sources first: the new root is put on /tmp and hides what lies there.
  std::vector<Tree> trees;
  if (const char* failed = collect_trees(plan, &trees)) return failed;
  if (::mount("tmpfs", "/tmp", "tmpfs", MS_NOSUID | MS_NODEV, "size=8m,nr_inodes=4096,mode=755") !=
      0)
    return "root";
  if (::chdir("/tmp") != 0) return "root";
  ::umask(0);
  for (const char* folder :
       {"./proc", "./dev", "./etc", "./var", "./var/task", "./var/runtime", "./opt"})
    ::mkdir(folder, 0755);
  ::mkdir("./tmp", 01777);
  if (const char* failed = place(trees)) return failed;
  for (const char* link : {"bin", "sbin", "lib", "lib32", "lib64", "libx32"}) {
    char target[256];
    const std::string host = std::string("/") + link;
    const ssize_t size = ::readlink(host.c_str(), target, sizeof target - 1);
    if (size <= 0) continue;  // not merged into /usr: it is one of the binds
    target[size] = '\0';
    if (::symlink(target, link) != 0) return "symbolic link";
  }
  if (::symlink("/proc/self/fd", "dev/fd") != 0) return "symbolic link";
  if (::symlink("/proc/self/fd/0", "dev/stdin") != 0) return "symbolic link";
  if (::symlink("/proc/self/fd/1", "dev/stdout") != 0) return "symbolic link";
  if (::symlink("/proc/self/fd/2", "dev/stderr") != 0) return "symbolic link";
  if (::symlink("/usr/share/zoneinfo/UTC", "etc/localtime") != 0) return "symbolic link";
  for (const auto& file : plan.files)
    if (!write_file(file)) return "file";
  if (::mount("proc", "./proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr) != 0)
    return "proc";
  if (::mount("tmpfs", "./tmp", "tmpfs", MS_NOSUID | MS_NODEV, "size=512m,mode=1777") != 0)
    return "tmp";
  if (::syscall(SYS_pivot_root, ".", ".") != 0) return "pivot_root";
  if (::umount2(".", MNT_DETACH) != 0) return "old root";
  if (::chdir("/") != 0) return "new root";
  for (const char* path : kMasked)
    if (::access(path, F_OK) == 0 && ::mount("/dev/null", path, nullptr, MS_BIND, nullptr) != 0)
      return path;
  const int root = ::open("/", O_PATH | O_CLOEXEC);
  const int sealed = set_attributes(root, kAttrReadOnly | kAttrNoSuid | kAttrNoDev, 0);
  ::close(root);
  return sealed == 0 ? nullptr : "read-only root";
}

RootfsPlan base_rootfs() {
  RootfsPlan plan;
  plan.binds = {"/usr",
                "/etc/ssl",
                "/etc/ca-certificates",
                "/etc/alternatives",
                "/etc/ld.so.cache",
                "/etc/ld.so.conf",
                "/etc/ld.so.conf.d",
                "/etc/mime.types"};
  for (const char* folder : {"/bin", "/sbin", "/lib", "/lib64"}) {
    struct stat info{};
    if (::lstat(folder, &info) == 0 && S_ISDIR(info.st_mode)) plan.binds.push_back(folder);
  }
  plan.files = {
      {"/etc/passwd",
       "root:x:0:0:root:/root:/sbin/nologin\nsbx_user1051:x:993:990::/home/sbx_user1051:/sbin/"
       "nologin\n"
       "nobody:x:65534:65534:nobody:/:/sbin/nologin\n"},
      {"/etc/group", "root:x:0:\nsbx_group:x:990:\nnogroup:x:65534:\n"},
      {"/etc/hostname", "sandbox\n"},
      {"/etc/hosts",
       "127.0.0.1 localhost sandbox localhost.localstack.cloud host.docker.internal "
       "sandbox.localdomain\n::1 localhost\n"},
      {"/etc/resolv.conf", "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n"},
      {"/etc/nsswitch.conf",
       "passwd: files\ngroup: files\nhosts: files dns\nservices: files\nprotocols: files\n"},
      {"/etc/services", "domain 53/tcp\ndomain 53/udp\nhttp 80/tcp\nhttps 443/tcp\n"},
      {"/etc/os-release", "NAME=\"Virga\"\nID=virga\nPRETTY_NAME=\"Virga function sandbox\"\n"},
      {"/var/runtime/rehearsal/virga_rehearsal.py",
       "import json\n\n\ndef handler(event, context):\n    return {'statusCode': 200, 'body': "
       "json.dumps(event)}\n"},
  };
  return plan;
}

}  // namespace virga::sandbox
