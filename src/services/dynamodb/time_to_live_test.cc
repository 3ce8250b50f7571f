#include "api/dynamodb/describe_time_to_live.h"
#include "api/dynamodb/get_item.h"
#include "api/dynamodb/update_time_to_live.h"
#include "services/dynamodb/fixture.h"

namespace virga::dynamodb {
namespace {

api::UpdateTimeToLiveInput ttl_input(bool enabled, const std::string& attribute = "end") {
  api::UpdateTimeToLiveInput input;
  input.table_name = "notes";
  input.time_to_live_specification.enabled = enabled;
  input.time_to_live_specification.attribute_name = attribute;
  return input;
}

bool exists(Dynamo& db, const std::string& id) {
  api::GetItemInput input;
  input.table_name = "notes";
  input.key = test_item(R"({"id":{"S":")" + id + R"("}})");
  const auto got = db.call(&Service::get_item, std::move(input));
  EXPECT_TRUE(got.has_value());
  return got && got->item.has_value();
}

void put(Dynamo& db, const std::string& id, int64_t end) {
  ASSERT_TRUE(db.put(
      "notes", R"({"id":{"S":")" + id + R"("},"end":{"N":")" + std::to_string(end) + R"("}})"));
}

TEST(UpdateTimeToLive, enables_and_disables_in_the_services_words) {
  Dynamo db;
  db.create("notes");
  EXPECT_ERROR(db.call(&Service::update_time_to_live, ttl_input(false)), "ValidationException",
               "TimeToLive is already disabled");
  ASSERT_TRUE(db.call(&Service::update_time_to_live, ttl_input(true)));
  EXPECT_ERROR(db.call(&Service::update_time_to_live, ttl_input(true)), "ValidationException",
               "TimeToLive is already enabled");
  EXPECT_ERROR(db.call(&Service::update_time_to_live, ttl_input(true, "other")),
               "ValidationException",
               "TimeToLive is active on a different AttributeName: current AttributeName is end");
  api::DescribeTimeToLiveInput input;
  input.table_name = "notes";
  const auto got = db.call(&Service::describe_time_to_live, input);
  EXPECT_EQ(*got->time_to_live_description->time_to_live_status, "ENABLED");
  EXPECT_EQ(*got->time_to_live_description->attribute_name, "end");
  ASSERT_TRUE(db.call(&Service::update_time_to_live, ttl_input(false)));
}

TEST(Expiry, deletes_what_has_expired_and_nothing_else) {
  Dynamo db;
  db.create("notes");
  const int64_t now = db.now_seconds();
  put(db, "before", now + 10);  // before it is enabled
  ASSERT_TRUE(db.call(&Service::update_time_to_live, ttl_input(true)));
  put(db, "soon", now + 5);
  put(db, "later", now + 100);
  put(db, "moved", now + 5);
  put(db, "moved", now + 100);
  put(db, "ancient", 1);
  ASSERT_TRUE(db.put("notes", R"({"id":{"S":"text"},"end":{"S":"1"}})"));
  db.start_background();
  db.advance_millis(11'000);
  db.settle();
  EXPECT_FALSE(exists(db, "before"));
  EXPECT_FALSE(exists(db, "soon"));
  for (const char* id : {"later", "moved", "ancient", "text"}) EXPECT_TRUE(exists(db, id)) << id;
  db.advance_millis(100'000);
  db.settle();
  EXPECT_FALSE(exists(db, "later"));
  EXPECT_FALSE(exists(db, "moved"));
  EXPECT_TRUE(exists(db, "ancient"));
}

}  // namespace
}  // namespace virga::dynamodb
