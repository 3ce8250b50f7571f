#include "base/strings.h"

#include <gtest/gtest.h>

namespace virga {
namespace {

TEST(Hex, is_twice_the_bytes_at_every_length) {
  for (size_t n = 0; n < 200; ++n) EXPECT_EQ(to_hex(std::string(n, 'z')).size(), 2 * n) << n;
}

TEST(Hex, goes_both_ways) {
  EXPECT_EQ(to_hex(std::string_view("\x00\xff\x1a", 3)), "00ff1a");
  EXPECT_EQ(from_hex("00fF1a"), std::string("\x00\xff\x1a", 3));
  EXPECT_FALSE(from_hex("0"));
  EXPECT_FALSE(from_hex("0g"));
  EXPECT_EQ(to_hex(""), "");
}

// RFC 4648 §10.
TEST(Base64, equals_the_rfcs_vectors_and_is_strict) {
  const std::pair<const char*, const char*> vectors[] = {{"", ""},
                                                         {"f", "Zg=="},
                                                         {"fo", "Zm8="},
                                                         {"foo", "Zm9v"},
                                                         {"foob", "Zm9vYg=="},
                                                         {"fooba", "Zm9vYmE="},
                                                         {"foobar", "Zm9vYmFy"}};
  for (const auto& [plain, coded] : vectors) {
    EXPECT_EQ(to_base64(plain), coded);
    EXPECT_EQ(from_base64(coded), plain);
  }
  for (const char* bad : {"Zg", "Zg=", "Zh==", "Zg==\n", "Z g=", "====", "Zm9v=", "Zm9\x80"})
    EXPECT_FALSE(from_base64(bad)) << bad;
}

TEST(Percent, encodes_all_but_unreserved) {
  EXPECT_EQ(percent_encode("a-._~/ü+ "), "a-._~%2F%C3%BC%2B%20");
  EXPECT_EQ(percent_encode("a/b", KeepSlash::yes), "a/b");
  EXPECT_EQ(percent_decode("a%2Fb+c"), "a/b+c");
  EXPECT_EQ(percent_decode("a%2fb+c", PlusIsSpace::yes), "a/b c");
  for (const char* bad : {"%", "%2", "%2g", "a%"}) EXPECT_FALSE(percent_decode(bad)) << bad;
}

TEST(Numbers, take_the_whole_text_or_nothing) {
  EXPECT_EQ(parse_int("-42"), -42);
  EXPECT_EQ(parse_int("9223372036854775807"), INT64_MAX);
  for (const char* bad : {"", "-", "1 ", " 1", "1.0", "9223372036854775808", "0x1"})
    EXPECT_FALSE(parse_int(bad)) << bad;
  EXPECT_EQ(parse_double("1e3"), 1000.0);
  EXPECT_FALSE(parse_double("1e3x"));
}

TEST(Utf8, refuses_overlong_surrogates_and_cut_sequences) {
  EXPECT_TRUE(is_utf8("aü€😀"));
  for (const char* bad :
       {"\xc0\x80", "\xed\xa0\x80", "\xe2\x82", "\xf4\x90\x80\x80", "\x80", "\xff"})
    EXPECT_FALSE(is_utf8(bad)) << bad;
}

TEST(Wildcard, matches_runs_and_single_characters) {
  EXPECT_TRUE(wildcard_match("*", ""));
  EXPECT_TRUE(wildcard_match("s3:Get*", "s3:GetObject"));
  EXPECT_TRUE(wildcard_match("a?c*e", "abcde"));
  EXPECT_FALSE(wildcard_match("a?c", "ac"));
  EXPECT_FALSE(wildcard_match("a*b", "abc"));
  EXPECT_FALSE(wildcard_match(std::string(50, '*') + "b", std::string(5000, 'a')));  // and quickly
}

TEST(Texts, iequals_looks_at_every_character) {
  for (size_t size = 0; size <= 40; ++size) {
    const std::string lower(size, 'k'), upper(size, 'K');
    EXPECT_TRUE(iequals(lower, upper)) << size;
    for (size_t at = 0; at < size; ++at) {
      std::string other = upper;
      other[at] = '\x0b';  // 'K' and 'k' but for the letter's bits
      EXPECT_FALSE(iequals(lower, other)) << size << ' ' << at;
    }
  }
}

TEST(Texts, compare_trim_split_join) {
  EXPECT_TRUE(iequals("Content-Type", "content-TYPE"));
  EXPECT_FALSE(iequals("a", "ab"));
  EXPECT_EQ(trim(" \t a b \t"), "a b");
  EXPECT_EQ(split("a,,b", ',').size(), 3u);
  EXPECT_EQ(split("", ',').size(), 1u);
  EXPECT_EQ(join({"a", "b"}, ", "), "a, b");
  EXPECT_TRUE(equal_constant_time("abc", "abc"));
  EXPECT_FALSE(equal_constant_time("abc", "abd"));
  EXPECT_FALSE(equal_constant_time("abc", "ab"));
}

}  // namespace
}  // namespace virga
