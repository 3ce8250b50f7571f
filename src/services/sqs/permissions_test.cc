#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/sqs/create_queue.h"
#include "api/sqs/get_queue_url.h"
#include "api/sqs/send_message_batch.h"
#include "api/sqs/service.h"
#include "api/sqs/shapes.h"
#include "platform/resource_arns.h"

// What the door asks permission for, from the overlay and the input.
namespace virga::sqs {
namespace {

using testing::ElementsAre;

template <class Input>
std::vector<std::string> needed(const aws::OperationDesc& op, Input input) {
  RequestContext context;
  context.account = "111122223333";
  context.region = "us-east-1";
  const auto box = aws::StructBox::hold<Input>(std::move(input));
  std::vector<std::string> out;
  for (const auto& one : platform::needed_actions(op, box, context)) {
    for (const auto& arn : one.resources) out.push_back(std::string(one.action) + " " + arn);
  }
  return out;
}

std::vector<std::string> send_to(std::string url) {
  api::SendMessageBatchInput in;
  in.queue_url = std::move(url);
  return needed(api::op::send_message_batch(), std::move(in));
}

TEST(Permissions, are_for_the_queue_that_a_url_names) {
  const std::string mine = "sqs:sendmessage arn:aws:sqs:us-east-1:111122223333:q";
  EXPECT_THAT(send_to("q"), ElementsAre(mine));
  EXPECT_THAT(send_to("http://localhost:4566/111122223333/q"), ElementsAre(mine));
  EXPECT_THAT(send_to("https://sqs.eu-west-1.amazonaws.com/444455556666/q/"),
              ElementsAre("sqs:sendmessage arn:aws:sqs:us-east-1:444455556666:q"));
  EXPECT_THAT(send_to("http://localhost:4566/queue/eu-west-1/444455556666/q"),
              ElementsAre("sqs:sendmessage arn:aws:sqs:eu-west-1:444455556666:q"));
  EXPECT_THAT(send_to("http://localhost:4566/"), ElementsAre("sqs:sendmessage *"));
}

TEST(Permissions, of_names_are_for_the_owners_queue) {
  api::GetQueueUrlInput find;
  find.queue_name = "q";
  EXPECT_THAT(needed(api::op::get_queue_url(), find),
              ElementsAre("sqs:getqueueurl arn:aws:sqs:us-east-1:111122223333:q"));
  find.queue_owner_aws_account_id = "444455556666";
  EXPECT_THAT(needed(api::op::get_queue_url(), find),
              ElementsAre("sqs:getqueueurl arn:aws:sqs:us-east-1:444455556666:q"));
  api::CreateQueueInput create;
  create.queue_name = "q";
  create.tags.emplace()["a"] = "b";
  EXPECT_THAT(needed(api::op::create_queue(), create),
              ElementsAre("sqs:createqueue arn:aws:sqs:us-east-1:111122223333:q",
                          "sqs:tagqueue arn:aws:sqs:us-east-1:111122223333:q"));
}

}  // namespace
}  // namespace virga::sqs
