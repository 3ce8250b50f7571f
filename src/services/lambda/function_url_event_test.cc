#include "services/lambda/function_url_event.h"

#include <gtest/gtest.h>

#include "base/json.h"

namespace virga::lambda {
namespace {

const FunctionUrlAddress kAddress{
    .url_id = std::string(32, 'a'), .path = "/a%20b", .domain_name = "x.lambda-url.localhost"};

Document event_of(std::string_view method, std::string_view target,
                  std::vector<std::pair<std::string, std::string>> headers, std::string body) {
  const auto request = net::make_memory_request(method, target, std::move(headers), body);
  const auto parsed =
      parse_json(function_url_event(*request, body, kAddress, "req-1", Timestamp{}, nullptr));
  return parsed ? *parsed : Document();
}

TEST(FunctionUrlEvent, joins_repeated_names_and_keeps_cookies_apart) {
  const auto event =
      event_of("GET", "/?a=1&a=2&b=%C3%BC",
               {{"Host", "h"}, {"X-A", "1"}, {"x-a", "2"}, {"Cookie", "c=1; d=2"}}, "");
  EXPECT_EQ(event.find("queryStringParameters")->string_or("a", ""), "1,2");
  EXPECT_EQ(event.find("queryStringParameters")->string_or("b", ""), "\xc3\xbc");
  EXPECT_EQ(event.find("headers")->string_or("x-a", ""), "1,2");
  EXPECT_EQ(event.find("headers")->find("cookie"), nullptr);
  EXPECT_EQ(event.find("cookies")->as_array().size(), 2u);
  EXPECT_EQ(event.string_or("rawPath", ""), "/a b");
  EXPECT_EQ(event.find("body"), nullptr);
}

TEST(FunctionUrlEvent, text_is_text_and_the_rest_is_base64) {
  const auto text = event_of(
      "POST", "/", {{"Host", "h"}, {"Content-Type", "application/json; charset=utf-8"}}, "{}");
  EXPECT_EQ(text.string_or("body", ""), "{}");
  EXPECT_FALSE(text.find("isBase64Encoded")->as_bool());
  const auto form = event_of(
      "POST", "/", {{"Host", "h"}, {"Content-Type", "application/x-www-form-urlencoded"}}, "a=1");
  EXPECT_EQ(form.string_or("body", ""), "YT0x");
  EXPECT_TRUE(form.find("isBase64Encoded")->as_bool());
  const auto broken =
      event_of("POST", "/", {{"Host", "h"}, {"Content-Type", "text/plain"}}, "\xff");
  EXPECT_TRUE(broken.find("isBase64Encoded")->as_bool());
}

TEST(FunctionUrlReply, reads_the_format_of_the_answer) {
  const auto full = function_url_reply(
      R"({"statusCode":"201","headers":{"X-A":1,"Content-Length":"9"},"cookies":["a=1"],)"
      R"("isBase64Encoded":true,"body":"AP8="})");
  EXPECT_EQ(full.status, 201);
  EXPECT_EQ(full.headers.find("X-A"), "1");
  EXPECT_EQ(full.headers.find("Set-Cookie"), "a=1");
  EXPECT_EQ(full.headers.find("Content-Length"), std::nullopt);
  EXPECT_EQ(full.body, std::string("\0\xff", 2));
  const auto plain = function_url_reply("{\"a\":1}");
  EXPECT_EQ(plain.status, 200);
  EXPECT_EQ(plain.body, "{\"a\":1}");
  EXPECT_EQ(plain.headers.find("Content-Type"), "application/json");
  EXPECT_EQ(function_url_reply("\"text\"").body, "text");
}

TEST(FunctionUrlReply, malformed_answers_are_a_bad_gateway) {
  for (const char* bad :
       {R"({"statusCode":99})", R"({"statusCode":"x"})", R"({"statusCode":200,"headers":[]})",
        R"({"statusCode":200,"isBase64Encoded":true,"body":"!"})",
        R"({"statusCode":200,"cookies":[1]})"}) {
    EXPECT_EQ(function_url_reply(bad).status, 502) << bad;
  }
}

TEST(FunctionUrlAddress, is_found_by_host_and_by_path) {
  const std::string id(32, 'b');
  const auto by_path = net::make_memory_request("GET", "/_aws/lambda-url/" + id + "/x/y",
                                                {{"Host", "127.0.0.1"}}, "");
  ASSERT_TRUE(function_url_address(*by_path));
  EXPECT_EQ(function_url_address(*by_path)->path, "/x/y");
  const auto by_host = net::make_memory_request(
      "GET", "/x", {{"Host", id + ".lambda-url.us-east-1.localhost:4566"}}, "");
  ASSERT_TRUE(function_url_address(*by_host));
  EXPECT_EQ(function_url_address(*by_host)->url_id, id);
  const auto none = net::make_memory_request("GET", "/_aws/lambda-url/short/", {{"Host", "h"}}, "");
  EXPECT_FALSE(function_url_address(*none));
}

TEST(FunctionUrl, is_a_path_where_names_would_not_resolve) {
  const std::string id(32, 'c');
  EXPECT_EQ(function_url({.host = "127.0.0.1", .port = 80}, id, "us-east-1")
                    .find("/_aws/lambda-url/" + id + "/") != std::string::npos,
            true);
  EXPECT_NE(function_url({.host = "cloud.example", .port = 4566}, id, "eu-west-1")
                .find(id + ".lambda-url.eu-west-1.cloud.example"),
            std::string::npos);
}

}  // namespace
}  // namespace virga::lambda
