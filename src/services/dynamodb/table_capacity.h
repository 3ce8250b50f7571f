#pragma once

#include <string>
#include <vector>

#include "api/dynamodb/shapes/on_demand_throughput.h"
#include "api/dynamodb/shapes/warm_throughput.h"
#include "api/dynamodb/update_table.h"
#include "base/error.h"
#include "services/dynamodb/table.h"

// What a table and its global indexes are provisioned for, and UpdateTable's changes of it.
namespace virga::dynamodb {

// Errors of the capacity parameters of a new index. `on_demand`: the table's billing mode once the
// request is done.
Result<void> check_index_capacity(const std::string& index, bool on_demand,
                                  const Box<api::ProvisionedThroughput>& throughput);
// OnDemandThroughput goes with on-demand tables only.
Result<RequestLimits> read_request_limits(bool on_demand, const api::OnDemandThroughput& limits);
// Warm throughput never shrinks. `of`: "table", or "index NAME".
Result<void> change_warm_throughput(const api::WarmThroughput& wanted, const std::string& of,
                                    UnitsPerSecond current, UnitsPerSecond& out);
// What is warm when nothing was asked for. Source: DynamoDB Developer Guide, "Understanding
// DynamoDB warm throughput".
UnitsPerSecond warm_throughput(UnitsPerSecond asked, bool on_demand, const Throughput& provisioned);

// BillingMode, ProvisionedThroughput, OnDemandThroughput, WarmThroughput of the table.
Result<void> change_capacity(const api::UpdateTableInput& input, Timestamp now, Table& table);
// GlobalSecondaryIndexUpdates' Update.
Result<void> change_index_capacity(const api::UpdateGlobalSecondaryIndexAction& update,
                                   bool on_demand, Timestamp now, Index& index);

}  // namespace virga::dynamodb
