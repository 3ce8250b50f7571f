#include "services/lambda/function_name.h"

#include <gtest/gtest.h>

namespace virga::lambda {
namespace {

Result<FunctionName> parse(std::string_view text,
                           std::optional<std::string_view> qualifier = std::nullopt) {
  return FunctionName::parse(text, qualifier, "000000000000", "us-east-1", "aws");
}

TEST(FunctionName, takes_a_plain_name) {
  const auto got = parse("orders");
  ASSERT_TRUE(got);
  EXPECT_EQ(got->name, "orders");
  EXPECT_EQ(got->qualifier, "");
  EXPECT_EQ(got->qualifier_or_latest(), "$LATEST");
  EXPECT_EQ(got->arn(), "arn:aws:lambda:us-east-1:000000000000:function:orders");
}

TEST(FunctionName, takes_a_name_with_a_qualifier) {
  EXPECT_EQ(parse("orders:live")->qualifier, "live");
  EXPECT_EQ(parse("orders:$LATEST")->qualifier, "$LATEST");
  EXPECT_EQ(parse("orders:7")->arn(), "arn:aws:lambda:us-east-1:000000000000:function:orders:7");
}

TEST(FunctionName, takes_partial_and_full_arns) {
  EXPECT_EQ(parse("111122223333:function:orders")->account, "111122223333");
  EXPECT_EQ(parse("111122223333:orders:3")->qualifier, "3");
  EXPECT_EQ(parse("function:orders")->name, "orders");
  const auto full = parse("arn:aws:lambda:us-east-1:111122223333:function:orders:live");
  ASSERT_TRUE(full);
  EXPECT_EQ(full->account, "111122223333");
  EXPECT_EQ(full->name, "orders");
  EXPECT_EQ(full->qualifier, "live");
}

TEST(FunctionName, twelve_digits_alone_are_a_name) {
  EXPECT_EQ(parse("111122223333")->name, "111122223333");
}
TEST(FunctionName, a_function_may_be_called_function) {
  EXPECT_EQ(parse("function")->name, "function");
}

TEST(FunctionName, refuses_what_the_pattern_refuses) {
  for (const char* bad :
       {"", "a b", "a:b:c", "arn:aws:s3:::x", "or/ders", "x:$OLDEST", "a:", ":a"}) {
    const auto got = parse(bad);
    ASSERT_FALSE(got) << bad;
    EXPECT_EQ(got.error().code, "ValidationException") << bad;
  }
}

TEST(FunctionName, refuses_a_name_over_64_characters) {
  EXPECT_TRUE(parse(std::string(64, 'a')));
  EXPECT_EQ(parse(std::string(65, 'a')).error().code, "ValidationException");
}

TEST(FunctionName, refuses_another_region) {
  const auto got = parse("arn:aws:lambda:eu-west-1:000000000000:function:orders");
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code, "ResourceNotFoundException");
  EXPECT_EQ(got.error().message,
            "Functions from 'eu-west-1' are not reachable in this region ('us-east-1')");
}

TEST(FunctionName, two_qualifiers_have_to_agree) {
  EXPECT_EQ(parse("orders:live", "live")->qualifier, "live");
  EXPECT_EQ(parse("orders", "live")->qualifier, "live");
  EXPECT_EQ(parse("orders:live", "7").error().message,
            "The derived qualifier from the function name does not match the specified qualifier.");
}

TEST(FunctionName, knows_versions_and_aliases) {
  EXPECT_TRUE(is_version("$LATEST"));
  EXPECT_TRUE(is_version("12"));
  EXPECT_FALSE(is_version("v12"));
  EXPECT_TRUE(is_alias_name("v12"));
  EXPECT_FALSE(is_alias_name("12"));
  EXPECT_FALSE(is_alias_name("a.b"));
}

}  // namespace
}  // namespace virga::lambda
