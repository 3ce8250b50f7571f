// Control groups of sandboxes: memory and process limits, peaks, out-of-memory counts. One driver
// for cgroup v1, v2, both (hybrid) and none. Lives in the launcher.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

namespace virga::sandbox {

enum class CgroupMode { none, v1, v2 };

// One sandbox's group in each hierarchy that takes part.
struct Cgroup {
  std::vector<std::string> folders;
  std::string memory_folder;  // the one with the memory files; empty without
  std::string unified_folder;
  bool empty() const { return folders.empty(); }
};

class Cgroups {
 public:
  // Finds what this process may use and removes groups that dead instances left. Never fails:
  // mode() none is an answer.
  void open();
  CgroupMode mode() const { return mode_; }
  bool can_freeze() const { return !unified_.empty(); }
  // One line for people: which controllers limit what.
  std::string describe() const;

  // Makes a sandbox's groups. False (and nothing made) when the kernel refuses.
  bool create(uint32_t sandbox, Cgroup* out);
  // Descriptors of cgroup.procs, to be written "0" by the process that joins. Owned by the caller.
  std::vector<int> open_procs(const Cgroup& group) const;
  // A descriptor that reads the peak of memory in bytes as text; -1 without.
  int open_memory_peak(const Cgroup& group) const;
  // A descriptor of cgroup.freeze ("1" stops, "0" continues all of it); -1 without the unified
  // hierarchy.
  int open_freeze(const Cgroup& group) const;
  void limit_memory(const Cgroup& group, int64_t bytes) const;
  void limit_processes(const Cgroup& group, int64_t count) const;
  int64_t memory_peak(const Cgroup& group) const;
  int64_t oom_kills(const Cgroup& group) const;
  // False while processes are left.
  bool remove(const Cgroup& group) const;
  // Removes this instance's own groups.
  void close();

 private:
  void find_hierarchies();
  bool enable_v2_controllers(const std::string& own) const;
  static void remove_stale(const std::string& parent);

  CgroupMode mode_ = CgroupMode::none;
  std::string memory_, pids_, cpu_;  // this instance's folder in each v1 hierarchy
  std::string unified_;              // and in the unified one
};

}  // namespace virga::sandbox
