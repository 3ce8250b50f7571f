#pragma once

#include <simdjson.h>

#include "aws/attribute_value_json.h"

// DynamoDB JSON out of a document that simdjson reads. Included by codecs' .cc files only: it is
// the one header of ours with simdjson's types in it, which cost a unit a second.
namespace virga {

Result<void> read_attribute_value(simdjson::ondemand::value in, AttributeValue& out);
Result<void> read_item(simdjson::ondemand::value in, Item& out);

}  // namespace virga
