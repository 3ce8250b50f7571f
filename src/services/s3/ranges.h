#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"

namespace virga::s3 {

struct ByteRange {
  uint64_t begin = 0;
  uint64_t count = 0;
};

// The part of a content that a Range header asks for. nullopt: all of it (no range, one that is
// malformed, or several, which S3 does not serve). Error: InvalidRange 416. Source: RFC 9110
// §14.1.2; S3 API Reference, GetObject, "Range".
Result<std::optional<ByteRange>> parse_range(std::string_view header, uint64_t size);
// "bytes=0-9", both ends there, within the size: of part copies. Error: InvalidArgument,
// InvalidRange.
Result<ByteRange> parse_copy_range(std::string_view text, uint64_t size);

std::string content_range(const ByteRange& range, uint64_t size);  // "bytes 0-9/100"

}  // namespace virga::s3
