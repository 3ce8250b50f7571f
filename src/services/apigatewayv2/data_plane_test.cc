#include "services/apigatewayv2/data_plane.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/apigatewayv2/test_gateway.h"

namespace virga::apigatewayv2 {
namespace {

using ::testing::SizeIs;

TEST(DataPlane, calls_the_function_and_answers_what_it_says) {
  Gateway g;
  g.route("GET /notes/{id}", g.lambda("notes"));
  g.functions.answer("notes", R"({"statusCode":201,"headers":{"X-A":"b"},"body":"made"})");
  const auto r = g.call("GET", "/notes/a%20b?x=1");
  EXPECT_EQ(r.status, 201);
  EXPECT_EQ(r.body, "made");
  EXPECT_EQ(r.header("x-a"), "b");
  EXPECT_EQ(r.header("apigw-requestid").size(), 16u);
  ASSERT_THAT(g.functions.calls, SizeIs(1));
  const auto& call = g.functions.calls[0];
  EXPECT_EQ(call.principal, "apigateway.amazonaws.com");
  EXPECT_EQ(call.source_arn,
            "arn:aws:execute-api:eu-west-1:123456789012:abc123defg/$default/GET/notes/{id}");
  EXPECT_EQ(call.region, "eu-west-1");
  const Document event = g.functions.event(0);
  EXPECT_EQ(event.string_or("rawPath", ""), "/notes/a b");
  EXPECT_EQ(event.string_or("rawQueryString", ""), "x=1");
  EXPECT_EQ(event.find("pathParameters")->string_or("id", ""), "a b");
  EXPECT_EQ(event.find("requestContext")->string_or("requestId", ""), r.header("apigw-requestid"));
  EXPECT_EQ(event.find("requestContext")->string_or("domainName", ""),
            "abc123defg.execute-api.localhost");
}

TEST(DataPlane, is_reached_by_path_too) {
  Gateway g;
  g.route("GET /notes", g.lambda("notes"));
  g.route("GET /", g.lambda("notes"));
  g.functions.answer("notes", R"({"ok":true})");
  for (const char* target :
       {"/_aws/execute-api/abc123defg/$default/notes",
        "/_aws/execute-api/abc123defg/%24default/notes", "/_aws/execute-api/abc123defg/notes"}) {
    EXPECT_EQ(g.call("GET", target, {{"Host", "127.0.0.1:4566"}}, "", true).status, 200) << target;
    EXPECT_EQ(g.functions.event(g.functions.calls.size() - 1).string_or("rawPath", ""), "/notes")
        << target;
  }
  for (const char* target :
       {"/_aws/execute-api/abc123defg/$default/", "/_aws/execute-api/abc123defg/$default",
        "/_aws/execute-api/abc123defg/", "/_aws/execute-api/abc123defg"}) {
    EXPECT_EQ(g.call("GET", target, {{"Host", "127.0.0.1:4566"}}, "", true).status, 200) << target;
  }
}

TEST(DataPlane, tells_its_hosts_from_others) {
  for (const char* host : {"abc.execute-api.localhost", "abc.execute-api.us-east-1.localhost:4566",
                           "ABC.execute-api.LOCALHOST", "abc.execute-api.us-east-1.amazonaws.com",
                           "abc.execute-api.localhost.localstack.cloud:4566"}) {
    const auto request = net::make_memory_request("GET", "/x", {{"Host", host}}, "");
    const auto address = data_plane_address(*request);
    ASSERT_TRUE(address) << host;
    EXPECT_EQ(address->api_id, "abc") << host;
    EXPECT_EQ(address->path, "/x") << host;
  }
  for (const char* host : {"localhost:4566", "execute-api.localhost", "bucket.s3.localhost",
                           "[::1]:4566", "a.b.execute-api.localhost"}) {
    const auto request = net::make_memory_request("GET", "/x", {{"Host", host}}, "");
    EXPECT_FALSE(data_plane_address(*request)) << host;
  }
}

TEST(DataPlane, prefers_the_stage_that_the_path_names) {
  Gateway g;
  g.route("$default", g.lambda("all"));
  g.api->stages.push_back({.name = "prod",
                           .variables = {{"color", "blue"}},
                           .config = g.config,
                           .throttle = {},
                           .route_throttles = {}});
  g.functions.answer("all", "{}");
  g.call("GET", "/prod/a/b");
  const Document named = g.functions.event(0);
  EXPECT_EQ(named.find("requestContext")->string_or("stage", ""), "prod");
  EXPECT_EQ(named.string_or("rawPath", ""), "/prod/a/b");
  EXPECT_EQ(named.find("stageVariables")->string_or("color", ""), "blue");
  g.call("GET", "/production/a");
  const Document other = g.functions.event(1);
  EXPECT_EQ(other.find("requestContext")->string_or("stage", ""), "$default");
  EXPECT_EQ(other.string_or("rawPath", ""), "/production/a");
}

TEST(DataPlane, answers_404_when_nothing_matches) {
  Gateway g;
  g.route("GET /notes", g.lambda("notes"));
  const auto r = g.call("POST", "/notes");
  EXPECT_EQ(r.status, 404);
  EXPECT_EQ(r.body, R"({"message":"Not Found"})");
  EXPECT_EQ(r.header("content-type"), "application/json");
  EXPECT_NE(r.header("apigw-requestid"), "");
  EXPECT_EQ(
      g.call("GET", "/_aws/execute-api/0000000000/notes", {{"Host", "localhost"}}, "", true).status,
      404);
  EXPECT_EQ(
      g.call("GET", "/_aws/execute-api/..%2f/notes", {{"Host", "localhost"}}, "", true).status,
      404);
  g.api->disable_execute_api_endpoint = true;
  EXPECT_EQ(g.call("GET", "/notes").status, 404);
}

TEST(DataPlane, answers_404_without_a_stage_or_a_deployment) {
  Gateway g;
  g.route("$default", g.lambda("notes"));
  g.api->stages[0].config = nullptr;
  EXPECT_EQ(g.call("GET", "/").status, 404);
  g.api->stages.clear();
  EXPECT_EQ(g.call("GET", "/").status, 404);
}

TEST(DataPlane, answers_500_for_functions_that_fail_or_lack) {
  Gateway g;
  g.route("$default", g.lambda("f"));
  EXPECT_EQ(g.call("GET", "/").body, R"({"message":"Internal Server Error"})");
  platform::InvokeReply failed;
  failed.function_error = "Unhandled";
  failed.payload = R"({"errorMessage":"x"})";
  g.functions.answers.insert_or_assign("f", failed);
  EXPECT_EQ(g.call("GET", "/").status, 500);
  g.functions.answers.insert_or_assign("f", fail("AccessDeniedException", 403, "no permission"));
  EXPECT_EQ(g.call("GET", "/").status, 500);
  g.functions.answer("f", "not json");
  EXPECT_EQ(g.call("GET", "/").status, 500);
}

TEST(DataPlane, answers_503_for_functions_without_capacity_or_time) {
  Gateway g;
  auto* i = g.lambda("f");
  i->timeout_ms = 5'000;
  g.route("$default", i);
  g.functions.answers.insert_or_assign("f",
                                       fail("TooManyRequestsException", 429, "Rate Exceeded."));
  const auto busy = g.call("GET", "/");
  EXPECT_EQ(busy.status, 503);
  EXPECT_EQ(busy.body, R"({"message":"Service Unavailable"})");
  async::Event never;
  g.functions.never = &never;
  EXPECT_EQ(g.call("GET", "/").status, 503);
}

TEST(DataPlane, limits_bodies_and_heads) {
  Gateway g;
  g.route("$default", g.lambda("f"));
  g.functions.answer("f", "{}");
  EXPECT_EQ(g.call("POST", "/", {{"content-type", "text/plain"}}, std::string(100'000, 'x')).status,
            200);
  const auto large = g.call("POST", "/", {{"content-type", "text/plain"}},
                            std::string(DataPlane::kPayloadBytesMax + 1, 'x'));
  EXPECT_EQ(large.status, 413);
  EXPECT_EQ(large.body, R"({"message":"Request Entity Too Large"})");
  EXPECT_EQ(
      g.call("POST", "/", {{"content-type", "text/plain"}}, std::string(7'000'000, 'x')).status,
      413);
  EXPECT_EQ(g.call("GET", "/", {{"x-a", std::string(9'000, 'x')}}).status, 200);
  const auto head = g.call("GET", "/", {{"x-a", std::string(10'300, 'x')}});
  EXPECT_EQ(head.status, 431);
  EXPECT_EQ(head.body, R"({"message":"Request Header Fields Too Large"})");
}

TEST(DataPlane, answers_preflights_itself_and_adds_cors_headers_to_every_answer) {
  Gateway g;
  g.route("GET /x", g.lambda("f"));
  g.functions.answer(
      "f", R"({"statusCode":200,"headers":{"access-control-allow-origin":"nobody"},"body":"x"})");
  g.api->cors = CorsRules{.allow_origins = {"*"},
                          .allow_methods = {"GET"},
                          .allow_headers = {"*"},
                          .expose_headers = {},
                          .max_age = {}};
  const auto preflight = g.call("OPTIONS", "/nowhere",
                                {{"origin", "http://a"}, {"access-control-request-method", "GET"}});
  EXPECT_EQ(preflight.status, 204);
  EXPECT_EQ(preflight.header("access-control-allow-methods"), "GET");
  EXPECT_TRUE(g.functions.calls.empty());
  EXPECT_EQ(g.call("GET", "/x", {{"origin", "http://a"}}).header("access-control-allow-origin"),
            "*");
  EXPECT_EQ(g.call("GET", "/x").header("access-control-allow-origin"), "");
  const auto missing = g.call("GET", "/y", {{"origin", "http://a"}});
  EXPECT_EQ(missing.status, 404);
  EXPECT_EQ(missing.header("access-control-allow-origin"), "*");
  g.api->cors.reset();
  EXPECT_EQ(g.call("GET", "/x", {{"origin", "http://a"}}).header("access-control-allow-origin"),
            "nobody");
}

TEST(DataPlane, passes_requests_on_to_http_integrations) {
  Gateway g;
  g.route("ANY /p/{proxy+}", g.http("http://up.example/v1/{proxy}"));
  g.upstream.replies["http://up.example/v1/a/b?q=1"] = {
      .status = 418, .headers = {{"X-Up", "1"}, {"Connection", "close"}}, .body = "tea"};
  const auto r = g.call("PUT", "/p/a/b?q=1", {{"content-type", "text/plain"}}, "body");
  EXPECT_EQ(r.status, 418);
  EXPECT_EQ(r.body, "tea");
  EXPECT_EQ(r.header("x-up"), "1");
  ASSERT_THAT(g.upstream.requests, SizeIs(1));
  EXPECT_EQ(g.upstream.requests[0].method, "PUT");
  EXPECT_EQ(g.upstream.requests[0].body, "body");
  EXPECT_EQ(g.call("GET", "/p/other").status, 503);
}

TEST(DataPlane, keeps_to_the_limits_of_stage_and_route) {
  Gateway g;
  g.route("GET /own", g.lambda("f"));
  g.route("$default", g.lambda("f"));
  g.functions.answer("f", "{}");
  auto& stage = g.api->stages[0];
  stage.throttle = Throttle{.rate = 1, .burst = 2};
  stage.route_throttles.emplace_back("GET /own", Throttle{.rate = 0, .burst = 1});
  EXPECT_EQ(g.call("GET", "/a").status, 200);
  EXPECT_EQ(g.call("GET", "/b").status, 200);
  const auto refused = g.call("GET", "/c");
  EXPECT_EQ(refused.status, 429);
  EXPECT_EQ(refused.body, R"({"message":"Too Many Requests"})");
  EXPECT_EQ(g.call("GET", "/own").status, 200);
  EXPECT_EQ(g.call("GET", "/own").status, 429);
  g.env.advance_millis(1'000);
  EXPECT_EQ(g.call("GET", "/c").status, 200);
  EXPECT_EQ(g.call("GET", "/c").status, 429);
  EXPECT_EQ(g.call("GET", "/own").status, 429);  // a rate of nothing never fills again
}

TEST(DataPlane, refuses_iam_routes_without_a_signer) {
  Gateway g;
  g.route("$default", g.lambda("f")).auth = CompiledRoute::Auth::iam;
  const auto r = g.call("GET", "/");
  EXPECT_EQ(r.status, 403);
  EXPECT_EQ(r.body, R"({"message":"Forbidden"})");
}

struct FakeSigner final : platform::RequestSigner {
  std::string arn, account, body;
  bool allow = true;
  Task<Principal> authorize(platform::SignedCall call) override {
    arn = call.arn;
    account = call.account;
    body = call.body;
    if (!allow) co_return fail("AccessDeniedException", 403, "no");
    Principal who;
    who.account = "123456789012";
    who.arn = "arn:aws:iam::123456789012:user/u";
    who.user_id = "AIDAX";
    who.access_key_id = "AKIAX";
    co_return std::move(who);
  }
};

TEST(DataPlane, asks_the_signer_on_iam_routes_and_hands_the_caller_on) {
  Gateway g;
  FakeSigner signer;
  DataPlane plane({.env = g.env.env(),
                   .apis = g.apis,
                   .functions = g.functions,
                   .upstream = g.upstream,
                   .authorizations = g.authorizations,
                   .signer = &signer});
  g.serving = &plane;
  g.route("POST /x", g.lambda("f")).auth = CompiledRoute::Auth::iam;
  g.functions.answer("f", "{}");
  EXPECT_EQ(g.call("POST", "/x", {{"content-type", "text/plain"}}, "b").status, 200);
  EXPECT_EQ(signer.arn, "arn:aws:execute-api:eu-west-1:123456789012:abc123defg/$default/POST/x");
  EXPECT_EQ(signer.account, "123456789012");
  EXPECT_EQ(signer.body, "b");
  const Document event = g.functions.event(0);
  const Document& iam = *event.find("requestContext")->find("authorizer")->find("iam");
  EXPECT_EQ(iam.string_or("userArn", ""), "arn:aws:iam::123456789012:user/u");
  EXPECT_EQ(iam.string_or("accessKey", ""), "AKIAX");
  signer.allow = false;
  EXPECT_EQ(g.call("POST", "/x").body, R"({"message":"Forbidden"})");
}

}  // namespace
}  // namespace virga::apigatewayv2
