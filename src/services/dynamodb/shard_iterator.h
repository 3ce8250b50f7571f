#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/time.h"

namespace virga::dynamodb {

// Source: DynamoDB Streams API Reference, GetShardIterator.
inline constexpr int64_t kIteratorMicros = 15LL * 60 * 1'000'000;

// A place in a shard, as clients carry it: the stream's ARN, "|1|", then opaque text. Good for 15
// minutes, wherever it is shown; a checksum finds what was not made here.
struct ShardIterator {
  std::string stream_arn;
  uint64_t table_id = 0;
  uint64_t shard = 0;         // its first sequence
  uint64_t next = 0;          // the least sequence to read
  bool from_horizon = false;  // what has been trimmed is passed over; else reading it is an error
  Timestamp made;

  std::string encode() const;
  static std::optional<ShardIterator> decode(std::string_view text);
};

}  // namespace virga::dynamodb
