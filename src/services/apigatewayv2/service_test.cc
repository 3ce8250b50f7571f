#include "services/apigatewayv2/service.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "api/apigatewayv2/create_api.h"
#include "api/apigatewayv2/create_authorizer.h"
#include "api/apigatewayv2/create_deployment.h"
#include "api/apigatewayv2/create_integration.h"
#include "api/apigatewayv2/create_route.h"
#include "api/apigatewayv2/create_stage.h"
#include "api/apigatewayv2/delete_api.h"
#include "api/apigatewayv2/delete_authorizer.h"
#include "api/apigatewayv2/delete_cors_configuration.h"
#include "api/apigatewayv2/delete_deployment.h"
#include "api/apigatewayv2/delete_integration.h"
#include "api/apigatewayv2/delete_route.h"
#include "api/apigatewayv2/delete_route_settings.h"
#include "api/apigatewayv2/delete_stage.h"
#include "api/apigatewayv2/get_api.h"
#include "api/apigatewayv2/get_apis.h"
#include "api/apigatewayv2/get_authorizer.h"
#include "api/apigatewayv2/get_deployment.h"
#include "api/apigatewayv2/get_deployments.h"
#include "api/apigatewayv2/get_integration.h"
#include "api/apigatewayv2/get_route.h"
#include "api/apigatewayv2/get_routes.h"
#include "api/apigatewayv2/get_stage.h"
#include "api/apigatewayv2/get_tags.h"
#include "api/apigatewayv2/shapes/jwt_configuration.h"
#include "api/apigatewayv2/tag_resource.h"
#include "api/apigatewayv2/untag_resource.h"
#include "api/apigatewayv2/update_api.h"
#include "api/apigatewayv2/update_integration.h"
#include "api/apigatewayv2/update_route.h"
#include "api/apigatewayv2/update_stage.h"
#include "services/apigatewayv2/binding.h"
#include "services/apigatewayv2/compile.h"
#include "storage/testing.h"

namespace virga::apigatewayv2 {
namespace {

using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::SizeIs;

constexpr const char* kFunction = "arn:aws:lambda:us-east-1:123456789012:function:f";

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

#define EXPECT_ERROR(got, code_, status_, text)                 \
  do {                                                          \
    const auto& error_result = (got);                           \
    ASSERT_FALSE(error_result);                                 \
    EXPECT_EQ(error_result.error().code, code_);                \
    EXPECT_EQ(error_result.error().http_status, status_);       \
    EXPECT_THAT(error_result.error().message, HasSubstr(text)); \
  } while (0)

TEST(CreateApi, answers_what_it_made_and_keeps_it_across_a_restart) {
  Fixture f;
  api::CreateApiInput in;
  in.name = "notes";
  in.protocol_type = "HTTP";
  in.description = "my notes";
  in.tags = std::map<std::string, std::string>{{"team", "a"}};
  in.cors_configuration.emplace().allow_origins = std::vector<std::string>{"https://a.example"};
  const auto made = f.call(&Service::create_api, std::move(in));
  ASSERT_TRUE(made);
  EXPECT_THAT(*made->api_id, MatchesRegex("[0-9a-z]{10}"));
  EXPECT_EQ(*made->api_endpoint, "http://127.0.0.1:4566/_aws/execute-api/" + *made->api_id);
  EXPECT_EQ(*made->route_selection_expression, "$request.method $request.path");
  EXPECT_EQ(*made->disable_execute_api_endpoint, false);
  f.restart();
  api::GetApiInput get;
  get.api_id = *made->api_id;
  const auto got = f.call(&Service::get_api, std::move(get));
  ASSERT_TRUE(got);
  EXPECT_EQ(*got->name, "notes");
  EXPECT_EQ(*got->description, "my notes");
  EXPECT_EQ(got->tags->at("team"), "a");
  EXPECT_EQ(got->cors_configuration->allow_origins->at(0), "https://a.example");
  EXPECT_EQ(got->created_date->seconds(), f.context.now.at.seconds());
}

TEST(CreateApi, builds_the_endpoint_from_the_callers_host) {
  Fixture f;
  const auto endpoint = [&](std::string host, int port, std::string scheme = "http") {
    f.context.endpoint = {.scheme = std::move(scheme), .host = std::move(host), .port = port};
    const std::string id = f.make_api();
    api::GetApiInput get;
    get.api_id = id;
    std::string url = *f.call(&Service::get_api, std::move(get))->api_endpoint;
    return url.replace(url.find(id), id.size(), "ID");
  };
  EXPECT_EQ(endpoint("localhost", 4566), "http://ID.execute-api.localhost:4566");
  EXPECT_EQ(endpoint("localhost.localstack.cloud", 4566),
            "http://ID.execute-api.localhost.localstack.cloud:4566");
  EXPECT_EQ(endpoint("apigateway.us-east-1.amazonaws.com", 443, "https"),
            "https://ID.execute-api.us-east-1.amazonaws.com:443");
  EXPECT_EQ(endpoint("::1", 4566), "http://[::1]:4566/_aws/execute-api/ID");
  EXPECT_EQ(endpoint("virga.example.org", 80), "http://virga.example.org:80/_aws/execute-api/ID");
}

TEST(CreateApi, quick_create_makes_integration_route_and_stage) {
  Fixture f;
  api::CreateApiInput in;
  in.name = "quick";
  in.protocol_type = "HTTP";
  in.target = kFunction;
  in.route_key = "GET /x";
  const auto made = f.call(&Service::create_api, std::move(in));
  ASSERT_TRUE(made);
  api::GetRoutesInput routes;
  routes.api_id = *made->api_id;
  const auto listed = f.call(&Service::get_routes, std::move(routes));
  ASSERT_THAT(*listed->items, SizeIs(1));
  EXPECT_EQ(listed->items->at(0).route_key, "GET /x");
  EXPECT_EQ(*listed->items->at(0).api_gateway_managed, true);
  EXPECT_NE(f.route_of(*made->api_id, "$default", "/x"), RouteTable::kNone);
  const auto compiled = *f.service->find_api(*made->api_id);
  EXPECT_EQ(compiled->stages.at(0).config->integrations.at(0)->uri, kFunction);
  EXPECT_EQ(compiled->stages.at(0).config->integrations.at(0)->payload_version, "2.0");
}

TEST(CreateApi, refuses_what_it_cannot_do) {
  Fixture f;
  const auto create = [&](auto set) {
    api::CreateApiInput in;
    in.name = "x";
    in.protocol_type = "HTTP";
    set(in);
    return f.call(&Service::create_api, std::move(in));
  };
  EXPECT_ERROR(create([](auto& in) { in.protocol_type = "WEBSOCKET"; }), "NotImplemented", 501,
               "WEBSOCKET");
  EXPECT_ERROR(create([](auto& in) { in.protocol_type = "FTP"; }), "BadRequestException", 400,
               "Invalid protocol specified");
  EXPECT_ERROR(create([](auto& in) { in.route_key = "GET /"; }), "BadRequestException", 400,
               "Target");
  EXPECT_ERROR(create([](auto& in) { in.target = "ftp://x"; }), "BadRequestException", 400,
               "Invalid HTTP endpoint");
  EXPECT_ERROR(create([](auto& in) { in.route_selection_expression = "$request.body.action"; }),
               "BadRequestException", 400, "route selection");
  EXPECT_ERROR(create([](auto& in) {
                 auto& cors = in.cors_configuration.emplace();
                 cors.allow_origins = std::vector<std::string>{"*"};
                 cors.allow_credentials = true;
               }),
               "BadRequestException", 400, "AllowCredentials");
  EXPECT_ERROR(
      create([](auto& in) { in.tags = std::map<std::string, std::string>{{"aws:x", "y"}}; }),
      "BadRequestException", 400, "aws:");
}

TEST(GetApi, is_not_found_for_others_and_unknown_ids) {
  Fixture f;
  const std::string id = f.make_api();
  const auto get = [&] {
    api::GetApiInput in;
    in.api_id = id;
    return f.call(&Service::get_api, std::move(in));
  };
  EXPECT_TRUE(get());
  f.context.region = "eu-west-1";
  EXPECT_ERROR(get(), "NotFoundException", 404,
               "Invalid API identifier specified 123456789012:" + id);
  f.context.region = "us-east-1";
  f.context.account = "999999999999";
  EXPECT_ERROR(get(), "NotFoundException", 404,
               "Invalid API identifier specified 999999999999:" + id);
}

TEST(GetApis, pages_and_refuses_a_tampered_token) {
  Fixture f;
  for (int i = 0; i < 5; ++i) f.make_api("api" + std::to_string(i));
  std::vector<std::string> seen;
  std::optional<std::string> token;
  for (int pages = 0; pages < 3; ++pages) {
    api::GetApisInput in;
    in.max_results = "2";
    in.next_token = token;
    const auto got = f.call(&Service::get_apis, std::move(in));
    ASSERT_TRUE(got);
    for (const auto& api : *got->items) seen.push_back(*api.api_id);
    token = got->next_token;
    EXPECT_EQ(token.has_value(), pages < 2);
    if (pages == 0) {
      std::string bad = *token;
      bad[bad.size() / 2] = bad[bad.size() / 2] == 'A' ? 'B' : 'A';
      api::GetApisInput tampered;
      tampered.next_token = bad;
      EXPECT_ERROR(f.call(&Service::get_apis, std::move(tampered)), "BadRequestException", 400,
                   "NextToken");
    }
  }
  EXPECT_EQ(std::set<std::string>(seen.begin(), seen.end()).size(), 5u);
  api::GetApisInput in;
  in.max_results = "x";
  EXPECT_ERROR(f.call(&Service::get_apis, std::move(in)), "BadRequestException", 400, "MaxResults");
}

TEST(UpdateApi, changes_what_it_names_and_the_data_plane_sees_it) {
  Fixture f;
  const std::string id = f.make_api();
  EXPECT_FALSE((*f.service->find_api(id))->cors);
  api::UpdateApiInput in;
  in.api_id = id;
  in.description = "new";
  in.cors_configuration.emplace().allow_origins = std::vector<std::string>{"*"};
  const auto updated = f.call(&Service::update_api, std::move(in));
  ASSERT_TRUE(updated);
  EXPECT_EQ(*updated->name, "notes");
  EXPECT_EQ(*updated->description, "new");
  EXPECT_TRUE((*f.service->find_api(id))->cors);
  api::DeleteCorsConfigurationInput remove;
  remove.api_id = id;
  ASSERT_TRUE(f.call(&Service::delete_cors_configuration, std::move(remove)));
  EXPECT_FALSE((*f.service->find_api(id))->cors);
}

TEST(DeleteApi, takes_everything_with_it) {
  Fixture f;
  const std::string id = f.make_api();
  const std::string other = f.make_api("other");
  ASSERT_TRUE(f.make_route(id, "GET /x", f.make_integration(id)));
  ASSERT_TRUE(f.make_stage(id, "$default", true));
  ASSERT_NE(*f.service->find_api(id), nullptr);
  api::DeleteApiInput in;
  in.api_id = id;
  ASSERT_TRUE(f.call(&Service::delete_api, in));
  EXPECT_EQ(*f.service->find_api(id), nullptr);
  EXPECT_ERROR(f.call(&Service::delete_api, in), "NotFoundException", 404, id);
  const auto listed = f.call(&Service::get_apis, api::GetApisInput());
  ASSERT_THAT(*listed->items, SizeIs(1));
  EXPECT_EQ(*listed->items->at(0).api_id, other);
}

TEST(Routes, are_unique_and_need_valid_keys_targets_and_authorizers) {
  Fixture f;
  const std::string id = f.make_api();
  const std::string integration = f.make_integration(id);
  const auto route = f.make_route(id, "GET /x", integration);
  ASSERT_TRUE(route);
  EXPECT_EQ(*route->authorization_type, "NONE");
  EXPECT_EQ(*route->target, "integrations/" + integration);
  EXPECT_ERROR(f.make_route(id, "GET /x"), "ConflictException", 409,
               "Route with key GET /x already exists for this API");
  EXPECT_ERROR(f.make_route(id, "GET x"), "BadRequestException", 400, "not formatted properly");
  EXPECT_ERROR(f.make_route(id, "GET /y", "zzz"), "NotFoundException", 404,
               "Invalid Integration identifier specified zzz");
  EXPECT_ERROR(f.make_route("0000000000", "GET /y"), "NotFoundException", 404,
               "Invalid API identifier specified");
  api::CreateRouteInput in;
  in.api_id = id;
  in.route_key = "GET /jwt";
  in.authorization_type = "JWT";
  EXPECT_ERROR(f.call(&Service::create_route, in), "BadRequestException", 400,
               "Invalid authorizer ID specified. Setting the authorization type to JWT requires a "
               "valid JWT authorizer.");
  in.authorizer_id = f.make_jwt_authorizer(id);
  in.authorization_scopes = std::vector<std::string>{"read"};
  EXPECT_TRUE(f.call(&Service::create_route, in));
  in.route_key = "GET /custom";
  in.authorization_type = "CUSTOM";
  EXPECT_ERROR(f.call(&Service::create_route, in), "BadRequestException", 400, "CUSTOM");
}

TEST(Routes, can_be_updated_listed_and_deleted) {
  Fixture f;
  const std::string id = f.make_api();
  const std::string route_id = *f.make_route(id, "GET /x")->route_id;
  ASSERT_TRUE(f.make_route(id, "GET /y"));
  api::UpdateRouteInput in;
  in.api_id = id;
  in.route_id = route_id;
  in.authorization_type = "JWT";
  in.authorizer_id = f.make_jwt_authorizer(id);
  ASSERT_TRUE(f.call(&Service::update_route, in));
  api::UpdateRouteInput open;
  open.api_id = id;
  open.route_id = route_id;
  open.authorization_type = "NONE";
  const auto opened = f.call(&Service::update_route, open);
  EXPECT_FALSE(opened->authorizer_id);
  open.route_key = "GET /y";
  EXPECT_ERROR(f.call(&Service::update_route, open), "ConflictException", 409, "GET /y");
  api::DeleteRouteInput remove;
  remove.api_id = id;
  remove.route_id = route_id;
  ASSERT_TRUE(f.call(&Service::delete_route, remove));
  EXPECT_ERROR(f.call(&Service::delete_route, remove), "NotFoundException", 404,
               "Invalid Route identifier specified");
  api::GetRouteInput get;
  get.api_id = id;
  get.route_id = route_id;
  EXPECT_ERROR(f.call(&Service::get_route, get), "NotFoundException", 404, route_id);
}

TEST(Integrations, are_checked_and_filled_in) {
  Fixture f;
  const std::string id = f.make_api();
  api::GetIntegrationInput get;
  get.api_id = id;
  get.integration_id = f.make_integration(id);
  const auto got = f.call(&Service::get_integration, get);
  ASSERT_TRUE(got);
  EXPECT_EQ(*got->connection_type, "INTERNET");
  EXPECT_EQ(*got->integration_method, "POST");
  EXPECT_EQ(*got->timeout_in_millis, 30'000);
  const auto create = [&](auto set) {
    api::CreateIntegrationInput in;
    in.api_id = id;
    in.integration_type = "HTTP_PROXY";
    in.integration_uri = "https://up.example";
    in.integration_method = "ANY";
    in.payload_format_version = "1.0";
    set(in);
    return f.call(&Service::create_integration, std::move(in));
  };
  EXPECT_TRUE(create([](auto&) {}));
  EXPECT_ERROR(create([](auto& in) { in.integration_type = "MOCK"; }), "BadRequestException", 400,
               "may only be associated with proxy integrations");
  EXPECT_ERROR(create([](auto& in) { in.payload_format_version.reset(); }), "BadRequestException",
               400, "PayloadFormatVersion is a required parameter");
  EXPECT_ERROR(create([](auto& in) { in.payload_format_version = "2.0"; }), "BadRequestException",
               400, "PayloadFormatVersion");
  EXPECT_ERROR(create([](auto& in) { in.integration_uri = "x"; }), "BadRequestException", 400,
               "Invalid HTTP endpoint");
  EXPECT_ERROR(create([](auto& in) { in.connection_type = "VPC_LINK"; }), "NotImplemented", 501,
               "VPC_LINK");
  EXPECT_ERROR(create([](auto& in) { in.integration_subtype = "SQS-SendMessage"; }),
               "NotImplemented", 501, "SQS-SendMessage");
  EXPECT_ERROR(create([](auto& in) { in.integration_type = "AWS_PROXY"; }), "BadRequestException",
               400, "function");
  EXPECT_ERROR(create([](auto& in) {
                 in.request_parameters =
                     std::map<std::string, std::string>{{"append:header.host", "x"}};
               }),
               "BadRequestException", 400, "Operations on header host are restricted");
}

TEST(Integrations, merge_parameters_and_refuse_deletion_while_used) {
  Fixture f;
  const std::string id = f.make_api();
  const std::string integration = f.make_integration(id);
  api::UpdateIntegrationInput in;
  in.api_id = id;
  in.integration_id = integration;
  in.request_parameters =
      std::map<std::string, std::string>{{"append:header.a", "1"}, {"append:header.b", "2"}};
  ASSERT_TRUE(f.call(&Service::update_integration, in));
  in.request_parameters =
      std::map<std::string, std::string>{{"append:header.a", ""}, {"append:header.c", "3"}};
  const auto updated = f.call(&Service::update_integration, in);
  ASSERT_TRUE(updated);
  EXPECT_EQ(*updated->request_parameters, (std::map<std::string, std::string>{
                                              {"append:header.b", "2"}, {"append:header.c", "3"}}));
  EXPECT_EQ(*updated->integration_uri, kFunction);
  const std::string route = *f.make_route(id, "GET /x", integration)->route_id;
  api::DeleteIntegrationInput remove;
  remove.api_id = id;
  remove.integration_id = integration;
  EXPECT_ERROR(
      f.call(&Service::delete_integration, remove), "ConflictException", 409,
      "Cannot delete Integration because it is referenced by the following Routes with Ids: [" +
          route + "]");
  api::DeleteRouteInput gone;
  gone.api_id = id;
  gone.route_id = route;
  ASSERT_TRUE(f.call(&Service::delete_route, gone));
  EXPECT_TRUE(f.call(&Service::delete_integration, remove));
}

TEST(Authorizers, are_checked) {
  Fixture f;
  const std::string id = f.make_api();
  const auto create = [&](auto set) {
    api::CreateAuthorizerInput in;
    in.api_id = id;
    in.name = "a";
    in.authorizer_type = "REQUEST";
    in.authorizer_payload_format_version = "2.0";
    in.authorizer_uri = "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/" +
                        std::string(kFunction) + "/invocations";
    set(in);
    return f.call(&Service::create_authorizer, std::move(in));
  };
  EXPECT_ERROR(create([](auto& in) { in.authorizer_payload_format_version.reset(); }),
               "BadRequestException", 400,
               "AuthorizerPayloadFormatVersion is a required parameter for REQUEST authorizer");
  EXPECT_ERROR(create([](auto& in) { in.authorizer_uri = "x"; }), "BadRequestException", 400,
               "Invalid Authorizer URI");
  EXPECT_ERROR(create([](auto& in) { in.identity_source = {"Authorization"}; }),
               "BadRequestException", 400, "identity source");
  EXPECT_ERROR(create([](auto& in) { in.authorizer_result_ttl_in_seconds = 300; }),
               "BadRequestException", 400, "IdentitySource is required");
  EXPECT_ERROR(create([](auto& in) { in.authorizer_type = "JWT"; }), "BadRequestException", 400,
               "JwtConfiguration");
  const auto made = create([](auto& in) {
    in.identity_source = {"$request.header.Authorization", "$context.routeKey"};
  });
  ASSERT_TRUE(made);
  EXPECT_ERROR(create([](auto&) {}), "BadRequestException", 400, "must be unique");
  api::DeleteAuthorizerInput remove;
  remove.api_id = id;
  remove.authorizer_id = *made->authorizer_id;
  EXPECT_TRUE(f.call(&Service::delete_authorizer, remove));
  api::GetAuthorizerInput get;
  get.api_id = id;
  get.authorizer_id = *made->authorizer_id;
  EXPECT_ERROR(f.call(&Service::get_authorizer, get), "NotFoundException", 404,
               "Invalid Authorizer identifier specified");
}

TEST(Stages, that_deploy_by_themselves_follow_every_change) {
  Fixture f;
  const std::string id = f.make_api();
  const auto stage = f.make_stage(id, "$default", true);
  ASSERT_TRUE(stage);
  ASSERT_TRUE(stage->deployment_id);
  EXPECT_EQ(f.route_of(id, "$default", "/x"), RouteTable::kNone);
  const std::string route = *f.make_route(id, "GET /x", f.make_integration(id))->route_id;
  EXPECT_NE(f.route_of(id, "$default", "/x"), RouteTable::kNone);
  api::GetStageInput get;
  get.api_id = id;
  get.stage_name = "$default";
  const auto later = f.call(&Service::get_stage, get);
  EXPECT_NE(*later->deployment_id, *stage->deployment_id);
  EXPECT_THAT(
      *later->last_deployment_status_message,
      HasSubstr("Successfully deployed stage with deployment ID '" + *later->deployment_id + "'"));
  api::GetDeploymentsInput list;
  list.api_id = id;
  EXPECT_THAT(*f.call(&Service::get_deployments, list)->items, SizeIs(1));
  f.restart();
  EXPECT_NE(f.route_of(id, "$default", "/x"), RouteTable::kNone);
  api::DeleteRouteInput remove;
  remove.api_id = id;
  remove.route_id = route;
  ASSERT_TRUE(f.call(&Service::delete_route, remove));
  EXPECT_EQ(f.route_of(id, "$default", "/x"), RouteTable::kNone);
}

TEST(Stages, without_auto_deploy_serve_what_was_deployed) {
  Fixture f;
  const std::string id = f.make_api();
  ASSERT_TRUE(f.make_stage(id, "prod", false));
  api::CreateDeploymentInput deploy;
  deploy.api_id = id;
  deploy.stage_name = "prod";
  EXPECT_ERROR(f.call(&Service::create_deployment, deploy), "BadRequestException", 400,
               "no routes exist");
  ASSERT_TRUE(f.make_route(id, "GET /x", f.make_integration(id)));
  EXPECT_EQ(f.route_of(id, "prod", "/x"), RouteTable::kNone);
  const auto deployment = f.call(&Service::create_deployment, deploy);
  ASSERT_TRUE(deployment);
  EXPECT_EQ(*deployment->deployment_status, "DEPLOYED");
  EXPECT_NE(f.route_of(id, "prod", "/x"), RouteTable::kNone);
  ASSERT_TRUE(f.make_route(id, "GET /y", f.make_integration(id)));
  EXPECT_EQ(f.route_of(id, "prod", "/y"), RouteTable::kNone);
  f.restart();
  EXPECT_NE(f.route_of(id, "prod", "/x"), RouteTable::kNone);
  EXPECT_EQ(f.route_of(id, "prod", "/y"), RouteTable::kNone);
  api::DeleteDeploymentInput remove;
  remove.api_id = id;
  remove.deployment_id = *deployment->deployment_id;
  EXPECT_ERROR(f.call(&Service::delete_deployment, remove), "BadRequestException", 400,
               "Active stages pointing to this deployment");
  deploy.stage_name = "nowhere";
  EXPECT_ERROR(f.call(&Service::create_deployment, deploy), "NotFoundException", 404,
               "Invalid Stage identifier");
}

TEST(Stages, keep_what_they_serve_when_auto_deploy_ends) {
  Fixture f;
  const std::string id = f.make_api();
  ASSERT_TRUE(f.make_stage(id, "prod", true));
  ASSERT_TRUE(f.make_route(id, "GET /x", f.make_integration(id)));
  api::UpdateStageInput in;
  in.api_id = id;
  in.stage_name = "prod";
  in.auto_deploy = false;
  ASSERT_TRUE(f.call(&Service::update_stage, in));
  ASSERT_TRUE(f.make_route(id, "GET /y", f.make_integration(id)));
  EXPECT_NE(f.route_of(id, "prod", "/x"), RouteTable::kNone);
  EXPECT_EQ(f.route_of(id, "prod", "/y"), RouteTable::kNone);
}

TEST(Stages, merge_variables_and_check_names) {
  Fixture f;
  const std::string id = f.make_api();
  ASSERT_TRUE(f.make_stage(id, "prod", false));
  EXPECT_ERROR(f.make_stage(id, "prod", false), "ConflictException", 409, "Stage already exists");
  EXPECT_ERROR(f.make_stage(id, "a b", false), "BadRequestException", 400, "Stage name");
  api::UpdateStageInput in;
  in.api_id = id;
  in.stage_name = "prod";
  in.stage_variables = std::map<std::string, std::string>{{"a", "1"}, {"b", "2"}};
  ASSERT_TRUE(f.call(&Service::update_stage, in));
  in.stage_variables = std::map<std::string, std::string>{{"a", ""}, {"c", "3"}};
  const auto updated = f.call(&Service::update_stage, in);
  EXPECT_EQ(*updated->stage_variables,
            (std::map<std::string, std::string>{{"b", "2"}, {"c", "3"}}));
  in.stage_variables = std::map<std::string, std::string>{{"a-b", "1"}};
  EXPECT_ERROR(f.call(&Service::update_stage, in), "BadRequestException", 400,
               "stage variable name");
  in.stage_variables.reset();
  in.route_settings.emplace()["GET /none"].throttling_burst_limit = 1;
  EXPECT_ERROR(f.call(&Service::update_stage, in), "NotFoundException", 404,
               "Unable to find Route by key GET /none within the provided RouteSettings");
  api::DeleteStageInput remove;
  remove.api_id = id;
  remove.stage_name = "prod";
  EXPECT_TRUE(f.call(&Service::delete_stage, remove));
  EXPECT_ERROR(f.call(&Service::delete_stage, remove), "NotFoundException", 404, "prod");
}

TEST(Tags, can_be_set_read_and_removed) {
  Fixture f;
  const std::string id = f.make_api();
  ASSERT_TRUE(f.make_stage(id, "prod", false));
  for (const std::string& arn : {"arn:aws:apigateway:us-east-1::/apis/" + id,
                                 "arn:aws:apigateway:us-east-1::/apis/" + id + "/stages/prod"}) {
    api::TagResourceInput in;
    in.resource_arn = arn;
    in.tags = std::map<std::string, std::string>{{"a", "1"}, {"b", "2"}};
    ASSERT_TRUE(f.call(&Service::tag_resource, in));
    api::UntagResourceInput out;
    out.resource_arn = arn;
    out.tag_keys = {"a", "none"};
    ASSERT_TRUE(f.call(&Service::untag_resource, out));
    api::GetTagsInput get;
    get.resource_arn = arn;
    EXPECT_EQ(*f.call(&Service::get_tags, get)->tags,
              (std::map<std::string, std::string>{{"b", "2"}}));
  }
  api::GetTagsInput get;
  get.resource_arn = "arn:aws:apigateway:us-east-1::/apis/0000000000";
  EXPECT_ERROR(f.call(&Service::get_tags, get), "NotFoundException", 404,
               "Invalid API identifier specified");
  get.resource_arn = "nonsense";
  EXPECT_ERROR(f.call(&Service::get_tags, get), "BadRequestException", 400, "Invalid resource ARN");
}

TEST(FindApi, forgets_everything_at_a_reset) {
  Fixture f;
  const std::string id = f.make_api();
  ASSERT_NE(*f.service->find_api(id), nullptr);
  ASSERT_TRUE(f.shard.run(f.shard->reset()));
  EXPECT_EQ(*f.service->find_api(id), nullptr);
}

TEST(FindApi, hands_out_the_same_object_until_something_changes) {
  Fixture f;
  const std::string id = f.make_api();
  const auto first = *f.service->find_api(id);
  f.make_api("other");
  EXPECT_EQ(*f.service->find_api(id), first);
  ASSERT_TRUE(f.make_route(id, "GET /x"));
  EXPECT_NE(*f.service->find_api(id), first);
}

TEST(FunctionUri, knows_both_forms) {
  EXPECT_EQ(parse_function_uri(kFunction)->arn, kFunction);
  const auto alias = parse_function_uri(std::string(kFunction) + ":live");
  EXPECT_EQ(alias->arn, kFunction);
  EXPECT_EQ(alias->qualifier, "live");
  const auto path =
      parse_function_uri("arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/" +
                         std::string(kFunction) + ":7/invocations");
  EXPECT_EQ(path->arn, kFunction);
  EXPECT_EQ(path->qualifier, "7");
  EXPECT_EQ(
      parse_function_uri("arn:aws:lambda:us-east-1:123456789012:function:${stageVariables.f}")->arn,
      "arn:aws:lambda:us-east-1:123456789012:function:${stageVariables.f}");
  for (const char* bad : {"", "f", "arn:aws:s3:::b", "arn:aws:lambda:us-east-1:1:layer:x",
                          "arn:aws:lambda:us-east-1:1:function:"}) {
    EXPECT_FALSE(parse_function_uri(bad)) << bad;
  }
}

TEST(Binding, implements_the_operations_of_http_apis) {
  Fixture f;
  const auto binding = make_binding(*f.service);
  const auto implements = [&](std::string_view name) {
    const auto* op = aws::find_operation(*binding.service, name);
    return op && binding.implements(*op);
  };
  EXPECT_TRUE(implements("CreateApi"));
  EXPECT_TRUE(implements("ResetAuthorizersCache"));
  EXPECT_FALSE(implements("CreateVpcLink"));
  EXPECT_FALSE(implements("CreateModel"));
}

}  // namespace
}  // namespace virga::apigatewayv2
