#pragma once

#include <string_view>

#include "aws/attribute_value.h"
#include "base/error.h"
#include "base/json.h"

// DynamoDB JSON ({"S": "text"}) to and from TLV. The codec reads values in place, in the middle of
// a document: aws/attribute_value_simdjson.h.
//
// A value of the wrong JSON form is a SerializationException at once, with the service's words. A
// value of the right form and a wrong meaning is kept as `problem()` of what was read; see
// AttributeValue. Source of the texts: recorded answers of the service, as published in dynalite's
// test-suite.
namespace virga {

// An item from a text of its own, with nothing behind it.
Result<Item> parse_item(std::string_view json);

void write_json(JsonWriter& writer, ValueView value);
void write_json(JsonWriter& writer, ItemView item);
inline void write_json(JsonWriter& writer, const AttributeValue& value) {
  write_json(writer, value.view());
}
inline void write_json(JsonWriter& writer, const Item& item) {
  write_json(writer, item.view());
}

}  // namespace virga
