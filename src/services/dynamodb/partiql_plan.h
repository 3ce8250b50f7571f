#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "services/dynamodb/item_writer.h"
#include "services/dynamodb/key_range.h"
#include "services/dynamodb/partiql.h"
#include "services/dynamodb/read_page.h"
#include "services/dynamodb/table.h"

// From statements to what the tables' other operations do: reads of key ranges, writes of one item.
namespace virga::dynamodb::partiql {

// A conjunction taken apart: equalities with all attributes of the key, and what else it says.
struct KeyedWhere {
  Item key;
  std::optional<Condition> rest;
};
// Nothing when it does not fix the whole key. Each key attribute counts once; what is left over is
// in `rest`.
std::optional<KeyedWhere> whole_key(const Table& table, const std::optional<Condition>& where);

// Types and sizes of such a key.
Result<void> check_whole_key(const Table& table, const Item& key);

// A write statement (or EXISTS) and the item write that it means. Stays where it is: the write has
// views into it.
struct PlannedWrite {
  Statement statement;
  Item item;  // the new item, or the key
  ItemWrite write;
};
// Errors: ValidationException.
Result<std::unique_ptr<PlannedWrite>> plan_write(Statement statement, TableRef table,
                                                 bool item_on_failure);
AwsError exists_outside_of_transactions();
// For a SELECT that must read one item.
AwsError names_no_key(std::string_view operation);
// A failed INSERT is a duplicate.
AwsError write_error(const PlannedWrite& planned, AwsError error);
// What RETURNING names; nothing when there is none.
std::optional<Item> returned_item(const PlannedWrite& planned, const PreparedWrite& done);

// A SELECT: key ranges to read one after the other, or the whole table when the condition fixes no
// partition.
struct ReadPlan {
  TableRef table;
  const Index* index = nullptr;
  std::vector<KeyRange> ranges;
  storage::Direction direction = storage::Direction::forward;
  std::optional<Condition> filter;
  bool fetch_items = false;
};
Result<ReadPlan> plan_read(const Statement& statement, TableRef table, bool consistent);
// The attributes that the statement asks for, by the names of its result.
Item projected_item(const Statement& statement, ItemView item);

// Everything that makes two requests the same.
std::string fingerprint(std::string_view statement, const std::vector<AttributeValue>& parameters);

}  // namespace virga::dynamodb::partiql
