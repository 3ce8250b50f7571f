#include "base/header_words.h"

#include <gtest/gtest.h>

namespace virga {
namespace {

TEST(HeaderWords, leave_ascii_alone) {
  for (const char* text : {"", "plain text", "a=b?c_d", "=?no word?="}) {
    EXPECT_EQ(to_header_words(text), text);
    EXPECT_EQ(from_header_words(text), text);
  }
}

// The bytes of a UTF-8 value that nobody encoded, and what S3 answers for them. Source: S3 User
// Guide, "Working with object metadata".
TEST(HeaderWords, take_bytes_that_are_not_encoded_as_latin1) {
  EXPECT_EQ(to_header_words(from_header_words("ÄMÄZÕÑ S3")),
            "=?UTF-8?B?w4PChE3Dg8KEWsODwpXDg8KRIFMz?=");
}

TEST(HeaderWords, are_quoted_when_most_of_the_text_is_ascii) {
  EXPECT_EQ(to_header_words("héllo_w=rld x"), "=?UTF-8?Q?h=C3=A9llo=5Fw=3Drld_x?=");
  EXPECT_EQ(to_header_words("ñandú"), "=?UTF-8?Q?=C3=B1and=C3=BA?=");
  EXPECT_EQ(to_header_words("日本"), "=?UTF-8?B?5pel5pys?=");
}

TEST(HeaderWords, are_decoded_in_both_encodings_and_three_charsets) {
  EXPECT_EQ(from_header_words("=?UTF-8?B?aMOpbGxv?="), "héllo");
  EXPECT_EQ(from_header_words("=?utf-8?q?h=C3=A9llo_you?="), "héllo you");
  EXPECT_EQ(from_header_words("=?ISO-8859-1?Q?h=E9llo?="), "héllo");
  EXPECT_EQ(from_header_words("a =?US-ASCII?Q?b?= c"), "a b c");
  EXPECT_EQ(from_header_words("=?UTF-8?Q?a?= =?UTF-8?Q?b?="), "ab");
}

TEST(HeaderWords, that_cannot_be_decoded_stay) {
  for (const char* text :
       {"=?KOI8-R?Q?abc?=", "=?UTF-8?B?***?=", "=?UTF-8?Q?=FF?=", "=?UTF-8?X?a?="})
    EXPECT_EQ(from_header_words(text), text);
}

TEST(HeaderWords, let_no_line_end_through) {
  EXPECT_EQ(to_header_words("a\r\nb: c"), "=?UTF-8?Q?a=0D=0Ab:_c?=");
}

TEST(HeaderWords, of_long_texts_come_back) {
  std::string text;
  for (int i = 0; i < 100; ++i) text += "añ日 x";
  const std::string words = to_header_words(text);
  for (size_t at = 0; at < words.size();) {
    const size_t end = std::min(words.find(' ', at), words.size());
    EXPECT_LE(end - at, 75u);
    at = end + 1;
  }
  EXPECT_EQ(from_header_words(words), text);
}

}  // namespace
}  // namespace virga
