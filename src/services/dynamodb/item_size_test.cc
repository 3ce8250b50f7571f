#include "services/dynamodb/item_size.h"

#include <gtest/gtest.h>

#include "services/dynamodb/test_values.h"

namespace virga::dynamodb {
namespace {

size_t bytes_of(std::string_view json) {
  return item_bytes(test_item(json));
}

}  // namespace

TEST(ItemSize, counts_names_and_values) {
  EXPECT_EQ(bytes_of(R"({"ab":{"S":"xyz"}})"), 5u);
  EXPECT_EQ(bytes_of(R"({"ab":{"S":"ü"}})"), 4u);
  EXPECT_EQ(bytes_of(R"({"ab":{"B":"AAEC"}})"), 5u);
  EXPECT_EQ(bytes_of(R"({"ab":{"BOOL":true},"c":{"NULL":true}})"), 5u);
  EXPECT_EQ(bytes_of(R"({"a":{"SS":["x","yz"]}})"), 4u);
}

TEST(ItemSize, counts_three_bytes_a_container_and_one_a_member) {
  EXPECT_EQ(bytes_of(R"({"a":{"L":[]}})"), 4u);
  EXPECT_EQ(bytes_of(R"({"a":{"L":[{"S":"x"}]}})"), 6u);
  EXPECT_EQ(bytes_of(R"({"a":{"M":{"bc":{"S":"x"}}}})"), 8u);
}

TEST(ItemSize, a_damaged_number_counts_as_its_bytes) {
  Item item;
  std::string value;
  tlv::append_value(value, AttributeType::number, "");
  item.append("n", ValueView(value));
  EXPECT_EQ(item_bytes(item), 1u);
}

}  // namespace virga::dynamodb
