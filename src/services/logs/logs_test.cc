#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/logs/create_log_group.h"
#include "api/logs/create_log_stream.h"
#include "api/logs/delete_log_group.h"
#include "api/logs/delete_log_stream.h"
#include "api/logs/describe_log_groups.h"
#include "api/logs/describe_log_streams.h"
#include "api/logs/filter_log_events.h"
#include "api/logs/get_log_events.h"
#include "api/logs/list_tags_for_resource.h"
#include "api/logs/put_log_events.h"
#include "api/logs/put_retention_policy.h"
#include "api/logs/shapes.h"
#include "api/logs/tag_resource.h"
#include "services/logs/service.h"
#include "services/logs/tokens.h"
#include "storage/testing.h"

namespace virga::logs {
namespace {

using testing::ElementsAre;

constexpr const char* kGroup = "/aws/lambda/f";
constexpr const char* kStream = "2026/03/01/[$LATEST]0123";

template <class T>
std::string error(const Result<T>& r) {
  return r ? "ok" : r.error().code + ": " + r.error().message;
}

struct LogsTest : testing::Test {
  storage::TestShard shard;
  std::unique_ptr<Service> service = std::make_unique<Service>(*shard, shard.fake_env().env());
  std::string region = "us-east-1";

  ~LogsTest() override { shard.settle(); }
  void restart() {
    service.reset();
    shard.reopen();
    service = std::make_unique<Service>(*shard, shard.fake_env().env());
  }
  int64_t now() { return shard.fake_env().env().cloud.now().at.millis(); }

  template <class Input, class Output>
  Result<Output> call(Task<Output> (Service::*operation)(Ctx, Input), Input input) {
    RequestContext c;
    c.env = &shard.fake_env().env();
    c.account = "111122223333";
    c.region = region;
    c.now = c.env->cloud.now();
    auto got = shard.run((service.get()->*operation)(Ctx(c), std::move(input)));
    if (c.depends_on_lsn) EXPECT_TRUE(shard.run(shard->wait_durable(c.depends_on_lsn)));
    return got;
  }
  auto create_group(std::string name = kGroup) {
    api::CreateLogGroupInput in;
    in.log_group_name = std::move(name);
    return call(&Service::create_log_group, std::move(in));
  }
  auto create_stream(std::string name = kStream, std::string group = kGroup) {
    api::CreateLogStreamInput in;
    in.log_group_name = std::move(group);
    in.log_stream_name = std::move(name);
    return call(&Service::create_log_stream, std::move(in));
  }
  auto put(std::vector<std::pair<int64_t, std::string>> events, std::string stream = kStream) {
    api::PutLogEventsInput in;
    in.log_group_name = kGroup;
    in.log_stream_name = std::move(stream);
    for (auto& [at, message] : events) {
      auto& e = in.log_events.emplace_back();
      e.timestamp = at;
      e.message = std::move(message);
    }
    return call(&Service::put_log_events, std::move(in));
  }
  void append(std::vector<std::pair<int64_t, std::string>> events, std::string stream = kStream) {
    platform::LogAppend request{.account = "111122223333",
                                .region = region,
                                .group = kGroup,
                                .stream = std::move(stream),
                                .events = {}};
    for (auto& [at, message] : events) request.events.push_back({at, std::move(message)});
    EXPECT_TRUE(shard.run(service->append(std::move(request))));
  }
  static api::GetLogEventsInput get_input(bool from_head = true) {
    api::GetLogEventsInput in;
    in.log_group_name = kGroup;
    in.log_stream_name = kStream;
    in.start_from_head = from_head;
    return in;
  }
  auto get(api::GetLogEventsInput in = get_input()) {
    return call(&Service::get_log_events, std::move(in));
  }
  static std::vector<std::string> messages(const Result<api::GetLogEventsOutput>& got) {
    std::vector<std::string> out;
    if (!got) return {error(got)};
    for (const auto& e : *got->events) out.push_back(*e.message);
    return out;
  }
  static api::FilterLogEventsInput filter_input(std::string pattern = "") {
    api::FilterLogEventsInput in;
    in.log_group_name = kGroup;
    if (!pattern.empty()) in.filter_pattern = std::move(pattern);
    return in;
  }
  auto filter(api::FilterLogEventsInput in) {
    return call(&Service::filter_log_events, std::move(in));
  }
  static std::vector<std::string> messages(const Result<api::FilterLogEventsOutput>& got) {
    std::vector<std::string> out;
    if (!got) return {error(got)};
    for (const auto& e : *got->events) out.push_back(*e.message);
    return out;
  }
};

TEST_F(LogsTest, what_a_function_wrote_is_readable_at_once) {
  append({{now(), "START"}, {now(), "hello"}, {now() + 1, "END"}});
  EXPECT_THAT(messages(get()), ElementsAre("START", "hello", "END"));
  append({{now() + 1, "START 2"}});
  EXPECT_THAT(messages(get()), ElementsAre("START", "hello", "END", "START 2"));
  shard.settle();
  restart();
  EXPECT_THAT(messages(get()), ElementsAre("START", "hello", "END", "START 2"));
}

TEST_F(LogsTest, functions_write_on_after_their_group_was_deleted) {
  append({{now(), "one"}});
  append({{now(), "two"}});  // from the cache
  append({{now(), "three"}});
  api::DeleteLogGroupInput in;
  in.log_group_name = kGroup;
  ASSERT_EQ(error(call(&Service::delete_log_group, in)), "ok");
  EXPECT_EQ(error(get()), "ResourceNotFoundException: The specified log group does not exist.");
  append({{now(), "four"}});
  EXPECT_THAT(messages(get()), ElementsAre("four"));
}

TEST_F(LogsTest, groups_and_streams_are_made_once_and_named_when_missing) {
  EXPECT_EQ(error(create_stream()),
            "ResourceNotFoundException: The specified log group does not exist.");
  EXPECT_EQ(error(create_group()), "ok");
  EXPECT_EQ(error(create_group()),
            "ResourceAlreadyExistsException: The specified log group already exists");
  EXPECT_EQ(error(put({{now(), "x"}})),
            "ResourceNotFoundException: The specified log stream does not exist.");
  EXPECT_EQ(error(create_stream()), "ok");
  EXPECT_EQ(error(create_stream()),
            "ResourceAlreadyExistsException: The specified log stream already exists");
  region = "eu-west-1";  // another region is another world
  EXPECT_EQ(error(get()), "ResourceNotFoundException: The specified log group does not exist.");
}

TEST_F(LogsTest, batches_must_keep_their_rules) {
  ASSERT_TRUE(create_group());
  ASSERT_TRUE(create_stream());
  EXPECT_EQ(error(put({{now(), "b"}, {now() - 1, "a"}})),
            "InvalidParameterException: Log events in a single PutLogEvents request must be in "
            "chronological order.");
  EXPECT_EQ(error(put({{now() - 86'400'001, "a"}, {now(), "b"}})),
            "InvalidParameterException: The batch of log events in a single PutLogEvents request "
            "cannot span more than 24 hours.");
  const std::string large(600'000, 'x');
  EXPECT_EQ(error(put({{now(), large}, {now(), large}})),
            "InvalidParameterException: Upload too large: 1200052 bytes exceeds limit of 1048576");
  EXPECT_THAT(messages(get()), ElementsAre());
}

TEST_F(LogsTest, events_too_old_or_too_new_are_told_and_left_out) {
  ASSERT_TRUE(create_group());
  ASSERT_TRUE(create_stream());
  const int64_t day = 86'400'000;
  const auto got =
      put({{now() - 15 * day, "old"}, {now(), "good"}, {now() + 3 * 3'600'000, "new"}});
  ASSERT_TRUE(got) << error(got);
  EXPECT_EQ(*got->rejected_log_events_info->too_old_log_event_end_index, 1);
  EXPECT_EQ(*got->rejected_log_events_info->too_new_log_event_start_index, 2);
  EXPECT_FALSE(got->rejected_log_events_info->expired_log_event_end_index);
  EXPECT_THAT(messages(get()), ElementsAre("good"));
}

TEST_F(LogsTest, pages_go_forward_and_backward) {
  ASSERT_TRUE(create_group());
  ASSERT_TRUE(create_stream());
  ASSERT_TRUE(
      put({{now(), "1"}, {now(), "2"}, {now() + 1, "3"}, {now() + 2, "4"}, {now() + 2, "5"}}));
  auto in = get_input();
  in.limit = 2;
  auto page = get(in);
  EXPECT_THAT(messages(page), ElementsAre("1", "2"));
  in.next_token = page->next_forward_token;
  page = get(in);
  EXPECT_THAT(messages(page), ElementsAre("3", "4"));
  in.next_token = page->next_forward_token;
  page = get(in);
  EXPECT_THAT(messages(page), ElementsAre("5"));
  in.next_token = page->next_forward_token;
  const auto end = get(in);
  EXPECT_THAT(messages(end), ElementsAre());
  EXPECT_EQ(*end->next_forward_token, *in.next_token);  // the sign of the end
  in.next_token = page->next_backward_token;
  page = get(in);
  EXPECT_THAT(messages(page), ElementsAre("3", "4"));
  auto tail = get_input(false);
  tail.limit = 2;
  page = get(tail);
  EXPECT_THAT(messages(page), ElementsAre("4", "5"));
  tail.next_token = page->next_backward_token;
  EXPECT_THAT(messages(get(tail)), ElementsAre("2", "3"));
}

TEST_F(LogsTest, a_reader_at_the_end_sees_what_comes) {
  append({{now(), "1"}});
  auto in = get_input(false);
  auto page = get(in);
  in.next_token = page->next_forward_token;
  append({{now() + 5, "2"}});
  EXPECT_THAT(messages(get(in)), ElementsAre("2"));
  ASSERT_TRUE(create_stream("empty"));
  in = get_input(false);
  in.log_stream_name = "empty";
  page = get(in);
  in.next_token = page->next_forward_token;
  append({{now(), "first"}}, "empty");
  EXPECT_THAT(messages(get(in)), ElementsAre("first"));
}

TEST_F(LogsTest, a_range_includes_its_start_and_not_its_end) {
  append({{now(), "1"}, {now() + 1, "2"}, {now() + 2, "3"}});
  auto in = get_input();
  in.start_time = now() + 1;
  in.end_time = now() + 2;
  EXPECT_THAT(messages(get(in)), ElementsAre("2"));
  in.start_from_head = false;
  EXPECT_THAT(messages(get(in)), ElementsAre("2"));
}

TEST_F(LogsTest, foreign_tokens_are_refused) {
  append({{now(), "1"}});
  auto in = get_input();
  std::string token = *get(in)->next_forward_token;
  token[5] = token[5] == '1' ? '2' : '1';
  for (const std::string& bad : {token, std::string("nonsense"), std::string("f//s")}) {
    in.next_token = bad;
    EXPECT_EQ(error(get(in)), "InvalidParameterException: The specified nextToken is invalid.");
  }
  auto f = filter_input();
  f.next_token = "bm9uc2Vuc2U=";
  EXPECT_EQ(error(filter(f)), "InvalidParameterException: The specified nextToken is invalid.");
}

TEST_F(LogsTest, filters_over_all_streams_in_the_order_of_time) {
  append({{now(), "a ERROR 1"}, {now() + 4, "a ok"}, {now() + 5, "a ERROR 3"}}, "a");
  append({{now() + 2, "b ERROR 2"}, {now() + 9, "b ERROR 4"}}, "b");
  EXPECT_THAT(messages(filter(filter_input())),
              ElementsAre("a ERROR 1", "b ERROR 2", "a ok", "a ERROR 3", "b ERROR 4"));
  auto in = filter_input("ERROR");
  in.limit = 3;
  auto page = filter(in);
  EXPECT_THAT(messages(page), ElementsAre("a ERROR 1", "b ERROR 2", "a ERROR 3"));
  EXPECT_EQ((*page->events)[0].event_id->size(), 56u);
  ASSERT_TRUE(page->next_token);
  in.next_token = page->next_token;
  page = filter(in);
  EXPECT_THAT(messages(page), ElementsAre("b ERROR 4"));
  EXPECT_FALSE(page->next_token);
  in = filter_input();
  in.log_stream_name_prefix = "b";
  EXPECT_THAT(messages(filter(in)), ElementsAre("b ERROR 2", "b ERROR 4"));
  in.log_stream_names = std::vector<std::string>{"a"};
  EXPECT_EQ(filter(in).error().code, "InvalidParameterException");
  in.log_stream_name_prefix.reset();
  in.end_time = now() + 4;
  EXPECT_THAT(messages(filter(in)), ElementsAre("a ERROR 1", "a ok"));
}

TEST_F(LogsTest, a_page_of_many_events_keeps_the_earliest) {
  for (int s = 0; s < 3; ++s) {
    std::vector<std::pair<int64_t, std::string>> events;
    for (int i = 0; i < 400; ++i) events.emplace_back(now() + i * 3 + s, std::to_string(i * 3 + s));
    append(std::move(events), "s" + std::to_string(s));
  }
  auto in = filter_input();
  in.limit = 500;
  std::vector<std::string> all;
  int pages = 0;
  do {
    const auto page = filter(in);
    ASSERT_TRUE(page);
    for (const auto& e : *page->events) all.push_back(*e.message);
    in.next_token = page->next_token;
  } while (in.next_token && ++pages < 10);
  ASSERT_EQ(all.size(), 1200u);
  for (size_t i = 0; i < all.size(); ++i) ASSERT_EQ(all[i], std::to_string(i));
}

TEST_F(LogsTest, lists_groups_and_streams) {
  for (const char* name : {"b", "a", "c"}) ASSERT_TRUE(create_group(name));
  api::DescribeLogGroupsInput in;
  in.limit = 2;
  auto groups = call(&Service::describe_log_groups, in);
  ASSERT_EQ(groups->log_groups->size(), 2u);
  EXPECT_EQ(*(*groups->log_groups)[0].arn, "arn:aws:logs:us-east-1:111122223333:log-group:a:*");
  in.next_token = groups->next_token;
  groups = call(&Service::describe_log_groups, in);
  ASSERT_EQ(groups->log_groups->size(), 1u);
  EXPECT_FALSE(groups->next_token);
  append({{now() + 5, "x"}, {now() + 7, "y"}}, "early");
  append({{now() + 9, "x"}}, "another");
  ASSERT_TRUE(create_stream("silent"));
  api::DescribeLogStreamsInput streams;
  streams.log_group_name = kGroup;
  auto listed = call(&Service::describe_log_streams, streams);
  ASSERT_EQ(listed->log_streams->size(), 3u);
  EXPECT_EQ(*(*listed->log_streams)[1].log_stream_name, "early");
  EXPECT_EQ(*(*listed->log_streams)[1].first_event_timestamp, now() + 5);
  EXPECT_EQ(*(*listed->log_streams)[1].last_event_timestamp, now() + 7);
  EXPECT_FALSE((*listed->log_streams)[2].last_event_timestamp);
  streams.order_by = "LastEventTime";
  streams.descending = true;
  streams.limit = 1;
  listed = call(&Service::describe_log_streams, streams);
  EXPECT_EQ(*(*listed->log_streams)[0].log_stream_name, "another");
  streams.next_token = listed->next_token;
  listed = call(&Service::describe_log_streams, streams);
  EXPECT_EQ(*(*listed->log_streams)[0].log_stream_name, "early");
}

TEST_F(LogsTest, deleted_streams_take_their_events_along) {
  append({{now(), "1"}});
  api::DeleteLogStreamInput in;
  in.log_group_name = kGroup;
  in.log_stream_name = kStream;
  ASSERT_EQ(error(call(&Service::delete_log_stream, in)), "ok");
  EXPECT_THAT(messages(filter(filter_input())), ElementsAre());
  ASSERT_TRUE(create_stream());
  EXPECT_THAT(messages(get()), ElementsAre());
}

TEST_F(LogsTest, retention_hides_expired_events) {
  ASSERT_TRUE(create_group());
  api::PutRetentionPolicyInput in;
  in.log_group_name = kGroup;
  in.retention_in_days = 2;
  EXPECT_THAT(error(call(&Service::put_retention_policy, in)),
              testing::HasSubstr("Member must satisfy enum value set: [1, 3, 5, 7, 14, 30,"));
  in.retention_in_days = 1;
  ASSERT_EQ(error(call(&Service::put_retention_policy, in)), "ok");
  append({{now(), "1"}});
  EXPECT_THAT(messages(get()), ElementsAre("1"));
  shard.fake_env().advance_millis(86'400'001);
  EXPECT_THAT(messages(get()), ElementsAre());
  EXPECT_THAT(messages(filter(filter_input())), ElementsAre());
}

TEST_F(LogsTest, groups_carry_tags) {
  ASSERT_TRUE(create_group());
  api::TagResourceInput tag;
  tag.resource_arn = "arn:aws:logs:us-east-1:111122223333:log-group:/aws/lambda/f";
  tag.tags = {{"team", "blue"}};
  ASSERT_EQ(error(call(&Service::tag_resource, tag)), "ok");
  api::ListTagsForResourceInput list;
  list.resource_arn = tag.resource_arn + ":*";
  EXPECT_EQ(call(&Service::list_tags_for_resource, list)->tags->at("team"), "blue");
  list.resource_arn = "arn:aws:s3:::bucket";
  EXPECT_EQ(call(&Service::list_tags_for_resource, list).error().code, "InvalidParameterException");
}

}  // namespace
}  // namespace virga::logs
