#include "platform/resource_arns.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/dynamodb/batch_get_item.h"
#include "api/dynamodb/create_table.h"
#include "api/dynamodb/get_item.h"
#include "api/dynamodb/query.h"
#include "api/dynamodb/service.h"
#include "api/dynamodb/shapes.h"
#include "api/dynamodb/transact_write_items.h"
#include "api/lambda/create_function.h"
#include "api/lambda/invoke.h"
#include "api/lambda/service.h"
#include "api/lambda/shapes.h"

namespace virga::platform {
namespace {

using testing::ElementsAre;
namespace dynamodb = virga::dynamodb::api;
namespace lambda = virga::lambda::api;

RequestContext context() {
  RequestContext c;
  c.account = "111122223333";
  c.region = "us-east-1";
  return c;
}

const std::string kTable = "arn:aws:dynamodb:us-east-1:111122223333:table/";

template <class Input>
std::vector<std::string> needed(const aws::OperationDesc& op, Input input) {
  const auto box = aws::StructBox::hold<Input>(std::move(input));
  std::vector<std::string> out;
  for (const NeededAction& n : needed_actions(op, box, context())) {
    for (const std::string& r : n.resources) out.push_back(std::string(n.action) + " " + r);
  }
  return out;
}

TEST(ResourceArns, come_from_a_members_name_or_arn) {
  dynamodb::GetItemInput in;
  in.table_name = "orders";
  EXPECT_THAT(needed(dynamodb::op::get_item(), in),
              ElementsAre("dynamodb:GetItem " + kTable + "orders"));
  in.table_name = "arn:aws:dynamodb:eu-west-1:444455556666:table/other";
  EXPECT_THAT(needed(dynamodb::op::get_item(), in),
              ElementsAre("dynamodb:GetItem arn:aws:dynamodb:eu-west-1:444455556666:table/other"));
}

TEST(ResourceArns, take_the_first_alternative_that_is_complete) {
  dynamodb::QueryInput in;
  in.table_name = "orders";
  EXPECT_THAT(needed(dynamodb::op::query(), in),
              ElementsAre("dynamodb:Query " + kTable + "orders"));
  in.index_name = "by-date";
  EXPECT_THAT(needed(dynamodb::op::query(), in),
              ElementsAre("dynamodb:Query " + kTable + "orders/index/by-date"));
}

TEST(ResourceArns, come_from_the_keys_of_maps) {
  dynamodb::BatchGetItemInput in;
  in.request_items["a"];
  in.request_items["b"];
  EXPECT_THAT(needed(dynamodb::op::batch_get_item(), std::move(in)),
              ElementsAre("dynamodb:BatchGetItem " + kTable + "a",
                          "dynamodb:BatchGetItem " + kTable + "b"));
}

TEST(ResourceArns, optional_actions_are_needed_only_where_they_are_used) {
  dynamodb::TransactWriteItemsInput in;
  in.transact_items.emplace_back().put.emplace().table_name = "a";
  in.transact_items.emplace_back().delete_.emplace().table_name = "b";
  in.transact_items.emplace_back().put.emplace().table_name = "a";
  EXPECT_THAT(
      needed(dynamodb::op::transact_write_items(), std::move(in)),
      ElementsAre("dynamodb:PutItem " + kTable + "a", "dynamodb:DeleteItem " + kTable + "b"));
  dynamodb::CreateTableInput create;
  create.table_name = "t";
  EXPECT_THAT(needed(dynamodb::op::create_table(), create),
              ElementsAre("dynamodb:CreateTable " + kTable + "t"));
  create.tags.emplace();
  EXPECT_THAT(
      needed(dynamodb::op::create_table(), create),
      ElementsAre("dynamodb:CreateTable " + kTable + "t", "dynamodb:TagResource " + kTable + "t"));
}

TEST(ResourceArns, condition_keys_come_from_the_input) {
  dynamodb::QueryInput in;
  in.table_name = "t";
  in.select = "COUNT";
  ConditionContext c;
  add_input_keys(c, dynamodb::op::query(),
                 aws::StructBox::hold<dynamodb::QueryInput>(std::move(in)));
  EXPECT_EQ(c.single("dynamodb:select"), "COUNT");
  dynamodb::CreateTableInput create;
  auto& tag = create.tags.emplace().emplace_back();
  tag.key = "Team";
  tag.value = "blue";
  add_input_keys(c, dynamodb::op::create_table(),
                 aws::StructBox::hold<dynamodb::CreateTableInput>(std::move(create)));
  EXPECT_EQ(c.single("aws:requesttag/team"), "blue");
  EXPECT_EQ(c.single("aws:tagkeys"), "Team");
}

TEST(ResourceArns, a_passed_role_says_to_whom) {
  lambda::CreateFunctionInput in;
  in.function_name = "f";
  in.role = "arn:aws:iam::111122223333:role/app";
  EXPECT_THAT(needed(lambda::op::create_function(), in),
              ElementsAre("lambda:CreateFunction arn:aws:lambda:us-east-1:111122223333:function:f",
                          "iam:PassRole arn:aws:iam::111122223333:role/app"));
  ConditionContext c;
  add_input_keys(c, lambda::op::create_function(),
                 aws::StructBox::hold<lambda::CreateFunctionInput>(std::move(in)));
  EXPECT_EQ(c.single("iam:passedtoservice"), "lambda.amazonaws.com");
}

TEST(ResourceArns, functions_go_by_name_partial_arn_or_arn) {
  const auto of = [](std::string name, std::string qualifier = "") {
    lambda::InvokeInput in;
    in.function_name = std::move(name);
    if (!qualifier.empty()) in.qualifier = std::move(qualifier);
    return needed(lambda::op::invoke(), std::move(in));
  };
  EXPECT_THAT(
      of("f"),
      ElementsAre("lambda:InvokeFunction arn:aws:lambda:us-east-1:111122223333:function:f"));
  EXPECT_THAT(
      of("f", "live"),
      ElementsAre("lambda:InvokeFunction arn:aws:lambda:us-east-1:111122223333:function:f:live"));
  EXPECT_THAT(
      of("444455556666:function:f"),
      ElementsAre("lambda:InvokeFunction arn:aws:lambda:us-east-1:444455556666:function:f"));
  EXPECT_THAT(
      of("arn:aws:lambda:eu-west-1:444455556666:function:f"),
      ElementsAre("lambda:InvokeFunction arn:aws:lambda:eu-west-1:444455556666:function:f"));
}

TEST(ResourceArns, say_whose_they_are) {
  EXPECT_EQ(account_of_arn("arn:aws:lambda:us-east-1:444455556666:function:f", "1"),
            "444455556666");
  EXPECT_EQ(account_of_arn("arn:aws:s3:::bucket", "1"), "1");
  EXPECT_EQ(account_of_arn("arn:aws:iam::aws:policy/X", "1"), "1");
  EXPECT_EQ(account_of_arn("*", "1"), "1");
}

}  // namespace
}  // namespace virga::platform
