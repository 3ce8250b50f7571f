#include "services/dynamodb/table_capacity.h"

#include "api/dynamodb/describe_table.h"
#include "api/dynamodb/query.h"
#include "api/dynamodb/update_table.h"
#include "services/dynamodb/fixture.h"

namespace virga::dynamodb {
namespace {

void create_provisioned(Dynamo& db, int64_t units) {
  auto input = Dynamo::table_input("tab");
  input.billing_mode = "PROVISIONED";
  auto& throughput = input.provisioned_throughput.emplace();
  throughput.read_capacity_units = units;
  throughput.write_capacity_units = units;
  db.create(std::move(input));
}

Result<api::UpdateTableOutput> set_units(Dynamo& db, int64_t read, int64_t write) {
  api::UpdateTableInput input;
  input.table_name = "tab";
  auto& throughput = input.provisioned_throughput.emplace();
  throughput.read_capacity_units = read;
  throughput.write_capacity_units = write;
  return db.call(&Service::update_table, std::move(input));
}

api::TableDescription describe(Dynamo& db) {
  api::DescribeTableInput input;
  input.table_name = "tab";
  auto got = db.call(&Service::describe_table, std::move(input));
  EXPECT_TRUE(got.has_value());
  return std::move(*got->table);
}

api::UpdateTableInput new_index() {
  api::UpdateTableInput input;
  input.table_name = "tab";
  api::AttributeDefinition definition;
  definition.attribute_name = "g";
  definition.attribute_type = "S";
  input.attribute_definitions.emplace().push_back(definition);
  api::GlobalSecondaryIndexUpdate update;
  auto& create = update.create.emplace();
  create.index_name = "by-g";
  Dynamo::add_key(create.key_schema, "g", "HASH");
  create.projection.projection_type = "ALL";
  input.global_secondary_index_updates.emplace().push_back(std::move(update));
  return input;
}

Result<api::QueryOutput> query_index(Dynamo& db) {
  api::QueryInput input;
  input.table_name = "tab";
  input.index_name = "by-g";
  input.key_condition_expression = "g = :g";
  input.expression_attribute_values = test_item(R"({":g":{"S":"x"}})");
  return db.call(&Service::query, std::move(input));
}

}  // namespace

TEST(TableCapacity, the_fifth_decrease_of_a_day_waits_for_an_hour) {
  Dynamo db;
  create_provisioned(db, 20);
  for (int64_t units = 19; units > 15; --units) ASSERT_TRUE(set_units(db, units, 20));
  EXPECT_EQ(describe(db).provisioned_throughput->number_of_decreases_today, 4);
  EXPECT_ERROR(set_units(db, 15, 20), "LimitExceededException", "Number of decreases today: 4.");
  ASSERT_TRUE(set_units(db, 16, 21));  // an increase
  db.advance_millis(kHourMillis);
  ASSERT_TRUE(set_units(db, 15, 21));
  EXPECT_ERROR(set_units(db, 14, 21), "LimitExceededException", "");
  db.advance_millis(24 * kHourMillis);
  EXPECT_EQ(describe(db).provisioned_throughput->number_of_decreases_today, 0);
  ASSERT_TRUE(set_units(db, 14, 21));
  EXPECT_EQ(describe(db).provisioned_throughput->number_of_decreases_today, 1);
}

TEST(TableCapacity, a_restart_keeps_maximums_and_warm_throughput) {
  Dynamo db;
  auto input = Dynamo::table_input("tab");
  input.on_demand_throughput.emplace().max_read_request_units = 7;
  input.warm_throughput.emplace().write_units_per_second = 5000;
  db.create(std::move(input));
  db.restart();
  const auto table = describe(db);
  EXPECT_EQ(table.on_demand_throughput->max_read_request_units, 7);
  EXPECT_FALSE(table.on_demand_throughput->max_write_request_units);
  EXPECT_EQ(table.warm_throughput->read_units_per_second, 12000);
  EXPECT_EQ(table.warm_throughput->write_units_per_second, 5000);
}

TEST(UpdateTable, a_new_index_is_read_when_its_window_is_over) {
  Dynamo db(ServiceOptions{.lifecycle_delay_ms = 1000});
  db.create("tab");
  db.advance_millis(1000);
  ASSERT_TRUE(db.put("tab", R"({"id":{"S":"1"},"g":{"S":"x"}})"));
  ASSERT_TRUE(db.call(&Service::update_table, new_index()));
  auto table = describe(db);
  EXPECT_EQ(table.table_status, "UPDATING");
  EXPECT_EQ((*table.global_secondary_indexes)[0].index_status, "CREATING");
  EXPECT_ERROR(query_index(db), "ValidationException",
               "Cannot read from backfilling global secondary index: by-g");
  EXPECT_ERROR(set_units(db, 1, 1), "ResourceInUseException", "Table is being updated: tab");
  ASSERT_TRUE(db.put("tab", R"({"id":{"S":"2"},"g":{"S":"x"}})"));
  db.advance_millis(1000);
  table = describe(db);
  EXPECT_EQ(table.table_status, "ACTIVE");
  EXPECT_EQ((*table.global_secondary_indexes)[0].index_status, "ACTIVE");
  const auto found = query_index(db);
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->count, 2);
}

}  // namespace virga::dynamodb
