#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "services/dynamodb/expression.h"
#include "services/dynamodb/expression_evaluator.h"

// Any text through the expression parsers; what parses is evaluated on a small item, and an updated
// item stays well-formed.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace virga;
  using namespace virga::dynamodb;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  static const Item kItem{
      {"a", AttributeValue::string("text")},
      {"b", AttributeValue::list({AttributeValue::number(1), AttributeValue::null()})},
      {"c", AttributeValue::map(Item{{"d", AttributeValue::number(2)}})},
      {"e", AttributeValue::set(AttributeType::string_set, {"x", "y"})}};
  static const AttributeValue kString = AttributeValue::string("x"),
                              kNumber = AttributeValue::number(1),
                              kSet = AttributeValue::set(AttributeType::string_set, {"x"}),
                              kList = AttributeValue::list({});
  Placeholders placeholders;
  placeholders.add_name("#n", "b");
  placeholders.add_value(":s", kString);
  placeholders.add_value(":n", kNumber);
  placeholders.add_value(":set", kSet);
  placeholders.add_value(":l", kList);
  if (const auto condition = parse_condition(text, placeholders))
    matches(condition->condition, kItem);
  if (const auto projection = parse_projection(text, placeholders)) {
    CHECK(is_well_formed_item(project(projection->paths, kItem).bytes()));
  }
  if (const auto update = parse_update(text, placeholders)) {
    const auto item = apply_update(update->actions, kItem);
    if (item) CHECK(is_well_formed_item(item->bytes()));
  }
  return 0;
}
