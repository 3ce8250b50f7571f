#pragma once

#include <string>
#include <string_view>

#include "aws/attribute_value.h"
#include "aws/attribute_value_json.h"
#include "base/check.h"

// Items from DynamoDB JSON and back, for tests.
namespace virga::dynamodb {

inline Item test_item(std::string_view json) {
  Result<Item> item = parse_item(json);
  CHECK(item.has_value());
  CHECK(item->problem().empty());
  return std::move(*item);
}

inline std::string test_json(ItemView item) {
  std::string out;
  JsonWriter writer(out);
  write_json(writer, item);
  return out;
}

}  // namespace virga::dynamodb
