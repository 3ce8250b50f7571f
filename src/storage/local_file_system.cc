#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/uio.h>
#include <unistd.h>

#include "storage/file_system.h"
#include "storage/local_access.h"

namespace virga::storage {
namespace {

std::unexpected<AwsError> system_error(const char* what, const std::string& path, int error) {
  const char* code = kFileIoError;
  if (error == ENOENT) code = kFileNotFound;
  if (error == ENOSPC || error == EDQUOT) code = kFileNoSpace;
  if (error == EWOULDBLOCK) code = kFileLocked;
  return fail(code, 500, std::string(what) + " " + path + ": " + strerror(error));
}

class LocalFile final : public File, public LocalAccess {
 public:
  LocalFile(int fd, std::string path) : fd_(fd), path_(std::move(path)) {}
  ~LocalFile() override { ::close(fd_); }

  Result<size_t> read_at(uint64_t offset, std::span<char> out) const override {
    size_t done = 0;
    while (done < out.size()) {
      const ssize_t n =
          ::pread(fd_, out.data() + done, out.size() - done, static_cast<off_t>(offset + done));
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return system_error("read", path_, errno);
      if (n == 0) break;
      done += static_cast<size_t>(n);
    }
    return done;
  }
  Result<void> write_at(uint64_t offset, std::string_view bytes) override {
    size_t done = 0;
    while (done < bytes.size()) {
      const ssize_t n = ::pwrite(fd_, bytes.data() + done, bytes.size() - done,
                                 static_cast<off_t>(offset + done));
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return system_error("write", path_, errno);
      done += static_cast<size_t>(n);
    }
    return {};
  }
  Result<void> sync() override {
    if (::fdatasync(fd_) != 0) return system_error("sync", path_, errno);
    return {};
  }
  Result<void> truncate(uint64_t size) override {
    if (::ftruncate(fd_, static_cast<off_t>(size)) != 0)
      return system_error("truncate", path_, errno);
    return {};
  }
  Result<uint64_t> size() const override {
    struct stat st;
    if (::fstat(fd_, &st) != 0) return system_error("stat", path_, errno);
    return static_cast<uint64_t>(st.st_size);
  }

  int descriptor() const override { return fd_; }
  bool read_cached(uint64_t offset, std::span<char> out) const override {
    const iovec part{out.data(), out.size()};
    const ssize_t n = ::preadv2(fd_, &part, 1, static_cast<off_t>(offset), RWF_NOWAIT);
    return n >= 0 && static_cast<size_t>(n) == out.size();
  }
  void begin_writeback(uint64_t offset, uint64_t count) override {
    // File systems that cannot do it write at the sync.
    static_cast<void>(::sync_file_range(fd_, static_cast<off_t>(offset), static_cast<off_t>(count),
                                        SYNC_FILE_RANGE_WRITE));
  }

 private:
  int fd_;
  std::string path_;
};

class LocalLock final : public FileLock {
 public:
  explicit LocalLock(int fd) : fd_(fd) {}
  ~LocalLock() override { ::close(fd_); }

 private:
  int fd_;
};

class LocalFileSystem final : public FileSystem {
 public:
  Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override {
    int flags = O_CLOEXEC | (mode == OpenMode::read ? O_RDONLY : O_RDWR);
    if (mode == OpenMode::create) flags |= O_CREAT;
    if (mode == OpenMode::create_new) flags |= O_CREAT | O_TRUNC;
    const int fd = ::open(path.c_str(), flags, 0600);
    if (fd < 0) return system_error("open", path, errno);
    return std::make_unique<LocalFile>(fd, path);
  }
  Result<void> remove(const std::string& path) override {
    if (::unlink(path.c_str()) != 0) return system_error("remove", path, errno);
    return {};
  }
  Result<void> rename(const std::string& from, const std::string& to) override {
    if (::rename(from.c_str(), to.c_str()) != 0) return system_error("rename", from, errno);
    return {};
  }
  Result<std::vector<std::string>> list(const std::string& dir) override {
    DIR* const handle = ::opendir(dir.c_str());
    if (!handle) return system_error("list", dir, errno);
    std::vector<std::string> names;
    while (const dirent* entry = ::readdir(handle)) {
      const std::string_view name = entry->d_name;
      if (name != "." && name != "..") names.emplace_back(name);
    }
    ::closedir(handle);
    return names;
  }
  Result<FileInfo> info(const std::string& path) override {
    struct stat st;
    if (::stat(path.c_str(), &st) != 0) return system_error("stat", path, errno);
    return FileInfo{.size = static_cast<uint64_t>(st.st_size),
                    .is_directory = S_ISDIR(st.st_mode),
                    .modified_seconds = st.st_mtim.tv_sec};
  }
  Result<void> make_dir(const std::string& path) override {
    for (size_t at = 1; at <= path.size(); ++at) {
      if (at != path.size() && path[at] != '/') continue;
      const std::string part = path.substr(0, at);
      if (::mkdir(part.c_str(), 0700) != 0 && errno != EEXIST)
        return system_error("make", part, errno);
    }
    return {};
  }
  Result<void> remove_dir(const std::string& path) override {
    if (::rmdir(path.c_str()) != 0) return system_error("remove", path, errno);
    return {};
  }
  Result<void> sync_dir(const std::string& path) override {
    const int fd = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return system_error("open", path, errno);
    const int synced = ::fsync(fd);
    const int error = errno;
    ::close(fd);
    if (synced != 0) return system_error("sync", path, error);
    return {};
  }
  Result<std::unique_ptr<FileLock>> lock(const std::string& path) override {
    const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) return system_error("open", path, errno);
    if (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
      const int error = errno;
      ::close(fd);
      if (error == EWOULDBLOCK)
        return fail(kFileLocked, 500, path + " is locked: another process has this folder open");
      return system_error("lock", path, error);
    }
    return std::make_unique<LocalLock>(fd);
  }
  Result<uint64_t> free_bytes(const std::string& path) override {
    struct statvfs st;
    if (::statvfs(path.c_str(), &st) != 0) return system_error("statvfs", path, errno);
    return static_cast<uint64_t>(st.f_bavail) * st.f_frsize;
  }
};

}  // namespace

FileSystem& local_file_system() {
  static LocalFileSystem fs;
  return fs;
}

}  // namespace virga::storage
