#include "storage/keys.h"

#include <gtest/gtest.h>

namespace virga::storage {
namespace {

TEST(Key, keeps_the_order_of_texts_whatever_follows) {
  const std::string texts[] = {"",
                               std::string("\0", 1),
                               std::string("\0\xff", 2),
                               "a",
                               std::string("a\0", 2),
                               std::string("a\0b", 3),
                               "aa",
                               "b",
                               "\xff"};
  for (size_t i = 0; i + 1 < std::size(texts); ++i) {
    const std::string low = Key(Space::iam).text(texts[i]).u64(~uint64_t{0}).str();
    const std::string high = Key(Space::iam).text(texts[i + 1]).u64(0).str();
    EXPECT_LT(low, high) << i;
  }
}

TEST(Key, keeps_the_order_of_numbers) {
  EXPECT_LT(Key(Space::iam).i64(-5).str(), Key(Space::iam).i64(3).str());
  EXPECT_LT(Key(Space::iam).u64(255).str(), Key(Space::iam).u64(256).str());
  EXPECT_GT(Key(Space::iam).u64_descending(1).str(), Key(Space::iam).u64_descending(2).str());
}

TEST(Key, reads_back) {
  const std::string key = Key(Space::lambda)
                              .account("000000000000")
                              .region("eu-west-1")
                              .u64(77)
                              .i64(-2)
                              .text(std::string("x\0y", 3))
                              .str();
  KeyReader reader(key);
  EXPECT_EQ(reader.u8(), static_cast<uint8_t>(Space::lambda));
  EXPECT_EQ(reader.text(), "000000000000");
  EXPECT_EQ(reader.text(), "eu-west-1");
  EXPECT_EQ(reader.u64(), 77u);
  EXPECT_EQ(reader.i64(), -2);
  EXPECT_EQ(reader.text(), std::string("x\0y", 3));
  EXPECT_TRUE(reader.ok());
  reader.u8();
  EXPECT_FALSE(reader.ok());
}

TEST(Key, ends_a_range_after_its_last_key) {
  EXPECT_EQ(prefix_end("ab"), "ac");
  EXPECT_EQ(prefix_end("a\xff"), "b");
  EXPECT_EQ(prefix_end("\xff\xff"), "");
}

}  // namespace
}  // namespace virga::storage
