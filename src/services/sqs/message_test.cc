#include "services/sqs/message.h"

#include <gtest/gtest.h>

#include "base/strings.h"
#include "services/sqs/new_message.h"
#include "services/sqs/settings.h"

namespace virga::sqs {
namespace {

TEST(Message, reads_back_what_it_wrote) {
  Message m;
  m.id = "id";
  m.sent_at = 1;
  m.visible_at = 2;
  m.sender = "AIDA";
  m.body = std::string("with a \0 in it", 14);
  m.attributes["n"] = {"Number", "1"};
  m.attributes["raw"] = {"Binary.x", std::string("\xff\0", 2)};
  m.trace_header = "Root=1";
  m.group = "g";
  m.deduplication_id = "d";
  m.dead_letter_source = "arn";
  m.earlier_receives = 7;
  const auto back = decode_message(encode(m));
  ASSERT_TRUE(back);
  EXPECT_EQ(encode(*back), encode(m));
  EXPECT_EQ(back->body, m.body);
  EXPECT_EQ(back->attributes.at("raw").value, m.attributes.at("raw").value);
  const std::string bytes = encode(m);
  for (size_t size = 0; size < bytes.size(); ++size)
    EXPECT_FALSE(decode_message(std::string_view(bytes).substr(0, size))) << size;
}

TEST(ReceiptHandle, refuses_every_change) {
  const ReceiptHandle handle{.queue = 1, .store = 2, .sequence = 3, .receives = 4};
  const std::string text = handle.text();
  const auto back = ReceiptHandle::parse(text);
  ASSERT_TRUE(back);
  EXPECT_EQ(back->sequence, 3U);
  EXPECT_TRUE(text.starts_with("AQEB"));
  for (size_t i = 0; i < text.size(); ++i) {
    std::string other = text;
    other[i] = other[i] == 'A' ? 'B' : 'A';
    EXPECT_FALSE(ReceiptHandle::parse(other)) << i;
  }
  EXPECT_FALSE(ReceiptHandle::parse(""));
  EXPECT_FALSE(ReceiptHandle::parse(text + "AAAA"));
}

// Source: an answer of AWS, as it stands in reports about this digest.
TEST(MessageAttributes, have_aws_digest) {
  EXPECT_EQ(md5_of({{"timestamp", {"Number", "1493147359900"}}}),
            "235c5c510d26fb653d073faed50ae77c");
}

TEST(NewMessage, counts_attributes_and_keeps_to_xmls_characters) {
  NewMessage m;
  m.body = "12345";
  m.attributes["ab"] = {"String", "cde"};
  EXPECT_EQ(m.bytes(), 5 + 2 + 6 + 3);
  const Settings queue;
  for (const char* good :
       {"\t\r\n", "\xed\x9f\xbf", "\xee\x80\x80", "\xef\xbf\xbd", "\xf0\x90\x80\x80"}) {
    m.body = good;
    EXPECT_TRUE(check_new_message(m, queue)) << to_hex(good);
  }
  for (const char* bad : {"\x01", "\x1f", "\xef\xbf\xbe", "\xef\xbf\xbf", "\xed\xa0\x80", "\xff"}) {
    m.body = bad;
    EXPECT_FALSE(check_new_message(m, queue)) << to_hex(bad);
  }
}

TEST(Settings, json_is_the_same_in_any_order) {
  EXPECT_TRUE(same_value("RedrivePolicy", R"({"a":1,"b":[{"c":1,"d":2}]})",
                         R"({ "b":[{"d":2,"c":1}], "a":1})"));
  EXPECT_FALSE(same_value("RedrivePolicy", R"({"a":1})", R"({"a":2})"));
  EXPECT_FALSE(same_value("VisibilityTimeout", "1", "01"));
}

}  // namespace
}  // namespace virga::sqs
