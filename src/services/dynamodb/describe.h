#pragma once

#include <map>
#include <string>
#include <string_view>

#include "api/dynamodb/shapes/table_description.h"
#include "aws/context.h"
#include "services/dynamodb/object_stats.h"
#include "services/dynamodb/table.h"

namespace virga::dynamodb {

// Items and bytes by object id (the table's and its indexes').
using ObjectCounts = std::map<uint64_t, ObjectStats::Count>;

// A TableDescription with the given status; indexes have it too while a table is created.
api::TableDescription describe_table_as(const RequestContext& ctx, const Table& table,
                                        std::string_view status, const ObjectCounts& counts);

}  // namespace virga::dynamodb
