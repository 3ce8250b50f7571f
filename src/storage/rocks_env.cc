#include "storage/rocks_env.h"

#include <rocksdb/file_system.h>
#include <rocksdb/system_clock.h>

#include <cstring>
#include <map>

namespace virga::storage {
namespace {

using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;
using rocksdb::Slice;

IOStatus to_status(const AwsError& e) {
  if (is_not_found(e)) return IOStatus::PathNotFound(e.message);
  if (is_no_space(e)) return IOStatus::NoSpace(e.message);
  return IOStatus::IOError(e.message);
}
template <class T>
IOStatus to_status(const Result<T>& result) {
  return result ? IOStatus::OK() : to_status(result.error());
}

class SequentialFile final : public rocksdb::FSSequentialFile {
 public:
  explicit SequentialFile(std::unique_ptr<File> file) : file_(std::move(file)) {}
  IOStatus Read(size_t n, const IOOptions&, Slice* result, char* scratch,
                IODebugContext*) override {
    const auto got = file_->read_at(at_, {scratch, n});
    if (!got) return to_status(got);
    at_ += *got;
    *result = Slice(scratch, *got);
    return IOStatus::OK();
  }
  IOStatus Skip(uint64_t n) override {
    at_ += n;
    return IOStatus::OK();
  }

 private:
  std::unique_ptr<File> file_;
  uint64_t at_ = 0;
};

class RandomAccessFile final : public rocksdb::FSRandomAccessFile {
 public:
  explicit RandomAccessFile(std::unique_ptr<File> file) : file_(std::move(file)) {}
  IOStatus Read(uint64_t offset, size_t n, const IOOptions&, Slice* result, char* scratch,
                IODebugContext*) const override {
    const auto got = file_->read_at(offset, {scratch, n});
    if (!got) return to_status(got);
    *result = Slice(scratch, *got);
    return IOStatus::OK();
  }

 private:
  std::unique_ptr<File> file_;
};

std::string_view file_name(std::string_view path) {
  return path.substr(path.rfind('/') + 1);
}

// Files that RocksDB writes at each start and that tell it nothing at the next: which options it
// was opened with, and (of a new database) an identity that only its own logs speak of. They need
// not survive a crash, so nobody waits for the disk.
bool is_disposable(std::string_view name) {
  return name.starts_with("OPTIONS-") || name == "IDENTITY" || name == "000000.dbtmp";
}

enum class Syncs { yes, no };

class WritableFile final : public rocksdb::FSWritableFile {
 public:
  WritableFile(std::unique_ptr<File> file, uint64_t at, Syncs syncs)
      : file_(std::move(file)), at_(at), syncs_(syncs) {}
  using FSWritableFile::Append;
  IOStatus Append(const Slice& data, const IOOptions&, IODebugContext*) override {
    const auto written = file_->write_at(at_, {data.data(), data.size()});
    if (!written) return to_status(written);
    at_ += data.size();
    return IOStatus::OK();
  }
  IOStatus Append(const Slice& data, const IOOptions& options, const rocksdb::DataVerificationInfo&,
                  IODebugContext* debug) override {
    return Append(data, options, debug);
  }
  IOStatus Truncate(uint64_t size, const IOOptions&, IODebugContext*) override {
    at_ = size;
    return to_status(file_->truncate(size));
  }
  IOStatus Close(const IOOptions&, IODebugContext*) override {
    file_.reset();
    return IOStatus::OK();
  }
  IOStatus Flush(const IOOptions&, IODebugContext*) override { return IOStatus::OK(); }
  IOStatus Sync(const IOOptions&, IODebugContext*) override {
    return syncs_ == Syncs::yes ? to_status(file_->sync()) : IOStatus::OK();
  }
  uint64_t GetFileSize(const IOOptions&, IODebugContext*) override { return at_; }

 private:
  std::unique_ptr<File> file_;
  uint64_t at_;
  const Syncs syncs_;
};

class Directory final : public rocksdb::FSDirectory {
 public:
  Directory(FileSystem& fs, std::string path) : fs_(fs), path_(std::move(path)) {}
  IOStatus Fsync(const IOOptions&, IODebugContext*) override {
    return to_status(fs_.sync_dir(path_));
  }
  IOStatus FsyncWithDirOptions(const IOOptions& options, IODebugContext* debug,
                               const rocksdb::DirFsyncOptions& why) override {
    if (why.reason == rocksdb::DirFsyncOptions::kFileRenamed &&
        is_disposable(file_name(why.renamed_new_name))) {
      return IOStatus::OK();
    }
    return Fsync(options, debug);
  }
  IOStatus Close(const IOOptions&, IODebugContext*) override { return IOStatus::OK(); }

 private:
  FileSystem& fs_;
  std::string path_;
};

std::string without_slash(std::string path) {
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  return path;
}

class RocksFileSystem final : public rocksdb::FileSystem {
 public:
  explicit RocksFileSystem(storage::FileSystem& fs) : fs_(fs) {}
  const char* Name() const override { return "virga"; }

  IOStatus NewSequentialFile(const std::string& path, const rocksdb::FileOptions&,
                             std::unique_ptr<rocksdb::FSSequentialFile>* out,
                             IODebugContext*) override {
    auto file = fs_.open(path, OpenMode::read);
    if (!file) return to_status(file);
    *out = std::make_unique<SequentialFile>(std::move(*file));
    return IOStatus::OK();
  }
  IOStatus NewRandomAccessFile(const std::string& path, const rocksdb::FileOptions&,
                               std::unique_ptr<rocksdb::FSRandomAccessFile>* out,
                               IODebugContext*) override {
    auto file = fs_.open(path, OpenMode::read);
    if (!file) return to_status(file);
    *out = std::make_unique<RandomAccessFile>(std::move(*file));
    return IOStatus::OK();
  }
  IOStatus NewWritableFile(const std::string& path, const rocksdb::FileOptions&,
                           std::unique_ptr<rocksdb::FSWritableFile>* out,
                           IODebugContext*) override {
    auto file = fs_.open(path, OpenMode::create_new);
    if (!file) return to_status(file);
    const Syncs syncs = is_disposable(file_name(path)) ? Syncs::no : Syncs::yes;
    *out = std::make_unique<WritableFile>(std::move(*file), 0, syncs);
    return IOStatus::OK();
  }
  IOStatus ReopenWritableFile(const std::string& path, const rocksdb::FileOptions&,
                              std::unique_ptr<rocksdb::FSWritableFile>* out,
                              IODebugContext*) override {
    auto file = fs_.open(path, OpenMode::create);
    if (!file) return to_status(file);
    const auto size = (*file)->size();
    if (!size) return to_status(size);
    *out = std::make_unique<WritableFile>(std::move(*file), *size, Syncs::yes);
    return IOStatus::OK();
  }
  IOStatus NewDirectory(const std::string& path, const IOOptions&,
                        std::unique_ptr<rocksdb::FSDirectory>* out, IODebugContext*) override {
    *out = std::make_unique<Directory>(fs_, without_slash(path));
    return IOStatus::OK();
  }
  IOStatus FileExists(const std::string& path, const IOOptions&, IODebugContext*) override {
    const auto info = fs_.info(without_slash(path));
    if (info) return IOStatus::OK();
    return is_not_found(info.error()) ? IOStatus::NotFound() : to_status(info);
  }
  IOStatus GetChildren(const std::string& dir, const IOOptions&, std::vector<std::string>* out,
                       IODebugContext*) override {
    auto names = fs_.list(without_slash(dir));
    if (!names) return to_status(names);
    *out = std::move(*names);
    return IOStatus::OK();
  }
  IOStatus DeleteFile(const std::string& path, const IOOptions&, IODebugContext*) override {
    return to_status(fs_.remove(path));
  }
  IOStatus CreateDir(const std::string& path, const IOOptions&, IODebugContext*) override {
    return to_status(fs_.make_dir(without_slash(path)));
  }
  IOStatus CreateDirIfMissing(const std::string& path, const IOOptions&, IODebugContext*) override {
    return to_status(fs_.make_dir(without_slash(path)));
  }
  IOStatus DeleteDir(const std::string& path, const IOOptions&, IODebugContext*) override {
    return to_status(fs_.remove_dir(without_slash(path)));
  }
  IOStatus GetFileSize(const std::string& path, const IOOptions&, uint64_t* out,
                       IODebugContext*) override {
    const auto info = fs_.info(path);
    if (info) *out = info->size;
    return to_status(info);
  }
  IOStatus GetFileModificationTime(const std::string& path, const IOOptions&, uint64_t* out,
                                   IODebugContext*) override {
    const auto info = fs_.info(path);
    if (info) *out = static_cast<uint64_t>(info->modified_seconds);
    return to_status(info);
  }
  IOStatus RenameFile(const std::string& from, const std::string& to, const IOOptions&,
                      IODebugContext*) override {
    return to_status(fs_.rename(from, to));
  }
  // The shard holds a lock over its whole folder, so the index needs none of its own.
  IOStatus LockFile(const std::string&, const IOOptions&, rocksdb::FileLock** lock,
                    IODebugContext*) override {
    *lock = new rocksdb::FileLock;
    return IOStatus::OK();
  }
  IOStatus UnlockFile(rocksdb::FileLock* lock, const IOOptions&, IODebugContext*) override {
    delete lock;
    return IOStatus::OK();
  }
  IOStatus GetTestDirectory(const IOOptions&, std::string*, IODebugContext*) override {
    return IOStatus::NotSupported("GetTestDirectory");
  }
  IOStatus NewLogger(const std::string&, const IOOptions&, std::shared_ptr<rocksdb::Logger>*,
                     IODebugContext*) override {
    return IOStatus::NotSupported("NewLogger");
  }
  IOStatus GetAbsolutePath(const std::string& path, const IOOptions&, std::string* out,
                           IODebugContext*) override {
    *out = path;
    return IOStatus::OK();
  }
  IOStatus IsDirectory(const std::string& path, const IOOptions&, bool* out,
                       IODebugContext*) override {
    const auto info = fs_.info(without_slash(path));
    if (info) *out = info->is_directory;
    return to_status(info);
  }

 private:
  storage::FileSystem& fs_;
};

// Flushes and compactions become jobs of the host: in simulation they are actors like any other.
class JobEnv final : public rocksdb::EnvWrapper {
 public:
  JobEnv(std::unique_ptr<rocksdb::Env> files, async::WorkerHost& workers)
      : EnvWrapper(std::move(files)), workers_(workers) {}
  const char* Name() const override { return "virga_jobs"; }
  void Schedule(void (*function)(void*), void* arg, Priority priority, void* tag,
                void (*unschedule)(void*)) override {
    const uint64_t id = jobs_->next_id++;
    jobs_->waiting[id] = {function, arg, priority, tag, unschedule};
    workers_.run_later([jobs = jobs_, id] {
      const auto found = jobs->waiting.find(id);
      if (found == jobs->waiting.end()) return;  // taken back
      const Job job = found->second;
      jobs->waiting.erase(found);
      job.function(job.arg);
    });
  }
  int UnSchedule(void* tag, Priority priority) override {
    int taken_back = 0;
    for (auto at = jobs_->waiting.begin(); at != jobs_->waiting.end();) {
      const Job job = at->second;
      if (job.tag != tag || job.priority != priority) {
        ++at;
        continue;
      }
      at = jobs_->waiting.erase(at);
      if (job.unschedule) job.unschedule(job.arg);
      ++taken_back;
    }
    return taken_back;
  }
  // RocksDB sleeps a second after a failed compaction; nobody else would run meanwhile.
  void SleepForMicroseconds(int) override {}
  std::string GenerateUniqueId() override { return "00000000-0000-4000-8000-000000000000"; }

 private:
  struct Job {
    void (*function)(void*);
    void* arg;
    Priority priority;
    void* tag;
    void (*unschedule)(void*);
  };
  struct Jobs {
    uint64_t next_id = 0;
    std::map<uint64_t, Job> waiting;
  };
  async::WorkerHost& workers_;
  std::shared_ptr<Jobs> jobs_ = std::make_shared<Jobs>();  // shared with the host's queue
};

}  // namespace

std::unique_ptr<rocksdb::Env> make_rocks_env(FileSystem& fs, async::WorkerHost& workers) {
  auto files = rocksdb::NewCompositeEnv(std::make_shared<RocksFileSystem>(fs));
  if (!workers.takes_jobs()) return files;
  return std::make_unique<JobEnv>(std::move(files), workers);
}

}  // namespace virga::storage
