#include "server/options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

namespace virga::server {
namespace {

using testing::HasSubstr;

TEST(Options, defaults_to_both_loopbacks_and_open_mode) {
  const auto got = parse_serve_options({}, {});
  ASSERT_TRUE(got);
  ASSERT_EQ(got->listen.size(), 2u);
  EXPECT_EQ(got->listen[0].host, "127.0.0.1");
  EXPECT_EQ(got->listen[1].host, "::1");
  EXPECT_EQ(got->listen[0].port, 4566);
  EXPECT_EQ(got->auth, AuthMode::open);
}

TEST(Options, a_flag_wins_over_the_environment) {
  const auto got = parse_serve_options({"--region", "eu-west-1"}, {{"VIRGA_REGION", "us-west-2"}});
  EXPECT_EQ(got->region, "eu-west-1");
  EXPECT_EQ(parse_serve_options({}, {{"VIRGA_REGION", "us-west-2"}})->region, "us-west-2");
}

TEST(Options, the_environment_wins_over_the_config_file) {
  const std::string path = testing::TempDir() + "/virga-options-test.json";
  std::ofstream(path)
      << R"({"region": "ap-south-1", "auth": "strict", "accounts": [{"id": "111111111111"}]})";
  const auto got = parse_serve_options({"--config", path}, {{"VIRGA_REGION", "us-west-2"}});
  ASSERT_TRUE(got) << got.error().message;
  EXPECT_EQ(got->region, "us-west-2");
  EXPECT_EQ(got->auth, AuthMode::strict);
  EXPECT_TRUE(got->accounts.is_array());
}

TEST(Options, a_service_listener_keeps_the_common_default) {
  const auto got = parse_serve_options({"--listen", "dynamodb=127.0.0.1:8000"}, {});
  ASSERT_EQ(got->listen.size(), 3u);
  EXPECT_EQ(got->listen[0].service, "dynamodb");
}

TEST(Options, brackets_hold_an_ipv6_address) {
  EXPECT_EQ((*parse_listen("[::1]:80"))[0].host, "::1");
  EXPECT_EQ(parse_listen("localhost:80")->size(), 2u);
}

TEST(Options, says_which_option_is_wrong) {
  EXPECT_THAT(parse_serve_options({"--auht", "open"}, {}).error().message, HasSubstr("--auht"));
  EXPECT_THAT(parse_serve_options({"--auth", "maybe"}, {}).error().message, HasSubstr("maybe"));
  EXPECT_THAT(parse_serve_options({"--account-id", "12"}, {}).error().message,
              HasSubstr("12 digits"));
  EXPECT_THAT(parse_serve_options({"--listen"}, {}).error().message, HasSubstr("needs a value"));
  EXPECT_THAT(parse_serve_options({"--tls-cert", "x"}, {}).error().message, HasSubstr("--tls-key"));
}

TEST(Options, durations_have_units) {
  EXPECT_EQ(*parse_duration_ms("150ms"), 150);
  EXPECT_EQ(*parse_duration_ms("2s"), 2000);
  EXPECT_EQ(*parse_duration_ms("1.5m"), 90'000);
  EXPECT_FALSE(parse_duration_ms("soon"));
}

TEST(Options, foreign_variables_are_mapped_or_reported) {
  const auto got =
      parse_serve_options({}, {{"GATEWAY_LISTEN", ":5000"}, {"LAMBDA_EXECUTOR", "docker"}});
  ASSERT_TRUE(got);
  EXPECT_EQ(got->listen[0].host, "0.0.0.0");
  EXPECT_EQ(got->listen[0].port, 5000);
  EXPECT_THAT(got->notes, testing::Contains(HasSubstr("LAMBDA_EXECUTOR not mapped")));
  EXPECT_EQ(parse_serve_options({}, {{"LAMBDA_KEEPALIVE_MS", "1500"}})->function_idle_ms, 1500);
  EXPECT_EQ(parse_serve_options({"--function-idle", "2s"}, {})->function_idle_ms, 2000);
}

TEST(Options, help_names_every_option_with_its_variable) {
  for (const auto& row : option_rows()) {
    EXPECT_THAT(help_text(), HasSubstr(row.flag));
    EXPECT_THAT(help_text(), HasSubstr(row.env));
  }
}

}  // namespace
}  // namespace virga::server
