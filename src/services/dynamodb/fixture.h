#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "api/dynamodb/create_table.h"
#include "api/dynamodb/put_item.h"
#include "services/dynamodb/service.h"
#include "services/dynamodb/streams_service.h"
#include "services/dynamodb/test_values.h"
#include "storage/testing.h"

// DynamoDB over the real shard in memory files, with a clock that stands still.
namespace virga::dynamodb {

inline constexpr int64_t kHourMillis = 3'600'000;

class Dynamo {
 public:
  explicit Dynamo(ServiceOptions options = {}) : options_(options) { start(); }

  // One call, its answer durable. The context's `now` is the fake cloud clock's.
  template <class Output, class Input>
  Result<Output> call(Task<Output> (Service::*operation)(Ctx, Input),
                      std::type_identity_t<Input> input) {
    return call_on(*service_, operation, std::move(input));
  }
  template <class Output, class Input>
  Result<Output> call(Task<Output> (StreamsService::*operation)(Ctx, Input),
                      std::type_identity_t<Input> input) {
    return call_on(*streams_, operation, std::move(input));
  }
  template <class Handlers, class Output, class Input>
  Result<Output> call_on(Handlers& handlers, Task<Output> (Handlers::*operation)(Ctx, Input),
                         Input input) {
    RequestContext context;
    context.env = &shard_.fake_env().env();
    context.account = "000000000000";
    context.region = region;
    context.service = "dynamodb";
    context.now = shard_.fake_env().env().cloud.now();
    auto got = shard_.run((handlers.*operation)(Ctx(context), std::move(input)));
    const auto durable = shard_.run(shard_->wait_durable(context.depends_on_lsn));
    EXPECT_TRUE(durable.has_value());
    return got;
  }
  ~Dynamo() { stop(); }
  void restart() {
    stop();
    service_.reset();
    timers_.reset();
    shard_.reopen();
    start();
  }
  // Deletion of expired items; ended with the service.
  void start_background() {
    shard_.loop().post([this] {
      service_->start();
      timers_->start();
    });
    background_ = true;
    settle();
  }
  // Lets everything run that can run at this time.
  void settle() {
    for (int i = 0; i < 20; ++i) {
      shard_.loop().run_once(0);
      shard_.settle();
    }
  }
  int64_t now_seconds() { return shard_.fake_env().env().cloud.now().at.seconds(); }
  void advance_millis(int64_t ms) { shard_.fake_env().advance_millis(ms); }
  storage::TestShard& shard() { return shard_; }
  platform::StreamWakeups& wakeups() { return wakeups_; }

  // A table of S hash key "id" and, if asked, N range key "r"; on demand.
  void create(const std::string& name, bool with_range = false) {
    ASSERT_NO_FATAL_FAILURE(create(table_input(name, with_range)));
  }
  void create(api::CreateTableInput input) {
    const auto made = call(&Service::create_table, std::move(input));
    ASSERT_TRUE(made.has_value()) << made.error().message;
  }
  static api::CreateTableInput table_input(const std::string& name, bool with_range = false) {
    api::CreateTableInput input;
    input.table_name = name;
    input.billing_mode = "PAY_PER_REQUEST";
    add_attribute(input, "id", "S");
    add_key(input.key_schema.emplace(), "id", "HASH");
    if (with_range) {
      add_attribute(input, "r", "N");
      add_key(*input.key_schema, "r", "RANGE");
    }
    return input;
  }
  static void add_attribute(api::CreateTableInput& input, const std::string& name,
                            const std::string& type) {
    api::AttributeDefinition definition;
    definition.attribute_name = name;
    definition.attribute_type = type;
    if (!input.attribute_definitions) input.attribute_definitions.emplace();
    input.attribute_definitions->push_back(definition);
  }
  static void add_key(std::vector<api::KeySchemaElement>& keys, const std::string& name,
                      const std::string& type) {
    api::KeySchemaElement element;
    element.attribute_name = name;
    element.key_type = type;
    keys.push_back(element);
  }
  static void add_global_index(api::CreateTableInput& input, const std::string& name,
                               const std::string& hash, const std::string& range = "",
                               const std::string& projection = "ALL") {
    api::GlobalSecondaryIndex index;
    index.index_name = name;
    add_key(index.key_schema, hash, "HASH");
    if (!range.empty()) add_key(index.key_schema, range, "RANGE");
    index.projection.projection_type = projection;
    if (!input.global_secondary_indexes) input.global_secondary_indexes.emplace();
    input.global_secondary_indexes->push_back(std::move(index));
  }
  static void add_local_index(api::CreateTableInput& input, const std::string& name,
                              const std::string& range, const std::string& projection = "ALL") {
    api::LocalSecondaryIndex index;
    index.index_name = name;
    add_key(index.key_schema, "id", "HASH");
    add_key(index.key_schema, range, "RANGE");
    index.projection.projection_type = projection;
    if (!input.local_secondary_indexes) input.local_secondary_indexes.emplace();
    input.local_secondary_indexes->push_back(std::move(index));
  }
  Result<api::PutItemOutput> put(const std::string& table, std::string_view json) {
    api::PutItemInput input;
    input.table_name = table;
    input.item = test_item(json);
    return call(&Service::put_item, std::move(input));
  }

  std::string region = "us-east-1";

 private:
  void start() {
    async::Env& env = shard_.fake_env().env();
    timers_ = std::make_unique<platform::DurableTimers>(*shard_, env);
    service_ = std::make_unique<Service>(*shard_, env, *timers_, wakeups_, options_);
    streams_ = std::make_unique<StreamsService>(*shard_);
  }
  void stop() {
    if (background_) {
      ignore(shard_.run(service_->stop()), "nothing is left to do with an error");
      ignore(shard_.run(timers_->stop()), "nor here");
    }
    background_ = false;
  }
  ServiceOptions options_;
  bool background_ = false;
  storage::TestShard shard_;
  platform::StreamWakeups wakeups_;
  std::unique_ptr<platform::DurableTimers> timers_;
  std::unique_ptr<Service> service_;
  std::unique_ptr<StreamsService> streams_;
};

#define EXPECT_ERROR(got, error_code, text)                       \
  do {                                                            \
    ASSERT_FALSE((got).has_value());                              \
    EXPECT_EQ((got).error().code, error_code);                    \
    EXPECT_THAT((got).error().message, testing::HasSubstr(text)); \
  } while (0)

}  // namespace virga::dynamodb
