#pragma once

#include "services/dynamodb/expression.h"
#include "services/dynamodb/table.h"

namespace virga::dynamodb {

// What an update may not touch: the key's attributes; index keys by a path into them, or with a
// value of another type where the request shows it.
Result<void> check_update_targets(const Table& table, const ParsedUpdate& update);

}  // namespace virga::dynamodb
