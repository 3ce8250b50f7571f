#include <algorithm>
#include <cstring>
#include <map>
#include <mutex>
#include <set>
#include <shared_mutex>

#include "storage/file_system.h"

namespace virga::storage {
namespace {

constexpr size_t kChunkBytes = 64 * 1024;

std::unexpected<AwsError> not_found(const std::string& path) {
  return fail(kFileNotFound, 500, path + ": no such file or directory");
}

// The content of one file, in chunks so that growing copies nothing. Shared by its name and its
// open handles.
struct Content {
  mutable std::shared_mutex mutex;
  std::vector<std::unique_ptr<char[]>> chunks;
  uint64_t size = 0;

  size_t read(uint64_t offset, std::span<char> out) const {
    const std::shared_lock lock(mutex);
    if (offset >= size) return 0;
    const size_t count = std::min<uint64_t>(out.size(), size - offset);
    for (size_t done = 0; done < count;) {
      const uint64_t at = offset + done;
      const size_t part = std::min(count - done, kChunkBytes - at % kChunkBytes);
      std::memcpy(out.data() + done, chunks[at / kChunkBytes].get() + at % kChunkBytes, part);
      done += part;
    }
    return count;
  }
  void grow(uint64_t to) {
    while (chunks.size() * kChunkBytes < to)
      chunks.push_back(std::make_unique<char[]>(kChunkBytes));
    size = std::max(size, to);
  }
  void write(uint64_t offset, std::string_view bytes) {
    const std::unique_lock lock(mutex);
    grow(offset + bytes.size());
    for (size_t done = 0; done < bytes.size();) {
      const uint64_t at = offset + done;
      const size_t part = std::min(bytes.size() - done, kChunkBytes - at % kChunkBytes);
      std::memcpy(chunks[at / kChunkBytes].get() + at % kChunkBytes, bytes.data() + done, part);
      done += part;
    }
  }
  void truncate(uint64_t to) {
    const std::unique_lock lock(mutex);
    if (to >= size) return grow(to);
    chunks.resize((to + kChunkBytes - 1) / kChunkBytes);
    if (to % kChunkBytes != 0)
      std::memset(chunks.back().get() + to % kChunkBytes, 0, kChunkBytes - to % kChunkBytes);
    size = to;
  }
};

class MemoryFile final : public File {
 public:
  explicit MemoryFile(std::shared_ptr<Content> content) : content_(std::move(content)) {}
  Result<size_t> read_at(uint64_t offset, std::span<char> out) const override {
    return content_->read(offset, out);
  }
  Result<void> write_at(uint64_t offset, std::string_view bytes) override {
    content_->write(offset, bytes);
    return {};
  }
  Result<void> sync() override { return {}; }
  Result<void> truncate(uint64_t size) override {
    content_->truncate(size);
    return {};
  }
  Result<uint64_t> size() const override {
    const std::shared_lock lock(content_->mutex);
    return content_->size;
  }

 private:
  std::shared_ptr<Content> content_;  // shared with the directory entry and other handles
};

class MemoryFileSystem final : public FileSystem {
 public:
  Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override {
    const std::lock_guard lock(mutex_);
    auto found = files_.find(path);
    if (found == files_.end()) {
      if (mode == OpenMode::read || mode == OpenMode::write) return not_found(path);
      found = files_.emplace(path, std::make_shared<Content>()).first;
    } else if (mode == OpenMode::create_new) {
      found->second->truncate(0);
    }
    return std::make_unique<MemoryFile>(found->second);
  }
  Result<void> remove(const std::string& path) override {
    const std::lock_guard lock(mutex_);
    if (files_.erase(path) == 0) return not_found(path);
    return {};
  }
  Result<void> rename(const std::string& from, const std::string& to) override {
    const std::lock_guard lock(mutex_);
    const auto found = files_.find(from);
    if (found == files_.end()) return not_found(from);
    auto content = std::move(found->second);
    files_.erase(found);
    files_[to] = std::move(content);
    return {};
  }
  Result<std::vector<std::string>> list(const std::string& dir) override {
    const std::lock_guard lock(mutex_);
    if (!dirs_.contains(dir)) return not_found(dir);
    const std::string prefix = dir + "/";
    std::vector<std::string> names;
    for (auto at = files_.lower_bound(prefix); at != files_.end() && at->first.starts_with(prefix);
         ++at) {
      if (at->first.find('/', prefix.size()) == std::string::npos)
        names.push_back(at->first.substr(prefix.size()));
    }
    for (auto at = dirs_.lower_bound(prefix); at != dirs_.end() && at->starts_with(prefix); ++at) {
      if (at->find('/', prefix.size()) == std::string::npos)
        names.push_back(at->substr(prefix.size()));
    }
    return names;
  }
  Result<FileInfo> info(const std::string& path) override {
    const std::lock_guard lock(mutex_);
    if (dirs_.contains(path)) return FileInfo{.is_directory = true};
    const auto found = files_.find(path);
    if (found == files_.end()) return not_found(path);
    const std::shared_lock content(found->second->mutex);
    return FileInfo{.size = found->second->size};
  }
  Result<void> make_dir(const std::string& path) override {
    const std::lock_guard lock(mutex_);
    for (size_t at = 1; at <= path.size(); ++at) {
      if (at == path.size() || path[at] == '/') dirs_.insert(path.substr(0, at));
    }
    return {};
  }
  Result<void> remove_dir(const std::string& path) override {
    const std::lock_guard lock(mutex_);
    if (dirs_.erase(path) == 0) return not_found(path);
    return {};
  }
  Result<void> sync_dir(const std::string&) override { return {}; }
  Result<std::unique_ptr<FileLock>> lock(const std::string&) override {
    return std::make_unique<FileLock>();
  }
  Result<uint64_t> free_bytes(const std::string&) override { return uint64_t{1} << 50; }

 private:
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<Content>> files_;
  std::set<std::string> dirs_;
};

}  // namespace

std::unique_ptr<FileSystem> make_memory_file_system() {
  return std::make_unique<MemoryFileSystem>();
}

}  // namespace virga::storage
