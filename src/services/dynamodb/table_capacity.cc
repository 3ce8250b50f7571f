#include "services/dynamodb/table_capacity.h"

#include <algorithm>
#include <array>

#include "services/dynamodb/errors.h"

namespace virga::dynamodb {
namespace {

constexpr int64_t kMicrosPerDay = 86'400'000'000;
constexpr int64_t kMicrosPerHour = 3'600'000'000;
// Source: DynamoDB Developer Guide, "Quotas", decreasing provisioned throughput.
constexpr int64_t kFreeDecreasesPerDay = 4;
constexpr UnitsPerSecond kOnDemandWarm{12'000, 4'000};
// Source: DynamoDB Developer Guide, "Quotas", throughput default quotas.
constexpr int64_t kTableUnitsMax = 40'000;

// Wednesday, July 25, 2018 8:48:14 PM UTC
std::string long_date(Timestamp t) {
  static constexpr std::array<const char*, 7> kDays = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                                       "Thursday", "Friday", "Saturday"};
  static constexpr std::array<const char*, 12> kMonths = {
      "January", "February", "March",     "April",   "May",      "June",
      "July",    "August",   "September", "October", "November", "December"};
  const CivilTime c = to_civil(t);
  const auto two = [](int n) { return (n < 10 ? "0" : "") + std::to_string(n); };
  return std::string(kDays[static_cast<size_t>(c.weekday)]) + ", " +
         kMonths[static_cast<size_t>(c.month - 1)] + " " + std::to_string(c.day) + ", " +
         std::to_string(c.year) + " " + std::to_string((c.hour + 11) % 12 + 1) + ":" +
         two(c.minute) + ":" + two(c.second) + (c.hour < 12 ? " AM UTC" : " PM UTC");
}

Result<void> note_decrease(Timestamp now, Throughput& t) {
  const int64_t today = t.decreases_on(now);
  if (today >= kFreeDecreasesPerDay && now.micros < t.last_decrease->micros + kMicrosPerHour) {
    return fail(errors::limit_exceeded(
        "Subscriber limit exceeded: Provisioned throughput decreases are limited within a given "
        "UTC day. After the first 4 "
        "decreases, each subsequent decrease in the same UTC day can be performed at most once "
        "every 3600 seconds. Number "
        "of decreases today: " +
        std::to_string(today) + ". Last decrease at " + long_date(*t.last_decrease) +
        ". Next decrease can be made at " + long_date({t.last_decrease->micros + kMicrosPerHour})));
  }
  t.last_decrease = now;
  t.decreases_today = today + 1;
  return {};
}

// `of`: "table", or "index NAME"; `kind`: "table" or "index".
Result<void> change_throughput(const api::ProvisionedThroughput& wanted, const std::string& of,
                               const std::string& kind, Timestamp now, Throughput& t) {
  const int64_t read = wanted.read_capacity_units, write = wanted.write_capacity_units;
  if (read == t.read_units && write == t.write_units) {
    return fail(errors::validation(
        "The provisioned throughput for the " + of +
        " will not change. The requested value equals the current value. "
        "Current ReadCapacityUnits provisioned for the " +
        kind + ": " + std::to_string(t.read_units) + ". Requested ReadCapacityUnits: " +
        std::to_string(read) + ". Current WriteCapacityUnits provisioned for the " + kind + ": " +
        std::to_string(t.write_units) + ". Requested WriteCapacityUnits: " + std::to_string(write) +
        ". Refer to the Amazon DynamoDB Developer Guide for current limits and how to request "
        "higher limits."));
  }
  if (read < t.read_units || write < t.write_units) VIRGA_TRY_VOID(note_decrease(now, t));
  if (read > t.read_units || write > t.write_units) t.last_increase = now;
  t.read_units = read;
  t.write_units = write;
  return {};
}

}  // namespace

int64_t Throughput::decreases_on(Timestamp now) const {
  return last_decrease && last_decrease->micros / kMicrosPerDay == now.micros / kMicrosPerDay
             ? decreases_today
             : 0;
}

Result<void> check_index_capacity(const std::string& index, bool on_demand,
                                  const Box<api::ProvisionedThroughput>& throughput) {
  if (on_demand == !throughput) return {};
  if (on_demand) {
    return fail(errors::invalid_parameter(
        "Neither ReadCapacityUnits nor WriteCapacityUnits can be specified for index: " + index +
        " when BillingMode is PAY_PER_REQUEST"));
  }
  return fail(errors::invalid_parameter(
      "Both ReadCapacityUnits and WriteCapacityUnits must be specified for index: " + index));
}

Result<RequestLimits> change_request_limits(const api::OnDemandThroughput& wanted,
                                            const std::string& index, CapacityCall call,
                                            bool on_demand, RequestLimits current) {
  const bool creates = call == CapacityCall::create;
  const auto apply = [&](const std::string& member, const std::optional<int64_t>& units,
                         int64_t& out) -> Result<void> {
    if (!units) return {};
    if (!on_demand) {
      return fail(errors::invalid_parameter(
          member + " for OnDemandThroughput" + (index.empty() ? "" : " for index : " + index) +
          " cannot be specified when " + (creates ? "" : "the ") +
          "table BillingMode is PROVISIONED" + (creates ? "." : "")));
    }
    if (*units < 1 && (creates || *units != -1)) {
      return fail(errors::invalid_parameter("Requested " + member + " for OnDemandThroughput for " +
                                            (index.empty() ? "table" : "index : " + index) +
                                            " is outside of valid range"));
    }
    out = *units;
    return {};
  };
  VIRGA_TRY_VOID(apply("MaxReadRequestUnits", wanted.max_read_request_units, current.read));
  VIRGA_TRY_VOID(apply("MaxWriteRequestUnits", wanted.max_write_request_units, current.write));
  return current;
}

Result<void> change_warm_throughput(const api::WarmThroughput& wanted, const std::string& of,
                                    CapacityCall call, bool on_demand, UnitsPerSecond current,
                                    UnitsPerSecond& out) {
  const auto lower = [&](const std::string& member, const std::string& provisioned) {
    std::string than = "current WarmThroughput, decreasing WarmThroughput is not supported";
    if (call == CapacityCall::create && on_demand) {
      than =
          "initial throughput for OnDemand. See: "
          "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/"
          "on-demand-capacity-mode.html#on-demand-capacity-mode-initial";
    } else if (call == CapacityCall::create) {
      than = provisioned + " of ProvisionedThroughput";
    }
    return fail(errors::invalid_parameter("Requested " + member + " for WarmThroughput for " + of +
                                          " is lower than " + than));
  };
  if (wanted.read_units_per_second.value_or(current.read) < current.read)
    return lower("ReadUnitsPerSecond", "ReadCapacityUnits");
  if (wanted.write_units_per_second.value_or(current.write) < current.write)
    return lower("WriteUnitsPerSecond", "WriteCapacityUnits");
  out = {wanted.read_units_per_second.value_or(current.read),
         wanted.write_units_per_second.value_or(current.write)};
  return {};
}

Result<void> check_throughput_quota(const api::ProvisionedThroughput& wanted,
                                    const std::string& region) {
  const auto check = [&](const char* member, int64_t units) -> Result<void> {
    if (units <= kTableUnitsMax) return {};
    return fail(errors::limit_exceeded(
        "The requested " + std::string(member) + ", " + std::to_string(units) +
        ", is above the per table maximum for the account in " + region +
        ". Per table maximum: " + std::to_string(kTableUnitsMax) +
        ". Refer to the Amazon DynamoDB Developer Guide for current limits and how to request "
        "higher limits."));
  };
  VIRGA_TRY_VOID(check("ReadCapacityUnits", wanted.read_capacity_units));
  return check("WriteCapacityUnits", wanted.write_capacity_units);
}

UnitsPerSecond warm_throughput(UnitsPerSecond asked, bool on_demand,
                               const Throughput& provisioned) {
  const UnitsPerSecond least =
      on_demand ? kOnDemandWarm : UnitsPerSecond{provisioned.read_units, provisioned.write_units};
  return {std::max(asked.read, least.read), std::max(asked.write, least.write)};
}

Result<void> change_capacity(const api::UpdateTableInput& input, Timestamp now, Table& table) {
  const bool on_demand =
      input.billing_mode ? *input.billing_mode == "PAY_PER_REQUEST" : table.on_demand;
  if (on_demand && input.provisioned_throughput) {
    return fail(
        errors::invalid_parameter("Neither ReadCapacityUnits nor WriteCapacityUnits can be "
                                  "specified when BillingMode is PAY_PER_REQUEST"));
  }
  const bool changes = on_demand != table.on_demand;
  // What was warm once stays so.
  table.warm = warm_throughput(table.warm, table.on_demand, table.throughput);
  table.on_demand = on_demand;
  if (changes) table.billing_mode_given = true;
  if (changes && on_demand) {
    table.on_demand_since = now;
    table.throughput.read_units = table.throughput.write_units = 0;
    for (auto& index : table.indexes) index.throughput = {};
  }
  if (changes && !on_demand) {
    table.request_limits = {};
    for (auto& index : table.indexes) index.request_limits = {};
  }
  if (input.on_demand_throughput) {
    VIRGA_TRY(limits, change_request_limits(*input.on_demand_throughput, "", CapacityCall::update,
                                            on_demand, table.request_limits));
    table.request_limits = limits;
  }
  if (input.provisioned_throughput && changes) {
    table.throughput.read_units = input.provisioned_throughput->read_capacity_units;
    table.throughput.write_units = input.provisioned_throughput->write_capacity_units;
  } else if (input.provisioned_throughput) {
    VIRGA_TRY_VOID(
        change_throughput(*input.provisioned_throughput, "table", "table", now, table.throughput));
  }
  if (!input.warm_throughput) return {};
  return change_warm_throughput(*input.warm_throughput, "table", CapacityCall::update, on_demand,
                                warm_throughput(table.warm, on_demand, table.throughput),
                                table.warm);
}

Result<void> change_index_capacity(const api::UpdateGlobalSecondaryIndexAction& update,
                                   bool on_demand, Timestamp now, Index& index) {
  if (update.provisioned_throughput) {
    VIRGA_TRY_VOID(check_index_capacity(index.name, on_demand, update.provisioned_throughput));
    VIRGA_TRY_VOID(change_throughput(*update.provisioned_throughput, "index " + index.name, "index",
                                     now, index.throughput));
  }
  if (update.on_demand_throughput) {
    VIRGA_TRY(limits, change_request_limits(*update.on_demand_throughput, index.name,
                                            CapacityCall::update, on_demand, index.request_limits));
    index.request_limits = limits;
  }
  if (!update.warm_throughput) return {};
  return change_warm_throughput(
      *update.warm_throughput, "index " + index.name, CapacityCall::update, on_demand,
      warm_throughput(index.warm, on_demand, index.throughput), index.warm);
}

}  // namespace virga::dynamodb
