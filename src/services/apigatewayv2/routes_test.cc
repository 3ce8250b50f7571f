#include "api/apigatewayv2/delete_authorizer.h"
#include "api/apigatewayv2/delete_integration.h"
#include "api/apigatewayv2/delete_route.h"
#include "api/apigatewayv2/get_authorizer.h"
#include "api/apigatewayv2/get_integration.h"
#include "api/apigatewayv2/get_route.h"
#include "api/apigatewayv2/update_integration.h"
#include "api/apigatewayv2/update_route.h"
#include "services/apigatewayv2/test_service.h"

namespace virga::apigatewayv2 {
namespace {

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
  EXPECT_ERROR(create([](auto& in) { in.integration_subtype = "Kinesis-PutRecord"; }),
               "NotImplemented", 501, "Kinesis-PutRecord");
  EXPECT_ERROR(create([](auto& in) { in.integration_subtype = "SQS-Dance"; }),
               "BadRequestException", 400, "SQS-Dance");
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

}  // namespace
}  // namespace virga::apigatewayv2
