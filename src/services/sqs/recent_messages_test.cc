#include "services/sqs/recent_messages.h"

#include <gtest/gtest.h>

#include <string>

namespace virga::sqs {
namespace {

Message message(size_t body_bytes) {
  Message m;
  m.id = "id";
  m.body = std::string(body_bytes, 'b');
  return m;
}

TEST(RecentMessages, gives_a_message_out_once) {
  RecentMessages recent;
  recent.sent(1, message(100));
  const auto taken = recent.take_message(1);
  ASSERT_TRUE(taken);
  EXPECT_EQ(taken->body.size(), 100u);
  EXPECT_FALSE(recent.take_message(1));
}

TEST(RecentMessages, keeps_no_large_message_and_128_kib_at_most) {
  RecentMessages recent;
  recent.sent(1, message(64 << 10));
  EXPECT_FALSE(recent.take_message(1));
  uint64_t kept = 0;
  for (uint64_t sequence = 0; sequence < 1000; ++sequence) recent.sent(sequence, message(1024));
  for (uint64_t sequence = 0; sequence < 1000; ++sequence)
    kept += recent.take_message(sequence) ? 1 : 0;
  EXPECT_GT(kept, 50u);
  EXPECT_LE(kept, 128u);
  recent.sent(2000, message(1024));  // there is room again
  EXPECT_TRUE(recent.take_message(2000));
}

TEST(RecentMessages, knows_the_latest_delivery_until_the_message_is_removed) {
  RecentMessages recent;
  recent.sent(7, message(10));
  recent.delivered(7, {.visible_at = 5, .receives = 1, .first_received_at = 1, .received_at = 1});
  recent.delivered(7, {.visible_at = 9, .receives = 2, .first_received_at = 1, .received_at = 6});
  ASSERT_TRUE(recent.delivery(7));
  EXPECT_EQ(recent.delivery(7)->visible_at, 9);
  EXPECT_EQ(recent.delivery(7)->receives, 2u);
  recent.removed(7);
  EXPECT_FALSE(recent.delivery(7));
  EXPECT_FALSE(recent.take_message(7));
}

}  // namespace
}  // namespace virga::sqs
