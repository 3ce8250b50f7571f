#include <set>

#include "api/apigatewayv2/delete_api.h"
#include "api/apigatewayv2/delete_cors_configuration.h"
#include "api/apigatewayv2/get_api.h"
#include "api/apigatewayv2/get_apis.h"
#include "api/apigatewayv2/get_routes.h"
#include "api/apigatewayv2/update_api.h"
#include "services/apigatewayv2/test_service.h"

namespace virga::apigatewayv2 {
namespace {

using ::testing::MatchesRegex;
using ::testing::SizeIs;

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

}  // namespace
}  // namespace virga::apigatewayv2
