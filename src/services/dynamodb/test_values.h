#pragma once

#include <simdjson.h>

#include <string>
#include <string_view>

#include "aws/attribute_value.h"
#include "aws/attribute_value_json.h"
#include "base/check.h"

// Items from DynamoDB JSON and back, for tests.
namespace virga::dynamodb {

inline Item test_item(std::string_view json) {
  simdjson::padded_string padded(json);
  simdjson::ondemand::parser parser;
  simdjson::ondemand::document document;
  CHECK(!parser.iterate(padded).get(document));
  simdjson::ondemand::value value;
  CHECK(!document.get_value().get(value));
  Item item;
  CHECK(read_item(value, item).has_value());
  CHECK(item.problem().empty());
  return item;
}

inline std::string test_json(ItemView item) {
  std::string out;
  JsonWriter writer(out);
  write_json(writer, item);
  return out;
}

}  // namespace virga::dynamodb
