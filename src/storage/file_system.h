#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

// The seam through which all bytes on disk pass: log segments, index files, blobs. Four
// implementations: the local disk, memory, the simulation's disk with its faults
// (sim_file_system.h), later RADOS objects. All calls block and may come from any thread; one File
// is written by one thread at a time, reads may overlap.
namespace virga::storage {

// Errors' codes. None of them is sent to a client as it is.
inline constexpr const char* kFileNotFound = "FileNotFound";
inline constexpr const char* kFileNoSpace = "FileNoSpace";
inline constexpr const char* kFileLocked = "FileLocked";
inline constexpr const char* kFileIoError = "FileIoError";

inline bool is_not_found(const AwsError& e) {
  return e.code == kFileNotFound;
}
inline bool is_no_space(const AwsError& e) {
  return e.code == kFileNoSpace;
}

enum class OpenMode {
  read,       // must exist
  write,      // read and write; must exist
  create,     // read and write; made when absent, kept when present
  create_new  // read and write; emptied when present
};

// An open file; the destructor closes and never syncs.
class File {
 public:
  virtual ~File() = default;
  // Bytes read; fewer than asked only at the end of the file.
  virtual Result<size_t> read_at(uint64_t offset, std::span<char> out) const = 0;
  virtual Result<void> write_at(uint64_t offset, std::string_view bytes) = 0;
  // Makes the content durable, and of the metadata what is needed to read it back (fdatasync).
  // After an error the state of unsynced bytes is unknown: never retried.
  virtual Result<void> sync() = 0;
  virtual Result<void> truncate(uint64_t size) = 0;
  virtual Result<uint64_t> size() const = 0;
};

// Held until destroyed or the process ends.
class FileLock {
 public:
  virtual ~FileLock() = default;
};

struct FileInfo {
  uint64_t size = 0;
  bool is_directory = false;
  int64_t modified_seconds = 0;
};

class FileSystem {
 public:
  virtual ~FileSystem() = default;
  virtual Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) = 0;
  virtual Result<void> remove(const std::string& path) = 0;
  virtual Result<void> rename(const std::string& from, const std::string& to) = 0;  // replaces `to`
  virtual Result<std::vector<std::string>> list(
      const std::string& dir) = 0;  // names, no dots, any order
  virtual Result<FileInfo> info(const std::string& path) = 0;
  virtual Result<void> make_dir(const std::string& path) = 0;  // with parents; fine when it exists
  virtual Result<void> remove_dir(const std::string& path) = 0;
  // Makes creations, removals and renames inside durable.
  virtual Result<void> sync_dir(const std::string& path) = 0;
  virtual Result<std::unique_ptr<FileLock>> lock(const std::string& path) = 0;
  virtual Result<uint64_t> free_bytes(const std::string& path) = 0;
};

FileSystem& local_file_system();
// Files that live as long as the object. Syncs cost nothing.
std::unique_ptr<FileSystem> make_memory_file_system();

// Whole files, for small ones. write_file_durably replaces atomically: temporary file, sync,
// rename, directory sync.
Result<std::string> read_file(FileSystem& fs, const std::string& path);
Result<void> write_file_durably(FileSystem& fs, const std::string& dir, const std::string& name,
                                std::string_view bytes);
// Removes a directory with all it holds; fine when it is not there.
Result<void> remove_tree(FileSystem& fs, const std::string& path);

}  // namespace virga::storage
