#pragma once

#include <sys/stat.h>
#include <zip.h>

#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "base/check.h"

// Makes zip archives in memory, for tests only.
namespace virga::lambda {

struct TestFile {
  std::string path;
  std::string content;
  uint32_t mode = S_IFREG | 0644;  // 0: as an archiver without Unix modes writes it
};

inline std::string make_zip(const std::vector<TestFile>& files) {
  zip_error_t error;
  zip_error_init(&error);
  zip_source_t* out = zip_source_buffer_create(nullptr, 0, 0, &error);
  CHECK(out != nullptr);
  zip_source_keep(out);
  zip_t* zip = zip_open_from_source(out, ZIP_TRUNCATE, &error);
  CHECK(zip != nullptr);
  for (const auto& file : files) {
    // The content has to live until zip_close.
    zip_source_t* source = zip_source_buffer(zip, file.content.data(), file.content.size(), 0);
    const auto index = zip_file_add(zip, file.path.c_str(), source, ZIP_FL_ENC_UTF_8);
    CHECK(index >= 0);
    if (file.mode != 0) {
      zip_file_set_external_attributes(zip, static_cast<zip_uint64_t>(index), 0, ZIP_OPSYS_UNIX,
                                       file.mode << 16);
    }
  }
  CHECK(zip_close(zip) == 0);
  CHECK(zip_source_open(out) == 0);
  zip_source_seek(out, 0, SEEK_END);
  std::string bytes(static_cast<size_t>(zip_source_tell(out)), '\0');
  zip_source_seek(out, 0, SEEK_SET);
  CHECK(zip_source_read(out, bytes.data(), bytes.size()) == static_cast<zip_int64_t>(bytes.size()));
  zip_source_close(out);
  zip_source_free(out);
  return bytes;
}

}  // namespace virga::lambda
