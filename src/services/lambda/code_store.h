#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "async/offload.h"
#include "async/task.h"
#include "services/lambda/code_package.h"
#include "services/lambda/records.h"
#include "storage/file_system.h"
#include "storage/view.h"

namespace virga::lambda {

// Deployment packages: zips kept durably under their hash, and the folders that sandboxes mount.
// Equal code is stored once, whoever uploads it. Any loop; the work is done on the pool. Owned by
// server/.
//
// Invariants: a zip is durable before put() returns, so that no record names code that a crash can
// take; a folder can be made again from its zip at any time. What no record names is removed by
// collect() at the next start.
class CodeStore {
 public:
  struct Options {
    std::string zip_dir;     // in `files`: the data folder's
    std::string folder_dir;  // on the local disk, readable by sandboxes
  };
  CodeStore(storage::FileSystem& files, async::Pool& pool, Options options);

  // Inspects, unpacks and keeps a package.
  Task<CodeRecord> put(std::string zip);
  // The folder of stored code, unpacked anew if it is not there.
  Task<std::string> folder(std::string sha256_hex);
  // The folder of several layers in one, later ones on top; made anew if it is not there.
  Task<std::string> layers_folder(std::vector<std::string> sha256_hex);
  Task<std::string> zip(std::string sha256_hex);

  // At the start, before the first request: removes what a crash or deletion left. Blocking.
  Result<void> collect(const storage::View& view);

 private:
  Result<CodeRecord> put_blocking(const std::string& zip);
  Result<std::string> folder_blocking(const std::string& sha256_hex);
  Result<std::string> layers_folder_blocking(const std::vector<std::string>& hashes,
                                             const std::string& path);
  std::string zip_name(const std::string& sha256_hex) const { return sha256_hex + ".zip"; }

  storage::FileSystem& files_;
  async::Pool& pool_;
  Options options_;
  std::mutex
      writing_;  // one zip at a time: two uploads of the same code would share a temporary name
};

}  // namespace virga::lambda
