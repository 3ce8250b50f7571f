#include "platform/event_pattern.h"

#include <gtest/gtest.h>

#include "base/json.h"

namespace virga::platform {
namespace {

bool matches(std::string_view pattern, std::string_view event) {
  const auto parsed = EventPattern::parse(pattern);
  EXPECT_TRUE(parsed) << pattern;
  return parsed && parsed->matches(*parse_json(event));
}

TEST(EventPattern, names_fields_that_must_match_and_ignores_others) {
  EXPECT_TRUE(matches(R"({"a":["x","y"]})", R"({"a":"y","b":1})"));
  EXPECT_FALSE(matches(R"({"a":["x"]})", R"({"a":"y"})"));
  EXPECT_FALSE(matches(R"({"a":["x"]})", R"({})"));
  EXPECT_TRUE(matches(R"({"a":{"b":[1,null,true]}})", R"({"a":{"b":1.0}})"));
  EXPECT_TRUE(matches(R"({"a":{"b":[1,null]}})", R"({"a":{"b":null}})"));
  EXPECT_FALSE(matches(R"({"a":["1"]})", R"({"a":1})"));
}

TEST(EventPattern, matches_a_list_when_one_of_its_elements_does) {
  EXPECT_TRUE(matches(R"({"a":["x"]})", R"({"a":["z","x"]})"));
  EXPECT_TRUE(matches(R"({"a":{"b":["x"]}})", R"({"a":[{"b":"y"},{"b":"x"}]})"));
  EXPECT_FALSE(matches(R"({"a":["x"]})", R"({"a":[]})"));
}

TEST(EventPattern, has_the_comparison_operators) {
  EXPECT_TRUE(matches(R"({"a":[{"prefix":"ab"}]})", R"({"a":"abc"})"));
  EXPECT_TRUE(matches(R"({"a":[{"prefix":{"equals-ignore-case":"AB"}}]})", R"({"a":"abc"})"));
  EXPECT_TRUE(matches(R"({"a":[{"suffix":".png"}]})", R"({"a":"x.png"})"));
  EXPECT_TRUE(matches(R"({"a":[{"equals-ignore-case":"ABC"}]})", R"({"a":"abc"})"));
  EXPECT_TRUE(matches(R"({"a":[{"wildcard":"a*c"}]})", R"({"a":"abbbc"})"));
  EXPECT_TRUE(matches(R"({"a":[{"numeric":[">",0,"<=",5]}]})", R"({"a":5})"));
  EXPECT_FALSE(matches(R"({"a":[{"numeric":[">",0,"<=",5]}]})", R"({"a":5.5})"));
  EXPECT_FALSE(matches(R"({"a":[{"numeric":["=",5]}]})", R"({"a":"5"})"));
  EXPECT_TRUE(matches(R"({"a":[{"cidr":"10.0.0.0/24"}]})", R"({"a":"10.0.0.255"})"));
  EXPECT_FALSE(matches(R"({"a":[{"cidr":"10.0.0.0/24"}]})", R"({"a":"10.0.1.0"})"));
}

TEST(EventPattern, knows_what_is_not_there) {
  EXPECT_TRUE(matches(R"({"a":[{"exists":false}]})", R"({"b":1})"));
  EXPECT_FALSE(matches(R"({"a":[{"exists":false}]})", R"({"a":1})"));
  EXPECT_TRUE(matches(R"({"a":[{"exists":true}]})", R"({"a":null})"));
  EXPECT_TRUE(matches(R"({"a":{"b":[{"exists":false}]}})", R"({})"));
  EXPECT_FALSE(matches(R"({"a":[{"exists":true}]})", R"({"a":{"b":1}})"));
}

TEST(EventPattern, anything_but_needs_a_value) {
  EXPECT_TRUE(matches(R"({"a":[{"anything-but":["x","y"]}]})", R"({"a":"z"})"));
  EXPECT_FALSE(matches(R"({"a":[{"anything-but":"x"}]})", R"({"a":"x"})"));
  EXPECT_FALSE(matches(R"({"a":[{"anything-but":"x"}]})", R"({})"));
  EXPECT_FALSE(matches(R"({"a":[{"anything-but":{"prefix":"x"}}]})", R"({"a":"xy"})"));
  EXPECT_TRUE(matches(R"({"a":[{"anything-but":{"suffix":["x","z"]}}]})", R"({"a":"xy"})"));
}

TEST(EventPattern, or_takes_any_of_its_patterns) {
  const auto pattern = R"({"s":["q"],"$or":[{"a":["x"]},{"b":[{"numeric":[">",1]}]}]})";
  EXPECT_TRUE(matches(pattern, R"({"s":"q","b":2})"));
  EXPECT_FALSE(matches(pattern, R"({"s":"q","b":1})"));
}

TEST(EventPattern, refuses_what_is_no_pattern) {
  for (const auto text :
       {"", "1", "[]", "{}", R"({"a":1})", R"({"a":"x"})", R"({"a":[]})", R"({"a":{}})",
        R"({"a":[[1]]})", R"({"a":[{"like":"x"}]})", R"({"a":[{"prefix":1}]})",
        R"({"a":[{"numeric":["~",1]}]})", R"({"a":[{"numeric":[">"]}]})", R"({"a":[{"exists":1}]})",
        R"({"a":[{"prefix":"x","suffix":"y"}]})", R"({"a":[{"cidr":"10.0.0.0/99"}]})",
        R"({"a":[{"anything-but":{"x":"y"}}]})"}) {
    EXPECT_FALSE(EventPattern::parse(text)) << text;
  }
}

}  // namespace
}  // namespace virga::platform
