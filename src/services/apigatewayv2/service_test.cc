#include "api/apigatewayv2/get_tags.h"
#include "api/apigatewayv2/tag_resource.h"
#include "api/apigatewayv2/untag_resource.h"
#include "services/apigatewayv2/binding.h"
#include "services/apigatewayv2/compile.h"
#include "services/apigatewayv2/test_service.h"

namespace virga::apigatewayv2 {
namespace {

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
