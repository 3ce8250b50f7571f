#include <set>

#include "services/sqs/fixture.h"

namespace virga::sqs {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr auto kNoGroup = [](int) { return std::string(); };

TEST_F(SqsTest, what_is_in_flight_stays_so_over_a_restart_and_its_handle_works) {
  const auto url = create("q");
  send(url, "a");
  send(url, "b");
  const auto held = receive(url, 1, 60);
  ASSERT_THAT(bodies_of(held), ElementsAre("a"));
  restart();
  EXPECT_EQ(counts(url), "1/1/0");
  EXPECT_THAT(bodies(url), ElementsAre("b"));
  EXPECT_EQ(erase(url, *held[0].receipt_handle), "ok");
  EXPECT_EQ(counts(url), "0/1/0");
  restart();
  EXPECT_EQ(counts(url), "0/1/0");
  advance_seconds(30);
  EXPECT_EQ(counts(url), "1/0/0");
  EXPECT_THAT(bodies(url), ElementsAre("b"));
}

TEST_F(SqsTest, a_message_is_visible_again_after_its_timeout_and_counts_its_receives) {
  const auto url = create("q", {{"VisibilityTimeout", "5"}});
  send(url, "m");
  const auto first = receive(url);
  advance_seconds(4);
  EXPECT_THAT(bodies(url), IsEmpty());
  advance_seconds(1);
  const auto second = receive(url);
  ASSERT_EQ(second.size(), 1U);
  EXPECT_EQ(second[0].attributes->at("ApproximateReceiveCount"), "2");
  EXPECT_EQ(second[0].attributes->at("ApproximateFirstReceiveTimestamp"),
            first[0].attributes->at("ApproximateFirstReceiveTimestamp"));
  // The handle of the last receive deletes even after its timeout.
  advance_seconds(10);
  EXPECT_EQ(erase(url, *first[0].receipt_handle), "ok");
  EXPECT_EQ(counts(url), "1/0/0");
  EXPECT_EQ(erase(url, *second[0].receipt_handle), "ok");
  EXPECT_EQ(counts(url), "0/0/0");
}

TEST_F(SqsTest, a_handle_works_for_twelve_hours_at_most) {
  const auto url = create("q");
  send(url, "m");
  const std::string handle = *receive(url, 1, 43'200)[0].receipt_handle;
  advance_seconds(40'000);
  EXPECT_EQ(hide(url, handle, 3'200), "ok");
  EXPECT_THAT(
      hide(url, handle, 3'201),
      HasSubstr("Total VisibilityTimeout for the message is beyond the limit [43200 seconds]"));
}

TEST_F(SqsTest, a_long_queue_is_received_whole_and_in_order) {
  const auto url = create("q");
  constexpr int kCount = 10'000;  // more than stay in memory
  send_many(url, kCount, kNoGroup);
  EXPECT_EQ(counts(url), "10000/0/0");
  std::vector<std::string> handles;
  int next = 0;
  const auto take = [&](int until) {
    while (next < until) {
      const auto got = receive(url, 10, 600);
      ASSERT_FALSE(got.empty());
      for (const auto& m : got) {
        ASSERT_EQ(*m.body, std::to_string(next++));
        handles.push_back(*m.receipt_handle);
      }
    }
  };
  take(kCount / 2);
  restart();
  EXPECT_EQ(counts(url), "5000/5000/0");
  take(kCount);
  EXPECT_THAT(bodies(url), IsEmpty());
  for (const auto& handle : handles) ASSERT_EQ(erase(url, handle), "ok");
  EXPECT_EQ(counts(url), "0/0/0");
  restart();
  EXPECT_EQ(counts(url), "0/0/0");
  send(url, "after");
  EXPECT_THAT(bodies(url), ElementsAre("after"));
}

TEST_F(SqsTest, messages_that_time_out_behind_a_long_backlog_come_again) {
  const auto url = create("q");
  send_many(url, 9'000, kNoGroup);
  std::set<std::string> all;
  for (int i = 0; i < 100; ++i) receive(url, 10, 1);  // nobody deletes these
  advance_seconds(2);
  while (true) {
    const auto got = receive(url, 10, 600);
    if (got.empty()) break;
    for (const auto& m : got) EXPECT_TRUE(all.insert(*m.body).second) << *m.body;
  }
  EXPECT_EQ(all.size(), 9'000U);
}

TEST_F(SqsTest, delayed_messages_come_when_they_are_due_restart_or_not) {
  const auto url = create("q", {{"DelaySeconds", "10"}});
  send(url, "ten");
  send(url, "none", {}, 0);
  send(url, "five", {}, 5);
  EXPECT_EQ(counts(url), "1/0/2");
  restart();
  EXPECT_EQ(counts(url), "1/0/2");
  EXPECT_THAT(bodies(url), ElementsAre("none"));
  advance_seconds(5);
  EXPECT_THAT(bodies(url), ElementsAre("five"));
  advance_seconds(5);
  EXPECT_EQ(counts(url), "1/2/0");
  EXPECT_THAT(bodies(url), ElementsAre("ten"));
}

TEST_F(SqsTest, old_messages_expire) {
  const auto url = create("q", {{"MessageRetentionPeriod", "60"}});
  send_many(url, 300, kNoGroup);
  receive(url, 10, 3'600);
  advance_seconds(30);
  send(url, "young");
  advance_seconds(30);
  EXPECT_THAT(bodies(url), ElementsAre("young"));
  EXPECT_EQ(counts(url), "0/1/0");
  restart();
  EXPECT_EQ(counts(url), "0/1/0");
}

TEST_F(SqsTest, dead_letters_keep_their_age_and_their_receives) {
  const auto dead = create("dead", {{"MessageRetentionPeriod", "120"}});
  const auto url = create("q", {{"VisibilityTimeout", "1"},
                                {"RedrivePolicy", R"({"deadLetterTargetArn":")" + arn("dead") +
                                                      R"(","maxReceiveCount":2})"}});
  send(url, "m");
  for (int i = 0; i < 2; ++i) {
    EXPECT_THAT(bodies(url), ElementsAre("m"));
    advance_seconds(1);
  }
  EXPECT_THAT(bodies(url), IsEmpty());
  EXPECT_EQ(counts(url), "0/0/0");
  EXPECT_EQ(counts(dead), "1/0/0");
  restart();
  const auto got = receive(dead, 1, 0);
  ASSERT_EQ(got.size(), 1U);
  EXPECT_EQ(got[0].attributes->at("ApproximateReceiveCount"), "3");
  EXPECT_EQ(got[0].attributes->at("DeadLetterQueueSourceArn"), arn("q"));
  advance_seconds(118);
  EXPECT_THAT(bodies(dead), IsEmpty());  // two minutes after it was sent, not after it moved
}

TEST_F(SqsTest, without_its_dead_letter_queue_a_message_stays) {
  const auto dead = create("dead");
  const auto url = create("q", {{"RedrivePolicy", R"({"deadLetterTargetArn":")" + arn("dead") +
                                                      R"(","maxReceiveCount":"1"})"}});
  api::DeleteQueueInput gone;
  gone.queue_url = dead;
  EXPECT_EQ(error(call(&Service::delete_queue, std::move(gone))), "ok");
  send(url, "m");
  for (int i = 0; i < 3; ++i) EXPECT_THAT(bodies(url, 1, 0), ElementsAre("m"));
}

TEST_F(SqsTest, a_purge_leaves_nothing_and_old_handles_do_no_harm) {
  const auto url = create("q");
  send_many(url, 20, kNoGroup);
  const std::string handle = *receive(url, 1)[0].receipt_handle;
  api::PurgeQueueInput purge;
  purge.queue_url = url;
  EXPECT_EQ(error(call(&Service::purge_queue, purge)), "ok");
  EXPECT_EQ(error(call(&Service::purge_queue, purge)), "ok");
  EXPECT_EQ(counts(url), "0/0/0");
  send(url, "after");
  EXPECT_EQ(erase(url, handle), "ok");
  restart();
  EXPECT_EQ(counts(url), "1/0/0");
}

TEST_F(SqsTest, with_a_lifecycle_delay_names_and_purges_have_to_wait) {
  options.lifecycle_delay_ms = 1;
  const auto url = create("q");
  api::PurgeQueueInput purge;
  purge.queue_url = url;
  EXPECT_EQ(error(call(&Service::purge_queue, purge)), "ok");
  EXPECT_EQ(
      error(call(&Service::purge_queue, purge)),
      "PurgeQueueInProgress: Only one PurgeQueue operation on q is allowed every 60 seconds.");
  api::DeleteQueueInput gone;
  gone.queue_url = url;
  EXPECT_EQ(error(call(&Service::delete_queue, gone)), "ok");
  EXPECT_THAT(create("q"), HasSubstr("QueueDeletedRecently"));
  advance_seconds(60);
  EXPECT_EQ(create("q"), url);
}

TEST_F(SqsTest, a_reset_forgets_the_queues_in_memory) {
  const auto url = create("q");
  send(url, "m");
  const auto lsn = shard.run(shard->reset());
  ASSERT_TRUE(lsn && shard.run(shard->wait_durable(*lsn)));
  EXPECT_THAT(counts(url), HasSubstr("QueueDoesNotExist"));
  EXPECT_EQ(create("q"), url);
  EXPECT_EQ(counts(url), "0/0/0");
}

// A poll in the background.
struct Poll {
  RequestContext context;
  std::optional<Result<api::ReceiveMessageOutput>> got;
  static async::Detached run(Task<api::ReceiveMessageOutput> task, Poll* poll) {
    Result<api::ReceiveMessageOutput> got = co_await as_result(std::move(task));
    poll->got.emplace(std::move(got));
  }
};

struct LongPoll : SqsTest {
  void poll(Poll& poll, const std::string& url, int32_t seconds = 20) {
    auto in = receive_input(url, 1);
    in.wait_time_seconds = seconds;
    shard.loop().post([this, &poll, in = std::move(in)]() mutable {
      Poll::run(task(&Service::receive_message, std::move(in), &poll.context), &poll);
    });
    settle();
  }
  void settle() {
    for (int i = 0; i < 20; ++i) shard.loop().run_once(0);
  }
  static std::string outcome(const Poll& poll) {
    if (!poll.got) return "waits";
    if (!*poll.got) return error(*poll.got);
    return (*poll.got)->messages ? *(*(*poll.got)->messages)[0].body : "nothing";
  }
};

TEST_F(LongPoll, each_message_wakes_the_one_that_waits_longest) {
  const auto url = create("q");
  Poll one, two, three;
  poll(one, url);
  poll(two, url);
  poll(three, url);
  send(url, "a");
  settle();
  EXPECT_EQ(outcome(one) + outcome(two) + outcome(three), "awaitswaits");
  send_many(url, 2, kNoGroup);
  settle();
  EXPECT_EQ(outcome(two) + outcome(three), "01");
}

TEST_F(LongPoll, wakes_when_a_delay_or_a_timeout_ends) {
  const auto url = create("q");
  send(url, "m", {}, 7);
  Poll one;
  poll(one, url);
  advance_seconds(6);
  settle();
  EXPECT_EQ(outcome(one), "waits");
  advance_seconds(2);
  settle();
  EXPECT_EQ(outcome(one), "m");  // hidden for 30 seconds now
  Poll two;
  poll(two, url);
  EXPECT_EQ(hide(url, *(*(*one.got)->messages)[0].receipt_handle, 0), "ok");
  settle();
  EXPECT_EQ(outcome(two), "m");
}

TEST_F(LongPoll, ends_with_nothing_at_its_time_and_when_the_server_stops) {
  const auto url = create("q");
  Poll one, two;
  poll(one, url, 5);
  advance_seconds(6);
  settle();
  EXPECT_EQ(outcome(one), "nothing");
  poll(two, url);
  EXPECT_EQ(outcome(two), "waits");
  EXPECT_TRUE(shard.run(service->stop()));
  settle();
  EXPECT_EQ(outcome(two), "nothing");
}

TEST_F(LongPoll, ends_when_the_queue_is_deleted) {
  const auto url = create("q");
  Poll one;
  poll(one, url);
  api::DeleteQueueInput gone;
  gone.queue_url = url;
  EXPECT_EQ(error(call(&Service::delete_queue, gone)), "ok");
  settle();
  EXPECT_THAT(outcome(one), HasSubstr("QueueDoesNotExist"));
}

}  // namespace
}  // namespace virga::sqs
