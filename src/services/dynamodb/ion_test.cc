#include "services/dynamodb/ion.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/dynamodb/test_values.h"

namespace virga::dynamodb {
namespace {

std::string decimal(std::string_view number) {
  std::string out;
  append_ion_decimal(out, number);
  return out;
}
std::string ion(std::string_view json) {
  std::string out;
  append_ion(out, test_item(json));
  return out;
}
std::string read(std::string_view text) {
  const auto item = read_ion_item(text);
  if (!item) return item.error().code + ": " + item.error().message;
  return item->problem().empty() ? test_json(*item) : "problem: " + item->problem();
}

// Numbers of the Developer Guide's example first.
TEST(Ion, writes_numbers_as_decimals_without_trailing_zeros) {
  EXPECT_EQ(decimal("103"), "103.");
  EXPECT_EQ(decimal("600"), "6d2");
  EXPECT_EQ(decimal("2000"), "2d3");
  EXPECT_EQ(decimal("0"), "0.");
  EXPECT_EQ(decimal("-19.99"), "-19.99");
  EXPECT_EQ(decimal("0.05"), "0.05");
  EXPECT_EQ(decimal("0.000000001"), "1d-9");
  EXPECT_EQ(decimal("-100"), "-1d2");
}

TEST(Ion, writes_the_guide_s_item) {
  EXPECT_EQ(
      ion(R"({"Authors":{"SS":["Author1","Author2"]},"ISBN":{"S":"333-3333333333"},"Id":{"N":"103"},)"
          R"("InPublication":{"BOOL":false},"PageCount":{"N":"600"},"a b":{"NULL":true},)"
          R"("B":{"B":"AAE="},"L":{"L":[{"M":{"null":{"S":"\n\"'\\"}}}]},"NS":{"NS":["1","20"]}})"),
      R"({Authors:$dynamodb_SS::["Author1","Author2"],ISBN:"333-3333333333",Id:103.,)"
      R"(InPublication:false,PageCount:6d2,'a b':null,B:{{AAE=}},L:[{'null':"\n\"'\\"}],)"
      R"(NS:$dynamodb_NS::[1.,2d1]})");
}

TEST(Ion, reads_what_it_writes) {
  const std::string_view json =
      R"({"s":{"S":"é\u0001\"'\\\n"},"n":{"N":"-0.00000012"},"big":{"N":"12000000000000000000000"},)"
      R"("b":{"B":"AAEC"},"t":{"BOOL":true},"z":{"NULL":true},"m":{"M":{"a'b":{"L":[]}}},)"
      R"("l":{"L":[{"N":"1"},{"S":""}]},"ss":{"SS":["a","b"]},"ns":{"NS":["1","2.5"]},"bs":{"BS":["AA=="]}})";
  EXPECT_EQ(read("$ion_1_0 {Item:" + ion(json) + "}"), test_json(test_item(json)));
}

TEST(Ion, reads_the_forms_other_writers_use) {
  EXPECT_EQ(
      read(
          R"({ "Item" : { 'a' : 1, b: 2e3, c: 1.50, d: '''x''' '''y''', e: null.string, }, } // x)"),
      R"({"a":{"N":"1"},"b":{"N":"2000"},"c":{"N":"1.5"},"d":{"S":"xy"},"e":{"NULL":true}})");
  EXPECT_EQ(read(R"($ion_1_0 {Item:{a:other::"x",b:"\ud83d\ude00\x41",c:[1,/* no */2,]}})"),
            R"({"a":{"S":"x"},"b":{"S":"😀A"},"c":{"L":[{"N":"1"},{"N":"2"}]}})");
}

TEST(Ion, refuses_what_is_no_ion) {
  for (const char* text : {"", "{", "{Item:", "{Item:{a:1}", "{Item:{a:1}} x", "{Items:{a:1}}",
                           "[1]", "{Item:[1]}", "{Item:{a}}", "{Item:{a:\"x}}", "{Item:{a:{{x}}}}",
                           "{Item:{a:1,a:2}}", "{Item:{a:\"\\q\"}}", "{Item:{a:\"\\ud800\"}}"}) {
    EXPECT_THAT(read(text), testing::StartsWith("SerializationException")) << text;
  }
}

TEST(Ion, keeps_what_an_item_cannot_hold_as_its_problem) {
  EXPECT_THAT(read("{Item:{a:2026-01-01}}"), testing::StartsWith("problem"));
  EXPECT_THAT(read("{Item:{a:$dynamodb_SS::[]}}"), testing::HasSubstr("may not be empty"));
  EXPECT_THAT(read("{Item:{a:$dynamodb_SS::[1]}}"), testing::StartsWith("problem"));
  EXPECT_THAT(read("{Item:{a:$dynamodb_SS::[\"x\",\"x\"]}}"), testing::HasSubstr("duplicates"));
  EXPECT_THAT(read("{Item:{a:1e400}}"), testing::StartsWith("problem"));
  EXPECT_THAT(read("{Item:{a:symbol}}"), testing::StartsWith("problem"));
}

TEST(Ion, refuses_to_nest_deeper_than_items_may) {
  std::string deep = "{Item:{a:" + std::string(100'000, '[');
  EXPECT_THAT(read(deep), testing::HasSubstr("Nesting Levels"));
}

}  // namespace
}  // namespace virga::dynamodb
