#include "platform/answer_checks.h"

#include <gtest/gtest.h>

#include "api/dynamodb/delete_table.h"
#include "api/dynamodb/describe_table.h"
#include "api/dynamodb/service.h"
#include "api/dynamodb/shapes.h"

namespace virga::platform {
namespace {

namespace api = dynamodb::api;

TEST(AnswerChecks, an_answer_outside_the_models_set_is_a_failure) {
  api::DescribeTableOutput output;
  output.table.emplace().table_status = "ACTIVE";
  const Result<aws::OutputBox> good = aws::OutputBox::hold(api::DescribeTableOutput(output));
  EXPECT_TRUE(hold_against_model(api::op::describe_table(), good));
  output.table->table_status = "LAZY";
  const Result<aws::OutputBox> bad = aws::OutputBox::hold(std::move(output));
  EXPECT_EQ(hold_against_model(api::op::describe_table(), bad).error().code, "InternalFailure");
}

TEST(AnswerChecks, an_error_that_the_service_has_not_is_a_failure) {
  const Result<aws::OutputBox> known = fail("ResourceNotFoundException", 400, "no");
  EXPECT_TRUE(hold_against_model(api::op::describe_table(), known));
  const Result<aws::OutputBox> unknown = fail("ResourceNotFuondException", 400, "no");
  EXPECT_EQ(hold_against_model(api::op::describe_table(), unknown).error().code, "InternalFailure");
}

TEST(WithoutEffect, knows_the_parameters_that_a_note_names) {
  aws::ServiceBinding binding;
  binding.service = &api::service_desc();
  binding.partial = {{"DeleteTable", "the case of TableName, and nothing else, has no effect"}};
  const WithoutEffect watch(binding);
  api::DeleteTableInput input;
  input.table_name = "t";
  const auto box = aws::InputBox::hold(std::move(input));
  EXPECT_EQ(watch.used(api::op::delete_table(), box), 1u);
  const auto other = aws::InputBox::hold(api::DescribeTableInput());
  EXPECT_EQ(watch.used(api::op::describe_table(), other), 0u);
}

}  // namespace
}  // namespace virga::platform
