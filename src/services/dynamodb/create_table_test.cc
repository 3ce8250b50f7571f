#include "api/dynamodb/create_table.h"

#include "api/dynamodb/delete_table.h"
#include "services/dynamodb/fixture.h"
#include "services/dynamodb/table_definition.h"

namespace virga::dynamodb {
namespace {

TEST(CreateTable, refuses_more_tables_than_an_account_may_have) {
  Dynamo db;
  for (size_t i = 0; i < kTablesMax; ++i) db.create("table-" + std::to_string(i));
  EXPECT_ERROR(db.call(&Service::create_table, Dynamo::table_input("one-more")),
               "LimitExceededException",
               "Subscriber limit exceeded: There is a limit of 2500 tables per subscriber");
  EXPECT_ERROR(db.call(&Service::create_table, Dynamo::table_input("table-7")),
               "ResourceInUseException", "Table already exists: table-7");
  db.region = "eu-central-1";
  db.create("one-more");
  db.region = "us-east-1";
  api::DeleteTableInput input;
  input.table_name = "table-7";
  ASSERT_TRUE(db.call(&Service::delete_table, std::move(input)));
  db.create("one-more");
}

TEST(CreateTable, takes_an_arn_of_its_own_account_and_region) {
  Dynamo db;
  const auto made =
      db.call(&Service::create_table,
              Dynamo::table_input("arn:aws:dynamodb:us-east-1:000000000000:table/tab"));
  ASSERT_TRUE(made.has_value()) << made.error().message;
  EXPECT_EQ(*made->table_description->table_name, "tab");
  EXPECT_ERROR(db.call(&Service::create_table,
                       Dynamo::table_input("arn:aws:dynamodb:us-east-1:111111111111:table/tab")),
               "ValidationException", "[a-zA-Z0-9_.-]+");
}

}  // namespace
}  // namespace virga::dynamodb
