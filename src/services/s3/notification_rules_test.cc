#include "services/s3/notification_rules.h"

#include <gtest/gtest.h>

#include "api/s3/shapes.h"
#include "base/json.h"
#include "services/s3/configurations.h"
#include "services/s3/event_record.h"

namespace virga::s3 {
namespace {

NotificationRule rule(std::vector<std::string> events, std::string prefix = "",
                      std::string suffix = "") {
  NotificationRule out;
  out.events = std::move(events);
  out.prefix = std::move(prefix);
  out.suffix = std::move(suffix);
  return out;
}

// Queue rules of (event, prefix, suffix).
api::NotificationConfiguration configuration(const std::vector<std::array<std::string, 3>>& rules) {
  api::NotificationConfiguration out;
  auto& queues = out.queue_configurations.emplace();
  for (const auto& [event, prefix, suffix] : rules) {
    api::QueueConfiguration& one = queues.emplace_back();
    one.queue_arn = "arn:aws:sqs:us-east-1:111122223333:q";
    one.events = {event};
    auto& filters = one.filter.emplace().key.emplace().filter_rules.emplace();
    if (!prefix.empty()) {
      auto& filter = filters.emplace_back();
      filter.name = "Prefix";
      filter.value = prefix;
    }
    if (!suffix.empty()) {
      auto& filter = filters.emplace_back();
      filter.name = "suffix";
      filter.value = suffix;
    }
  }
  name_rules(out, "chance");
  return out;
}

std::string refusal(const std::vector<std::array<std::string, 3>>& rules) {
  const auto c = configuration(rules);
  const auto checked = check_rules(rules_of(c), c);
  return checked ? "" : checked.error().message;
}

TEST(NotificationRules, match_events_and_keys) {
  EXPECT_TRUE(rule({"s3:ObjectCreated:*"}).matches("ObjectCreated:Put", "k"));
  EXPECT_TRUE(
      rule({"s3:ObjectRemoved:*", "s3:ObjectCreated:Put"}).matches("ObjectCreated:Put", "k"));
  EXPECT_FALSE(rule({"s3:ObjectCreated:Copy"}).matches("ObjectCreated:Put", "k"));
  const NotificationRule filtered = rule({"s3:ObjectCreated:*"}, "in/", ".csv");
  EXPECT_TRUE(filtered.matches("ObjectCreated:Put", "in/a.csv"));
  EXPECT_FALSE(filtered.matches("ObjectCreated:Put", "in/a.txt"));
  EXPECT_FALSE(filtered.matches("ObjectCreated:Put", "out/a.csv"));
}

TEST(NotificationRules, one_event_must_not_match_two) {
  EXPECT_EQ(refusal({{"s3:ObjectCreated:*", "a", ""}, {"s3:ObjectCreated:*", "b", ""}}), "");
  EXPECT_EQ(refusal({{"s3:ObjectCreated:Put", "", ""}, {"s3:ObjectCreated:Copy", "", ""}}), "");
  EXPECT_EQ(refusal({{"s3:ObjectCreated:*", "a", ".jpg"}, {"s3:ObjectCreated:*", "ab", ".png"}}),
            "");
  EXPECT_NE(refusal({{"s3:ObjectCreated:*", "a", ".jpg"}, {"s3:ObjectCreated:Put", "ab", "x.jpg"}}),
            "");
  EXPECT_EQ(refusal({{"s3:ObjectCreated:*", "", ""}, {"s3:ObjectCreated:Put", "", ""}}),
            "Configurations overlap. Configurations on the same bucket cannot share a common event "
            "type.");
  EXPECT_EQ(refusal({{"s3:ObjectEaten:*", "", ""}}),
            "The event 's3:ObjectEaten:*' is not supported for notifications");
}

TEST(NotificationRules, a_stored_configuration_is_read_back) {
  const auto before = configuration({{"s3:ObjectCreated:*", "a", ".jpg"}});
  const auto after = decode_config<api::NotificationConfiguration>(encode_config(before));
  ASSERT_TRUE(after);
  const NotificationRules rules = rules_of(*after);
  ASSERT_EQ(rules.size(), 1u);
  EXPECT_EQ(rules[0].prefix, "a");
  EXPECT_EQ(rules[0].suffix, ".jpg");
  EXPECT_EQ(rules[0].id.size(), 48u);
}

TEST(EventRecord, has_the_documented_members) {
  RequestContext request;
  request.region = "us-east-1";
  request.request_id = "C3D13FE58DE4C810";
  request.source_ip = "127.0.0.1";
  request.principal = {.kind = Principal::Kind::user,
                       .account = "111122223333",
                       .arn = "",
                       .user_id = "AIDAJDPLRKLG7UEXAMPLE",
                       .access_key_id = "",
                       .service = ""};
  Bucket bucket;
  bucket.name = "amzn-s3-demo-bucket";
  bucket.owner = "111122223333";
  bucket.region = "us-west-2";
  ObjectEvent event;
  event.name = "ObjectCreated:Put";
  event.key = "Happy Face.jpg";
  event.size = 1024;
  event.etag = "d41d8cd98f00b204e9800998ecf8427e";
  event.version_id = "096fKKXTRTtl3on89fVO.nfljtsv6qko";
  event.order = 0x55AED6DCD90281E5;
  EXPECT_EQ(
      event_message(request, bucket, "testConfigRule", event),
      R"({"Records":[{"eventVersion":"2.1","eventSource":"aws:s3","awsRegion":"us-west-2","eventTime":"1970-01-01T00:00:00.000Z",)"
      R"("eventName":"ObjectCreated:Put","userIdentity":{"principalId":"AWS:AIDAJDPLRKLG7UEXAMPLE"},)"
      R"("requestParameters":{"sourceIPAddress":"127.0.0.1"},)"
      R"("responseElements":{"x-amz-request-id":"C3D13FE58DE4C810","x-amz-id-2":"C3D13FE58DE4C810/virga"},)"
      R"("s3":{"s3SchemaVersion":"1.0","configurationId":"testConfigRule","bucket":{"name":"amzn-s3-demo-bucket",)"
      R"("ownerIdentity":{"principalId":")" +
          event_owner_id("111122223333") +
          R"("},"arn":"arn:aws:s3:::amzn-s3-demo-bucket"},"object":{"key":"Happy+Face.jpg","size":1024,)"
          R"("eTag":"d41d8cd98f00b204e9800998ecf8427e","versionId":"096fKKXTRTtl3on89fVO.nfljtsv6qko","sequencer":"0055AED6DCD90281E5"}}}]})");
}

}  // namespace
}  // namespace virga::s3
