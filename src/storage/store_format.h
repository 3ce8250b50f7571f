#pragma once

#include <cstdint>
#include <string>

#include "storage/file_system.h"

namespace virga::storage {

inline constexpr uint32_t kStoreFormat = 1;

// The FORMAT file of a data folder (docs/formats/store.md).
struct StoreFormat {
  uint32_t format = kStoreFormat;
  uint32_t shards = 1;
  uint64_t epoch = 0;  // of the latest opening
};

// Reads FORMAT, or starts with epoch 0 when the folder is new; counts the epoch up and writes it
// back durably. Errors: FormatTooNew, FormatUnreadable.
Result<StoreFormat> open_store_format(FileSystem& fs, const std::string& dir);

std::string encode_store_format(const StoreFormat& format);
Result<StoreFormat> decode_store_format(const std::string& text);

}  // namespace virga::storage
