#include "services/iam/totp.h"

#include <gtest/gtest.h>

namespace virga::iam {
namespace {

// RFC 6238, appendix B (SHA-1), the last six digits of each.
constexpr const char* kSecret = "12345678901234567890";

TEST(Totp, makes_the_codes_of_the_rfc) {
  EXPECT_EQ(totp_code(kSecret, 59 / 30), "287082");
  EXPECT_EQ(totp_code(kSecret, 1111111109 / 30), "081804");
  EXPECT_EQ(totp_code(kSecret, 20000000000 / 30), "353130");
}

TEST(Totp, writes_base32_as_the_rfc) {
  EXPECT_EQ(to_base32("foobar"), "MZXW6YTBOI");
  EXPECT_EQ(to_base32(""), "");
}

TEST(Totp, wants_two_codes_in_a_row_near_now) {
  const int64_t now = 1111111109;
  const std::string first = totp_code(kSecret, now / 30);
  const std::string second = totp_code(kSecret, now / 30 + 1);
  EXPECT_TRUE(are_consecutive_codes(kSecret, first, second, now));
  EXPECT_FALSE(are_consecutive_codes(kSecret, second, first, now));
  EXPECT_FALSE(are_consecutive_codes(kSecret, first, first, now));
  EXPECT_FALSE(are_consecutive_codes(kSecret, first, second, now + 3600));
}

}  // namespace
}  // namespace virga::iam
