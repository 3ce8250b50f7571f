#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "async/task.h"

namespace virga::async {

// Bytes that are pulled: request bodies, streamed answers, blobs. The reader's pace is the
// back-pressure: nothing is produced before it is asked for. One loop, one reader; read() is not
// called again before the last one has ended.
class ByteSource {
 public:
  virtual ~ByteSource() = default;
  // The next piece, 1 to `max` bytes; empty means the end (and then again at each further call). An
  // error means that what was read so far is not to be trusted: a broken body must never be
  // committed.
  virtual Task<std::string> read(size_t max) = 0;
  // How many bytes all reads together will give, when that is known before the first one.
  virtual std::optional<uint64_t> size() const = 0;
};

// A text as a source.
class StringSource final : public ByteSource {
 public:
  explicit StringSource(std::string bytes) : bytes_(std::move(bytes)) {}
  Task<std::string> read(size_t max) override {
    const size_t count = std::min(max, bytes_.size() - at_);
    std::string piece = bytes_.substr(at_, count);
    at_ += count;
    co_return std::move(piece);
  }
  std::optional<uint64_t> size() const override { return bytes_.size(); }

 private:
  std::string bytes_;
  size_t at_ = 0;
};

// Everything the source has, or `too_large` as soon as it is more than `limit` bytes.
inline Task<std::string> read_all(ByteSource& source, size_t limit, AwsError too_large) {
  const std::optional<uint64_t> size = source.size();
  if (size && *size > limit) co_return fail(std::move(too_large));
  std::string all;
  for (;;) {
    std::string piece = co_await source.read(64 * 1024);
    if (piece.empty()) break;
    if (piece.size() > limit - all.size()) co_return fail(std::move(too_large));
    if (all.empty()) {
      all = std::move(piece);
    } else {
      all += piece;
    }
  }
  co_return std::move(all);
}

}  // namespace virga::async
