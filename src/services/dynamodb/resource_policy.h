#pragma once

#include <string>

#include "base/error.h"
#include "services/dynamodb/table.h"

namespace virga::dynamodb {

// A resource policy as CreateTable and PutResourcePolicy take it: JSON, the grammar of policies, at
// most 20 KB.
Result<void> check_resource_policy(const std::string& policy);
// Gives the table the policy and, when it is another one, a new revision.
void set_resource_policy(const std::string& policy, Timestamp now, Table& table);

}  // namespace virga::dynamodb
