#include "services/apigatewayv2/event.h"

#include <gtest/gtest.h>

#include "base/json.h"
#include "services/apigatewayv2/test_exchange.h"

namespace virga::apigatewayv2 {
namespace {

TEST(EventV2, has_the_documented_form) {
  TestExchange t("GET /my/{name}", "test");
  t.request.path = "/test/my/a%20b";
  t.request.query = "parameter1=value1&parameter1=value2&parameter2=value%202&empty";
  t.request.headers = {{"Header1", "value1"},   {"header2", "x"},
                       {"Header2", "y"},        {"Cookie", "a=1; b=2"},
                       {"User-Agent", "agent"}, {"Host", "abc123defg.execute-api.localhost:4566"}};
  t.exchange.raw_path = "/test/my/a b";
  t.exchange.stage_path = "/my/a b";
  t.exchange.path_parameters = {{"name", "a b"}};
  t.stage.variables = {{"color", "blue"}};
  const auto got = parse_json(integration_event_v2(t.exchange));
  ASSERT_TRUE(got);
  const auto want =
      parse_json(R"({"version":"2.0","routeKey":"GET /my/{name}","rawPath":"/test/my/a b",
    "rawQueryString":"parameter1=value1&parameter1=value2&parameter2=value%202&empty","cookies":["a=1","b=2"],
    "headers":{"content-length":"0","header1":"value1","header2":"x,y","host":"abc123defg.execute-api.localhost:4566",
      "user-agent":"agent","x-amzn-trace-id":"Root=1-5e6a8a4e-0123456789abcdef01234567","x-forwarded-for":"192.0.2.7",
      "x-forwarded-port":"4566","x-forwarded-proto":"http"},
    "queryStringParameters":{"empty":"","parameter1":"value1,value2","parameter2":"value 2"},
    "requestContext":{"accountId":"123456789012","apiId":"abc123defg","domainName":"abc123defg.execute-api.localhost",
      "domainPrefix":"abc123defg","http":{"method":"GET","path":"/test/my/a b","protocol":"HTTP/1.1",
      "sourceIp":"192.0.2.7","userAgent":"agent"},"requestId":"JKJaXmPLvHcESHA=","routeKey":"GET /my/{name}",
      "stage":"test","time":"12/Mar/2020:19:03:58 +0000","timeEpoch":1584039838390},
    "isBase64Encoded":false,"pathParameters":{"name":"a b"},"stageVariables":{"color":"blue"}})");
  ASSERT_TRUE(want);
  EXPECT_EQ(to_json(*got), to_json(*want));
}

TEST(EventV2, leaves_out_what_is_absent) {
  TestExchange t("$default", "$default");
  const auto got = parse_json(integration_event_v2(t.exchange));
  ASSERT_TRUE(got);
  for (const char* name :
       {"cookies", "queryStringParameters", "pathParameters", "stageVariables", "body"}) {
    EXPECT_EQ(got->find(name), nullptr) << name;
  }
  EXPECT_EQ(got->find("requestContext")->find("authorizer"), nullptr);
  EXPECT_EQ(got->string_or("rawQueryString", "?"), "");
}

TEST(EventV2, sends_text_types_as_text_and_all_else_as_base64) {
  const auto body = [](std::vector<Field> headers, std::string_view bytes) {
    TestExchange t("$default", "$default");
    t.request.headers = std::move(headers);
    t.request.body = bytes;
    const auto event = parse_json(integration_event_v2(t.exchange));
    return std::pair(std::string(event->string_or("body", "none")),
                     event->find("isBase64Encoded")->as_bool());
  };
  EXPECT_EQ(body({{"content-type", "application/json; charset=utf-8"}}, "{}"),
            std::pair(std::string("{}"), false));
  EXPECT_EQ(body({{"Content-Type", "TEXT/csv"}}, "a,b"), std::pair(std::string("a,b"), false));
  EXPECT_EQ(body({{"content-type", "application/xml"}}, "<a/>"),
            std::pair(std::string("<a/>"), false));
  EXPECT_EQ(body({{"content-type", "application/x-www-form-urlencoded"}}, "a=b"),
            std::pair(std::string("YT1i"), true));
  EXPECT_EQ(body({{"content-type", "application/octet-stream"}}, "a=b"),
            std::pair(std::string("YT1i"), true));
  EXPECT_EQ(body({}, "a=b"), std::pair(std::string("YT1i"), true));
  EXPECT_EQ(body({{"content-type", "text/plain"}, {"content-encoding", "gzip"}}, "a=b"),
            std::pair(std::string("YT1i"), true));
  EXPECT_EQ(body({{"content-type", "text/plain"}}, "\xFF\xFE"),
            std::pair(std::string("//4="), true));
}

TEST(EventV2, carries_each_kind_of_authorizer) {
  TestExchange t("$default", "$default");
  auto& a = t.exchange.authorization;
  a.kind = Authorization::Kind::jwt;
  a.claims = {{"sub", "me"}};
  a.scopes = {"read"};
  const auto authorizer = [&] {
    return to_json(
        *parse_json(integration_event_v2(t.exchange))->find("requestContext")->find("authorizer"));
  };
  EXPECT_EQ(authorizer(), R"({"jwt":{"claims":{"sub":"me"},"scopes":["read"]}})");
  a.scopes.clear();
  EXPECT_EQ(authorizer(), R"({"jwt":{"claims":{"sub":"me"},"scopes":null}})");
  a = {};
  a.kind = Authorization::Kind::lambda;
  a.lambda_context = R"({"n":1,"b":true})";
  EXPECT_EQ(authorizer(), R"({"lambda":{"n":1,"b":true}})");
}

TEST(EventV2, is_valid_json_for_headers_that_are_not_utf8) {
  TestExchange t("$default", "$default");
  t.request.headers = {{"x-name", "caf\xE9"}};
  const auto got = parse_json(integration_event_v2(t.exchange));
  ASSERT_TRUE(got);
  EXPECT_EQ(got->find("headers")->string_or("x-name", ""), "caf\xC3\xA9");
}

TEST(EventV2, appends_to_an_existing_forwarded_for) {
  TestExchange t("$default", "$default");
  t.request.headers = {{"X-Forwarded-For", "198.51.100.1"}};
  const auto got = parse_json(integration_event_v2(t.exchange));
  EXPECT_EQ(got->find("headers")->string_or("x-forwarded-for", ""), "198.51.100.1, 192.0.2.7");
}

TEST(EventV1, has_the_documented_form) {
  TestExchange t("ANY /my/{proxy+}", "$default");
  t.request.query = "a=1&a=2";
  t.request.headers = {{"Header2", "value1"}, {"Header2", "value2"}, {"Cookie", "a=1"}};
  t.request.body = "hi";
  t.exchange.path_parameters = {{"proxy", "path"}};
  const auto got = parse_json(integration_event_v1(t.exchange));
  ASSERT_TRUE(got);
  EXPECT_EQ(got->string_or("version", ""), "1.0");
  EXPECT_EQ(got->string_or("resource", ""), "/my/{proxy+}");
  EXPECT_EQ(got->string_or("httpMethod", ""), "GET");
  EXPECT_EQ(got->find("headers")->string_or("Header2", ""), "value2");
  EXPECT_EQ(got->find("headers")->string_or("Cookie", ""), "a=1");
  EXPECT_EQ(to_json(*got->find("multiValueHeaders")->find("Header2")), R"(["value1","value2"])");
  EXPECT_EQ(got->find("queryStringParameters")->string_or("a", ""), "1");
  EXPECT_EQ(to_json(*got->find("multiValueQueryStringParameters")), R"({"a":["1","2"]})");
  EXPECT_EQ(to_json(*got->find("pathParameters")), R"({"proxy":"path"})");
  EXPECT_TRUE(got->find("stageVariables")->is_null());
  EXPECT_EQ(got->string_or("body", ""), "aGk=");
  const Document& context = *got->find("requestContext");
  EXPECT_EQ(context.string_or("resourceId", ""), "ANY /my/{proxy+}");
  EXPECT_EQ(context.string_or("resourcePath", ""), "/my/{proxy+}");
  EXPECT_EQ(context.string_or("requestTime", ""), "12/Mar/2020:19:03:58 +0000");
  EXPECT_TRUE(context.find("identity")->find("user")->is_null());
}

TEST(EventV1, has_nulls_for_what_is_absent) {
  TestExchange t("$default", "$default");
  const auto got = parse_json(integration_event_v1(t.exchange));
  for (const char* name : {"queryStringParameters", "multiValueQueryStringParameters",
                           "pathParameters", "stageVariables", "body"}) {
    ASSERT_NE(got->find(name), nullptr) << name;
    EXPECT_TRUE(got->find(name)->is_null()) << name;
  }
}

TEST(AuthorizerEvent, names_the_request_and_its_identities) {
  TestExchange t("GET /request", "test");
  t.exchange.stage_path = "/request";
  const auto v2 = parse_json(authorizer_event_v2(t.exchange, {"user1", "123"}));
  ASSERT_TRUE(v2);
  EXPECT_EQ(v2->string_or("type", ""), "REQUEST");
  EXPECT_EQ(v2->string_or("routeArn", ""),
            "arn:aws:execute-api:us-east-1:123456789012:abc123defg/test/GET/request");
  EXPECT_EQ(to_json(*v2->find("identitySource")), R"(["user1","123"])");
  EXPECT_EQ(v2->find("body"), nullptr);
  const auto v1 = parse_json(authorizer_event_v1(t.exchange, {"user1", "123"}));
  ASSERT_TRUE(v1);
  EXPECT_EQ(v1->string_or("methodArn", ""),
            "arn:aws:execute-api:us-east-1:123456789012:abc123defg/test/GET/request");
  EXPECT_EQ(v1->string_or("identitySource", ""), "user1,123");
  EXPECT_EQ(v1->string_or("authorizationToken", ""), "user1,123");
}

}  // namespace
}  // namespace virga::apigatewayv2
