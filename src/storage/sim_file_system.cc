#include "storage/sim_file_system.h"

#include <algorithm>
#include <cstring>

namespace virga::storage {
namespace {

constexpr size_t kSectorBytes = 512;

std::unexpected<AwsError> not_found(const std::string& path) {
  return fail(kFileNotFound, 500, path + ": no such file or directory");
}

std::string parent_of(const std::string& path) {
  return path.substr(0, path.rfind('/'));
}

void write_into(std::string& content, uint64_t offset, std::string_view bytes) {
  if (content.size() < offset + bytes.size()) content.resize(offset + bytes.size(), '\0');
  std::memcpy(content.data() + offset, bytes.data(), bytes.size());
}

}  // namespace

class SimFile final : public File {
 public:
  SimFile(SimFileSystem& fs, std::shared_ptr<SimFileSystem::Inode> inode, std::string path)
      : fs_(fs), inode_(std::move(inode)), path_(std::move(path)) {}
  Result<size_t> read_at(uint64_t offset, std::span<char> out) const override {
    const std::lock_guard lock(fs_.mutex_);
    VIRGA_TRY_VOID(fs_.alive("read", path_, offset));
    if (offset >= inode_->current.size()) return size_t{0};
    const size_t count = std::min<uint64_t>(out.size(), inode_->current.size() - offset);
    std::memcpy(out.data(), inode_->current.data() + offset, count);
    return count;
  }
  Result<void> write_at(uint64_t offset, std::string_view bytes) override {
    const std::lock_guard lock(fs_.mutex_);
    VIRGA_TRY_VOID(fs_.alive("write", path_, offset + bytes.size()));
    const uint64_t end = offset + bytes.size();
    if (end > inode_->current.size() && fs_.used() + end - inode_->current.size() > fs_.capacity_) {
      return fail(kFileNoSpace, 500, path_ + ": no space left on device");
    }
    write_into(inode_->current, offset, bytes);
    inode_->unsynced.push_back({offset, std::string(bytes)});
    return {};
  }
  Result<void> sync() override {
    const std::lock_guard lock(fs_.mutex_);
    VIRGA_TRY_VOID(fs_.alive("sync", path_));
    VIRGA_TRY(works, fs_.begin_sync());
    if (!works) {
      fs_.lose_unsynced(*inode_);
      return fail(kFileIoError, 500, "sync " + path_ + ": input/output error");
    }
    for (const auto& write : inode_->unsynced) {
      if (write.truncates) {
        inode_->durable.resize(write.offset, '\0');
      } else {
        write_into(inode_->durable, write.offset, write.bytes);
      }
    }
    inode_->unsynced.clear();
    return fs_.end_sync();
  }
  Result<void> truncate(uint64_t size) override {
    const std::lock_guard lock(fs_.mutex_);
    VIRGA_TRY_VOID(fs_.alive("truncate", path_, size));
    inode_->current.resize(size, '\0');
    inode_->unsynced.push_back({size, {}, true});
    return {};
  }
  Result<uint64_t> size() const override {
    const std::lock_guard lock(fs_.mutex_);
    VIRGA_TRY_VOID(fs_.alive("size", path_));
    return inode_->current.size();
  }

 private:
  SimFileSystem& fs_;
  std::shared_ptr<SimFileSystem::Inode> inode_;
  std::string path_;
};

class SimFileSystem::SimLock final : public FileLock {
 public:
  SimLock(SimFileSystem& fs, std::string path) : fs_(fs), path_(std::move(path)) {}
  ~SimLock() override {
    const std::lock_guard lock(fs_.mutex_);
    fs_.locked_.erase(path_);
  }

 private:
  SimFileSystem& fs_;
  std::string path_;
};

// ---- faults
// -------------------------------------------------------------------------------------------------------

void SimFileSystem::crash_at_sync(uint64_t n, CrashSide side) {
  crash_in_ = n;
  crash_side_ = side;
}

Result<void> SimFileSystem::alive(const char* operation, const std::string& path, uint64_t number) {
  if (stopped_) return fail(kFileIoError, 500, "the machine has stopped");
  if (on_operation)
    on_operation(std::string(operation) + " " + path + " " + std::to_string(number));
  return {};
}

Result<bool> SimFileSystem::begin_sync() {
  ++syncs_;
  if (fail_sync_in_ > 0 && --fail_sync_in_ == 0) return false;
  if (crash_in_ > 0 && --crash_in_ == 0) {
    stopped_ = true;
    if (crash_side_ == CrashSide::before) return fail(kFileIoError, 500, "the machine has stopped");
  }
  return true;
}

Result<void> SimFileSystem::end_sync() {
  if (stopped_) return fail(kFileIoError, 500, "the machine has stopped");
  return {};
}

void SimFileSystem::lose_unsynced(Inode& inode) {
  // 0: all lost; 1: all kept; else: each sector by itself.
  const uint64_t mode = chance_(4);
  for (const Write& write : inode.unsynced) {
    if (write.truncates) {
      if (mode != 0 && chance_(2) == 0) inode.durable.resize(write.offset, '\0');
      continue;
    }
    for (size_t at = 0; at < write.bytes.size();) {
      const uint64_t position = write.offset + at;
      const size_t part = std::min(write.bytes.size() - at, kSectorBytes - position % kSectorBytes);
      if (mode == 1 || (mode > 1 && chance_(2) == 0)) {
        write_into(inode.durable, position, std::string_view(write.bytes).substr(at, part));
      }
      at += part;
    }
  }
  inode.unsynced.clear();
  inode.current = inode.durable;
}

void SimFileSystem::crash() {
  const std::lock_guard lock(mutex_);
  for (auto& [dir, changes] : unsynced_names_) {
    changes.resize(
        chance_(changes.size() + 1));  // directories are journalled: what is kept is a prefix
    for (const NameChange& change : changes) make_durable(change);
  }
  unsynced_names_.clear();
  names_ = durable_names_;
  for (auto& [path, inode] : names_) lose_unsynced(*inode);
  restart();
}

void SimFileSystem::restart() {
  const std::lock_guard lock(mutex_);
  stopped_ = false;
  crash_in_ = fail_sync_in_ = 0;
}

void SimFileSystem::damage(const std::string& path, uint64_t offset) {
  const std::lock_guard lock(mutex_);
  Inode& inode = *names_.at(path);
  inode.current.at(offset) ^= 0x10;
  if (offset < inode.durable.size()) inode.durable[offset] ^= 0x10;
}

uint64_t SimFileSystem::used() const {
  uint64_t bytes = 0;
  for (const auto& [path, inode] : names_) bytes += inode->current.size();
  return bytes;
}

// ---- names
// --------------------------------------------------------------------------------------------------------

void SimFileSystem::change_name(const std::string& path, InodePtr inode,
                                const std::string& moved_from) {
  if (inode) {
    names_[path] = inode;
  } else {
    names_.erase(path);
  }
  if (!moved_from.empty()) names_.erase(moved_from);
  unsynced_names_[parent_of(path)].push_back({path, std::move(inode), moved_from});
}

void SimFileSystem::make_durable(const NameChange& change) {
  if (change.inode) {
    durable_names_[change.path] = change.inode;
  } else {
    durable_names_.erase(change.path);
  }
  if (!change.moved_from.empty()) durable_names_.erase(change.moved_from);
}

Result<std::unique_ptr<File>> SimFileSystem::open(const std::string& path, OpenMode mode) {
  const std::lock_guard lock(mutex_);
  VIRGA_TRY_VOID(alive("open", path));
  const auto found = names_.find(path);
  if (found != names_.end()) {
    const InodePtr inode = found->second;
    if (mode == OpenMode::create_new) {
      inode->current.clear();
      inode->unsynced.push_back({0, {}, true});
    }
    return std::make_unique<SimFile>(*this, inode, path);
  }
  if (mode == OpenMode::read || mode == OpenMode::write || !dirs_.contains(parent_of(path)))
    return not_found(path);
  auto inode = std::make_shared<Inode>();
  change_name(path, inode);
  return std::make_unique<SimFile>(*this, std::move(inode), path);
}

Result<void> SimFileSystem::remove(const std::string& path) {
  const std::lock_guard lock(mutex_);
  VIRGA_TRY_VOID(alive("remove", path));
  if (!names_.contains(path)) return not_found(path);
  change_name(path, nullptr);
  return {};
}

// Within one directory, as all callers use it: one step of the journal, so a crash keeps the old or
// the new name.
Result<void> SimFileSystem::rename(const std::string& from, const std::string& to) {
  const std::lock_guard lock(mutex_);
  VIRGA_TRY_VOID(alive("rename", from));
  const auto found = names_.find(from);
  if (found == names_.end()) return not_found(from);
  const InodePtr inode = found->second;
  change_name(to, inode, from == to ? std::string() : from);
  return {};
}

Result<std::vector<std::string>> SimFileSystem::list(const std::string& dir) {
  const std::lock_guard lock(mutex_);
  VIRGA_TRY_VOID(alive("list", dir));
  if (!dirs_.contains(dir)) return not_found(dir);
  const std::string prefix = dir + "/";
  std::vector<std::string> out;
  for (const auto& [path, inode] : names_) {
    if (path.starts_with(prefix) && path.find('/', prefix.size()) == std::string::npos)
      out.push_back(path.substr(prefix.size()));
  }
  for (const auto& path : dirs_) {
    if (path.starts_with(prefix) && path.find('/', prefix.size()) == std::string::npos)
      out.push_back(path.substr(prefix.size()));
  }
  return out;
}

Result<FileInfo> SimFileSystem::info(const std::string& path) {
  const std::lock_guard lock(mutex_);
  VIRGA_TRY_VOID(alive("info", path));
  if (dirs_.contains(path)) return FileInfo{.is_directory = true};
  const auto found = names_.find(path);
  if (found == names_.end()) return not_found(path);
  return FileInfo{.size = found->second->current.size()};
}

// Directories are made once and survive at once; what matters is what is in them.
Result<void> SimFileSystem::make_dir(const std::string& path) {
  const std::lock_guard lock(mutex_);
  VIRGA_TRY_VOID(alive("make_dir", path));
  for (size_t at = 1; at <= path.size(); ++at) {
    if (at == path.size() || path[at] == '/') dirs_.insert(path.substr(0, at));
  }
  return {};
}

Result<void> SimFileSystem::remove_dir(const std::string& path) {
  const std::lock_guard lock(mutex_);
  VIRGA_TRY_VOID(alive("remove_dir", path));
  if (dirs_.erase(path) == 0) return not_found(path);
  return {};
}

Result<void> SimFileSystem::sync_dir(const std::string& path) {
  const std::lock_guard lock(mutex_);
  VIRGA_TRY_VOID(alive("sync_dir", path));
  VIRGA_TRY(works, begin_sync());
  if (!works) return fail(kFileIoError, 500, "sync " + path + ": input/output error");
  for (const NameChange& change : unsynced_names_[path]) make_durable(change);
  unsynced_names_.erase(path);
  return end_sync();
}

Result<std::unique_ptr<FileLock>> SimFileSystem::lock(const std::string& path) {
  const std::lock_guard lock(mutex_);
  VIRGA_TRY_VOID(alive("lock", path));
  if (!locked_.insert(path).second) return fail(kFileLocked, 500, path + " is locked");
  return std::make_unique<SimLock>(*this, path);
}

Result<uint64_t> SimFileSystem::free_bytes(const std::string& path) {
  const std::lock_guard lock(mutex_);
  VIRGA_TRY_VOID(alive("free_bytes", path));
  const uint64_t taken = used();
  return capacity_ > taken ? capacity_ - taken : 0;
}

}  // namespace virga::storage
