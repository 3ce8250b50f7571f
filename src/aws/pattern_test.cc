#include "aws/pattern.h"

#include <gtest/gtest.h>

#include <string>

namespace virga::aws {
namespace {

bool matches(const char* pattern, std::string_view text) {
  const Pattern p(pattern);
  EXPECT_TRUE(p.ok()) << pattern;
  return p.matches(text);
}

TEST(Pattern, matches_the_whole_text) {
  EXPECT_TRUE(matches("[a-zA-Z0-9_.-]+", "my-table_1.x"));
  EXPECT_FALSE(matches("[a-zA-Z0-9_.-]+", "my table"));
  EXPECT_FALSE(matches("[a-zA-Z0-9_.-]+", ""));
  EXPECT_TRUE(matches("^abc$", "abc"));
  EXPECT_FALSE(matches("abc", "xabc"));
}

TEST(Pattern, knows_what_the_models_use) {
  const char* arn = "arn:(aws[a-zA-Z-]*)?:iam::\\d{12}:role/?[a-zA-Z_0-9+=,.@\\-_/]+";
  EXPECT_TRUE(matches(arn, "arn:aws:iam::123456789012:role/service/r"));
  EXPECT_FALSE(matches(arn, "arn:aws:iam::12345678901:role/r"));
  EXPECT_TRUE(matches("(?!aws:).*", "name"));
  EXPECT_FALSE(matches("(?!aws:).*", "aws:name"));
  EXPECT_TRUE(matches("[0-9A-Za-z\\.\\-_]*(?<!\\.)", "bucket"));
  EXPECT_FALSE(matches("[0-9A-Za-z\\.\\-_]*(?<!\\.)", "bucket."));
  EXPECT_TRUE(matches("(?i)all|[0-9]{12}", "ALL"));
  EXPECT_TRUE(matches("[\\u0020-\\uD7FF\\uE000-\\uFFFD\\uD800\\uDC00-\\uDBFF\\uDFFF\\r\\n\\t]*",
                      "Größe \n \U0001f333"));
  EXPECT_TRUE(matches("[\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]*", "Ünï 1"));
  EXPECT_FALSE(matches("[\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]*", "a;b"));
  EXPECT_TRUE(matches("a{2,3}(b|cd)*?", "aaacdb"));
  EXPECT_TRUE(matches("(a|b)\\1", "bb"));
  EXPECT_FALSE(matches("(a|b)\\1", "ab"));
  EXPECT_TRUE(matches("[\\w+=,.@-]+", "user@example.com"));
}

TEST(Pattern, accepts_rather_than_hangs) {
  const Pattern nested("(a+)+b");
  EXPECT_TRUE(nested.matches(std::string(200, 'a')));  // given up: accepted
  const Pattern groups("(ab|c)*");
  EXPECT_TRUE(groups.matches(std::string(100'000, 'c')));
}

TEST(Pattern, a_construct_it_does_not_know_accepts_everything) {
  const Pattern odd("[a-z&&[^b]]+");
  EXPECT_FALSE(odd.ok());
  EXPECT_TRUE(odd.matches("anything"));
}

}  // namespace
}  // namespace virga::aws
