#include "api/dynamodb/delete_item.h"
#include "api/dynamodb/describe_table.h"
#include "api/dynamodb/get_item.h"
#include "api/dynamodb/list_tables.h"
#include "api/dynamodb/update_item.h"
#include "base/json.h"
#include "services/dynamodb/fixture.h"

namespace virga::dynamodb {
namespace {

using testing::HasSubstr;

std::string get(Dynamo& db, const std::string& table, std::string_view key,
                const char* projection = nullptr) {
  api::GetItemInput input;
  input.table_name = table;
  input.key = test_item(key);
  if (projection) input.projection_expression = projection;
  const auto got = db.call(&Service::get_item, std::move(input));
  if (!got) return got.error().message;
  return got->item ? test_json(*got->item) : "none";
}

api::PutItemInput put_input(const std::string& table, std::string_view item) {
  api::PutItemInput input;
  input.table_name = table;
  input.item = test_item(item);
  return input;
}

TEST(PutItem, a_stored_item_comes_back_also_after_a_restart) {
  Dynamo db;
  db.create("notes");
  ASSERT_TRUE(db.put("notes", R"({"id":{"S":"1"},"n":{"N":"1.50"}})"));
  EXPECT_EQ(get(db, "notes", R"({"id":{"S":"1"}})"), R"({"id":{"S":"1"},"n":{"N":"1.5"}})");
  EXPECT_EQ(get(db, "notes", R"({"id":{"S":"2"}})"), "none");
  db.restart();
  EXPECT_EQ(get(db, "notes", R"({"id":{"S":"1"}})", "n"), R"({"n":{"N":"1.5"}})");
}

TEST(PutItem, equal_numbers_are_one_key) {
  Dynamo db;
  db.create("notes", true);
  ASSERT_TRUE(db.put("notes", R"({"id":{"S":"1"},"r":{"N":"1.0"},"v":{"N":"1"}})"));
  ASSERT_TRUE(db.put("notes", R"({"id":{"S":"1"},"r":{"N":"10e-1"},"v":{"N":"2"}})"));
  EXPECT_THAT(get(db, "notes", R"({"id":{"S":"1"},"r":{"N":"1"}})"), HasSubstr(R"("v":{"N":"2"})"));
  EXPECT_THAT(get(db, "t", R"({"id":{"S":"1"}})"),
              HasSubstr("Member must have length greater than or equal to 3"));
}

TEST(PutItem, a_condition_that_fails_leaves_the_item_and_can_show_it) {
  Dynamo db;
  db.create("notes");
  ASSERT_TRUE(db.put("notes", R"({"id":{"S":"1"},"v":{"N":"1"}})"));
  auto input = put_input("notes", R"({"id":{"S":"1"},"v":{"N":"2"}})");
  input.condition_expression = "attribute_not_exists(id)";
  input.return_values_on_condition_check_failure = "ALL_OLD";
  const auto got = db.call(&Service::put_item, std::move(input));
  EXPECT_ERROR(got, "ConditionalCheckFailedException", "The conditional request failed");
  ASSERT_TRUE(got.error().detail);
  EXPECT_EQ(to_json(*got.error().detail), R"({"Item":{"id":{"S":"1"},"v":{"N":"1"}}})");
  EXPECT_THAT(get(db, "notes", R"({"id":{"S":"1"}})"), HasSubstr(R"("v":{"N":"1"})"));
}

TEST(PutItem, returns_the_old_item_and_the_capacity_used) {
  Dynamo db;
  db.create("notes");
  ASSERT_TRUE(db.put("notes", R"({"id":{"S":"1"},"v":{"S":")" + std::string(3000, 'x') + "\"}}"));
  auto input = put_input("notes", R"({"id":{"S":"1"}})");
  input.return_values = "ALL_OLD";
  input.return_consumed_capacity = "INDEXES";
  const auto got = db.call(&Service::put_item, std::move(input));
  ASSERT_TRUE(got);
  EXPECT_EQ(got->attributes->find("v")->payload().size(), 3000u);
  EXPECT_EQ(*got->consumed_capacity->capacity_units, 3.0);
  EXPECT_EQ(*got->consumed_capacity->table->capacity_units, 3.0);
}

TEST(PutItem, refuses_in_the_services_words) {
  Dynamo db;
  db.create("notes", true);
  EXPECT_ERROR(db.put("other", R"({"id":{"S":"1"}})"), "ResourceNotFoundException",
               "Requested resource not found");
  EXPECT_ERROR(db.put("notes", R"({"id":{"S":"1"}})"), "ValidationException",
               "One or more parameter values were invalid: Missing the key r in the item");
  EXPECT_ERROR(db.put("notes", R"({"id":{"N":"1"},"r":{"N":"1"}})"), "ValidationException",
               "Type mismatch for key id expected: S actual: N");
  EXPECT_ERROR(db.put("notes", R"({"id":{"S":""},"r":{"N":"1"}})"), "ValidationException",
               "cannot contain an empty string value. Key: id");
  EXPECT_ERROR(db.put("notes", R"({"id":{"S":")" + std::string(2049, 'x') + R"("},"r":{"N":"1"}})"),
               "ValidationException", "maximum size limit of2048 bytes");
  EXPECT_ERROR(db.put("notes", R"({"id":{"S":"1"},"r":{"N":"1"},"v":{"S":")" +
                                   std::string(410000, 'x') + "\"}}"),
               "ValidationException", "Item size has exceeded the maximum allowed size");
  auto input = put_input("notes", R"({"id":{"S":"1"},"r":{"N":"1"}})");
  input.return_values = "ALL_NEW";
  EXPECT_ERROR(db.call(&Service::put_item, input), "ValidationException",
               "ReturnValues can only be ALL_OLD or NONE");
  input.return_values.reset();
  input.condition_expression = "a = :v";
  EXPECT_ERROR(db.call(&Service::put_item, input), "ValidationException",
               "Invalid ConditionExpression: An expression attribute value used in expression is "
               "not defined; attribute "
               "value: :v");
  input.expected.emplace();
  EXPECT_ERROR(db.call(&Service::put_item, input), "ValidationException",
               "Can not use both expression and non-expression parameters in the same request: "
               "Non-expression parameters: "
               "{Expected} Expression parameters: {ConditionExpression}");
}

TEST(GetItem, refuses_a_key_that_is_not_the_tables) {
  Dynamo db;
  db.create("notes", true);
  EXPECT_EQ(get(db, "notes", R"({"id":{"S":"1"}})"),
            "The provided key element does not match the schema");
  EXPECT_EQ(get(db, "notes", R"({"id":{"S":"1"},"r":{"S":"1"}})"),
            "The provided key element does not match the schema");
  EXPECT_EQ(get(db, "notes", R"({"id":{"S":"1"},"r":{"N":"1"}})", "id.x"),
            "Key attributes must be scalars; list random access '[]' and map lookup '.' are not "
            "allowed: Key: id");
}

TEST(UpdateItem, creates_changes_and_returns_what_is_asked_for) {
  Dynamo db;
  db.create("notes");
  api::UpdateItemInput input;
  input.table_name = "notes";
  input.key = test_item(R"({"id":{"S":"1"}})");
  input.update_expression = "ADD hits :one SET a.b = if_not_exists(a.b, :one)";
  input.expression_attribute_values = test_item(R"({":one":{"N":"1"}})");
  EXPECT_ERROR(db.call(&Service::update_item, input), "ValidationException",
               "The document path provided in the update expression is invalid for update");
  input.update_expression = "ADD hits :one";
  for (int i = 1; i <= 3; ++i) {
    input.return_values = "UPDATED_NEW";
    const auto got = db.call(&Service::update_item, input);
    ASSERT_TRUE(got) << got.error().message;
    EXPECT_EQ(test_json(*got->attributes), R"({"hits":{"N":")" + std::to_string(i) + R"("}})");
  }
  input.return_values = "ALL_OLD";
  EXPECT_EQ(test_json(*db.call(&Service::update_item, input)->attributes),
            R"({"id":{"S":"1"},"hits":{"N":"3"}})");
  input.update_expression = "SET id = :one";
  EXPECT_ERROR(db.call(&Service::update_item, input), "ValidationException",
               "Cannot update attribute id. This attribute is part of the key");
}

TEST(UpdateItem, without_an_update_creates_the_bare_item) {
  Dynamo db;
  db.create("notes");
  api::UpdateItemInput input;
  input.table_name = "notes";
  input.key = test_item(R"({"id":{"S":"1"}})");
  input.return_values = "ALL_NEW";
  const auto got = db.call(&Service::update_item, input);
  ASSERT_TRUE(got) << got.error().message;
  EXPECT_EQ(test_json(*got->attributes), R"({"id":{"S":"1"}})");
}

TEST(UpdateItem, the_legacy_parameters_do_the_same) {
  Dynamo db;
  db.create("notes");
  ASSERT_TRUE(
      db.put("notes", R"({"id":{"S":"1"},"n":{"N":"1"},"s":{"SS":["a"]},"gone":{"S":"x"}})"));
  api::UpdateItemInput input;
  input.table_name = "notes";
  input.key = test_item(R"({"id":{"S":"1"}})");
  auto& updates = input.attribute_updates.emplace();
  updates["n"].action = "ADD";
  updates["n"].value = AttributeValue::number(4);
  updates["s"].action = "ADD";
  updates["s"].value = AttributeValue::set(AttributeType::string_set, {"b"});
  updates["gone"].action = "DELETE";
  updates["p"].value = AttributeValue::string("put");
  auto& expected = input.expected.emplace();
  expected["n"].comparison_operator = "LT";
  expected["n"].attribute_value_list = std::vector<AttributeValue>{AttributeValue::number(2)};
  input.return_values = "ALL_NEW";
  const auto got = db.call(&Service::update_item, input);
  ASSERT_TRUE(got) << got.error().message;
  EXPECT_EQ(test_json(*got->attributes),
            R"({"id":{"S":"1"},"n":{"N":"5"},"s":{"SS":["a","b"]},"p":{"S":"put"}})");
  EXPECT_ERROR(db.call(&Service::update_item, input), "ConditionalCheckFailedException", "");
}

TEST(DeleteItem, returns_the_old_item_and_succeeds_without_one) {
  Dynamo db;
  db.create("notes");
  ASSERT_TRUE(db.put("notes", R"({"id":{"S":"1"},"v":{"N":"1"}})"));
  api::DeleteItemInput input;
  input.table_name = "notes";
  input.key = test_item(R"({"id":{"S":"1"}})");
  input.return_values = "ALL_OLD";
  EXPECT_EQ(test_json(*db.call(&Service::delete_item, input)->attributes),
            R"({"id":{"S":"1"},"v":{"N":"1"}})");
  const auto again = db.call(&Service::delete_item, input);
  ASSERT_TRUE(again);
  EXPECT_FALSE(again->attributes);
  EXPECT_EQ(get(db, "notes", R"({"id":{"S":"1"}})"), "none");
}

TEST(DescribeTable, counts_items_and_bytes_also_after_a_restart) {
  Dynamo db;
  auto table = Dynamo::table_input("notes");
  Dynamo::add_attribute(table, "g", "S");
  Dynamo::add_global_index(table, "by-g", "g");
  db.create(std::move(table));
  for (int i = 0; i < 5; ++i)
    ASSERT_TRUE(db.put("notes", R"({"id":{"S":")" + std::to_string(i) + R"("}})"));
  ASSERT_TRUE(db.put("notes", R"({"id":{"S":"1"},"g":{"S":"x"}})"));
  for (int round = 0; round < 2; ++round) {
    api::DescribeTableInput input;
    input.table_name = "notes";
    const auto got = db.call(&Service::describe_table, input);
    ASSERT_TRUE(got) << got.error().message;
    EXPECT_EQ(*got->table->item_count, 5);
    EXPECT_EQ(*got->table->table_size_bytes, 5 * 3 + 2);
    EXPECT_EQ(*got->table->global_secondary_indexes->at(0).item_count, 1);
    EXPECT_EQ(*got->table->table_status, "ACTIVE");
    EXPECT_EQ(*got->table->table_arn, "arn:aws:dynamodb:us-east-1:000000000000:table/notes");
    db.restart();
  }
}

TEST(CreateTable, answers_creating_and_refuses_a_second_of_the_name) {
  Dynamo db;
  const auto made = db.call(&Service::create_table, Dynamo::table_input("notes"));
  ASSERT_TRUE(made);
  EXPECT_EQ(*made->table_description->table_status, "CREATING");
  EXPECT_EQ(*made->table_description->provisioned_throughput->read_capacity_units, 0);
  EXPECT_ERROR(db.call(&Service::create_table, Dynamo::table_input("notes")),
               "ResourceInUseException", "Table already exists: notes");
  db.region = "eu-west-1";
  EXPECT_TRUE(db.call(&Service::create_table, Dynamo::table_input("notes")));
  EXPECT_THAT(*db.call(&Service::list_tables, {})->table_names, testing::ElementsAre("notes"));
}

TEST(CreateTable, refuses_definitions_that_do_not_fit) {
  Dynamo db;
  auto input = Dynamo::table_input("notes");
  Dynamo::add_attribute(input, "extra", "S");
  EXPECT_ERROR(
      db.call(&Service::create_table, input), "ValidationException",
      "Number of attributes in KeySchema does not exactly match number of attributes defined in "
      "AttributeDefinitions");
  Dynamo::add_global_index(input, "index", "missing");
  EXPECT_ERROR(
      db.call(&Service::create_table, input), "ValidationException",
      "Some index key attributes are not defined in AttributeDefinitions. Keys: [missing], "
      "AttributeDefinitions: [id, extra]");
  input.global_secondary_indexes.reset();
  Dynamo::add_global_index(input, "index", "extra", "", "NONE_SUCH");
  input.billing_mode.reset();
  EXPECT_ERROR(db.call(&Service::create_table, input), "ValidationException",
               "ReadCapacityUnits and WriteCapacityUnits must both be specified when BillingMode "
               "is PROVISIONED");
}

TEST(CreateTable, keeps_awss_window_when_asked_to) {
  Dynamo db({.lifecycle_delay_ms = 500});
  ASSERT_TRUE(db.call(&Service::create_table, Dynamo::table_input("notes")));
  EXPECT_ERROR(db.put("notes", R"({"id":{"S":"1"}})"), "ResourceNotFoundException",
               "Requested resource not found");
  db.advance_millis(501);
  EXPECT_TRUE(db.put("notes", R"({"id":{"S":"1"}})"));
}

}  // namespace
}  // namespace virga::dynamodb
