#include "api/apigatewayv2/create_deployment.h"
#include "api/apigatewayv2/delete_deployment.h"
#include "api/apigatewayv2/delete_route.h"
#include "api/apigatewayv2/delete_stage.h"
#include "api/apigatewayv2/get_deployments.h"
#include "api/apigatewayv2/get_stage.h"
#include "api/apigatewayv2/update_stage.h"
#include "services/apigatewayv2/test_service.h"

namespace virga::apigatewayv2 {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

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

}  // namespace
}  // namespace virga::apigatewayv2
