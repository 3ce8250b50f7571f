#include "services/apigatewayv2/reply.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/apigatewayv2/cors.h"
#include "services/apigatewayv2/http_integration.h"
#include "services/apigatewayv2/test_exchange.h"

namespace virga::apigatewayv2 {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

TEST(ReplyV2, infers_an_answer_from_plain_json) {
  const auto object = reply_from_function(R"({"message": "Hello"})", "2.0");
  EXPECT_EQ(object.status, 200);
  EXPECT_EQ(object.body, R"({"message": "Hello"})");
  EXPECT_THAT(object.headers, ElementsAre(Pair("content-type", "application/json")));
  EXPECT_EQ(reply_from_function(R"("Hello from Lambda!")", "2.0").body, "Hello from Lambda!");
  EXPECT_EQ(reply_from_function("[1,2]", "2.0").body, "[1,2]");
  EXPECT_EQ(reply_from_function("null", "2.0").body, "null");
}

TEST(ReplyV2, takes_status_headers_cookies_and_body) {
  const auto r = reply_from_function(
      R"({"statusCode":201,"headers":{"Content-Type":"text/html","X-Count":3},"cookies":["a=1; Secure","b=2"],"body":"<p>"})",
      "2.0");
  EXPECT_EQ(r.status, 201);
  EXPECT_EQ(r.body, "<p>");
  EXPECT_THAT(r.headers,
              UnorderedElementsAre(Pair("content-type", "text/html"), Pair("x-count", "3"),
                                   Pair("set-cookie", "a=1; Secure"), Pair("set-cookie", "b=2")));
}

TEST(ReplyV2, gives_text_plain_to_a_structured_answer_without_a_type) {
  EXPECT_EQ(reply_from_function(R"({"statusCode":200,"body":"x"})", "2.0").header("content-type"),
            "text/plain;charset=UTF-8");
  EXPECT_THAT(reply_from_function(R"({"statusCode":204})", "2.0").headers, IsEmpty());
}

TEST(ReplyV2, decodes_base64_bodies) {
  EXPECT_EQ(
      reply_from_function(R"({"statusCode":200,"body":"AAH/","isBase64Encoded":true})", "2.0").body,
      std::string("\x00\x01\xFF", 3));
}

TEST(ReplyV2, answers_500_for_malformed_answers) {
  for (const char* bad :
       {"", "{", R"({"statusCode":"abc"})", R"({"statusCode":99})", R"({"statusCode":1000})",
        R"({"statusCode":{}})", R"({"statusCode":200,"headers":[]})",
        R"({"statusCode":200,"headers":{"a":{}}})",
        R"({"statusCode":200,"headers":{"a":"x\r\ny: z"}})",
        R"({"statusCode":200,"headers":{"a b":"x"}})", R"({"statusCode":200,"cookies":"a"})",
        R"({"statusCode":200,"cookies":[1]})", R"({"statusCode":200,"cookies":["a\nb"]})",
        R"({"statusCode":200,"body":{"a":1}})",
        R"({"statusCode":200,"body":"***","isBase64Encoded":true})"}) {
    const auto r = reply_from_function(bad, "2.0");
    EXPECT_EQ(r.status, 500) << bad;
    EXPECT_EQ(r.body, R"({"message":"Internal Server Error"})") << bad;
  }
}

TEST(ReplyV2, drops_headers_that_belong_to_the_connection) {
  const auto r = reply_from_function(
      R"({"statusCode":200,"headers":{"Connection":"close","Content-Length":"7","Transfer-Encoding":"chunked","apigw-requestid":"x"},"body":"x"})",
      "2.0");
  EXPECT_THAT(r.headers, ElementsAre(Pair("content-type", "text/plain;charset=UTF-8")));
}

TEST(ReplyV1, needs_a_status_and_joins_both_kinds_of_headers) {
  EXPECT_EQ(reply_from_function(R"({"message":"x"})", "1.0").status, 500);
  EXPECT_EQ(reply_from_function(R"("x")", "1.0").status, 500);
  const auto r = reply_from_function(
      R"({"statusCode":"200","headers":{"a":"1","b":"2"},"multiValueHeaders":{"B":["3","4"]},"cookies":["c=1"],"body":"x"})",
      "1.0");
  EXPECT_EQ(r.status, 200);
  EXPECT_THAT(r.headers, UnorderedElementsAre(Pair("a", "1"), Pair("b", "3"), Pair("b", "4"),
                                              Pair("content-type", "text/plain;charset=UTF-8")));
  EXPECT_EQ(
      reply_from_function(R"({"statusCode":200,"multiValueHeaders":{"b":"3"}})", "1.0").status,
      500);
}

CorsRules rules() {
  return {.allow_origins = {"https://www.example.com"},
          .allow_methods = {"GET", "POST"},
          .allow_headers = {"authorization"},
          .expose_headers = {"date", "x-api-id"},
          .max_age = 300,
          .allow_credentials = true};
}

TEST(Cors, answers_a_preflight_of_an_allowed_origin) {
  GatewayRequest request;
  request.method = "OPTIONS";
  request.headers = {{"Origin", "https://www.example.com"},
                     {"Access-Control-Request-Method", "GET"}};
  ASSERT_TRUE(is_preflight(request));
  const auto r = preflight_reply(rules(), request);
  EXPECT_EQ(r.status, 204);
  EXPECT_THAT(
      r.headers,
      UnorderedElementsAre(Pair("access-control-allow-origin", "https://www.example.com"),
                           Pair("vary", "origin"), Pair("access-control-allow-credentials", "true"),
                           Pair("access-control-allow-methods", "GET,POST"),
                           Pair("access-control-allow-headers", "authorization"),
                           Pair("access-control-expose-headers", "date,x-api-id"),
                           Pair("access-control-max-age", "300")));
}

TEST(Cors, gives_another_origin_nothing) {
  GatewayRequest request;
  request.method = "OPTIONS";
  request.headers = {{"Origin", "https://evil.example"}, {"Access-Control-Request-Method", "GET"}};
  const auto r = preflight_reply(rules(), request);
  EXPECT_EQ(r.status, 204);
  EXPECT_THAT(r.headers, IsEmpty());
}

TEST(Cors, knows_wildcards_and_schemes) {
  const auto allowed = [](std::vector<std::string> origins, std::string_view origin) {
    CorsRules r;
    r.allow_origins = std::move(origins);
    GatewayRequest request;
    request.headers = {{"origin", origin}};
    GatewayReply reply;
    apply_cors(r, request, reply);
    return std::string(reply.header("access-control-allow-origin").value_or("none"));
  };
  EXPECT_EQ(allowed({"*"}, "http://a"), "*");
  EXPECT_EQ(allowed({"https://*"}, "https://a"), "https://a");
  EXPECT_EQ(allowed({"https://*"}, "http://a"), "none");
  EXPECT_EQ(allowed({"http://a", "http://b"}, "http://b"), "http://b");
  EXPECT_EQ(allowed({}, "http://b"), "none");
}

TEST(Cors, is_no_preflight_without_both_headers) {
  GatewayRequest request;
  request.method = "OPTIONS";
  request.headers = {{"Origin", "https://www.example.com"}};
  EXPECT_FALSE(is_preflight(request));
  request.headers = {{"Access-Control-Request-Method", "GET"}};
  EXPECT_FALSE(is_preflight(request));
}

TEST(Cors, replaces_the_integrations_own_headers) {
  GatewayRequest request;
  request.headers = {{"origin", "https://www.example.com"}};
  GatewayReply reply;
  reply.headers = {
      {"access-control-allow-origin", "*"}, {"access-control-allow-methods", "PUT"}, {"x", "y"}};
  apply_cors(rules(), request, reply);
  EXPECT_EQ(reply.header("access-control-allow-origin"), "https://www.example.com");
  EXPECT_EQ(reply.header("access-control-allow-methods"), std::nullopt);
  EXPECT_EQ(reply.header("x"), "y");
}

CompiledIntegration integration(std::string uri,
                                std::vector<std::pair<std::string, std::string>> mappings) {
  CompiledIntegration i;
  i.kind = CompiledIntegration::Kind::http;
  i.uri = std::move(uri);
  i.method = "ANY";
  for (const auto& [k, v] : mappings) {
    auto m = parse_parameter_mapping(k, v, MappingSide::request);
    if (m) i.request_mappings.push_back(std::move(*m));
    EXPECT_TRUE(m) << k << "=" << v;
  }
  return i;
}

TEST(Mapping, changes_headers_query_and_path) {
  TestExchange t("GET /pets/{id}", "prod");
  t.request.query = "a=1&b=2";
  t.request.headers = {{"X-One", "1"}, {"x-two", "2"}, {"x-three", "3"}};
  t.exchange.path_parameters = {{"id", "7"}};
  t.stage.variables = {{"env", "blue"}};
  const auto i =
      integration("http://up.example/base",
                  {{"append:header.x-id", "$request.path.id"},
                   {"overwrite:header.x-one", "$context.requestId"},
                   {"remove:header.x-two", "''"},
                   {"append:querystring.c", "${stageVariables.env} ${request.header.x-three}"},
                   {"remove:querystring.a", "''"},
                   {"overwrite:path", "/v1/$request.path.id"},
                   {"append:header.x-none", "$request.header.absent"}});
  const auto mapped = apply_request_mappings(i, t.exchange);
  const auto up = upstream_request(i, *mapped);
  ASSERT_TRUE(up);
  EXPECT_EQ(up->url, "http://up.example/v1/7?b=2&c=blue%203");
  EXPECT_THAT(up->headers, Contains(Pair("x-id", "7")));
  EXPECT_THAT(up->headers, Contains(Pair("x-one", "JKJaXmPLvHcESHA=")));
  EXPECT_THAT(up->headers, ::testing::Not(Contains(Pair("x-two", ::testing::_))));
  EXPECT_THAT(up->headers, ::testing::Not(Contains(Pair("x-none", ::testing::_))));
  EXPECT_THAT(up->headers, Contains(Pair("via", "HTTP/1.1 AmazonAPIGateway")));
}

TEST(Mapping, reads_the_body_by_path) {
  TestExchange t("$default", "$default");
  t.request.body = R"({"a":{"b":[{"c":"deep"},2]}})";
  MappingEvaluator e(t.exchange, nullptr);
  const auto value = [&](std::string_view text) {
    return e.evaluate(*parse_mapping_value(text, MappingSide::request));
  };
  EXPECT_EQ(value("$request.body.a.b[0].c"), "deep");
  EXPECT_EQ(value("$request.body.a.b[1]"), "2");
  EXPECT_EQ(value("$request.body.a.x"), std::nullopt);
  EXPECT_EQ(value("$request.body"), t.request.body);
}

TEST(Mapping, refuses_unknown_expressions_and_reserved_headers) {
  for (const auto& [k, v] :
       std::vector<std::pair<std::string, std::string>>{{"append:header.x", "$nothing.x"},
                                                        {"append:header.x", "$request.body..x"},
                                                        {"append:header.authorization", "x"},
                                                        {"append:header.x-amz-foo", "x"},
                                                        {"append:path", "x"},
                                                        {"overwrite:statuscode", "200"},
                                                        {"replace:header.x", "x"},
                                                        {"header.x", "x"}}) {
    const auto got = parse_parameter_mapping(k, v, MappingSide::request);
    ASSERT_FALSE(got) << k << "=" << v;
    EXPECT_EQ(got.error().code, "BadRequestException");
    EXPECT_THAT(got.error().message, HasSubstr("Invalid mapping expression specified"));
  }
}

TEST(Mapping, changes_answers_by_their_status) {
  TestExchange t("$default", "$default");
  CompiledIntegration i;
  i.response_mappings.push_back(
      {500,
       {*parse_parameter_mapping("append:header.header1", "$context.requestId",
                                 MappingSide::response),
        *parse_parameter_mapping("overwrite:statuscode", "403", MappingSide::response),
        *parse_parameter_mapping("overwrite:header.kind", "$response.body.kind",
                                 MappingSide::response)}});
  GatewayReply r{.status = 500, .headers = {}, .body = R"({"kind":"x"})"};
  apply_response_mappings(i, t.exchange, r);
  EXPECT_EQ(r.status, 403);
  EXPECT_EQ(r.header("header1"), "JKJaXmPLvHcESHA=");
  EXPECT_EQ(r.header("kind"), "x");
  GatewayReply other{.status = 200, .headers = {}, .body = {}};
  apply_response_mappings(i, t.exchange, other);
  EXPECT_THAT(other.headers, IsEmpty());
}

TEST(HttpIntegration, puts_variables_into_the_url_and_sends_the_default_routes_whole_path) {
  TestExchange t("ANY /pets/{proxy+}", "$default");
  t.exchange.path_parameters = {{"proxy", "a b/c"}};
  t.request.query = "x=%20y";
  auto i = integration("https://up.example/v1/{proxy}?fixed=1", {});
  EXPECT_EQ(upstream_request(i, *apply_request_mappings(i, t.exchange))->url,
            "https://up.example/v1/a%20b/c?fixed=1&x=%20y");
  TestExchange d("$default", "prod");
  d.exchange.raw_path = "/prod/store/check out";
  d.exchange.stage_path = "/store/check out";
  i = integration("http://up.example/", {});
  EXPECT_EQ(upstream_request(i, *apply_request_mappings(i, d.exchange))->url,
            "http://up.example/store/check%20out");
}

TEST(HttpIntegration, does_not_pass_connection_headers_on) {
  TestExchange t("$default", "$default");
  t.request.method = "POST";
  t.request.headers = {{"Host", "x"},
                       {"Connection", "close"},
                       {"Transfer-Encoding", "chunked"},
                       {"Authorization", "Bearer z"}};
  const auto i = integration("http://up.example", {});
  const auto up = upstream_request(i, *apply_request_mappings(i, t.exchange));
  EXPECT_EQ(up->method, "POST");
  std::vector<std::string> names;
  for (const auto& [n, v] : up->headers) names.push_back(n);
  EXPECT_THAT(names, UnorderedElementsAre("authorization", "forwarded", "via", "x-amzn-trace-id"));
}

}  // namespace
}  // namespace virga::apigatewayv2
