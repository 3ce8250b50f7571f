#include "sandbox/cgroup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sstream>

namespace virga::sandbox {
namespace {

constexpr const char* kPrefix = "virga-";
constexpr const char* kOwnLeaf = "virga-server";  // where this process goes, out of its group
constexpr int kMovesMax = 100;
constexpr const char* kControllers = "+memory +pids";
constexpr int64_t kProcessesMax = 1024;  // Lambda Developer Guide, "Lambda quotas"

std::string read_file(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return {};
  std::string text;
  char part[4096];
  ssize_t got;
  while ((got = ::read(fd, part, sizeof part)) > 0) text.append(part, static_cast<size_t>(got));
  ::close(fd);
  return text;
}

bool write_file(const std::string& path, const std::string& text) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
  if (fd < 0) return false;
  const bool wrote = ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  ::close(fd);
  return wrote;
}

bool folder_exists(const std::string& path) {
  struct stat info{};
  return ::stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
}

// The value of "name value" lines; 0 when absent.
int64_t field(const std::string& text, const std::string& name) {
  std::istringstream lines(text);
  std::string key;
  int64_t value = 0;
  while (lines >> key >> value)
    if (key == name) return value;
  return 0;
}

void kill_members(const std::string& folder) {
  if (write_file(folder + "/cgroup.kill", "1")) return;
  std::istringstream pids(read_file(folder + "/cgroup.procs"));
  pid_t pid;
  while (pids >> pid) ::kill(pid, SIGKILL);
}

void remove_tree(const std::string& folder) {
  if (DIR* dir = ::opendir(folder.c_str())) {
    while (const dirent* entry = ::readdir(dir)) {
      if (entry->d_type != DT_DIR || entry->d_name[0] == '.') continue;
      const std::string child = folder + "/" + entry->d_name;
      kill_members(child);
      remove_tree(child);
    }
    ::closedir(dir);
  }
  ::rmdir(folder.c_str());
}

// Where this process stands in a hierarchy: the mount point and its path below.
std::string own_folder(const std::string& mount, const std::string& controller) {
  std::istringstream lines(read_file("/proc/self/cgroup"));
  std::string line;
  while (std::getline(lines, line)) {
    const size_t first = line.find(':'), second = line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string names = "," + line.substr(first + 1, second - first - 1) + ",";
    if (controller.empty() ? names != ",,"
                           : names.find("," + controller + ",") == std::string::npos)
      continue;
    const std::string path = line.substr(second + 1);
    const std::string folder = path == "/" ? mount : mount + path;
    // In a container the path may be the host's; its own root is then the mount point.
    return folder_exists(folder) ? folder : mount;
  }
  return {};
}

}  // namespace

void Cgroups::remove_stale(const std::string& parent) {
  DIR* dir = ::opendir(parent.c_str());
  if (dir == nullptr) return;
  while (const dirent* entry = ::readdir(dir)) {
    if (strncmp(entry->d_name, kPrefix, strlen(kPrefix)) != 0) continue;
    if (strcmp(entry->d_name, kOwnLeaf) == 0) continue;
    const pid_t owner = atoi(entry->d_name + strlen(kPrefix));
    if (owner > 0 && (::kill(owner, 0) == 0 || errno == EPERM) && owner != ::getpid()) continue;
    remove_tree(parent + "/" + entry->d_name);
  }
  ::closedir(dir);
}

bool Cgroups::enable_v2_controllers(const std::string& own) const {
  const std::string control = own + "/cgroup.subtree_control", leaf = own + "/" + kOwnLeaf;
  // Who forks while its group is emptied leaves a child behind: that one goes the next time.
  for (int i = 0; i < kMovesMax; ++i) {
    if (write_file(control, kControllers)) return true;
    // A group with processes of its own may not hand controllers down (Linux, "Control Group v2",
    // "No Internal Process Constraint"): they go into a leaf.
    if (errno != EBUSY) return false;
    if (::mkdir(leaf.c_str(), 0755) != 0 && errno != EEXIST) return false;
    std::istringstream pids(read_file(own + "/cgroup.procs"));
    std::string pid;
    while (pids >> pid) write_file(leaf + "/cgroup.procs", pid);
  }
  return false;
}

void Cgroups::find_hierarchies() {
  std::istringstream mounts(read_file("/proc/self/mounts"));
  std::string line;
  const std::string name = std::string("/") + kPrefix + std::to_string(::getpid());
  while (std::getline(mounts, line)) {
    std::istringstream words(line);
    std::string device, mount, type, options;
    words >> device >> mount >> type >> options;
    const std::string list = "," + options + ",";
    const auto take = [&](const char* controller, std::string* into) {
      if (list.find(std::string(",") + controller + ",") == std::string::npos) return;
      const std::string own = own_folder(mount, controller);
      if (own.empty()) return;
      remove_stale(own);
      if (::mkdir((own + name).c_str(), 0755) == 0 || errno == EEXIST) *into = own + name;
    };
    if (type == "cgroup") {
      take("memory", &memory_);
      take("pids", &pids_);
      take("cpu", &cpu_);
    } else if (type == "cgroup2") {
      std::string own = own_folder(mount, "");
      if (own.empty()) continue;
      // Moved there by an instance before this one, or with the shell that starts both.
      const std::string moved = std::string("/") + kOwnLeaf;
      if (own.ends_with(moved)) own.resize(own.size() - moved.size());
      remove_stale(own);
      const bool controls = enable_v2_controllers(own);
      if (::mkdir((own + name).c_str(), 0755) != 0 && errno != EEXIST) continue;
      unified_ = own + name;
      if (controls && write_file(unified_ + "/cgroup.subtree_control", kControllers))
        mode_ = CgroupMode::v2;
    }
  }
}

void Cgroups::open() {
  find_hierarchies();
  if (mode_ == CgroupMode::v2) {
    memory_ = pids_ = cpu_ = "";
  } else if (!memory_.empty() && !pids_.empty()) {
    mode_ = CgroupMode::v1;
  }
}

std::string Cgroups::describe() const {
  const std::string freeze = can_freeze() ? ", v2 freezer" : ", no v2 freezer (SIGSTOP)";
  switch (mode_) {
    case CgroupMode::v2:
      return "cgroup v2 (memory, pids)" + freeze;
    case CgroupMode::v1:
      return "cgroup v1 (memory, pids)" + freeze;
    case CgroupMode::none:
      return "no cgroup limits (rlimits only)" + freeze;
  }
  return {};
}

bool Cgroups::create(uint32_t sandbox, Cgroup* out) {
  const std::string leaf = "/" + std::to_string(sandbox);
  for (const std::string* parent : {&memory_, &pids_, &unified_}) {
    if (parent->empty()) continue;
    const std::string folder = *parent + leaf;
    if (::mkdir(folder.c_str(), 0755) != 0 && errno != EEXIST) {
      remove(*out);
      *out = {};
      return false;
    }
    out->folders.push_back(folder);
    if (parent == &memory_ || (parent == &unified_ && mode_ == CgroupMode::v2))
      out->memory_folder = folder;
    if (parent == &unified_) out->unified_folder = folder;
  }
  // A sandbox that no function has taken yet runs trusted code; its function's own limits come with
  // the assignment.
  limit_memory(*out, int64_t{512} << 20);
  limit_processes(*out, kProcessesMax);
  return true;
}

std::vector<int> Cgroups::open_procs(const Cgroup& group) const {
  std::vector<int> fds;
  for (const auto& folder : group.folders) {
    const int fd = ::open((folder + "/cgroup.procs").c_str(), O_WRONLY | O_CLOEXEC);
    if (fd >= 0) fds.push_back(fd);
  }
  return fds;
}

int Cgroups::open_memory_peak(const Cgroup& group) const {
  if (group.memory_folder.empty()) return -1;
  const char* file = mode_ == CgroupMode::v2 ? "/memory.peak" : "/memory.max_usage_in_bytes";
  return ::open((group.memory_folder + file).c_str(), O_RDONLY | O_CLOEXEC);
}

int Cgroups::open_freeze(const Cgroup& group) const {
  if (group.unified_folder.empty()) return -1;
  return ::open((group.unified_folder + "/cgroup.freeze").c_str(), O_WRONLY | O_CLOEXEC);
}

void Cgroups::limit_memory(const Cgroup& group, int64_t limit) const {
  const std::string bytes = std::to_string(limit);
  for (const auto& folder : group.folders) {
    if (folder == group.memory_folder && mode_ == CgroupMode::v1) {
      // Memory with swap (where it is accounted) may not be below memory alone, so one of the two
      // orders fails.
      if (!write_file(folder + "/memory.limit_in_bytes", bytes)) {
        write_file(folder + "/memory.memsw.limit_in_bytes", bytes);
        write_file(folder + "/memory.limit_in_bytes", bytes);
      }
      write_file(folder + "/memory.memsw.limit_in_bytes", bytes);
    } else if (folder == group.memory_folder) {
      write_file(folder + "/memory.max", bytes);
      write_file(folder + "/memory.swap.max", "0");
      write_file(folder + "/memory.oom.group", "1");
    }
  }
}

void Cgroups::limit_processes(const Cgroup& group, int64_t count) const {
  for (const auto& folder : group.folders) {
    if (mode_ == CgroupMode::v2 || (!pids_.empty() && folder.starts_with(pids_)))
      write_file(folder + "/pids.max", std::to_string(count));
  }
}

int64_t Cgroups::memory_peak(const Cgroup& group) const {
  if (group.memory_folder.empty()) return 0;
  const char* file = mode_ == CgroupMode::v2 ? "/memory.peak" : "/memory.max_usage_in_bytes";
  return atoll(read_file(group.memory_folder + file).c_str());
}

int64_t Cgroups::oom_kills(const Cgroup& group) const {
  if (group.memory_folder.empty()) return 0;
  const char* file = mode_ == CgroupMode::v2 ? "/memory.events" : "/memory.oom_control";
  return field(read_file(group.memory_folder + file), "oom_kill");
}

bool Cgroups::remove(const Cgroup& group) const {
  // What carried its connections may be frozen with it; of the function nothing is left.
  if (!group.unified_folder.empty()) write_file(group.unified_folder + "/cgroup.freeze", "0");
  bool all = true;
  for (const auto& folder : group.folders)
    if (::rmdir(folder.c_str()) != 0 && errno != ENOENT) all = false;
  return all;
}

void Cgroups::close() {
  for (const std::string* folder : {&memory_, &pids_, &cpu_, &unified_})
    if (!folder->empty()) remove_tree(*folder);
}

}  // namespace virga::sandbox
