#include "services/lambda/code_store.h"

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <set>

#include "base/hashing.h"
#include "base/log.h"
#include "base/strings.h"
#include "services/lambda/errors.h"
#include "services/lambda/function_store.h"

namespace virga::lambda {
namespace {

namespace fs = std::filesystem;

// The disk's own words go to the log, the caller gets Lambda's error.
AwsError storage_failed(const AwsError& error) {
  LOG_ERROR("lambda_code_store", kv("code", error.code), kv("message", error.message));
  return errors::service_exception("The function's code could not be stored or read.");
}

}  // namespace

CodeStore::CodeStore(storage::FileSystem& files, async::Pool& pool, Options options)
    : files_(files), pool_(pool), options_(std::move(options)) {}

Result<CodeRecord> CodeStore::put_blocking(const std::string& zip) {
  VIRGA_TRY(package, inspect_zip(zip));
  VIRGA_TRY(folder, unpack_zip(zip, package, options_.folder_dir));
  const std::lock_guard lock(writing_);
  if (!files_.info(options_.zip_dir + "/" + zip_name(package.sha256_hex))) {
    if (const auto made = files_.make_dir(options_.zip_dir); !made)
      return fail(storage_failed(made.error()));
    const auto written =
        storage::write_file_durably(files_, options_.zip_dir, zip_name(package.sha256_hex), zip);
    if (!written) return fail(storage_failed(written.error()));
  }
  return CodeRecord{.sha256_base64 = package.sha256_base64,
                    .sha256_hex = package.sha256_hex,
                    .zip_bytes = package.zip_bytes,
                    .unzipped_bytes = package.unzipped_bytes};
}

Result<std::string> CodeStore::folder_blocking(const std::string& sha256_hex) {
  const std::string path = options_.folder_dir + "/" + sha256_hex;
  std::error_code ec;
  if (fs::exists(path, ec)) return path;
  const auto zip = storage::read_file(files_, options_.zip_dir + "/" + zip_name(sha256_hex));
  if (!zip) return fail(storage_failed(zip.error()));
  VIRGA_TRY(package, inspect_zip(*zip));
  if (package.sha256_hex != sha256_hex) {
    return fail(storage_failed(internal_failure("stored code does not have its hash")));
  }
  return unpack_zip(*zip, package, options_.folder_dir);
}

Task<CodeRecord> CodeStore::put(std::string zip) {
  auto got = co_await async::offload(pool_, [this, &zip] { return put_blocking(zip); });
  co_return std::move(got);
}

Task<std::string> CodeStore::folder(std::string sha256_hex) {
  // Usually it is there: a look costs less than the way to the pool and back.
  std::string path = options_.folder_dir + "/" + sha256_hex;
  if (::access(path.c_str(), F_OK) == 0) co_return std::move(path);
  auto got =
      co_await async::offload(pool_, [this, &sha256_hex] { return folder_blocking(sha256_hex); });
  co_return std::move(got);
}

Result<std::string> CodeStore::layers_folder_blocking(const std::vector<std::string>& hashes,
                                                      const std::string& path) {
  std::vector<std::string> folders;
  for (const auto& hash : hashes) {
    VIRGA_TRY(folder, folder_blocking(hash));
    folders.push_back(std::move(folder));
  }
  VIRGA_TRY_VOID(merge_folders(folders, path));
  return path;
}

Task<std::string> CodeStore::layers_folder(std::vector<std::string> sha256_hex) {
  if (sha256_hex.size() == 1) {
    auto one = co_await folder(sha256_hex.front());
    co_return one;
  }
  const auto digest = sha256(join(sha256_hex, ","));
  const std::string path = options_.folder_dir + "/layers-" + to_hex(as_bytes(digest));
  if (::access(path.c_str(), F_OK) == 0) co_return path;
  auto got =
      co_await async::offload(pool_, [&] { return layers_folder_blocking(sha256_hex, path); });
  co_return std::move(got);
}

Task<std::string> CodeStore::zip(std::string sha256_hex) {
  auto got = co_await async::offload(pool_, [this, &sha256_hex]() -> Result<std::string> {
    auto bytes = storage::read_file(files_, options_.zip_dir + "/" + zip_name(sha256_hex));
    if (!bytes) return fail(storage_failed(bytes.error()));
    return std::move(*bytes);
  });
  co_return std::move(got);
}

Result<void> CodeStore::collect(const storage::View& view) {
  std::error_code ec;
  fs::create_directories(options_.folder_dir, ec);
  ::chmod(options_.folder_dir.c_str(), 0755);
  remove_half_unpacked(options_.folder_dir);
  VIRGA_TRY_VOID(files_.make_dir(options_.zip_dir));
  VIRGA_TRY(hashes, store::all_code_hashes(view));
  const std::set<std::string> named(hashes.begin(), hashes.end());
  VIRGA_TRY(zips, files_.list(options_.zip_dir));
  for (const auto& file : zips) {
    const std::string hash = file.substr(0, file.find('.'));
    if (!named.contains(hash))
      ignore(files_.remove(options_.zip_dir + "/" + file), "tried again at the next start");
  }
  std::vector<fs::path> folders;
  for (const auto& entry : fs::directory_iterator(options_.folder_dir, ec))
    folders.push_back(entry.path());
  for (const auto& folder : folders) {
    if (!named.contains(folder.filename().string())) fs::remove_all(folder, ec);
  }
  return {};
}

}  // namespace virga::lambda
