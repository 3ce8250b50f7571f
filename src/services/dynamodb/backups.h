#pragma once

#include <string_view>

#include "base/time.h"
#include "services/dynamodb/backup_store.h"
#include "services/dynamodb/errors.h"

namespace virga::dynamodb {

// The backup of an ARN in the caller's account and region.
// ValidationException, AccessDeniedException, BackupNotFoundException.
Result<Backup> backup_of_arn(const storage::View& view, const RequestContext& ctx,
                             std::string_view arn);

// Point-in-time recovery of a table: since when, and up to when, as clients see it (whole seconds).
struct RecoveryWindow {
  Timestamp earliest, latest;
};
RecoveryWindow recovery_window(const Table& table, Timestamp now, int64_t lifecycle_delay_ms);

// Errors of backups and restores, which have their own words for tables. Texts as recorded from the
// service.
namespace errors {

inline AwsError backup_error(std::string_view code, std::string message) {
  return AwsError{.code = std::string(code), .http_status = 400, .message = std::move(message)};
}
inline AwsError backup_not_found(std::string_view arn) {
  return backup_error("BackupNotFoundException", "Backup not found: " + std::string(arn));
}
inline AwsError system_backup(std::string_view arn, Timestamp expires) {
  return validation("User is not allowed to delete the system backup with arn " + std::string(arn) +
                    ". It will automatically expire on " + format_iso8601(expires));
}
inline AwsError backup_table_not_found(std::string_view name) {
  return backup_error("TableNotFoundException", "Table not found: " + std::string(name));
}
inline AwsError restore_table_exists(std::string_view name) {
  return backup_error("TableAlreadyExistsException", "Table already exists: " + std::string(name));
}
inline AwsError recovery_not_enabled(std::string_view name) {
  return backup_error(
      "PointInTimeRecoveryUnavailableException",
      "Point in time recovery is not enabled for table '" + std::string(name) + "'");
}

}  // namespace errors
}  // namespace virga::dynamodb
