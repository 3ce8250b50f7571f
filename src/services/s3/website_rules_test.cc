#include "services/s3/website_rules.h"

#include <gtest/gtest.h>

namespace virga::s3 {
namespace {

const WebsiteVisit kVisit{.scheme = "http", .host = "b.s3-website.test:80", .key = "docs/a b"};

api::RoutingRule routing_rule(std::optional<std::string> prefix, std::optional<std::string> code) {
  api::RoutingRule out;
  if (prefix || code) {
    auto& condition = out.condition.emplace();
    condition.key_prefix_equals = std::move(prefix);
    condition.http_error_code_returned_equals = std::move(code);
  }
  return out;
}

api::WebsiteConfiguration site_with(api::RoutingRule one) {
  api::WebsiteConfiguration out;
  out.index_document.emplace().suffix = "index.html";
  out.routing_rules.emplace().push_back(std::move(one));
  return out;
}

TEST(WebsiteRules, folders_mean_their_index_document) {
  const auto website = site_with(routing_rule({}, {}));
  EXPECT_EQ(website_key(website, ""), "index.html");
  EXPECT_EQ(website_key(website, "a/"), "a/index.html");
  EXPECT_EQ(website_key(website, "a"), "a");
}

TEST(WebsiteRules, everything_may_go_elsewhere) {
  api::RedirectAllRequestsTo to;
  to.host_name = "example.com";
  WebsiteVisit visit = kVisit;
  visit.query = "x=1";
  EXPECT_EQ(redirect_of_all(to, visit).location, "http://example.com/docs/a%20b?x=1");
  to.protocol = "https";
  EXPECT_EQ(redirect_of_all(to, visit).location, "https://example.com/docs/a%20b?x=1");
}

TEST(WebsiteRules, prefixes_are_replaced) {
  auto one = routing_rule("docs/", {});
  one.redirect.replace_key_prefix_with = "documents/";
  const auto to = redirect_by_rules(site_with(one), kVisit, 0);
  ASSERT_TRUE(to);
  EXPECT_EQ(to->status, 301);
  EXPECT_EQ(to->location, "http://b.s3-website.test:80/documents/a%20b");
  WebsiteVisit other = kVisit;
  other.key = "images/x";
  EXPECT_FALSE(redirect_by_rules(site_with(one), other, 0));
}

TEST(WebsiteRules, errors_have_rules_of_their_own) {
  auto one = routing_rule({}, "404");
  one.redirect.replace_key_with = "gone.html";
  one.redirect.http_redirect_code = "302";
  one.redirect.host_name = "example.com";
  EXPECT_FALSE(redirect_by_rules(site_with(one), kVisit, 0));
  EXPECT_FALSE(redirect_by_rules(site_with(one), kVisit, 403));
  const auto to = redirect_by_rules(site_with(one), kVisit, 404);
  ASSERT_TRUE(to);
  EXPECT_EQ(to->status, 302);
  EXPECT_EQ(to->location, "http://example.com/gone.html");
}

}  // namespace
}  // namespace virga::s3
