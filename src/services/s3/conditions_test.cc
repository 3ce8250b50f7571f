#include "services/s3/conditions.h"

#include <gtest/gtest.h>

#include "services/s3/customer_key.h"

namespace virga::s3 {
namespace {

ObjectVersion object() {
  ObjectVersion o;
  o.etag = "abc";
  o.modified_millis = 1'000'000;
  return o;
}

int status(const ReadConditions& conditions) {
  const auto got = check_read(conditions, object());
  return got ? 200 : got.error().http_status;
}

// Source: RFC 9110 §13.2.2.
TEST(CheckRead, lets_etags_decide_before_dates) {
  const auto before = Timestamp::from_seconds(999), same = Timestamp::from_seconds(1000);
  EXPECT_EQ(status({.if_match = "\"abc\""}), 200);
  EXPECT_EQ(status({.if_match = "\"x\", abc"}), 200);
  EXPECT_EQ(status({.if_match = "\"x\""}), 412);
  EXPECT_EQ(status({.if_match = "*", .if_unmodified_since = before}), 200);
  EXPECT_EQ(status({.if_unmodified_since = before}), 412);
  EXPECT_EQ(status({.if_unmodified_since = same}), 200);
  EXPECT_EQ(status({.if_none_match = "W/\"abc\""}), 304);
  EXPECT_EQ(status({.if_none_match = "\"x\"", .if_modified_since = same}), 200);
  EXPECT_EQ(status({.if_modified_since = same}), 304);
  EXPECT_EQ(status({.if_modified_since = before}), 200);
}

TEST(CheckWrite, knows_the_first_and_the_same) {
  const ObjectVersion there = object();
  EXPECT_TRUE(check_write({}, "*", nullptr, "k"));
  EXPECT_EQ(check_write({}, "*", &there, "k").error().code, "PreconditionFailed");
  EXPECT_EQ(check_write({}, "\"abc\"", &there, "k").error().code, "NotImplemented");
  EXPECT_TRUE(check_write("\"abc\"", {}, &there, "k"));
  EXPECT_EQ(check_write("\"x\"", {}, &there, "k").error().code, "PreconditionFailed");
  EXPECT_EQ(check_write("\"x\"", {}, nullptr, "k").error().code, "NoSuchKey");
}

TEST(KeyStream, decrypts_from_any_place) {
  const std::string key(32, 'k');
  const std::string nonce(15, '\xff');
  std::string text(1000, '\0');
  for (size_t i = 0; i < text.size(); ++i) text[i] = static_cast<char>(i);
  std::string secret = text;
  KeyStream(key, nonce + '\xff').apply(secret);  // the counter overflows at once
  EXPECT_NE(secret, text);
  for (const size_t at : {0, 1, 15, 16, 17, 500, 999}) {
    std::string rest = secret.substr(at);
    KeyStream(key, nonce + '\xff', at).apply(rest);
    EXPECT_EQ(rest, text.substr(at)) << at;
  }
}

}  // namespace
}  // namespace virga::s3
