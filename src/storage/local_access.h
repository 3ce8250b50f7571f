#pragma once

#include <cstdint>
#include <optional>
#include <span>

namespace virga::storage {

// What files of the local disk can do besides File's operations; dynamic_cast finds it.
class LocalAccess {
 public:
  virtual ~LocalAccess() = default;
  // For sendfile; belongs to the file.
  virtual int descriptor() const = 0;
  // Fills `out` if the page cache has all of it; never waits for the disk.
  virtual bool read_cached(uint64_t offset, std::span<char> out) const = 0;
  // Lets the disk begin with these bytes, which were written, so that a later sync has less to do.
  // Promises nothing about durability.
  virtual void begin_writeback(uint64_t offset, uint64_t count) = 0;
};

}  // namespace virga::storage
