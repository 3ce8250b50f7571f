#include "services/dynamodb/service.h"

#include "base/strings.h"
#include "services/dynamodb/errors.h"
#include "services/dynamodb/request_checks.h"

namespace virga::dynamodb {
namespace {

struct TableAddress {
  std::string account, region, name;
};

// arn:PARTITION:dynamodb:REGION:ACCOUNT:table/NAME
std::optional<TableAddress> parse_table_arn(std::string_view arn) {
  std::vector<std::string> parts;
  for (int i = 0; i < 5; ++i) {
    const size_t colon = arn.find(':');
    if (colon == std::string_view::npos) return std::nullopt;
    parts.emplace_back(arn.substr(0, colon));
    arn.remove_prefix(colon + 1);
  }
  if (parts[0] != "arn" || !parts[1].starts_with("aws") || parts[2] != "dynamodb" ||
      !arn.starts_with("table/"))
    return std::nullopt;
  arn.remove_prefix(6);
  if (arn.size() < 3 || arn.find('/') != std::string_view::npos) return std::nullopt;
  return TableAddress{parts[4], parts[3], std::string(arn)};
}

Result<TableAddress> address_of(const RequestContext& ctx, const std::string& name) {
  if (name.starts_with("arn:")) {
    auto address = parse_table_arn(name);
    if (!address)
      return fail(
          errors::validation("Invalid TableArn: Invalid ResourceArn provided as input " + name));
    return std::move(*address);
  }
  VIRGA_TRY_VOID(check_table_name(name));
  return TableAddress{ctx.account, ctx.region, name};
}

}  // namespace

Service::Service(storage::Shard& shard, async::Env& env, platform::DurableTimers& timers,
                 platform::StreamWakeups& wakeups, ServiceOptions options)
    : shard_(shard),
      env_(env),
      timers_(timers),
      options_(options),
      tables_(shard),
      changes_(env, timers, wakeups),
      writer_(tables_, changes_) {
  timers_.on(kBackupTimer,
             [this](storage::Txn& txn, std::string_view arn) { return expire_backup(txn, arn); });
  timers_.on(kTransferTimer,
             [this](storage::Txn& txn, std::string_view arn) { return forget_transfer(txn, arn); });
}
Service::~Service() = default;

Result<TableRef> Service::data_table(const RequestContext& ctx, const std::string& name) {
  VIRGA_TRY(address, address_of(ctx, name));
  VIRGA_TRY(table, tables_.find(address.account, address.region, address.name));
  if (!table) return fail(errors::resource_not_found());
  if (table->transition_until) {
    const std::string status = table->status(ctx.now.at);
    if (status != "ACTIVE" && status != "UPDATING") return fail(errors::resource_not_found());
  }
  return table;
}

Result<TableRef> Service::control_table(const RequestContext& ctx, const std::string& name) {
  VIRGA_TRY(address, address_of(ctx, name));
  VIRGA_TRY(table, tables_.find(address.account, address.region, address.name));
  if (!table || table->status(ctx.now.at) == "DELETED")
    return fail(errors::table_not_found(address.name));
  return table;
}

Result<TableRef> Service::table_of_arn(const RequestContext& ctx, const std::string& arn) {
  if (!arn.starts_with("arn:"))
    return fail(errors::invalid_parameter("ARNs must start with 'arn:': " + arn));
  const auto parts = split(arn, ':');
  if (parts.size() > 2 && parts[2] != "dynamodb") {
    return fail(errors::invalid_parameter("Provided Arn is not a DynamoDB resource arn: " + arn));
  }
  if (arn.find("/index/") != std::string::npos) {
    return fail(errors::invalid_parameter(
        "Invalid resource arn provided, only table or stream is accepted. Provided resource arn: " +
        arn));
  }
  const auto address = parse_table_arn(arn);
  if (!address || address->region != ctx.region)
    return fail(
        errors::validation("Invalid TableArn: Invalid ResourceArn provided as input " + arn));
  VIRGA_TRY(table, tables_.find(address->account, address->region, address->name));
  if (!table || table->status(ctx.now.at) == "DELETED") return fail(errors::arn_not_found(arn));
  return table;
}

}  // namespace virga::dynamodb
