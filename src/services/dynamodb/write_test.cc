#include "api/dynamodb/batch_write_item.h"
#include "api/dynamodb/delete_table.h"
#include "api/dynamodb/get_item.h"
#include "api/dynamodb/list_tables.h"
#include "api/dynamodb/list_tags_of_resource.h"
#include "api/dynamodb/tag_resource.h"
#include "api/dynamodb/transact_get_items.h"
#include "api/dynamodb/transact_write_items.h"
#include "api/dynamodb/untag_resource.h"
#include "api/dynamodb/update_table.h"
#include "base/json.h"
#include "services/dynamodb/fixture.h"

namespace virga::dynamodb {
namespace {

using testing::HasSubstr;

std::string get(Dynamo& db, const std::string& id) {
  api::GetItemInput input;
  input.table_name = "notes";
  input.key = test_item(R"({"id":{"S":")" + id + R"("}})");
  const auto got = db.call(&Service::get_item, std::move(input));
  if (!got) return got.error().message;
  return got->item ? test_json(*got->item) : "none";
}

api::TransactWriteItem put_action(std::string_view item, const char* condition = nullptr) {
  api::TransactWriteItem out;
  auto& put = out.put.emplace();
  put.table_name = "notes";
  put.item = test_item(item);
  if (condition) put.condition_expression = condition;
  return out;
}

TEST(BatchWriteItem, puts_and_deletes_in_one_go) {
  Dynamo db;
  db.create("notes");
  ASSERT_TRUE(db.put("notes", R"({"id":{"S":"old"}})"));
  api::BatchWriteItemInput input;
  auto& requests = input.request_items["notes"];
  requests.emplace_back().put_request.emplace().item = test_item(R"({"id":{"S":"new"}})");
  requests.emplace_back().delete_request.emplace().key = test_item(R"({"id":{"S":"old"}})");
  input.return_consumed_capacity = "TOTAL";
  const auto got = db.call(&Service::batch_write_item, input);
  ASSERT_TRUE(got) << got.error().message;
  EXPECT_TRUE(got->unprocessed_items->empty());
  EXPECT_EQ(*got->consumed_capacity->at(0).capacity_units, 2.0);
  EXPECT_EQ(get(db, "new"), R"({"id":{"S":"new"}})");
  EXPECT_EQ(get(db, "old"), "none");
}

TEST(BatchWriteItem, refuses_in_the_services_words) {
  Dynamo db;
  db.create("notes");
  api::BatchWriteItemInput input;
  auto& requests = input.request_items["notes"];
  requests.emplace_back().put_request.emplace().item = test_item(R"({"id":{"S":"1"}})");
  requests.emplace_back().delete_request.emplace().key = test_item(R"({"id":{"S":"1"}})");
  EXPECT_ERROR(db.call(&Service::batch_write_item, input), "ValidationException",
               "Provided list of item keys contains duplicates");
  requests.pop_back();
  requests[0].put_request->item = test_item(R"({"x":{"S":"1"}})");
  EXPECT_ERROR(db.call(&Service::batch_write_item, input), "ValidationException",
               "The provided key element does not match the schema");
  requests[0].put_request.reset();
  EXPECT_ERROR(db.call(&Service::batch_write_item, input), "ValidationException",
               "more than one datatypes set");
  EXPECT_EQ(get(db, "1"), "none");
}

TEST(TransactWriteItems, is_all_or_nothing_and_gives_reasons_in_order) {
  Dynamo db;
  db.create("notes");
  ASSERT_TRUE(db.put("notes", R"({"id":{"S":"1"},"v":{"N":"1"}})"));
  api::TransactWriteItemsInput input;
  input.transact_items.push_back(put_action(R"({"id":{"S":"2"}})"));
  input.transact_items.push_back(put_action(R"({"id":{"S":"1"}})", "attribute_not_exists(id)"));
  input.transact_items[1].put->return_values_on_condition_check_failure = "ALL_OLD";
  const auto got = db.call(&Service::transact_write_items, input);
  EXPECT_ERROR(got, "TransactionCanceledException",
               "Transaction cancelled, please refer cancellation reasons for specific reasons "
               "[None, ConditionalCheckFailed]");
  EXPECT_EQ(
      to_json(*got.error().detail),
      R"({"CancellationReasons":[{"Code":"None"},{"Code":"ConditionalCheckFailed","Message":"The conditional request )"
      R"(failed","Item":{"id":{"S":"1"},"v":{"N":"1"}}}]})");
  EXPECT_EQ(get(db, "2"), "none");
  input.transact_items.pop_back();
  auto& update = input.transact_items.emplace_back().update.emplace();
  update.table_name = "notes";
  update.key = test_item(R"({"id":{"S":"1"}})");
  update.update_expression = "SET v = v + :one";
  update.expression_attribute_values = test_item(R"({":one":{"N":"1"}})");
  auto& check = input.transact_items.emplace_back().condition_check.emplace();
  check.table_name = "notes";
  check.key = test_item(R"({"id":{"S":"3"}})");
  check.condition_expression = "attribute_not_exists(id)";
  input.return_consumed_capacity = "TOTAL";
  const auto done = db.call(&Service::transact_write_items, input);
  ASSERT_TRUE(done) << done.error().message;
  EXPECT_EQ(*done->consumed_capacity->at(0).capacity_units, 6.0);
  EXPECT_EQ(get(db, "1"), R"({"id":{"S":"1"},"v":{"N":"2"}})");
  EXPECT_EQ(get(db, "2"), R"({"id":{"S":"2"}})");
}

TEST(TransactWriteItems, a_repeated_token_does_nothing_for_ten_minutes) {
  Dynamo db;
  db.create("notes");
  api::TransactWriteItemsInput input;
  auto& update = input.transact_items.emplace_back().update.emplace();
  update.table_name = "notes";
  update.key = test_item(R"({"id":{"S":"1"}})");
  update.update_expression = "ADD v :one";
  update.expression_attribute_values = test_item(R"({":one":{"N":"1"}})");
  input.client_request_token = "token";
  ASSERT_TRUE(db.call(&Service::transact_write_items, input));
  db.restart();
  ASSERT_TRUE(db.call(&Service::transact_write_items, input));
  EXPECT_THAT(get(db, "1"), HasSubstr(R"("v":{"N":"1"})"));
  auto other = input;
  other.transact_items[0].update->update_expression = "SET v = :one";
  EXPECT_ERROR(db.call(&Service::transact_write_items, other),
               "IdempotentParameterMismatchException", "");
  db.advance_millis(10 * 60 * 1000 + 1);
  ASSERT_TRUE(db.call(&Service::transact_write_items, input));
  EXPECT_THAT(get(db, "1"), HasSubstr(R"("v":{"N":"2"})"));
}

TEST(TransactWriteItems, refuses_two_actions_on_one_item) {
  Dynamo db;
  db.create("notes");
  api::TransactWriteItemsInput input;
  input.transact_items.push_back(put_action(R"({"id":{"S":"1"}})"));
  input.transact_items.push_back(put_action(R"({"id":{"S":"1"},"v":{"N":"1"}})"));
  EXPECT_ERROR(db.call(&Service::transact_write_items, input), "ValidationException",
               "Transaction request cannot include multiple operations on one item");
  input.transact_items[1] = api::TransactWriteItem();
  EXPECT_ERROR(db.call(&Service::transact_write_items, input), "ValidationException",
               "TransactItems can only contain one of Check, Put, Update or Delete");
  input.transact_items[1] = put_action(R"({"id":{"N":"1"}})");
  EXPECT_ERROR(db.call(&Service::transact_write_items, input), "TransactionCanceledException",
               "[None, ValidationError]");
}

TEST(TransactGetItems, reads_items_or_nothing_in_order) {
  Dynamo db;
  db.create("notes");
  ASSERT_TRUE(db.put("notes", R"({"id":{"S":"1"},"v":{"N":"1"}})"));
  api::TransactGetItemsInput input;
  for (const char* id : {"2", "1"}) {
    api::TransactGetItem item;
    item.get.table_name = "notes";
    item.get.key = test_item(std::string(R"({"id":{"S":")") + id + R"("}})");
    input.transact_items.push_back(std::move(item));
  }
  input.return_consumed_capacity = "TOTAL";
  const auto got = db.call(&Service::transact_get_items, input);
  ASSERT_TRUE(got) << got.error().message;
  EXPECT_FALSE(got->responses->at(0).item);
  EXPECT_EQ(test_json(*got->responses->at(1).item), R"({"id":{"S":"1"},"v":{"N":"1"}})");
  EXPECT_EQ(*got->consumed_capacity->at(0).read_capacity_units, 4.0);
}

TEST(DeleteTable, frees_the_name_and_hides_the_items) {
  Dynamo db;
  db.create("notes");
  ASSERT_TRUE(db.put("notes", R"({"id":{"S":"1"}})"));
  api::DeleteTableInput input;
  input.table_name = "notes";
  const auto got = db.call(&Service::delete_table, input);
  ASSERT_TRUE(got);
  EXPECT_EQ(*got->table_description->table_status, "DELETING");
  EXPECT_EQ(get(db, "1"), "Requested resource not found");
  EXPECT_ERROR(db.call(&Service::delete_table, input), "ResourceNotFoundException",
               "Requested resource not found: Table: notes not found");
  db.create("notes");
  EXPECT_EQ(get(db, "1"), "none");
}

TEST(DeleteTable, refuses_a_protected_table) {
  Dynamo db;
  auto table = Dynamo::table_input("notes");
  table.deletion_protection_enabled = true;
  db.create(std::move(table));
  api::DeleteTableInput input;
  input.table_name = "notes";
  EXPECT_ERROR(db.call(&Service::delete_table, input), "ValidationException",
               "protected against deletion");
  api::UpdateTableInput update;
  update.table_name = "notes";
  update.deletion_protection_enabled = false;
  ASSERT_TRUE(db.call(&Service::update_table, update));
  EXPECT_TRUE(db.call(&Service::delete_table, input));
}

TEST(Reset, leaves_no_table) {
  Dynamo db;
  db.create("notes");
  ASSERT_TRUE(db.put("notes", R"({"id":{"S":"1"}})"));
  const auto lsn = db.shard().run(db.shard()->reset());
  ASSERT_TRUE(lsn);
  ASSERT_TRUE(db.shard().run(db.shard()->wait_durable(*lsn)));
  EXPECT_EQ(get(db, "1"), "Requested resource not found");
  EXPECT_TRUE(db.call(&Service::list_tables, {})->table_names->empty());
  db.create("notes");
  EXPECT_EQ(get(db, "1"), "none");
}

TEST(UpdateTable, changes_billing_and_throughput) {
  Dynamo db;
  db.create("notes");
  api::UpdateTableInput input;
  input.table_name = "notes";
  EXPECT_ERROR(db.call(&Service::update_table, input), "ValidationException",
               "At least one of ProvisionedThroughput");
  input.billing_mode = "PROVISIONED";
  EXPECT_ERROR(db.call(&Service::update_table, input), "ValidationException",
               "ProvisionedThroughput must be specified when BillingMode is PROVISIONED");
  auto& throughput = input.provisioned_throughput.emplace();
  throughput.read_capacity_units = 5;
  throughput.write_capacity_units = 6;
  const auto got = db.call(&Service::update_table, input);
  ASSERT_TRUE(got) << got.error().message;
  EXPECT_EQ(*got->table_description->provisioned_throughput->write_capacity_units, 6);
  EXPECT_EQ(*got->table_description->billing_mode_summary->billing_mode, "PROVISIONED");
  EXPECT_ERROR(db.call(&Service::update_table, input), "ValidationException",
               "The provisioned throughput for the table will not change.");
}

TEST(TagResource, tags_are_kept_and_removed) {
  Dynamo db;
  db.create("notes");
  api::TagResourceInput input;
  input.resource_arn = "arn:aws:dynamodb:us-east-1:000000000000:table/notes";
  api::Tag tag;
  tag.key = "team";
  tag.value = "blue";
  input.tags.push_back(tag);
  ASSERT_TRUE(db.call(&Service::tag_resource, input));
  api::ListTagsOfResourceInput list;
  list.resource_arn = input.resource_arn;
  EXPECT_EQ(db.call(&Service::list_tags_of_resource, list)->tags->at(0).value, "blue");
  api::UntagResourceInput untag;
  untag.resource_arn = input.resource_arn;
  untag.tag_keys = {"team"};
  ASSERT_TRUE(db.call(&Service::untag_resource, untag));
  EXPECT_TRUE(db.call(&Service::list_tags_of_resource, list)->tags->empty());
  input.resource_arn += "x";
  EXPECT_ERROR(db.call(&Service::tag_resource, input), "ResourceNotFoundException", "not found");
}

}  // namespace
}  // namespace virga::dynamodb
