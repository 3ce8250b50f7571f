#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "api/sqs/change_message_visibility.h"
#include "api/sqs/create_queue.h"
#include "api/sqs/delete_message.h"
#include "api/sqs/delete_queue.h"
#include "api/sqs/get_queue_attributes.h"
#include "api/sqs/purge_queue.h"
#include "api/sqs/receive_message.h"
#include "api/sqs/send_message.h"
#include "api/sqs/send_message_batch.h"
#include "api/sqs/shapes.h"
#include "services/sqs/service.h"
#include "storage/testing.h"

namespace virga::sqs {

// The service over a real shard in memory, with a clock that moves when told.
class SqsTest : public testing::Test {
 protected:
  ~SqsTest() override {
    stop();
    shard.settle();
  }

  void stop() {
    if (service) EXPECT_TRUE(shard.run(service->stop()));
    service.reset();
  }
  void restart() {
    stop();
    shard.reopen();
    start();
  }
  void start() {
    service = std::make_unique<Service>(*shard, shard.fake_env().env(), options);
    EXPECT_TRUE(shard.run(service->start()));
  }
  void advance_seconds(int64_t seconds) { shard.fake_env().advance_millis(seconds * 1000); }

  template <class Input, class Output>
  Task<Output> task(Task<Output> (Service::*operation)(Ctx, Input), Input input,
                    RequestContext* context) {
    context->env = &shard.fake_env().env();
    context->account = "111122223333";
    context->region = "us-east-1";
    context->now = context->env->cloud.now();
    return (service.get()->*operation)(Ctx(*context), std::move(input));
  }
  // The answer, once it may be sent.
  template <class Input, class Output>
  Result<Output> call(Task<Output> (Service::*operation)(Ctx, Input), Input input) {
    if (!service) start();
    RequestContext context;
    Result<Output> got = shard.run(task(operation, std::move(input), &context));
    if (context.depends_on_lsn) {
      EXPECT_TRUE(shard.run(shard->wait_durable(context.depends_on_lsn)));
    }
    return got;
  }

  std::string create(std::string name, AttributeMap attributes = {}) {
    api::CreateQueueInput in;
    in.queue_name = std::move(name);
    if (!attributes.empty()) in.attributes = std::move(attributes);
    const auto made = call(&Service::create_queue, std::move(in));
    return made ? *made->queue_url : error(made);
  }
  Result<api::SendMessageOutput> send(const std::string& url, std::string body,
                                      std::string group = {}, int32_t delay_seconds = -1) {
    api::SendMessageInput in;
    in.queue_url = url;
    in.message_body = body;
    if (!group.empty()) {
      in.message_group_id = std::move(group);
      in.message_deduplication_id = std::move(body);
    }
    if (delay_seconds >= 0) in.delay_seconds = delay_seconds;
    return call(&Service::send_message, std::move(in));
  }
  // Bodies "0" to "count - 1", a full batch at a time; `group` of each by its number.
  template <class Group>
  void send_many(const std::string& url, int count, Group group) {
    for (int first = 0; first < count; first += 10) {
      api::SendMessageBatchInput in;
      in.queue_url = url;
      auto& entries = in.entries.emplace();
      for (int i = first; i < std::min(first + 10, count); ++i) {
        auto& entry = entries.emplace_back();
        entry.id = entry.message_body.emplace(std::to_string(i));
        if (std::string name = group(i); !name.empty()) {
          entry.message_group_id = std::move(name);
          entry.message_deduplication_id = std::to_string(i);
        }
      }
      const auto sent = call(&Service::send_message_batch, std::move(in));
      ASSERT_TRUE(sent && !sent->failed) << error(sent);
    }
  }
  static api::ReceiveMessageInput receive_input(const std::string& url, int32_t max = 10) {
    api::ReceiveMessageInput in;
    in.queue_url = url;
    in.max_number_of_messages = max;
    in.attribute_names.emplace() = {"All"};
    return in;
  }
  std::vector<api::Message> receive(const std::string& url, int32_t max = 10,
                                    std::optional<int32_t> visibility_seconds = {}) {
    auto in = receive_input(url, max);
    in.visibility_timeout = visibility_seconds;
    auto got = call(&Service::receive_message, std::move(in));
    EXPECT_TRUE(got) << error(got);
    return got && got->messages ? std::move(*got->messages) : std::vector<api::Message>();
  }
  std::vector<std::string> bodies(const std::string& url, int32_t max = 10,
                                  std::optional<int32_t> visibility_seconds = {}) {
    return bodies_of(receive(url, max, visibility_seconds));
  }
  static std::vector<std::string> bodies_of(const std::vector<api::Message>& messages) {
    std::vector<std::string> out;
    for (const auto& m : messages) out.push_back(*m.body);
    return out;
  }
  std::string erase(const std::string& url, const std::string& handle) {
    api::DeleteMessageInput in;
    in.queue_url = url;
    in.receipt_handle = handle;
    return error(call(&Service::delete_message, std::move(in)));
  }
  std::string hide(const std::string& url, const std::string& handle, int32_t seconds) {
    api::ChangeMessageVisibilityInput in;
    in.queue_url = url;
    in.receipt_handle = handle;
    in.visibility_timeout = seconds;
    return error(call(&Service::change_message_visibility, std::move(in)));
  }
  // "visible/in flight/delayed"
  std::string counts(const std::string& url) {
    api::GetQueueAttributesInput in;
    in.queue_url = url;
    in.attribute_names.emplace() = {"All"};
    const auto got = call(&Service::get_queue_attributes, std::move(in));
    if (!got) return error(got);
    const std::string name = "ApproximateNumberOfMessages";
    return got->attributes->at(name) + "/" + got->attributes->at(name + "NotVisible") + "/" +
           got->attributes->at(name + "Delayed");
  }
  template <class T>
  static std::string error(const Result<T>& r) {
    return r ? "ok" : r.error().code + ": " + r.error().message;
  }
  static std::string arn(const std::string& name) {
    return "arn:aws:sqs:us-east-1:111122223333:" + name;
  }

  storage::TestShard shard;
  ServiceOptions options;
  std::unique_ptr<Service> service;
};

}  // namespace virga::sqs
