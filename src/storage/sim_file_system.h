#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "storage/file_system.h"

namespace virga::storage {

// The simulation's disk. It remembers what was synced and what was only written: crash() keeps the
// first and, of the second, whatever chance lets: each 512-byte sector of a write and each tail of
// a directory's unsynced changes may be lost. As strict as POSIX allows: syncing a file does not
// keep its name; only syncing the directory does.
class SimFileSystem final : public FileSystem {
 public:
  using Chance = std::function<uint64_t(uint64_t bound)>;
  explicit SimFileSystem(Chance chance) : chance_(std::move(chance)) {}

  // ---- faults
  // The machine stops at the n-th sync from now (1: the next), either before it has any effect or
  // right after.
  enum class CrashSide { before, after };
  void crash_at_sync(uint64_t n, CrashSide side);
  // The n-th sync from now fails with EIO and loses what it should have kept; later calls work.
  void fail_sync(uint64_t n) { fail_sync_in_ = n; }
  void set_capacity(uint64_t bytes) { capacity_ = bytes; }
  // From now on every call fails: the process cannot do anything any more.
  void stop() { stopped_ = true; }
  bool stopped() const { return stopped_; }
  uint64_t syncs() const { return syncs_; }

  // The power came back: loses what was not synced and works again.
  void crash();
  // Only the process died: what was written is still there.
  void restart();
  // Flips a bit of a file's content, durable or not.
  void damage(const std::string& path, uint64_t offset);

  // Called with each operation: name, path, offset or size. For comparing two runs.
  std::function<void(const std::string&)> on_operation;

  Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override;
  Result<void> remove(const std::string& path) override;
  Result<void> rename(const std::string& from, const std::string& to) override;
  Result<std::vector<std::string>> list(const std::string& dir) override;
  Result<FileInfo> info(const std::string& path) override;
  Result<void> make_dir(const std::string& path) override;
  Result<void> remove_dir(const std::string& path) override;
  Result<void> sync_dir(const std::string& path) override;
  Result<std::unique_ptr<FileLock>> lock(const std::string& path) override;
  Result<uint64_t> free_bytes(const std::string& path) override;

 private:
  friend class SimFile;
  class SimLock;
  struct Write {
    uint64_t offset;
    std::string bytes;
    bool truncates = false;  // to `offset`
  };
  struct Inode {
    std::string current;
    std::string durable;
    std::vector<Write> unsynced;
  };
  using InodePtr = std::shared_ptr<Inode>;  // shared by names, durable and current, and open files
  // A change of names in one directory: the name then stands for `inode`, or for nothing.
  struct NameChange {
    std::string path;
    InodePtr inode;
    std::string moved_from;  // this name ends in the same step
  };

  Result<void> alive(const char* operation, const std::string& path, uint64_t number = 0);
  // Before and after a sync's effect; an error when the machine stopped or the sync fails.
  Result<bool> begin_sync();  // false: fail this one
  Result<void> end_sync();
  void change_name(const std::string& path, InodePtr inode, const std::string& moved_from = {});
  void make_durable(const NameChange& change);
  void lose_unsynced(Inode& inode);
  uint64_t used() const;

  mutable std::recursive_mutex mutex_;
  Chance chance_;
  std::map<std::string, InodePtr> names_, durable_names_;
  std::map<std::string, std::vector<NameChange>> unsynced_names_;  // by directory, oldest first
  std::set<std::string> dirs_;
  std::set<std::string> locked_;
  bool stopped_ = false;
  uint64_t syncs_ = 0;
  uint64_t crash_in_ = 0, fail_sync_in_ = 0;
  CrashSide crash_side_ = CrashSide::before;
  uint64_t capacity_ = uint64_t{1} << 50;
};

}  // namespace virga::storage
