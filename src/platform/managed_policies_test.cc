#include "platform/managed_policies.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace virga::platform {
namespace {

bool allows(std::string_view arn, std::string_view action, std::string_view resource) {
  const ManagedPolicy* p = find_managed_policy(arn);
  if (!p) return false;
  const ConditionContext context;
  return p->compiled
      ->evaluate({.action = action, .resource = resource, .context = context, .caller = {}})
      .allowed();
}

TEST(ManagedPolicies, are_found_by_their_arn_in_every_partition) {
  ASSERT_NE(find_managed_policy("arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"),
            nullptr);
  ASSERT_NE(find_managed_policy("arn:aws-cn:iam::aws:policy/AdministratorAccess"), nullptr);
  EXPECT_EQ(find_managed_policy("arn:aws:iam::aws:policy/AWSLambdaBasicExecutionRole"),
            nullptr);  // the path belongs to the name
  EXPECT_EQ(find_managed_policy("arn:aws:iam::111122223333:policy/AdministratorAccess"), nullptr);
  EXPECT_EQ(find_managed_policy("nonsense"), nullptr);
}

TEST(ManagedPolicies, have_ids_and_documents) {
  EXPECT_GE(managed_policies().size(), 40u);
  for (const ManagedPolicy& p : managed_policies()) {
    EXPECT_EQ(p.id.size(), 21u) << p.name;
    EXPECT_EQ(find_managed_policy(p.arn("aws")), &p);
    EXPECT_THAT(p.document,
                testing::StartsWith(R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow")"));
  }
}

TEST(ManagedPolicies, grant_what_their_names_say) {
  const char* table = "arn:aws:dynamodb:us-east-1:111122223333:table/t";
  EXPECT_TRUE(
      allows("arn:aws:iam::aws:policy/AmazonDynamoDBReadOnlyAccess", "dynamodb:GetItem", table));
  EXPECT_FALSE(
      allows("arn:aws:iam::aws:policy/AmazonDynamoDBReadOnlyAccess", "dynamodb:PutItem", table));
  EXPECT_TRUE(allows("arn:aws:iam::aws:policy/PowerUserAccess", "dynamodb:PutItem", table));
  EXPECT_FALSE(allows("arn:aws:iam::aws:policy/PowerUserAccess", "iam:CreateUser",
                      "arn:aws:iam::111122223333:user/x"));
  EXPECT_TRUE(allows("arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole",
                     "logs:PutLogEvents", "*"));
  EXPECT_FALSE(allows("arn:aws:iam::aws:policy/AWSLambda_FullAccess", "iam:PassRole",
                      "arn:aws:iam::111122223333:role/r"));
}

}  // namespace
}  // namespace virga::platform
