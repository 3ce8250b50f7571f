#include "aws/event_stream.h"

#include <gtest/gtest.h>

namespace virga::aws {
namespace {

TEST(EventStream, a_message_is_read_as_it_was_written) {
  std::string bytes;
  append_event_message(bytes,
                       {{{":message-type", "event"}, {":event-type", "PayloadChunk"}}, "payload"});
  append_event_message(bytes, {{}, ""});
  EventMessage message;
  const auto first = read_event_message(bytes, message);
  ASSERT_TRUE(first);
  EXPECT_EQ(message.header(":event-type"), "PayloadChunk");
  EXPECT_EQ(message.payload, "payload");
  const auto second = read_event_message(std::string_view(bytes).substr(*first), message);
  ASSERT_TRUE(second);
  EXPECT_EQ(*second, 16u);
  EXPECT_EQ(*first + *second, bytes.size());
}

// Source: Amazon Transcribe Developer Guide, "Event stream encoding": an empty message is these 16
// bytes.
TEST(EventStream, an_empty_message_has_the_published_bytes) {
  std::string bytes;
  append_event_message(bytes, {});
  EXPECT_EQ(bytes,
            std::string("\x00\x00\x00\x10\x00\x00\x00\x00\x05\xc2\x48\xeb\x7d\x98\xc8\xff", 16));
}

TEST(EventStream, asks_for_more_and_refuses_broken_bytes) {
  std::string bytes;
  append_event_message(bytes, {{{"a", "b"}}, "payload"});
  EventMessage message;
  for (size_t n = 0; n < bytes.size(); ++n) {
    const auto got = read_event_message(std::string_view(bytes).substr(0, n), message);
    ASSERT_TRUE(got) << n;
    EXPECT_EQ(*got, 0u);
  }
  for (size_t n = 0; n < bytes.size(); ++n) {
    std::string broken = bytes;
    broken[n] ^= 1;
    const auto got = read_event_message(broken, message);
    EXPECT_TRUE(!got || *got == 0) << "byte " << n;
  }
}

}  // namespace
}  // namespace virga::aws
