#pragma once

#include <simdjson.h>

#include "aws/attribute_value.h"
#include "base/error.h"
#include "base/json.h"

// DynamoDB JSON ({"S": "text"}) to and from TLV. Included by codecs' .cc files only: it is the one
// header of ours with simdjson's types in it.
//
// A value of the wrong JSON form is a SerializationException at once, with the service's words. A
// value of the right form and a wrong meaning is kept as `problem()` of what was read; see
// AttributeValue. Source of the texts: recorded answers of the service, as published in dynalite's
// test-suite.
namespace virga {

Result<void> read_attribute_value(simdjson::ondemand::value in, AttributeValue& out);
Result<void> read_item(simdjson::ondemand::value in, Item& out);

void write_json(JsonWriter& writer, ValueView value);
void write_json(JsonWriter& writer, ItemView item);
inline void write_json(JsonWriter& writer, const AttributeValue& value) {
  write_json(writer, value.view());
}
inline void write_json(JsonWriter& writer, const Item& item) {
  write_json(writer, item.view());
}

}  // namespace virga
