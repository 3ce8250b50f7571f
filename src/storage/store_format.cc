#include "storage/store_format.h"

#include "base/strings.h"

namespace virga::storage {
namespace {
constexpr std::string_view kMagic = "virga store";
constexpr const char* kFileName = "FORMAT";
}  // namespace

std::string encode_store_format(const StoreFormat& format) {
  return std::string(kMagic) + "\nformat " + std::to_string(format.format) + "\nshards " +
         std::to_string(format.shards) + "\nepoch " + std::to_string(format.epoch) + "\n";
}

Result<StoreFormat> decode_store_format(const std::string& text) {
  const auto unreadable = [&] {
    return fail("FormatUnreadable", 500, "FORMAT cannot be read: " + text.substr(0, 80));
  };
  const auto lines = split(text, '\n');
  if (lines.empty() || lines[0] != kMagic) return unreadable();
  StoreFormat format{.format = 0, .shards = 0};
  for (const std::string_view line : lines) {
    const size_t space = line.rfind(' ');
    if (space == std::string_view::npos) continue;
    const auto value = parse_int(line.substr(space + 1));
    if (line.starts_with("format ") && value) format.format = static_cast<uint32_t>(*value);
    if (line.starts_with("shards ") && value) format.shards = static_cast<uint32_t>(*value);
    if (line.starts_with("epoch ") && value) format.epoch = static_cast<uint64_t>(*value);
  }
  if (format.format > kStoreFormat) {
    return fail("FormatTooNew", 500,
                "the data folder has format " + std::to_string(format.format) +
                    ", this version reads up to " + std::to_string(kStoreFormat));
  }
  if (format.format == 0 || format.shards != 1) return unreadable();
  return format;
}

Result<StoreFormat> open_store_format(FileSystem& fs, const std::string& dir) {
  StoreFormat format;
  const auto text = read_file(fs, dir + "/" + kFileName);
  if (text) {
    VIRGA_TRY(found, decode_store_format(*text));
    format = found;
  } else if (!is_not_found(text.error())) {
    return fail(text.error());
  }
  ++format.epoch;
  VIRGA_TRY_VOID(write_file_durably(fs, dir, kFileName, encode_store_format(format)));
  return format;
}

}  // namespace virga::storage
