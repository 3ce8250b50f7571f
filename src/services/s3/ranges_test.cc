#include "services/s3/ranges.h"

#include <gtest/gtest.h>

namespace virga::s3 {
namespace {

std::string range(std::string_view header, uint64_t size) {
  const auto got = parse_range(header, size);
  if (!got) return got.error().code;
  if (!*got) return "all";
  return content_range(**got, size);
}

TEST(ParseRange, takes_each_form_of_one_range) {
  EXPECT_EQ(range("bytes=0-0", 10), "bytes 0-0/10");
  EXPECT_EQ(range("bytes=2-", 10), "bytes 2-9/10");
  EXPECT_EQ(range("bytes=-3", 10), "bytes 7-9/10");
  EXPECT_EQ(range("bytes=-30", 10), "bytes 0-9/10");
  EXPECT_EQ(range("bytes=5-99999999999999999999", 10), "bytes 5-9/10");
  EXPECT_EQ(range("BYTES= 1 - 2 ", 10), "bytes 1-2/10");
}

TEST(ParseRange, ignores_what_is_malformed_or_several) {
  for (const char* text : {"", "bytes", "bytes=", "bytes=-", "bytes=a-b", "bytes=3-1",
                           "bytes=0-1,2-3", "items=0-1", "bytes=1-x"}) {
    EXPECT_EQ(range(text, 10), "all") << text;
  }
}

TEST(ParseRange, refuses_what_lies_behind_the_end) {
  for (const char* text : {"bytes=10-", "bytes=10-20", "bytes=-0", "bytes=99999999999999999999-"}) {
    EXPECT_EQ(range(text, 10), "InvalidRange") << text;
  }
  EXPECT_EQ(range("bytes=0-", 0), "InvalidRange");
  EXPECT_EQ(range("bytes=-1", 0), "InvalidRange");
}

TEST(ParseCopyRange, has_both_ends_within_the_source) {
  EXPECT_EQ(parse_copy_range("bytes=2-4", 10)->count, 3u);
  for (const char* text : {"bytes=2-", "bytes=-2", "2-4", "bytes=4-2", "bytes=0-10"}) {
    EXPECT_EQ(parse_copy_range(text, 10).error().code, "InvalidArgument") << text;
  }
}

}  // namespace
}  // namespace virga::s3
