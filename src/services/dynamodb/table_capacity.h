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
// What is new is told in other words than what changes.
enum class CapacityCall { create, update };
// The maximums once OnDemandThroughput is applied: members that it lacks stay, -1 takes one away
// from what exists. `index`: empty for the table's own. It goes with on-demand tables only.
Result<RequestLimits> change_request_limits(const api::OnDemandThroughput& wanted,
                                            const std::string& index, CapacityCall call,
                                            bool on_demand, RequestLimits current);
// Warm throughput never shrinks. `of`: "table", or "index NAME".
Result<void> change_warm_throughput(const api::WarmThroughput& wanted, const std::string& of,
                                    CapacityCall call, bool on_demand, UnitsPerSecond current,
                                    UnitsPerSecond& out);
// LimitExceededException past the largest provisioned throughput of a table.
Result<void> check_throughput_quota(const api::ProvisionedThroughput& wanted,
                                    const std::string& region);
// What is warm when nothing was asked for. Source: DynamoDB Developer Guide, "Understanding
// DynamoDB warm throughput".
UnitsPerSecond warm_throughput(UnitsPerSecond asked, bool on_demand, const Throughput& provisioned);

// BillingMode, ProvisionedThroughput, OnDemandThroughput, WarmThroughput of the table.
Result<void> change_capacity(const api::UpdateTableInput& input, Timestamp now, Table& table);
// GlobalSecondaryIndexUpdates' Update.
Result<void> change_index_capacity(const api::UpdateGlobalSecondaryIndexAction& update,
                                   bool on_demand, Timestamp now, Index& index);

}  // namespace virga::dynamodb
