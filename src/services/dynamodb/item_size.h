#pragma once

#include <cstdint>

#include "aws/attribute_value.h"

// Sizes by which the service limits and bills. Source: DynamoDB Developer Guide, "DynamoDB item
// sizes and formats".
namespace virga::dynamodb {

// 400 KiB counts attribute names as well as values, in UTF-8 bytes.
inline constexpr size_t kItemBytesMax = 400 * 1024;
// A page of Query or Scan ends after this many bytes of items. Source: Developer Guide, "Paginating
// table query results".
inline constexpr size_t kPageBytesMax = 1024 * 1024;

size_t attribute_bytes(ValueView value);
size_t item_bytes(ItemView item);

// Capacity units times two, so that eventually consistent reads stay integral.
inline int64_t read_half_units(size_t bytes, bool consistent) {
  const auto blocks = static_cast<int64_t>((bytes + 4095) / 4096);
  return (blocks == 0 ? 1 : blocks) * (consistent ? 2 : 1);
}
inline int64_t write_units(size_t bytes) {
  const auto blocks = static_cast<int64_t>((bytes + 1023) / 1024);
  return blocks == 0 ? 1 : blocks;
}

}  // namespace virga::dynamodb
