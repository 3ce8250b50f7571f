#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace virga::lambda {

// Source: Lambda quotas page, "Deployment package (.zip file archive) size": 250 MB unzipped,
// layers included.
inline constexpr uint64_t kUnzippedBytesMax = 262'144'000;
// More entries than this is no deployment package but an attempt to exhaust inodes.
inline constexpr uint64_t kZipEntriesMax = 200'000;

// What is known of an uploaded zip. `sha256_base64` is the API's CodeSha256, `sha256_hex` names the
// folder.
struct CodePackage {
  uint64_t zip_bytes = 0;
  uint64_t unzipped_bytes = 0;
  std::string sha256_base64;
  std::string sha256_hex;
};

// Reads the archive's directory and refuses what may not be unpacked: no zip, empty, over the
// limits, paths or symbolic links that leave the folder, devices, encrypted entries. Blocking; for
// the pool. Any thread.
Result<CodePackage> inspect_zip(std::string_view zip);

// Unpacks into `root`/<sha256_hex> unless that folder is there already, and returns its path.
// Appears at once (rename), so a crash leaves no half folder behind. Counts the bytes that come
// out, whatever the archive's directory claims. Blocking.
Result<std::string> unpack_zip(std::string_view zip, const CodePackage& package,
                               const std::string& root);

// Puts folders on top of each other in a new folder `path`, by hard links: files of later ones
// replace those of earlier ones. Appears at once. Blocking.
Result<void> merge_folders(const std::vector<std::string>& folders, const std::string& path);

// Removes what a crash left behind in `root`. Blocking.
void remove_half_unpacked(const std::string& root);

}  // namespace virga::lambda
