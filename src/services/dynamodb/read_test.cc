#include <set>

#include "api/dynamodb/batch_get_item.h"
#include "api/dynamodb/delete_item.h"
#include "api/dynamodb/describe_table.h"
#include "api/dynamodb/query.h"
#include "api/dynamodb/scan.h"
#include "api/dynamodb/update_table.h"
#include "services/dynamodb/fixture.h"

namespace virga::dynamodb {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

api::QueryInput query_input(const std::string& table, const std::string& condition,
                            std::string_view values) {
  api::QueryInput input;
  input.table_name = table;
  input.key_condition_expression = condition;
  input.expression_attribute_values = test_item(values);
  return input;
}

// The range keys "r" of a page, as texts.
std::vector<std::string> ranges(const Result<api::QueryOutput>& got) {
  std::vector<std::string> out;
  if (!got) return {"error: " + got.error().message};
  for (const auto& item : *got->items) out.emplace_back(item.find("r")->payload());
  return out;
}

class QueryTest : public testing::Test {
 protected:
  void SetUp() override {
    auto table = Dynamo::table_input("notes", true);
    Dynamo::add_attribute(table, "g", "S");
    Dynamo::add_attribute(table, "l", "S");
    Dynamo::add_global_index(table, "by-g", "g", "r", "KEYS_ONLY");
    Dynamo::add_local_index(table, "by-l", "l", "KEYS_ONLY");
    db.create(std::move(table));
    for (const char* r : {"-5", "-1", "0", "1", "2", "10", "33.5"}) {
      const std::string text(r);
      const auto put = db.put("notes", R"({"id":{"S":"a"},"r":{"N":")" + text +
                                           R"("},"g":{"S":"x"},"l":{"S":"l)" + text +
                                           R"("},"v":{"S":"value"}})");
      ASSERT_TRUE(put) << put.error().message;
    }
    ASSERT_TRUE(db.put("notes", R"({"id":{"S":"b"},"r":{"N":"7"},"g":{"S":"x"}})"));
    ASSERT_TRUE(db.put("notes", R"({"id":{"S":"c"},"r":{"N":"8"}})"));
  }
  Dynamo db;
};

TEST_F(QueryTest, returns_one_partition_in_the_order_of_the_numbers) {
  const auto input = query_input("notes", "id = :id", R"({":id":{"S":"a"}})");
  EXPECT_THAT(ranges(db.call(&Service::query, input)),
              ElementsAre("-5", "-1", "0", "1", "2", "10", "33.5"));
  auto backward = input;
  backward.scan_index_forward = false;
  EXPECT_THAT(ranges(db.call(&Service::query, backward)),
              ElementsAre("33.5", "10", "2", "1", "0", "-1", "-5"));
}

TEST_F(QueryTest, range_conditions_cut_the_partition) {
  const auto run = [&](const char* condition, const char* values) {
    return ranges(db.call(&Service::query,
                          query_input("notes", std::string("id = :id AND ") + condition, values)));
  };
  EXPECT_THAT(run("r < :r", R"({":id":{"S":"a"},":r":{"N":"0"}})"), ElementsAre("-5", "-1"));
  EXPECT_THAT(run("r <= :r", R"({":id":{"S":"a"},":r":{"N":"0"}})"), ElementsAre("-5", "-1", "0"));
  EXPECT_THAT(run("r > :r", R"({":id":{"S":"a"},":r":{"N":"2"}})"), ElementsAre("10", "33.5"));
  EXPECT_THAT(run(":r <= r", R"({":id":{"S":"a"},":r":{"N":"2"}})"),
              ElementsAre("2", "10", "33.5"));
  EXPECT_THAT(run("r = :r", R"({":id":{"S":"a"},":r":{"N":"1.0"}})"), ElementsAre("1"));
  EXPECT_THAT(run("r BETWEEN :a AND :b", R"({":id":{"S":"a"},":a":{"N":"-1"},":b":{"N":"2"}})"),
              ElementsAre("-1", "0", "1", "2"));
}

TEST_F(QueryTest, pages_go_on_where_the_last_ended) {
  auto input = query_input("notes", "id = :id", R"({":id":{"S":"a"}})");
  input.limit = 3;
  std::vector<std::string> all;
  int pages = 0;
  while (true) {
    const auto got = db.call(&Service::query, input);
    ASSERT_TRUE(got) << got.error().message;
    for (const auto& r : ranges(got)) all.push_back(r);
    ++pages;
    if (!got->last_evaluated_key) break;
    input.exclusive_start_key = got->last_evaluated_key;
  }
  EXPECT_EQ(pages, 3);
  EXPECT_THAT(all, ElementsAre("-5", "-1", "0", "1", "2", "10", "33.5"));
}

TEST_F(QueryTest, a_filter_counts_what_it_looked_at) {
  auto input = query_input("notes", "id = :id", R"({":id":{"S":"a"},":v":{"S":"l1"}})");
  input.filter_expression = "begins_with(l, :v)";
  input.return_consumed_capacity = "TOTAL";
  const auto got = db.call(&Service::query, input);
  ASSERT_TRUE(got) << got.error().message;
  EXPECT_EQ(*got->count, 2);
  EXPECT_EQ(*got->scanned_count, 7);
  EXPECT_EQ(*got->consumed_capacity->capacity_units, 0.5);
  input.filter_expression = "r = :v";
  EXPECT_ERROR(
      db.call(&Service::query, input), "ValidationException",
      "Filter Expression can only contain non-primary key attributes: Primary key attribute: r");
}

TEST_F(QueryTest, a_global_index_has_its_own_partitions_and_projection) {
  auto input = query_input("notes", "g = :g", R"({":g":{"S":"x"}})");
  input.index_name = "by-g";
  input.limit = 7;
  const auto got = db.call(&Service::query, input);
  EXPECT_THAT(ranges(got), ElementsAre("-5", "-1", "0", "1", "2", "7", "10"));
  EXPECT_EQ(test_json(got->items->at(0)), R"({"id":{"S":"a"},"r":{"N":"-5"},"g":{"S":"x"}})");
  EXPECT_EQ(test_json(*got->last_evaluated_key),
            R"({"id":{"S":"a"},"r":{"N":"10"},"g":{"S":"x"}})");
  input.exclusive_start_key = got->last_evaluated_key;
  EXPECT_THAT(ranges(db.call(&Service::query, input)), ElementsAre("33.5"));
  input.exclusive_start_key.reset();
  input.consistent_read = true;
  EXPECT_ERROR(db.call(&Service::query, input), "ValidationException",
               "Consistent reads are not supported on global secondary indexes");
  input.consistent_read.reset();
  input.select = "ALL_ATTRIBUTES";
  EXPECT_ERROR(db.call(&Service::query, input), "ValidationException",
               "Select type ALL_ATTRIBUTES is not supported for global secondary index by-g "
               "because its projection type is "
               "not ALL");
}

TEST_F(QueryTest, a_local_index_fetches_what_it_does_not_project) {
  auto input = query_input("notes", "id = :id AND begins_with(l, :l)",
                           R"({":id":{"S":"a"},":l":{"S":"l1"}})");
  input.index_name = "by-l";
  auto got = db.call(&Service::query, input);
  ASSERT_TRUE(got) << got.error().message;
  EXPECT_EQ(test_json(got->items->at(0)), R"({"id":{"S":"a"},"r":{"N":"1"},"l":{"S":"l1"}})");
  input.select = "ALL_ATTRIBUTES";
  got = db.call(&Service::query, input);
  EXPECT_EQ(got->items->at(0).find("v")->payload(), "value");
}

TEST_F(QueryTest, index_entries_follow_the_item) {
  ASSERT_TRUE(db.put("notes", R"({"id":{"S":"b"},"r":{"N":"7"},"g":{"S":"y"}})"));
  auto input = query_input("notes", "g = :g", R"({":g":{"S":"y"}})");
  input.index_name = "by-g";
  EXPECT_THAT(ranges(db.call(&Service::query, input)), ElementsAre("7"));
  api::DeleteItemInput gone;
  gone.table_name = "notes";
  gone.key = test_item(R"({"id":{"S":"b"},"r":{"N":"7"}})");
  ASSERT_TRUE(db.call(&Service::delete_item, gone));
  EXPECT_THAT(ranges(db.call(&Service::query, input)), ElementsAre());
}

TEST_F(QueryTest, refuses_in_the_services_words) {
  const auto error = [&](const char* condition, const char* values) {
    const auto got = db.call(&Service::query, query_input("notes", condition, values));
    return got ? "accepted" : got.error().message;
  };
  EXPECT_EQ(error("r = :r", R"({":r":{"N":"1"}})"),
            "Query condition missed key schema element: id");
  EXPECT_EQ(error("id = :id AND v = :id", R"({":id":{"S":"a"}})"),
            "Query condition missed key schema element: r");
  EXPECT_EQ(error("id > :id", R"({":id":{"S":"a"}})"), "Query key condition not supported");
  EXPECT_EQ(error("id = :id", R"({":id":{"N":"1"}})"),
            "One or more parameter values were invalid: Condition parameter type does not match "
            "schema type");
  EXPECT_EQ(error("id = :id OR r = :id", R"({":id":{"S":"a"}})"),
            "Invalid operator used in KeyConditionExpression: OR");
  EXPECT_EQ(error("id = :id AND contains(r, :id)", R"({":id":{"S":"a"}})"),
            "Invalid operator used in KeyConditionExpression: contains");
  EXPECT_EQ(error("id = :id AND id = :id", R"({":id":{"S":"a"}})"),
            "KeyConditionExpressions must only contain one condition per key");
  EXPECT_EQ(error("id = :id", R"({":id":{"S":"a"},":x":{"S":"a"}})"),
            "Value provided in ExpressionAttributeValues unused in expressions: keys: {:x}");
  api::QueryInput bare;
  bare.table_name = "notes";
  EXPECT_ERROR(db.call(&Service::query, bare), "ValidationException",
               "Either the KeyConditions or KeyConditionExpression parameter must be specified in "
               "the request.");
  auto start = query_input("notes", "id = :id", R"({":id":{"S":"a"}})");
  start.exclusive_start_key = test_item(R"({"id":{"S":"b"},"r":{"N":"1"}})");
  EXPECT_ERROR(
      db.call(&Service::query, start), "ValidationException",
      "The provided starting key is outside query boundaries based on provided conditions");
  start.exclusive_start_key = test_item(R"({"id":{"S":"a"}})");
  EXPECT_ERROR(db.call(&Service::query, start), "ValidationException",
               "The provided starting key is invalid");
  start.exclusive_start_key.reset();
  start.index_name = "none";
  EXPECT_ERROR(db.call(&Service::query, start), "ValidationException",
               "The table does not have the specified index: none");
}

TEST_F(QueryTest, key_conditions_do_the_same) {
  api::QueryInput input;
  input.table_name = "notes";
  auto& conditions = input.key_conditions.emplace();
  conditions["id"].comparison_operator = "EQ";
  conditions["id"].attribute_value_list = std::vector<AttributeValue>{AttributeValue::string("a")};
  conditions["r"].comparison_operator = "GE";
  conditions["r"].attribute_value_list = std::vector<AttributeValue>{AttributeValue::number(2)};
  EXPECT_THAT(ranges(db.call(&Service::query, input)), ElementsAre("2", "10", "33.5"));
}

TEST_F(QueryTest, a_new_global_index_holds_the_items_of_before) {
  api::UpdateTableInput input;
  input.table_name = "notes";
  auto& create = input.global_secondary_index_updates.emplace().emplace_back().create.emplace();
  create.index_name = "by-v";
  Dynamo::add_key(create.key_schema, "v", "HASH");
  create.projection.projection_type = "ALL";
  api::AttributeDefinition definition;
  definition.attribute_name = "v";
  definition.attribute_type = "S";
  input.attribute_definitions.emplace().push_back(definition);
  const auto updated = db.call(&Service::update_table, input);
  ASSERT_TRUE(updated) << updated.error().message;
  EXPECT_EQ(*updated->table_description->table_status, "UPDATING");
  auto query = query_input("notes", "v = :v", R"({":v":{"S":"value"}})");
  query.index_name = "by-v";
  EXPECT_EQ(ranges(db.call(&Service::query, query)).size(), 7u);
  EXPECT_ERROR(db.put("notes", R"({"id":{"S":"z"},"r":{"N":"1"},"v":{"N":"1"}})"),
               "ValidationException",
               "Type mismatch for Index Key v Expected: S Actual: N IndexName: by-v");
  api::DescribeTableInput describe;
  describe.table_name = "notes";
  EXPECT_EQ(*db.call(&Service::describe_table, describe)
                 ->table->global_secondary_indexes->at(1)
                 .item_count,
            7);

  input.global_secondary_index_updates->clear();
  input.global_secondary_index_updates->emplace_back().delete_.emplace().index_name = "by-v";
  input.attribute_definitions.reset();
  ASSERT_TRUE(db.call(&Service::update_table, input));
  EXPECT_ERROR(db.call(&Service::query, query), "ValidationException",
               "The table does not have the specified index: by-v");
  EXPECT_EQ(db.call(&Service::describe_table, describe)->table->attribute_definitions->size(), 4u);
}

std::vector<std::string> scan_ids(Dynamo& db, api::ScanInput input) {
  std::vector<std::string> out;
  while (true) {
    const auto got = db.call(&Service::scan, input);
    if (!got) return {"error: " + got.error().message};
    for (const auto& item : *got->items) out.emplace_back(item.find("id")->payload());
    if (!got->last_evaluated_key) return out;
    input.exclusive_start_key = got->last_evaluated_key;
  }
}

TEST(Scan, segments_and_pages_partition_the_table) {
  Dynamo db;
  db.create("notes");
  for (int i = 0; i < 100; ++i)
    ASSERT_TRUE(db.put("notes", R"({"id":{"S":"key-)" + std::to_string(i) + R"("}})"));
  api::ScanInput input;
  input.table_name = "notes";
  const auto all = scan_ids(db, input);
  EXPECT_EQ(all.size(), 100u);
  EXPECT_EQ(std::set<std::string>(all.begin(), all.end()).size(), 100u);
  input.limit = 7;
  EXPECT_EQ(scan_ids(db, input), all);
  std::vector<std::string> joined;
  input.total_segments = 3;
  for (int segment = 0; segment < 3; ++segment) {
    input.segment = segment;
    const auto part = scan_ids(db, input);
    EXPECT_GT(part.size(), 10u);
    joined.insert(joined.end(), part.begin(), part.end());
  }
  EXPECT_EQ(joined, all);
  db.restart();
  input.segment.reset();
  input.total_segments.reset();
  EXPECT_EQ(scan_ids(db, input), all);
}

TEST(Scan, a_page_ends_at_a_mebibyte) {
  Dynamo db;
  db.create("notes");
  for (int i = 0; i < 4; ++i) {
    ASSERT_TRUE(db.put("notes", R"({"id":{"S":")" + std::to_string(i) + R"("},"v":{"S":")" +
                                    std::string(399'000, 'x') + "\"}}"));
  }
  api::ScanInput input;
  input.table_name = "notes";
  const auto got = db.call(&Service::scan, input);
  ASSERT_TRUE(got);
  EXPECT_EQ(*got->count, 3);
  EXPECT_TRUE(got->last_evaluated_key);
  input.select = "COUNT";
  input.filter_expression = "id = :v";
  input.expression_attribute_values = test_item(R"({":v":{"S":"none"}})");
  const auto counted = db.call(&Service::scan, input);
  EXPECT_FALSE(counted->items);
  EXPECT_EQ(*counted->count, 0);
  EXPECT_TRUE(counted->last_evaluated_key);
}

TEST(Scan, refuses_segments_that_do_not_fit) {
  Dynamo db;
  db.create("notes");
  api::ScanInput input;
  input.table_name = "notes";
  input.segment = 1;
  EXPECT_ERROR(db.call(&Service::scan, input), "ValidationException",
               "The TotalSegments parameter is required but was not present in the request when "
               "Segment parameter is present");
  input.total_segments = 1;
  EXPECT_ERROR(db.call(&Service::scan, input), "ValidationException",
               "Segment: 1 is not less than TotalSegments: 1");
}

TEST(BatchGetItem, returns_what_is_there) {
  Dynamo db;
  db.create("notes");
  ASSERT_TRUE(db.put("notes", R"({"id":{"S":"1"},"v":{"N":"1"}})"));
  ASSERT_TRUE(db.put("notes", R"({"id":{"S":"2"},"v":{"N":"2"}})"));
  api::BatchGetItemInput input;
  auto& part = input.request_items["notes"];
  for (const char* id : {"1", "2", "3"})
    part.keys.push_back(test_item(std::string(R"({"id":{"S":")") + id + R"("}})"));
  part.projection_expression = "v";
  input.return_consumed_capacity = "TOTAL";
  const auto got = db.call(&Service::batch_get_item, input);
  ASSERT_TRUE(got) << got.error().message;
  EXPECT_EQ(got->responses->at("notes").size(), 2u);
  EXPECT_EQ(test_json(got->responses->at("notes")[0]), R"({"v":{"N":"1"}})");
  EXPECT_TRUE(got->unprocessed_keys->empty());
  EXPECT_EQ(*got->consumed_capacity->at(0).capacity_units, 1.5);
  part.keys.push_back(part.keys[0]);
  EXPECT_ERROR(db.call(&Service::batch_get_item, input), "ValidationException",
               "Provided list of item keys contains duplicates");
}

}  // namespace
}  // namespace virga::dynamodb
