#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "services/dynamodb/expression_evaluator.h"
#include "services/dynamodb/partiql_plan.h"

// Any text through the PartiQL parser; what parses is planned against a small table and evaluated
// on an item.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace virga;
  using namespace virga::dynamodb;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  static const Item kItem{
      {"k", AttributeValue::string("text")},
      {"r", AttributeValue::number(3)},
      {"b", AttributeValue::list({AttributeValue::number(1), AttributeValue::null()})},
      {"c", AttributeValue::map(Item{{"d", AttributeValue::number(2)}})},
      {"e", AttributeValue::set(AttributeType::string_set, {"x", "y"})}};
  static const TableRef kTable = [] {
    auto table = std::make_shared<Table>();
    table->name = "t";
    table->id = 1;
    table->keys.hash = {{"k", AttributeType::string}};
    table->keys.range = {{"r", AttributeType::number}};
    return table;
  }();
  for (const std::vector<AttributeValue>& parameters :
       {std::vector<AttributeValue>{}, {AttributeValue::string("text")}}) {
    auto statement = partiql::parse_statement(text, parameters);
    if (!statement) continue;
    if (statement->where) matches(*statement->where, kItem);
    CHECK(is_well_formed_item(statement->item.bytes()));
    CHECK(is_well_formed_item(partiql::projected_item(*statement, kItem).bytes()));
    if (statement->reads()) {
      const auto plan = partiql::plan_read(*statement, kTable, false);
      if (plan) CHECK(!plan->ranges.empty());
      continue;
    }
    const auto planned = partiql::plan_write(std::move(*statement), kTable, false);
    if (!planned) continue;
    const auto updated = apply_update((*planned)->write.actions, kItem);
    if (updated) CHECK(is_well_formed_item(updated->bytes()));
  }
  return 0;
}
