#pragma once

#include <string>
#include <string_view>

#include "aws/attribute_value.h"
#include "base/error.h"

// Items as Amazon Ion text, the form of exports and imports. Sources: Amazon Ion Specification 1.0,
// "Text Encoding"; DynamoDB Developer Guide, "DynamoDB table export output format", Amazon Ion:
// numbers are decimals, sets are lists with an annotation.
namespace virga::dynamodb {

// {Authors:$dynamodb_SS::["Author1"],Id:103.,PageCount:6d2}
void append_ion(std::string& out, ItemView item);
// A field's name: quoted when it is no plain symbol.
void append_ion_symbol(std::string& out, std::string_view name);
// A number's canonical text as a decimal: 600 is 6d2, 103 is 103.
void append_ion_decimal(std::string& out, std::string_view number);

// The item in the text `$ion_1_0 {Item:{…}}`. A SerializationException: the text is no Ion, or no
// such structure. What is Ion but cannot be an item's value is the item's problem(), in the words
// of PutItem.
Result<Item> read_ion_item(std::string_view text);

}  // namespace virga::dynamodb
