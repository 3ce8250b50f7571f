#include "services/apigatewayv2/lambda_authorizer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/apigatewayv2/test_gateway.h"

namespace virga::apigatewayv2 {
namespace {

using ::testing::SizeIs;

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

}  // namespace
}  // namespace virga::apigatewayv2
