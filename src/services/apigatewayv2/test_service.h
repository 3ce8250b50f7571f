#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/apigatewayv2/create_api.h"
#include "api/apigatewayv2/create_authorizer.h"
#include "api/apigatewayv2/create_integration.h"
#include "api/apigatewayv2/create_route.h"
#include "api/apigatewayv2/create_stage.h"
#include "api/apigatewayv2/shapes/jwt_configuration.h"
#include "services/apigatewayv2/service.h"
#include "storage/testing.h"

// The control plane over a shard in memory, called as the door calls it.
namespace virga::apigatewayv2 {

inline constexpr const char* kFunction = "arn:aws:lambda:us-east-1:123456789012:function:f";

struct Fixture {
  storage::TestShard shard;
  std::unique_ptr<Service> service = std::make_unique<Service>(*shard, shard.fake_env().env());
  RequestContext context;

  Fixture() {
    context.env = &shard.fake_env().env();
    context.account = "123456789012";
    context.region = "us-east-1";
    context.endpoint = {.scheme = "http", .host = "127.0.0.1", .port = 4566};
    context.now = shard.fake_env().env().cloud.now();
  }
  // A call as the door makes it: the answer waits for what it depends on.
  template <class Out, class In>
  Result<Out> call(Task<Out> (Service::*op)(Ctx, In), In input) {
    context.depends_on_lsn = 0;
    auto got = shard.run((service.get()->*op)(Ctx(context), std::move(input)));
    const auto durable = shard.run(shard->wait_durable(context.depends_on_lsn));
    EXPECT_TRUE(durable);
    return got;
  }
  void restart() {
    service.reset();
    shard.reopen();
    service = std::make_unique<Service>(*shard, shard.fake_env().env());
  }

  std::string make_api(const std::string& name = "notes") {
    api::CreateApiInput in;
    in.name = name;
    in.protocol_type = "HTTP";
    const auto got = call(&Service::create_api, std::move(in));
    EXPECT_TRUE(got) << (got ? "" : got.error().message);
    return got ? *got->api_id : "";
  }
  std::string make_integration(const std::string& api_id) {
    api::CreateIntegrationInput in;
    in.api_id = api_id;
    in.integration_type = "AWS_PROXY";
    in.integration_uri = kFunction;
    in.payload_format_version = "2.0";
    const auto got = call(&Service::create_integration, std::move(in));
    EXPECT_TRUE(got) << (got ? "" : got.error().message);
    return got ? *got->integration_id : "";
  }
  Result<api::CreateRouteOutput> make_route(const std::string& api_id, const std::string& key,
                                            const std::string& integration = "") {
    api::CreateRouteInput in;
    in.api_id = api_id;
    in.route_key = key;
    if (!integration.empty()) in.target = "integrations/" + integration;
    return call(&Service::create_route, std::move(in));
  }
  Result<api::CreateStageOutput> make_stage(const std::string& api_id, const std::string& name,
                                            bool automatic) {
    api::CreateStageInput in;
    in.api_id = api_id;
    in.stage_name = name;
    in.auto_deploy = automatic;
    return call(&Service::create_stage, std::move(in));
  }
  std::string make_jwt_authorizer(const std::string& api_id) {
    api::CreateAuthorizerInput in;
    in.api_id = api_id;
    in.name = "jwt";
    in.authorizer_type = "JWT";
    in.identity_source = {"$request.header.Authorization"};
    auto& jwt = in.jwt_configuration.emplace();
    jwt.issuer = "https://issuer.example";
    jwt.audience = std::vector<std::string>{"a"};
    const auto got = call(&Service::create_authorizer, std::move(in));
    EXPECT_TRUE(got) << (got ? "" : got.error().message);
    return got ? *got->authorizer_id : "";
  }
  int route_of(const std::string& api_id, const std::string& stage, const std::string& path) {
    const auto api = service->find_api(api_id);
    if (!api || !*api || !(*api)->stage(stage) || !(*api)->stage(stage)->config)
      return RouteTable::kNone;
    return (*api)->stage(stage)->config->table.match("GET", path, nullptr);
  }
};

#define EXPECT_ERROR(got, code_, status_, text)                            \
  do {                                                                     \
    const auto& error_result = (got);                                      \
    ASSERT_FALSE(error_result);                                            \
    EXPECT_EQ(error_result.error().code, code_);                           \
    EXPECT_EQ(error_result.error().http_status, status_);                  \
    EXPECT_THAT(error_result.error().message, ::testing::HasSubstr(text)); \
  } while (0)

}  // namespace virga::apigatewayv2
