#include "services/s3/cors.h"

#include <gtest/gtest.h>

namespace virga::s3 {
namespace {

CorsRule rule(std::vector<std::string> origins, std::vector<std::string> methods,
              std::vector<std::string> headers = {}) {
  CorsRule out;
  out.allowed_origins = std::move(origins);
  out.allowed_methods = std::move(methods);
  out.allowed_headers = std::move(headers);
  return out;
}

std::string header(const std::optional<HeaderList>& list, std::string_view name) {
  if (!list) return "(none)";
  for (const auto& [key, value] : *list) {
    if (key == name) return value;
  }
  return "";
}

TEST(Cors, the_first_rule_that_matches_decides) {
  const CorsRules rules{rule({"https://*.example.com"}, {"GET", "PUT"}), rule({"*"}, {"GET"})};
  const auto by_name =
      cors_headers(rules, {.origin = "https://a.example.com", .method = "GET", .headers = {}});
  EXPECT_EQ(header(by_name, "Access-Control-Allow-Origin"), "https://a.example.com");
  EXPECT_EQ(header(by_name, "Access-Control-Allow-Methods"), "GET, PUT");
  EXPECT_EQ(header(by_name, "Access-Control-Allow-Credentials"), "true");
  EXPECT_EQ(header(by_name, "Vary"),
            "Origin, Access-Control-Request-Headers, Access-Control-Request-Method");
  const auto by_star =
      cors_headers(rules, {.origin = "https://other.org", .method = "GET", .headers = {}});
  EXPECT_EQ(header(by_star, "Access-Control-Allow-Origin"), "*");
  EXPECT_EQ(header(by_star, "Access-Control-Allow-Credentials"), "");
  EXPECT_FALSE(
      cors_headers(rules, {.origin = "https://other.org", .method = "PUT", .headers = {}}));
  EXPECT_FALSE(
      cors_headers({rules[0]}, {.origin = "https://example.com", .method = "GET", .headers = {}}));
}

TEST(Cors, requested_headers_must_all_be_allowed) {
  CorsRules rules{rule({"*"}, {"PUT"}, {"x-amz-*", "Content-Type"})};
  rules[0].expose_headers = {"ETag", "x-amz-request-id"};
  rules[0].max_age_seconds = 3000;
  const auto passed = cors_headers(
      rules, {.origin = "null", .method = "PUT", .headers = {"X-Amz-Date", "content-type"}});
  EXPECT_EQ(header(passed, "Access-Control-Allow-Headers"), "x-amz-date, content-type");
  EXPECT_EQ(header(passed, "Access-Control-Expose-Headers"), "ETag, x-amz-request-id");
  EXPECT_EQ(header(passed, "Access-Control-Max-Age"), "3000");
  EXPECT_FALSE(cors_headers(
      rules, {.origin = "null", .method = "PUT", .headers = {"x-amz-date", "authorization"}}));
}

TEST(Cors, refuses_rules_that_s3_refuses) {
  EXPECT_EQ(check_cors_rules({}).error().code, "MalformedXML");
  EXPECT_EQ(check_cors_rules({rule({"*"}, {"PATCH"})}).error().message,
            "Found unsupported HTTP method in CORS config. Unsupported method is PATCH");
  EXPECT_EQ(check_cors_rules({rule({"http://*.*"}, {"GET"})}).error().message,
            "AllowedOrigin \"http://*.*\" can not have more than one wildcard.");
  EXPECT_EQ(check_cors_rules({rule({"*"}, {"GET"}, {"*-*"})}).error().message,
            "AllowedHeader \"*-*\" can not have more than one wildcard.");
  EXPECT_EQ(check_cors_rules(CorsRules(101, rule({"*"}, {"GET"}))).error().code, "InvalidRequest");
  EXPECT_TRUE(check_cors_rules({rule({"*"}, {"GET", "HEAD"}, {"*"})}));
}

}  // namespace
}  // namespace virga::s3
