#include <map>

#include "services/sqs/fixture.h"

namespace virga::sqs {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

struct FifoQueue : SqsTest {
  std::string create_fifo(AttributeMap attributes = {}) {
    attributes["FifoQueue"] = "true";
    return create("q.fifo", std::move(attributes));
  }
};

TEST_F(FifoQueue, a_group_waits_while_one_of_its_messages_is_in_flight_restart_or_not) {
  const auto url = create_fifo();
  send_many(url, 6, [](int i) { return i % 2 ? "odd" : "even"; });
  const auto held = receive(url, 2, 60);
  ASSERT_THAT(bodies_of(held), ElementsAre("0", "2"));
  restart();
  EXPECT_EQ(counts(url), "4/2/0");
  EXPECT_THAT(bodies(url), ElementsAre("1", "3", "5"));
  EXPECT_EQ(erase(url, *held[0].receipt_handle), "ok");
  EXPECT_THAT(bodies(url), IsEmpty());
  EXPECT_EQ(erase(url, *held[1].receipt_handle), "ok");
  EXPECT_THAT(bodies(url), ElementsAre("4"));
}

TEST_F(FifoQueue, keeps_order_when_messages_come_back) {
  const auto url = create_fifo({{"VisibilityTimeout", "10"}});
  send_many(url, 5, [](int) { return "g"; });
  EXPECT_THAT(bodies(url, 3), ElementsAre("0", "1", "2"));
  advance_seconds(10);
  EXPECT_THAT(bodies(url), ElementsAre("0", "1", "2", "3", "4"));
  advance_seconds(10);
  restart();
  EXPECT_THAT(bodies(url), ElementsAre("0", "1", "2", "3", "4"));
}

TEST_F(FifoQueue, a_message_given_back_goes_before_those_behind_it) {
  const auto url = create_fifo();
  send_many(url, 3, [](int) { return "g"; });
  const auto held = receive(url, 2);
  EXPECT_EQ(hide(url, *held[0].receipt_handle, 0), "ok");
  EXPECT_THAT(bodies(url), IsEmpty());  // the second one is still in flight
  EXPECT_EQ(hide(url, *held[1].receipt_handle, 0), "ok");
  EXPECT_THAT(bodies(url), ElementsAre("0", "1", "2"));
}

TEST_F(FifoQueue, finds_free_groups_behind_a_long_one_and_keeps_all_in_order) {
  const auto url = create_fifo();
  constexpr int kCount = 5'000;
  send_many(url, kCount,
            [](int i) { return i < 3'000 ? std::string("long") : "g" + std::to_string(i % 7); });
  const auto held = receive(url, 1, 600);
  ASSERT_THAT(bodies_of(held), ElementsAre("0"));
  restart();
  std::map<std::string, int> last;
  int received = 0;
  for (int round = 0; round < 2; ++round) {
    while (true) {
      const auto got = receive(url, 10, 600);
      if (got.empty()) break;
      for (const auto& m : got) {
        const int number = std::stoi(*m.body);
        int& before = last[m.attributes->at("MessageGroupId")];
        EXPECT_LT(before, number);
        before = number;
        ++received;
        ASSERT_EQ(erase(url, *m.receipt_handle), "ok");
      }
    }
    if (round == 0) {
      EXPECT_EQ(received, 2'000);
      ASSERT_EQ(erase(url, *held[0].receipt_handle), "ok");
    }
  }
  EXPECT_EQ(received, kCount - 1);
  EXPECT_EQ(counts(url), "0/0/0");
}

TEST_F(FifoQueue, duplicates_are_known_for_five_minutes) {
  const auto url = create_fifo();
  const auto first = send(url, "m", "g");
  advance_seconds(299);
  restart();
  const auto again = send(url, "m", "g");
  ASSERT_TRUE(first && again);
  EXPECT_EQ(*again->message_id, *first->message_id);
  EXPECT_EQ(*again->sequence_number, *first->sequence_number);
  advance_seconds(1);
  const auto third = send(url, "m", "g");
  EXPECT_NE(*third->message_id, *first->message_id);
  EXPECT_GT(*third->sequence_number, *first->sequence_number);
  EXPECT_EQ(counts(url), "2/0/0");
}

TEST_F(FifoQueue, a_deleted_message_is_still_a_duplicate) {
  const auto url = create_fifo();
  send(url, "m", "g");
  EXPECT_EQ(erase(url, *receive(url)[0].receipt_handle), "ok");
  send(url, "m", "g");
  EXPECT_EQ(counts(url), "0/0/0");
}

TEST_F(FifoQueue, old_deduplication_ids_are_forgotten_on_disk) {
  const auto url = create_fifo();
  const auto records = [&] {
    size_t count = 0;
    EXPECT_TRUE(shard->snapshot()->scan(storage::Key(storage::Space::sqs_messages).str(),
                                        storage::Key(storage::Space::sqs_messages).range_end(),
                                        storage::Direction::forward,
                                        [&](auto, auto) { return ++count > 0; }));
    return count;
  };
  send_many(url, 200, [](int) { return "g"; });
  EXPECT_EQ(records(), 801U);  // message, place, id, its expiry; the total
  api::PurgeQueueInput purge;
  purge.queue_url = url;
  EXPECT_EQ(error(call(&Service::purge_queue, purge)), "ok");
  EXPECT_EQ(records(), 0U);
  send_many(url, 200, [](int) { return "g"; });
  advance_seconds(300);
  for (int i = 0; i < 128; ++i) send(url, "later" + std::to_string(i), "g");
  EXPECT_EQ(records(), 4U * 328 + 1 - 2U * 200);
}

TEST_F(FifoQueue, delays_are_the_queues_and_hold_the_order) {
  const auto url = create_fifo({{"DelaySeconds", "5"}});
  send_many(url, 2, [](int) { return "g"; });
  EXPECT_EQ(counts(url), "0/0/2");
  restart();
  EXPECT_EQ(counts(url), "0/0/2");
  EXPECT_THAT(bodies(url), IsEmpty());
  advance_seconds(5);
  EXPECT_THAT(bodies(url), ElementsAre("0", "1"));
}

TEST_F(FifoQueue, an_expired_handle_is_refused) {
  const auto url = create_fifo({{"VisibilityTimeout", "5"}});
  send(url, "m", "g");
  const std::string handle = *receive(url)[0].receipt_handle;
  advance_seconds(5);
  EXPECT_THAT(erase(url, handle), HasSubstr("Reason: The receipt handle has expired."));
  EXPECT_THAT(hide(url, handle, 5), HasSubstr("Reason: The receipt handle has expired."));
}

TEST_F(FifoQueue, dead_letters_let_the_group_go_on) {
  create("dead.fifo", {{"FifoQueue", "true"}});
  const auto url = create_fifo({{"RedrivePolicy", R"({"deadLetterTargetArn":")" + arn("dead.fifo") +
                                                      R"(","maxReceiveCount":1})"}});
  send_many(url, 2, [](int) { return "g"; });
  EXPECT_THAT(bodies(url, 1, 0), ElementsAre("0"));
  EXPECT_THAT(bodies(url), ElementsAre("1"));
  const auto dead = receive("http://localhost:4566/111122223333/dead.fifo");
  ASSERT_EQ(dead.size(), 1U);
  EXPECT_EQ(dead[0].attributes->at("MessageGroupId"), "g");
}

}  // namespace
}  // namespace virga::sqs
