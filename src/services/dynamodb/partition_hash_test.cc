#include "services/dynamodb/partition_hash.h"

#include <gtest/gtest.h>

#include <string>

#include "aws/attribute_value_number.h"
#include "base/hashing.h"

namespace virga::dynamodb {
namespace {

TEST(PartitionHash, is_the_head_of_the_seeded_md5_for_every_length) {
  for (size_t size = 0; size < 200; ++size) {
    std::string key;
    for (size_t i = 0; i < size; ++i) key.push_back(static_cast<char>(i * 37 + size));
    const std::string digest = md5("Outliers" + key);
    const auto expected = static_cast<uint16_t>(static_cast<unsigned char>(digest[0]) << 8 |
                                                static_cast<unsigned char>(digest[1]));
    EXPECT_EQ(partition_hash(key), expected) << size;
  }
}

TEST(PartitionHash, numbers_hash_by_value) {
  EXPECT_EQ(Number::parse("1")->hash_bytes(), std::string("\xc1\x02", 2));
  EXPECT_EQ(Number::parse("-1")->hash_bytes(), std::string("\x3e\x64\x66", 3));
  EXPECT_EQ(Number::parse("123.4")->hash_bytes(), std::string("\xc2\x02\x18\x29", 4));
  EXPECT_EQ(Number::parse("0")->hash_bytes(), std::string("\x80", 1));
  EXPECT_EQ(Number::parse("1.0")->hash_bytes(), Number::parse("1")->hash_bytes());
}

}  // namespace
}  // namespace virga::dynamodb
