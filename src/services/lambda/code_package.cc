#include "services/lambda/code_package.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zip.h>

#include <atomic>
#include <filesystem>
#include <memory>
#include <vector>

#include "base/hashing.h"
#include "base/strings.h"
#include "services/lambda/errors.h"

namespace virga::lambda {
namespace {

namespace fs = std::filesystem;

constexpr size_t kLinkTargetBytesMax = 4096;  // PATH_MAX

struct ZipClose {
  void operator()(zip_t* z) const { zip_discard(z); }
};
using Zip = std::unique_ptr<zip_t, ZipClose>;
struct FileClose {
  void operator()(zip_file_t* f) const { zip_fclose(f); }
};
using ZipEntry = std::unique_ptr<zip_file_t, FileClose>;

class Fd {
 public:
  explicit Fd(int fd) : fd_(fd) {}
  ~Fd() {
    if (fd_ >= 0) ::close(fd_);
  }
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

enum class Kind { directory, file, link };
struct Entry {
  uint64_t index = 0;
  Kind kind = Kind::file;
  std::string path;  // relative, normalised, no trailing slash
  uint64_t bytes = 0;
  bool executable = false;
};

Result<Zip> open_zip(std::string_view bytes) {
  zip_error_t error;
  zip_error_init(&error);
  zip_source_t* source = zip_source_buffer_create(bytes.data(), bytes.size(), 0, &error);
  if (source == nullptr) return fail(errors::could_not_unzip());
  zip_t* opened = zip_open_from_source(source, ZIP_RDONLY, &error);
  zip_error_fini(&error);
  if (opened == nullptr) {
    zip_source_free(source);
    return fail(errors::could_not_unzip());
  }
  return Zip(opened);
}

// "a//b/./c" becomes "a/b/c"; anything that could leave the folder is refused.
Result<std::string> clean_path(std::string_view name) {
  if (name.empty() || name.front() == '/' || name.find('\0') != std::string_view::npos ||
      name.find('\\') != std::string_view::npos || name.size() > kLinkTargetBytesMax) {
    return fail(errors::could_not_unzip());
  }
  std::string out;
  for (const auto part : split(name, '/')) {
    if (part.empty() || part == ".") continue;
    if (part == ".." || part.size() > 255) return fail(errors::could_not_unzip());
    if (!out.empty()) out += '/';
    out += part;
  }
  return out;
}

// A link may climb only at its start, at most to the folder's root, and then only descend. Since
// every link obeys this and stands in a real directory, no chain of links leaves. Absolute targets
// may name what a function sees of its own.
bool link_stays_inside(std::string_view link_path, std::string_view target) {
  if (target.empty() || target.find('\0') != std::string_view::npos) return false;
  size_t depth = 0;
  if (target.front() == '/') {
    if (!target.starts_with("/var/task/") && !target.starts_with("/opt/") &&
        !target.starts_with("/tmp/"))
      return false;
  } else {
    for (const char c : link_path) depth += c == '/';
  }
  bool descended = false;
  for (const auto part : split(target, '/')) {
    if (part.empty() || part == ".") continue;
    if (part != "..") {
      descended = true;
    } else {
      if (descended || depth == 0) return false;
      --depth;
    }
  }
  return true;
}

Result<std::string> read_link(zip_t* zip, const Entry& entry) {
  if (entry.bytes == 0 || entry.bytes > kLinkTargetBytesMax) return fail(errors::could_not_unzip());
  const ZipEntry file(zip_fopen_index(zip, entry.index, 0));
  if (!file) return fail(errors::could_not_unzip());
  std::string target(entry.bytes, '\0');
  if (zip_fread(file.get(), target.data(), target.size()) !=
      static_cast<zip_int64_t>(target.size())) {
    return fail(errors::could_not_unzip());
  }
  if (!link_stays_inside(entry.path, target)) return fail(errors::could_not_unzip());
  return target;
}

Result<Kind> kind_of(zip_t* zip, uint64_t index, std::string_view name, bool& executable) {
  zip_uint8_t system = 0;
  zip_uint32_t attributes = 0;
  Kind kind = name.ends_with('/') ? Kind::directory : Kind::file;
  if (zip_file_get_external_attributes(zip, index, 0, &system, &attributes) != 0) return kind;
  if (system != ZIP_OPSYS_UNIX && system != ZIP_OPSYS_OS_X) return kind;
  const auto mode = attributes >> 16;
  executable = (mode & 0111) != 0;
  switch (mode & S_IFMT) {
    case 0:
    case S_IFREG:
      return kind;
    case S_IFDIR:
      return Kind::directory;
    case S_IFLNK:
      return Kind::link;
    default:
      return fail(errors::could_not_unzip());  // devices, pipes, sockets
  }
}

Result<std::vector<Entry>> list_entries(zip_t* zip, uint64_t& total) {
  const auto count = zip_get_num_entries(zip, 0);
  if (count < 0) return fail(errors::could_not_unzip());
  if (static_cast<uint64_t>(count) > kZipEntriesMax) return fail(errors::unzipped_too_large());
  std::vector<Entry> out;
  out.reserve(static_cast<size_t>(count));
  total = 0;
  for (zip_uint64_t i = 0; i < static_cast<zip_uint64_t>(count); ++i) {
    zip_stat_t stat;
    zip_stat_init(&stat);
    if (zip_stat_index(zip, i, ZIP_FL_ENC_GUESS, &stat) != 0 || !(stat.valid & ZIP_STAT_NAME) ||
        !(stat.valid & ZIP_STAT_SIZE)) {
      return fail(errors::could_not_unzip());
    }
    if ((stat.valid & ZIP_STAT_ENCRYPTION_METHOD) && stat.encryption_method != ZIP_EM_NONE) {
      return fail(errors::could_not_unzip());
    }
    Entry entry{.index = i, .bytes = stat.size};
    VIRGA_TRY(kind, kind_of(zip, i, stat.name, entry.executable));
    entry.kind = kind;
    VIRGA_TRY(path, clean_path(stat.name));
    entry.path = path;
    if (entry.path.empty()) continue;  // "./"
    if (stat.size > kUnzippedBytesMax - total) return fail(errors::unzipped_too_large());
    total += stat.size;
    if (kind == Kind::link) {
      VIRGA_TRY(target, read_link(zip, entry));
    }
    out.push_back(std::move(entry));
  }
  return out;
}

Result<void> write_all(int fd, const char* data, size_t size) {
  while (size > 0) {
    const ssize_t n = ::write(fd, data, size);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return fail(errors::service_exception("The code could not be stored."));
    data += n;
    size -= static_cast<size_t>(n);
  }
  return {};
}

Result<void> make_parents(const std::string& root, const std::string& path) {
  for (size_t slash = path.find('/'); slash != std::string::npos;
       slash = path.find('/', slash + 1)) {
    const std::string parent = root + "/" + path.substr(0, slash);
    if (::mkdir(parent.c_str(), 0755) == 0) continue;
    struct stat st{};
    // A link or a file where a directory has to be: no honest archive does that.
    if (::lstat(parent.c_str(), &st) != 0 || !S_ISDIR(st.st_mode))
      return fail(errors::could_not_unzip());
  }
  return {};
}

Result<void> write_file(zip_t* zip, const Entry& entry, const std::string& root,
                        uint64_t& written) {
  VIRGA_TRY_VOID(make_parents(root, entry.path));
  const ZipEntry source(zip_fopen_index(zip, entry.index, 0));
  if (!source) return fail(errors::could_not_unzip());
  const std::string path = root + "/" + entry.path;
  const Fd out(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644));
  if (out.get() < 0) return fail(errors::could_not_unzip());
  std::vector<char> buffer(256 * 1024);
  for (;;) {
    const auto n = zip_fread(source.get(), buffer.data(), buffer.size());
    if (n < 0) return fail(errors::could_not_unzip());  // damaged data or a wrong checksum
    if (n == 0) break;
    if (static_cast<uint64_t>(n) > kUnzippedBytesMax - written)
      return fail(errors::unzipped_too_large());
    written += static_cast<uint64_t>(n);
    VIRGA_TRY_VOID(write_all(out.get(), buffer.data(), static_cast<size_t>(n)));
  }
  // Readable by the sandbox's user whatever the archive says; executable where the archive says so.
  if (::fchmod(out.get(), entry.executable ? 0755 : 0644) != 0) {
    return fail(errors::service_exception("The code could not be stored."));
  }
  return {};
}

Result<void> write_link(zip_t* zip, const Entry& entry, const std::string& root) {
  VIRGA_TRY_VOID(make_parents(root, entry.path));
  VIRGA_TRY(target, read_link(zip, entry));
  if (::symlink(target.c_str(), (root + "/" + entry.path).c_str()) != 0)
    return fail(errors::could_not_unzip());
  return {};
}

// Links last: while files are written the folder holds no link that a path could run through.
Result<void> write_entries(zip_t* zip, const std::vector<Entry>& entries, const std::string& root) {
  uint64_t written = 0;
  for (const auto& entry : entries) {
    if (entry.kind == Kind::file) {
      VIRGA_TRY_VOID(write_file(zip, entry, root, written));
    } else if (entry.kind == Kind::directory) {
      VIRGA_TRY_VOID(make_parents(root, entry.path + "/"));
    }
  }
  for (const auto& entry : entries) {
    if (entry.kind == Kind::link) VIRGA_TRY_VOID(write_link(zip, entry, root));
  }
  return {};
}

constexpr std::string_view kTemporary = ".unpacking-";

}  // namespace

Result<CodePackage> inspect_zip(std::string_view zip) {
  VIRGA_TRY(opened, open_zip(zip));
  CodePackage out{.zip_bytes = zip.size()};
  VIRGA_TRY(entries, list_entries(opened.get(), out.unzipped_bytes));
  if (entries.empty()) return fail(errors::empty_zip());
  const auto digest = sha256(zip);
  out.sha256_base64 = to_base64(as_bytes(digest));
  out.sha256_hex = to_hex(as_bytes(digest));
  return out;
}

Result<std::string> unpack_zip(std::string_view zip, const CodePackage& package,
                               const std::string& root) {
  const std::string folder = root + "/" + package.sha256_hex;
  std::error_code ec;
  if (fs::exists(folder, ec)) return folder;
  VIRGA_TRY(opened, open_zip(zip));
  uint64_t total = 0;
  VIRGA_TRY(entries, list_entries(opened.get(), total));
  static std::atomic<uint64_t> serial{0};
  const std::string temporary = root + "/" + std::string(kTemporary) + package.sha256_hex + "-" +
                                std::to_string(::getpid()) + "-" +
                                std::to_string(serial.fetch_add(1));
  fs::create_directories(temporary, ec);
  if (ec) return fail(errors::service_exception("The code folder cannot be written."));
  const auto written = write_entries(opened.get(), entries, temporary);
  if (!written) {
    fs::remove_all(temporary, ec);
    return std::unexpected(written.error());
  }
  ::chmod(temporary.c_str(), 0755);
  if (::rename(temporary.c_str(), folder.c_str()) != 0) {
    fs::remove_all(temporary, ec);
    if (!fs::exists(folder, ec))
      return fail(errors::service_exception("The code could not be stored."));
  }
  return folder;  // perhaps made by another unpacking at the same time: same bytes, same content
}

namespace {

std::string temporary_beside(const std::string& path) {
  static std::atomic<uint64_t> serial{0};
  const fs::path at(path);
  return (at.parent_path() /
          (std::string(kTemporary) + at.filename().string() + "-" + std::to_string(::getpid()) +
           "-" + std::to_string(serial.fetch_add(1))))
      .string();
}

void lay_over(const fs::path& from, const fs::path& to, std::error_code& ec) {
  for (const auto& entry : fs::recursive_directory_iterator(from, ec)) {
    if (ec) return;
    const fs::path target = to / entry.path().lexically_relative(from);
    const bool folder = entry.is_directory(ec) && !entry.is_symlink(ec);
    if (fs::exists(fs::symlink_status(target, ec)) &&
        !(folder && fs::is_directory(fs::symlink_status(target, ec)))) {
      fs::remove_all(target, ec);
    }
    ec.clear();
    if (folder) {
      fs::create_directories(target, ec);
      ::chmod(target.c_str(), 0755);
    } else if (entry.is_symlink(ec)) {
      fs::copy_symlink(entry.path(), target, ec);
    } else {
      fs::create_hard_link(entry.path(), target, ec);
    }
    if (ec) return;
  }
}

}  // namespace

Result<void> merge_folders(const std::vector<std::string>& folders, const std::string& path) {
  const std::string temporary = temporary_beside(path);
  std::error_code ec;
  fs::create_directories(temporary, ec);
  ::chmod(temporary.c_str(), 0755);
  for (const auto& folder : folders) {
    if (!ec) lay_over(folder, temporary, ec);
  }
  const bool made = !ec && ::rename(temporary.c_str(), path.c_str()) == 0;
  if (!made) fs::remove_all(temporary, ec);
  if (!made && !fs::exists(path, ec))
    return fail(errors::service_exception("The layers could not be merged."));
  return {};
}

void remove_half_unpacked(const std::string& root) {
  std::error_code ec;
  std::vector<fs::path> old;
  for (const auto& entry : fs::directory_iterator(root, ec)) {
    if (entry.path().filename().string().starts_with(kTemporary)) old.push_back(entry.path());
  }
  for (const auto& path : old) fs::remove_all(path, ec);
}

}  // namespace virga::lambda
