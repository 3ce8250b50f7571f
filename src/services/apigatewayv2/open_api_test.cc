#include "services/apigatewayv2/open_api.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/apigatewayv2/shapes/jwt_configuration.h"

namespace virga::apigatewayv2 {
namespace {

using testing::ElementsAre;

TEST(OpenApi, a_text_that_is_no_definition_is_refused) {
  for (const char* text : {"", "openapi: 3.0.1", "[]", "{}", R"({"openapi":"2.0"})",
                           R"({"openapi":"3.0.1","info":{}})"}) {
    const auto parsed = parse_open_api(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error().code, "BadRequestException") << text;
  }
}

TEST(OpenApi, routes_have_methods_paths_and_the_default) {
  const auto api = parse_open_api(R"({"openapi":"3.0.1","info":{"title":"t"},"paths":{
    "/a":{"get":{},"parameters":[],"x-amazon-apigateway-any-method":{}},
    "$default":{"x-amazon-apigateway-any-method":{}}}})");
  ASSERT_TRUE(api);
  std::vector<std::string> keys;
  for (const auto& route : api->routes) keys.push_back(route.key);
  EXPECT_THAT(keys, testing::UnorderedElementsAre("GET /a", "ANY /a", "$default"));
  EXPECT_EQ(api->warnings.size(), 3u);
}

TEST(OpenApi, an_operations_own_security_counts_before_the_definitions) {
  const auto api =
      parse_open_api(R"({"openapi":"3.0.1","info":{"title":"t"},"security":[{"jwt":["all"]}],
    "components":{"securitySchemes":{"jwt":{"type":"oauth2","x-amazon-apigateway-authorizer":{"type":"jwt",
      "identitySource":"$request.header.Authorization","jwtConfiguration":{"issuer":"https://i.example","audience":["a"]}}}}},
    "paths":{"/own":{"get":{"security":[{"jwt":["read","write"]}]}},"/open":{"get":{"security":[]}},"/all":{"get":{}}}})");
  ASSERT_TRUE(api);
  const api::Authorizer& jwt = api->authorizers.at("jwt");
  EXPECT_EQ(jwt.authorizer_type, "JWT");
  EXPECT_EQ(jwt.jwt_configuration->issuer, "https://i.example");
  for (const auto& route : api->routes) {
    if (route.key == "GET /own") EXPECT_THAT(route.scopes, ElementsAre("read", "write"));
    if (route.key == "GET /all") EXPECT_THAT(route.scopes, ElementsAre("all"));
    EXPECT_EQ(route.authorization_type, route.key == "GET /open" ? "NONE" : "JWT");
  }
}

}  // namespace
}  // namespace virga::apigatewayv2
