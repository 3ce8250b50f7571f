#include <algorithm>

#include "api/dynamodb/describe_continuous_backups.h"
#include "api/dynamodb/update_continuous_backups.h"
#include "services/dynamodb/backups.h"
#include "services/dynamodb/service.h"

// Point-in-time recovery: whether a table keeps its history. Source: DynamoDB API Reference,
// UpdateContinuousBackups, DescribeContinuousBackups.
namespace virga::dynamodb {
namespace {

constexpr int32_t kRecoveryDays = 35;
constexpr int64_t kSecond = 1'000'000;
constexpr int64_t kDayMicros = 86'400 * kSecond;
// How far the service's recovery lies behind.
constexpr int64_t kLagMicros = 5 * 60 * kSecond;

int64_t floor_to_second(int64_t micros) {
  return micros - micros % kSecond;
}

api::ContinuousBackupsDescription description_of(const Table& table, Timestamp now,
                                                 int64_t lifecycle_delay_ms) {
  api::ContinuousBackupsDescription out;
  out.continuous_backups_status = "ENABLED";
  auto& recovery = out.point_in_time_recovery_description.emplace();
  recovery.point_in_time_recovery_status = table.recovery_days > 0 ? "ENABLED" : "DISABLED";
  if (table.recovery_days == 0) return out;
  const RecoveryWindow window = recovery_window(table, now, lifecycle_delay_ms);
  recovery.recovery_period_in_days = static_cast<int32_t>(table.recovery_days);
  recovery.earliest_restorable_date_time = window.earliest;
  recovery.latest_restorable_date_time = Timestamp{floor_to_second(window.latest.micros)};
  return out;
}

}  // namespace

RecoveryWindow recovery_window(const Table& table, Timestamp now, int64_t lifecycle_delay_ms) {
  const int64_t since = table.recovery_since ? table.recovery_since->micros : now.micros;
  RecoveryWindow out;
  out.earliest = {floor_to_second(std::max(since, now.micros - table.recovery_days * kDayMicros))};
  // The end of this second, so that "now" in whole seconds lies within.
  out.latest = {floor_to_second(now.micros) + kSecond - 1};
  if (lifecycle_delay_ms > 0) out.latest = {floor_to_second(now.micros - kLagMicros)};
  out.latest = std::max(out.latest, out.earliest);
  return out;
}

Task<api::DescribeContinuousBackupsOutput> Service::describe_continuous_backups(
    Ctx ctx, api::DescribeContinuousBackupsInput input) {
  const TableRef table = co_await backup_source(*ctx, input.table_name);
  api::DescribeContinuousBackupsOutput output;
  output.continuous_backups_description =
      description_of(*table, ctx->now.at, options_.lifecycle_delay_ms);
  co_return std::move(output);
}

// Continuous backups are on for every table; this decides about its history.
Task<api::UpdateContinuousBackupsOutput> Service::update_continuous_backups(
    Ctx ctx, api::UpdateContinuousBackupsInput input) {
  const api::PointInTimeRecoverySpecification wanted = input.point_in_time_recovery_specification;
  const TableRef known = co_await backup_source(*ctx, input.table_name);
  if (!wanted.point_in_time_recovery_enabled && wanted.recovery_period_in_days) {
    co_return fail(
        errors::validation("Invalid Request: Cannot specify RecoveryPeriodInDays when disabling "
                           "point-in-time recovery."));
  }
  const Timestamp now = ctx->now.at;
  const TableRef table =
      co_await change_table(ctx, known, [&](Table& changed, storage::Txn& txn) -> Result<void> {
        const bool was = changed.recovery_days > 0;
        const auto other = static_cast<int32_t>(was ? changed.recovery_days : kRecoveryDays);
        changed.recovery_days = wanted.point_in_time_recovery_enabled
                                    ? wanted.recovery_period_in_days.value_or(other)
                                    : 0;
        if (!was && changed.recovery_days > 0) changed.recovery_since = now;
        if (changed.recovery_days == 0) changed.recovery_since.reset();
        return changes_.keep_history(txn, changed, changed.recovery_days, now);
      });
  api::UpdateContinuousBackupsOutput output;
  output.continuous_backups_description = description_of(*table, now, options_.lifecycle_delay_ms);
  co_return std::move(output);
}

}  // namespace virga::dynamodb
