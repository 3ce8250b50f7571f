#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "async/byte_stream.h"
#include "async/offload.h"

// gzip (RFC 1952) of bodies. Small ones on the loop; who has megabytes offloads.
namespace virga::net {

// Compresses to one member; level 1 (fast) to 9.
std::string gzip(std::string_view bytes, int level = 6);

// The same of a text that arrives in parts: what is ready is appended to `out`.
class GzipWriter {
 public:
  explicit GzipWriter(int level = 6);
  ~GzipWriter();
  GzipWriter(GzipWriter&&) noexcept;
  void add(std::string_view bytes, std::string& out);
  void finish(std::string& out);  // once

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// All members' bytes. Errors: InvalidRequest 400 when malformed or cut off; RequestEntityTooLarge
// 413 as soon as the result passes `limit`, whatever the header claims.
Result<std::string> gunzip(std::string_view bytes, size_t limit);

// The inflated form of a source, piece by piece; memory is bounded by the piece size. `pool` does
// the work, or the loop when it is null; it outlives the source.
std::unique_ptr<async::ByteSource> gunzip_source(std::unique_ptr<async::ByteSource> inner,
                                                 size_t limit, async::Pool* pool = nullptr);

}  // namespace virga::net
