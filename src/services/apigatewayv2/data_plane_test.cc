#include "services/apigatewayv2/data_plane.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include <map>

#include "async/wait.h"
#include "base/json.h"
#include "base/strings.h"

namespace virga::apigatewayv2 {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

struct FakeApis final : ApiSource {
  std::map<std::string, std::shared_ptr<const CompiledApi>, std::less<>> apis;
  Result<std::shared_ptr<const CompiledApi>> find_api(std::string_view id) override {
    const auto it = apis.find(id);
    return it == apis.end() ? nullptr : it->second;
  }
};

struct FakeFunctions final : platform::FunctionInvoker {
  std::vector<platform::InvokeCall> calls;
  std::map<std::string, Result<platform::InvokeReply>> answers;  // by function name
  async::Event* never = nullptr;  // when set, the answer does not come
  Task<platform::InvokeReply> invoke(platform::InvokeCall call) override {
    calls.push_back(call);
    if (never) co_await never->wait();
    const auto name = call.function_arn.substr(call.function_arn.rfind(':') + 1);
    const auto it = answers.find(name);
    if (it == answers.end())
      co_return fail("ResourceNotFoundException", 404, "Function not found: " + call.function_arn);
    co_return it->second;
  }
  void answer(const std::string& name, std::string payload) {
    platform::InvokeReply reply;
    reply.payload = std::move(payload);
    answers.insert_or_assign(name, reply);
  }
  Document event(size_t i) const { return *parse_json(calls.at(i).payload); }
};

struct FakeUpstream final : Upstream {
  std::vector<UpstreamRequest> requests;
  std::map<std::string, UpstreamReply> replies;  // by URL
  Task<UpstreamReply> send(UpstreamRequest request) override {
    requests.push_back(request);
    const auto it = replies.find(request.url);
    if (it == replies.end()) co_return fail("ConnectionRefused", 502, "nobody listens");
    co_return it->second;
  }
};

struct Answer {
  int status = 0;
  std::vector<net::HeaderView> headers;
  std::string body;
  net::HttpResponse response;
  std::string header(std::string_view name) const {
    return std::string(response.headers.find(name).value_or(""));
  }
};

// A data plane over fakes with one API, "abc123defg", whose parts the tests add.
struct Gateway {
  async::FakeEnv env;
  async::EpollLoop loop{env.env()};
  FakeApis apis;
  FakeFunctions functions;
  FakeUpstream upstream;
  AuthorizerCache authorizations{env.env().steady};
  std::shared_ptr<CompiledApi> api = std::make_shared<CompiledApi>();
  std::shared_ptr<CompiledConfig> config = std::make_shared<CompiledConfig>();
  std::vector<std::string> keys;
  DataPlane plane{{.env = env.env(),
                   .apis = apis,
                   .functions = functions,
                   .upstream = upstream,
                   .authorizations = authorizations}};

  DataPlane* serving = &plane;

  Gateway() {
    api->account = "123456789012";
    api->region = "eu-west-1";
    api->id = "abc123defg";
    api->stages.push_back({.name = "$default",
                           .variables = {},
                           .config = config,
                           .throttle = {},
                           .route_throttles = {}});
    apis.apis["abc123defg"] = api;
  }
  CompiledIntegration* lambda(const std::string& name) {
    auto& i = config->integrations.emplace_back(std::make_unique<CompiledIntegration>());
    i->uri = "arn:aws:lambda:eu-west-1:123456789012:function:" + name;
    return i.get();
  }
  CompiledIntegration* http(const std::string& url) {
    auto& i = config->integrations.emplace_back(std::make_unique<CompiledIntegration>());
    i->kind = CompiledIntegration::Kind::http;
    i->uri = url;
    i->method = "ANY";
    return i.get();
  }
  CompiledRoute& route(const std::string& key, const CompiledIntegration* integration) {
    const auto parsed = RouteKey::parse(key);
    CompiledRoute r;
    r.key = key;
    r.path = parsed->is_default ? "$default" : parsed->path;
    r.method = parsed->method;
    r.integration = integration;
    config->table.add(*parsed, static_cast<int>(config->routes.size()));
    return config->routes.emplace_back(std::move(r));
  }
  CompiledAuthorizer* authorizer(CompiledAuthorizer::Kind kind, std::vector<std::string> sources) {
    auto& a = config->authorizers.emplace_back(std::make_unique<CompiledAuthorizer>());
    a->id = "auth01";
    a->kind = kind;
    for (const auto& s : sources)
      a->identity_sources.push_back(*parse_mapping_value(s, MappingSide::request));
    a->function_arn = "arn:aws:lambda:eu-west-1:123456789012:function:authorizer";
    return a.get();
  }

  Answer call(std::string method, std::string target,
              std::vector<std::pair<std::string, std::string>> headers = {}, std::string body = "",
              bool by_path = false) {
    if (!by_path) headers.emplace_back("Host", "abc123defg.execute-api.localhost:4566");
    const auto request =
        net::make_memory_request(method, target, std::move(headers), std::move(body));
    const auto address = data_plane_address(*request);
    EXPECT_TRUE(address) << target;
    std::optional<Result<net::HttpResponse>> got;
    loop.post([&] { start(serving->handle(*request, *address), &got); });
    for (int i = 0; i < 50 && !got; ++i) loop.run_once(0);
    while (!got) {
      env.advance_millis(1000);
      loop.run_once(0);
    }
    Answer answer;
    if (!*got) {
      answer.status = -got->error().http_status;
      answer.body = got->error().message;
      return answer;
    }
    answer.response = std::move(**got);
    answer.status = answer.response.status;
    answer.body = answer.response.body;
    return answer;
  }

  static async::Detached start(Task<net::HttpResponse> task,
                               std::optional<Result<net::HttpResponse>>* out) {
    Result<net::HttpResponse> got = co_await as_result(std::move(task));
    out->emplace(std::move(got));
  }
};

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

// ---- Lambda authorizers

struct AuthorizedGateway : Gateway {
  CompiledAuthorizer* a =
      authorizer(CompiledAuthorizer::Kind::lambda, {"$request.header.Authorization"});
  AuthorizedGateway() {
    auto& r = route("$default", lambda("f"));
    r.auth = CompiledRoute::Auth::lambda;
    r.authorizer = a;
    a->simple_responses = true;
    functions.answer("f", "{}");
  }
};

TEST(LambdaAuthorizer, lets_pass_whom_a_simple_answer_allows) {
  AuthorizedGateway g;
  g.functions.answer("authorizer", R"({"isAuthorized":true,"context":{"who":"me","n":1}})");
  EXPECT_EQ(g.call("GET", "/x", {{"authorization", "secret"}}).status, 200);
  ASSERT_THAT(g.functions.calls, SizeIs(2));
  EXPECT_EQ(g.functions.calls[0].source_arn,
            "arn:aws:execute-api:eu-west-1:123456789012:abc123defg/authorizers/auth01");
  EXPECT_EQ(to_json(*g.functions.event(0).find("identitySource")), R"(["secret"])");
  EXPECT_EQ(to_json(*g.functions.event(1).find("requestContext")->find("authorizer")),
            R"({"lambda":{"who":"me","n":1}})");
}

TEST(LambdaAuthorizer, answers_401_without_asking_when_the_identity_is_missing) {
  AuthorizedGateway g;
  const auto r = g.call("GET", "/x");
  EXPECT_EQ(r.status, 401);
  EXPECT_EQ(r.body, R"({"message":"Unauthorized"})");
  EXPECT_TRUE(g.functions.calls.empty());
}

TEST(LambdaAuthorizer, answers_403_to_whom_it_denies_and_500_when_it_is_broken) {
  AuthorizedGateway g;
  g.functions.answer("authorizer", R"({"isAuthorized":false})");
  EXPECT_EQ(g.call("GET", "/x", {{"authorization", "s"}}).body, R"({"message":"Forbidden"})");
  for (const char* bad :
       {"{}", R"({"isAuthorized":"yes"})", "true", "x", R"({"isAuthorized":true,"context":[]})"}) {
    g.functions.answer("authorizer", bad);
    EXPECT_EQ(g.call("GET", "/x", {{"authorization", "s"}}).status, 500) << bad;
  }
  g.functions.answers.erase("authorizer");
  EXPECT_EQ(g.call("GET", "/x", {{"authorization", "s"}}).status, 500);
  EXPECT_EQ(g.functions.calls.back().function_arn,
            g.a->function_arn);  // the integration was never called
}

TEST(LambdaAuthorizer, evaluates_a_policy_against_the_request) {
  AuthorizedGateway g;
  g.a->simple_responses = false;
  g.functions.answer("authorizer",
                     R"({"principalId":"u1","policyDocument":{"Version":"2012-10-17","Statement":[
      {"Effect":"Allow","Action":"execute-api:Invoke","Resource":"arn:aws:execute-api:eu-west-1:123456789012:abc123defg/$default/GET/ok/*"},
      {"Effect":"Deny","Action":"execute-api:Invoke","Resource":"arn:aws:execute-api:*:*:abc123defg/*/GET/ok/secret"}]}})");
  EXPECT_EQ(g.call("GET", "/ok/1", {{"authorization", "s"}}).status, 200);
  EXPECT_EQ(g.call("GET", "/ok/secret", {{"authorization", "s"}}).status, 403);
  EXPECT_EQ(g.call("GET", "/other", {{"authorization", "s"}}).status, 403);
  EXPECT_EQ(g.call("POST", "/ok/1", {{"authorization", "s"}}).status, 403);
  g.functions.answer("authorizer", R"({"principalId":"u1","policyDocument":{"Statement":"x"}})");
  EXPECT_EQ(g.call("GET", "/ok/1", {{"authorization", "s"}}).status, 500);
}

TEST(LambdaAuthorizer, remembers_an_answer_for_its_time_and_identity) {
  AuthorizedGateway g;
  g.a->ttl_s = 300;
  g.functions.answer("authorizer", R"({"isAuthorized":true})");
  const auto asked = [&] {
    size_t n = 0;
    for (const auto& c : g.functions.calls) n += c.function_arn == g.a->function_arn;
    return n;
  };
  g.call("GET", "/x", {{"authorization", "s"}});
  g.call("GET", "/y", {{"authorization", "s"}});
  EXPECT_EQ(asked(), 1u);
  g.call("GET", "/y", {{"authorization", "t"}});
  EXPECT_EQ(asked(), 2u);
  g.env.advance_millis(300'001);
  g.call("GET", "/y", {{"authorization", "s"}});
  EXPECT_EQ(asked(), 3u);
  g.authorizations.clear();
  g.call("GET", "/y", {{"authorization", "s"}});
  EXPECT_EQ(asked(), 4u);
}

TEST(AuthorizerCache, keeps_the_recently_used_and_tells_identities_apart) {
  async::FakeEnv env;
  AuthorizerCache cache(env.env().steady, 2);
  const auto verdict = std::make_shared<const AuthorizerVerdict>();
  EXPECT_NE(AuthorizerCache::key("a", "b", {"x", "y"}), AuthorizerCache::key("a", "b", {"xy"}));
  EXPECT_NE(AuthorizerCache::key("a", "b", {"x/1:y"}), AuthorizerCache::key("a", "b", {"x", "y"}));
  cache.put("1", verdict, 10);
  cache.put("2", verdict, 10);
  EXPECT_TRUE(cache.find("1"));
  cache.put("3", verdict, 10);
  EXPECT_TRUE(cache.find("1"));
  EXPECT_FALSE(cache.find("2"));
  EXPECT_TRUE(cache.find("3"));
}

// ---- JWT authorizers

std::string base64url(std::string_view bytes) {
  std::string text = to_base64(bytes);
  while (text.ends_with('=')) text.pop_back();
  for (char& c : text) c = c == '+' ? '-' : c == '/' ? '_' : c;
  return text;
}

// An issuer with a key of its own.
struct Issuer {
  EVP_PKEY* key = EVP_RSA_gen(2048);
  ~Issuer() { EVP_PKEY_free(key); }

  std::string number(const char* name) const {
    BIGNUM* n = nullptr;
    EXPECT_EQ(EVP_PKEY_get_bn_param(key, name, &n), 1);
    std::string bytes(static_cast<size_t>(BN_num_bytes(n)), '\0');
    BN_bn2bin(n, reinterpret_cast<unsigned char*>(bytes.data()));
    BN_free(n);
    return base64url(bytes);
  }
  std::string jwks(const std::string& kid = "k1") const {
    return R"({"keys":[{"kty":"RSA","use":"sig","alg":"RS256","kid":")" + kid + R"(","n":")" +
           number(OSSL_PKEY_PARAM_RSA_N) + R"(","e":")" + number(OSSL_PKEY_PARAM_RSA_E) + R"("}]})";
  }
  std::string token(const std::string& claims,
                    const std::string& header = R"({"alg":"RS256","kid":"k1","typ":"JWT"})") const {
    const std::string input = base64url(header) + "." + base64url(claims);
    EVP_MD_CTX* context = EVP_MD_CTX_new();
    EXPECT_EQ(EVP_DigestSignInit(context, nullptr, EVP_sha256(), nullptr, key), 1);
    size_t size = 0;
    const auto* bytes = reinterpret_cast<const unsigned char*>(input.data());
    EVP_DigestSign(context, nullptr, &size, bytes, input.size());
    std::string signature(size, '\0');
    EVP_DigestSign(context, reinterpret_cast<unsigned char*>(signature.data()), &size, bytes,
                   input.size());
    EVP_MD_CTX_free(context);
    return input + "." + base64url(signature.substr(0, size));
  }
};

struct JwtGateway : Gateway {
  Issuer issuer;
  CompiledRoute* r;
  JwtGateway() {
    auto* a = authorizer(CompiledAuthorizer::Kind::jwt, {"$request.header.Authorization"});
    a->issuer = "https://issuer.example/pool";
    a->audience = {"client-1"};
    r = &route("$default", lambda("f"));
    r->auth = CompiledRoute::Auth::jwt;
    r->authorizer = a;
    functions.answer("f", "{}");
    publish("https://issuer.example/pool", issuer.jwks());
  }
  void publish(const std::string& name, const std::string& jwks) {
    upstream.replies["https://issuer.example/pool/.well-known/openid-configuration"] = {
        .status = 200,
        .headers = {},
        .body = R"({"issuer":")" + name + R"(","jwks_uri":"https://issuer.example/keys"})"};
    upstream.replies["https://issuer.example/keys"] = {.status = 200, .headers = {}, .body = jwks};
  }
  std::string claims(const std::string& more = "", int64_t valid_s = 600,
                     const std::string& aud = "client-1") {
    return R"({"iss":"https://issuer.example/pool","sub":"me","aud":")" + aud + R"(","exp":)" +
           std::to_string(env.env().wall.now().at.seconds() + valid_s) + more + "}";
  }
  Answer with(const std::string& token) {
    return call("GET", "/x", {{"authorization", "Bearer " + token}});
  }
};

TEST(JwtAuthorizer, lets_a_good_token_pass_and_hands_its_claims_on) {
  JwtGateway g;
  const auto r =
      g.with(g.issuer.token(g.claims(R"(,"groups":["a","b"],"ok":true,"scope":"read write")")));
  EXPECT_EQ(r.status, 200) << r.header("www-authenticate");
  const Document event = g.functions.event(0);
  const Document& jwt = *event.find("requestContext")->find("authorizer")->find("jwt");
  EXPECT_EQ(jwt.find("claims")->string_or("sub", ""), "me");
  EXPECT_EQ(jwt.find("claims")->string_or("groups", ""), "[a b]");
  EXPECT_EQ(jwt.find("claims")->string_or("ok", ""), "true");
  EXPECT_TRUE(jwt.find("scopes")->is_null());
  EXPECT_EQ(g.call("GET", "/x", {{"authorization", g.issuer.token(g.claims())}}).status,
            200);  // without Bearer
}

TEST(JwtAuthorizer, asks_the_issuer_once) {
  JwtGateway g;
  g.with(g.issuer.token(g.claims()));
  g.with(g.issuer.token(g.claims()));
  EXPECT_THAT(g.upstream.requests, SizeIs(2));  // discovery and keys
  EXPECT_EQ(g.upstream.requests[0].timeout_ms, 1'500);
  EXPECT_EQ(g.upstream.requests[0].body_bytes_max, 150'000u);
}

TEST(JwtAuthorizer, fetches_a_rotated_key) {
  JwtGateway g;
  g.with(g.issuer.token(g.claims()));
  g.publish("https://issuer.example/pool", g.issuer.jwks("k2"));
  const auto token = g.issuer.token(g.claims(), R"({"alg":"RS256","kid":"k2"})");
  EXPECT_EQ(g.with(token).status, 401);  // too soon to ask again
  g.env.advance_millis(10'001);
  EXPECT_EQ(g.with(token).status, 200);
}

TEST(JwtAuthorizer, answers_401_to_every_flaw) {
  JwtGateway g;
  const auto refused = [&](const std::string& token, const char* why) {
    const auto r = g.with(token);
    EXPECT_EQ(r.status, 401) << why;
    EXPECT_EQ(r.body, R"({"message":"Unauthorized"})") << why;
    EXPECT_THAT(r.header("www-authenticate"), HasSubstr(why));
    EXPECT_THAT(r.header("www-authenticate"), HasSubstr("error=\"invalid_token\""));
  };
  const std::string good = g.issuer.token(g.claims());
  refused("nonsense", "not a valid JWT");
  refused("a.b.c", "not a valid JWT");
  refused(g.issuer.token(g.claims("", -1)), "the token has expired");
  refused(g.issuer.token(g.claims("", 600, "other")), "valid audience");
  refused(g.issuer.token(g.claims(",\"nbf\":99999999999")), "not valid yet");
  refused(g.issuer.token(R"({"iss":"https://other.example","exp":99999999999,"aud":"client-1"})"),
          "issuer");
  refused(g.issuer.token(R"({"iss":"https://issuer.example/pool","aud":"client-1"})"), "expired");
  refused(g.issuer.token(g.claims(), R"({"alg":"none","kid":"k1"})"), "signature");
  refused(g.issuer.token(g.claims(), R"({"alg":"HS256","kid":"k1"})"), "signature");
  refused(g.issuer.token(g.claims(), R"({"alg":"RS256","kid":"other"})"), "signature");
  refused(good.substr(0, good.rfind('.')) + ".", "signature");
  Issuer forger;
  refused(forger.token(g.claims()), "signature");
  EXPECT_TRUE(g.functions.calls.empty());
  const auto none = g.call("GET", "/x");
  EXPECT_EQ(none.status, 401);
  EXPECT_EQ(none.header("www-authenticate"), "Bearer");
}

TEST(JwtAuthorizer, answers_401_when_the_issuer_cannot_be_asked_or_names_another) {
  JwtGateway g;
  g.publish("https://somebody.else", g.issuer.jwks());
  EXPECT_EQ(g.with(g.issuer.token(g.claims())).status, 401);
  g.upstream.replies.clear();
  const auto r = g.with(g.issuer.token(g.claims()));
  EXPECT_EQ(r.status, 401);
  EXPECT_THAT(r.header("www-authenticate"),
              HasSubstr("OIDC discovery endpoint communication error"));
}

TEST(JwtAuthorizer, answers_403_without_one_of_the_routes_scopes) {
  JwtGateway g;
  g.r->scopes = {"notes.read", "notes.admin"};
  const auto r = g.with(g.issuer.token(g.claims(R"(,"scope":"mail")")));
  EXPECT_EQ(r.status, 403);
  EXPECT_EQ(r.body, R"({"message":"Forbidden"})");
  EXPECT_THAT(r.header("www-authenticate"), HasSubstr("insufficient_scope"));
  EXPECT_EQ(g.with(g.issuer.token(g.claims(R"(,"scope":"mail notes.read")"))).status, 200);
  EXPECT_EQ(g.with(g.issuer.token(g.claims(R"(,"scp":["notes.admin"])"))).status, 200);
  const Document event = g.functions.event(1);
  EXPECT_EQ(to_json(*event.find("requestContext")->find("authorizer")->find("jwt")->find("scopes")),
            R"(["notes.admin"])");
}

TEST(JwtAuthorizer, takes_client_id_for_the_audience_when_there_is_none) {
  JwtGateway g;
  const std::string exp = std::to_string(g.env.env().wall.now().at.seconds() + 60);
  EXPECT_EQ(g.with(g.issuer.token(
                       R"({"iss":"https://issuer.example/pool","client_id":"client-1","exp":)" +
                       exp + "}"))
                .status,
            200);
  EXPECT_EQ(
      g.with(g.issuer.token(R"({"iss":"https://issuer.example/pool","exp":)" + exp + "}")).status,
      401);
}

}  // namespace
}  // namespace virga::apigatewayv2
