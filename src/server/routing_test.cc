#include "platform/routing.h"

#include <gtest/gtest.h>

namespace virga::platform {
namespace {

RouteQuestion get(std::string_view host, std::string_view path) {
  RouteQuestion q;
  q.method = "GET";
  q.host = host;
  q.path = path;
  return q;
}

std::string service_of(const RouteQuestion& q) {
  const Route r = route(q);
  return r.kind == RouteKind::service ? std::string(r.service->name) : "none";
}

TEST(Route, a_target_names_the_service) {
  RouteQuestion q = get("localhost", "/");
  q.target = "DynamoDB_20120810.PutItem";
  EXPECT_EQ(service_of(q), "dynamodb");
  q.target = "DynamoDBStreams_20120810.ListStreams";
  EXPECT_EQ(service_of(q), "dynamodbstreams");
  q.target = "AWSStepFunctions.StartExecution";
  EXPECT_EQ(service_of(q), "stepfunctions");
}

TEST(Route, the_credential_scope_wins_over_the_path) {
  RouteQuestion q = get("localhost", "/2015-03-31/functions");
  q.signing_name = "s3";
  EXPECT_EQ(service_of(q), "s3");
  q.signing_name = "lambda";
  EXPECT_EQ(service_of(q), "lambda");
}

TEST(Route, shared_signing_names_are_told_apart) {
  RouteQuestion q = get("localhost", "/v2/apis");
  q.signing_name = "apigateway";
  EXPECT_EQ(service_of(q), "apigatewayv2");
  q.path = "/restapis";
  EXPECT_EQ(service_of(q), "apigateway");
  q.signing_name = "dynamodb";
  q.target = "DynamoDBStreams_20120810.GetRecords";
  EXPECT_EQ(service_of(q), "dynamodbstreams");
}

TEST(Route, an_unknown_scope_never_falls_through_to_s3) {
  RouteQuestion q = get("localhost", "/bucket/key");
  q.signing_name = "quantumledger";
  EXPECT_EQ(route(q).kind, RouteKind::unknown_service);
  EXPECT_EQ(route(q).text, "quantumledger");
}

TEST(Route, an_action_finds_its_query_service_by_version) {
  RouteQuestion q = get("localhost", "/");
  q.form_action = "AssumeRoleWithWebIdentity";
  q.form_version = "2011-06-15";
  EXPECT_EQ(service_of(q), "sts");
}

TEST(Route, rpc_paths_name_the_service) {
  RouteQuestion q =
      get("localhost", "/service/GraniteServiceVersion20100801/operation/ListMetrics");
  q.smithy_protocol = "rpc-v2-cbor";
  EXPECT_EQ(service_of(q), "cloudwatch");
}

TEST(Route, a_bound_listener_speaks_one_service) {
  RouteQuestion q = get("localhost", "/_virga/health");
  q.bound_service = "dynamodb";
  EXPECT_EQ(service_of(q), "dynamodb");
}

TEST(Route, data_planes_by_host_and_by_path) {
  EXPECT_EQ(route(get("abcdef1234.execute-api.eu-west-1.localhost", "/notes/7")).kind,
            RouteKind::execute_api);
  EXPECT_EQ(route(get("127.0.0.1", "/_aws/execute-api/abcdef1234/prod")).kind,
            RouteKind::execute_api);
  EXPECT_EQ(route(get("x.lambda-url.us-east-1.localhost", "/")).kind, RouteKind::function_url);
  RouteQuestion connections = get("abcdef1234.execute-api.localhost", "/@connections/x");
  connections.signing_name = "execute-api";
  EXPECT_EQ(service_of(connections), "apigatewaymanagementapi");
}

TEST(Route, admin_paths_and_nothing_at_all) {
  EXPECT_EQ(route(get("localhost", "/_virga/health")).kind, RouteKind::admin);
  EXPECT_EQ(route(get("localhost", "/_localstack/health")).kind, RouteKind::admin);
  EXPECT_EQ(route(get("localhost", "/moto-api/reset")).kind, RouteKind::admin);
  EXPECT_EQ(route(get("localhost", "/")).kind, RouteKind::none);
}

TEST(Route, unsigned_paths_are_objects_that_anybody_may_read) {
  EXPECT_EQ(service_of(get("localhost", "/bucket/key")), "s3");
  EXPECT_EQ(service_of(get("bucket.s3.us-east-1.localhost", "/")), "s3");
  RouteQuestion older = get("localhost", "/");
  older.older_s3_signature = true;
  EXPECT_EQ(service_of(older), "s3");
}

TEST(Route, websites_are_told_from_buckets_by_their_host) {
  for (const char* host : {"b.s3-website.localhost", "b.c.s3-website-eu-west-1.amazonaws.com",
                           "s3.s3-website.us-east-1.localhost"}) {
    EXPECT_EQ(route(get(host, "/")).kind, RouteKind::website) << host;
  }
  for (const char* host : {"s3-website.localhost", "s3-websites.s3.localhost", "b.s3-website"})
    EXPECT_NE(route(get(host, "/k")).kind, RouteKind::website) << host;
}

}  // namespace
}  // namespace virga::platform
