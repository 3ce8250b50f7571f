#include "storage/file_system.h"

namespace virga::storage {

Result<std::string> read_file(FileSystem& fs, const std::string& path) {
  VIRGA_TRY(file, fs.open(path, OpenMode::read));
  VIRGA_TRY(size, file->size());
  std::string bytes(size, '\0');
  VIRGA_TRY(got, file->read_at(0, bytes));
  bytes.resize(got);
  return bytes;
}

Result<void> write_file_durably(FileSystem& fs, const std::string& dir, const std::string& name,
                                std::string_view bytes) {
  const std::string path = dir + "/" + name;
  const std::string temporary = path + ".new";
  {
    VIRGA_TRY(file, fs.open(temporary, OpenMode::create_new));
    VIRGA_TRY_VOID(file->write_at(0, bytes));
    VIRGA_TRY_VOID(file->sync());
  }
  VIRGA_TRY_VOID(fs.rename(temporary, path));
  return fs.sync_dir(dir);
}

Result<void> remove_tree(FileSystem& fs, const std::string& path) {
  const auto names = fs.list(path);
  if (!names) {
    if (is_not_found(names.error())) return {};
    return fail(names.error());
  }
  for (const std::string& name : *names) {
    const std::string child = path + "/" + name;
    VIRGA_TRY(info, fs.info(child));
    if (info.is_directory) {
      VIRGA_TRY_VOID(remove_tree(fs, child));
    } else {
      VIRGA_TRY_VOID(fs.remove(child));
    }
  }
  return fs.remove_dir(path);
}

}  // namespace virga::storage
