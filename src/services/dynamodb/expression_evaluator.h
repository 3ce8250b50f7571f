#pragma once

#include <compare>
#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "aws/attribute_value.h"
#include "services/dynamodb/expression.h"

// Evaluates parsed expressions on TLV items. Pure functions; depth is bounded by the parser and by
// the items' nesting.
namespace virga::dynamodb {

std::optional<ValueView> find_path(ItemView item, const DocumentPath& path);

// The order of two strings, numbers or binaries of one type; nothing for other pairs.
std::optional<std::strong_ordering> compare_values(ValueView a, ValueView b);

bool matches(const Condition& condition, ItemView item);

// The item with the update's actions done, all of them on the item as it was: paths and list
// positions are those of `item`. The error is AWS's message.
std::expected<Item, std::string> apply_update(const std::vector<UpdateAction>& actions,
                                              ItemView item);

// The parts of the item that the paths name. List elements keep their order and close up.
Item project(const std::vector<DocumentPath>& paths, ItemView item);

}  // namespace virga::dynamodb
