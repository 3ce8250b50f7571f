#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "async/byte_stream.h"

namespace virga::async {

// A part of an open file.
struct FileSlice {
  std::shared_ptr<const void> open;  // keeps the descriptor open; shared with the source
  int fd = -1;
  uint64_t offset = 0;
  uint64_t count = 0;
};

// A source whose bytes may lie in files of the local disk: who sends them to a socket can let the
// kernel do it (sendfile) instead of reading them.
class FileSource : public ByteSource {
 public:
  // The next piece, 1 to `max` bytes, as a slice; counts as read. None: read() has the next piece.
  virtual Task<std::optional<FileSlice>> slice(uint64_t max) = 0;
};

}  // namespace virga::async
