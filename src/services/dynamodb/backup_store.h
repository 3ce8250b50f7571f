#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "aws/context.h"
#include "base/error.h"
#include "services/dynamodb/table.h"
#include "storage/shard.h"

// Backups as stored: what the table was, and a copy of its items under an object id of their own,
// laid out as a table's items are. They live apart from their table and outlive it.
//   platform | "dynamodb-backup" | account | region | table name | id   →   JSON: name, kind,
//   times, sizes, the table platform | "dynamodb-unfinished" | object id                        →
//   empty: items being copied; a start drops them
namespace virga::dynamodb {

// Source: DynamoDB Developer Guide, "Point-in-time recovery", deleted tables.
inline constexpr int64_t kSystemBackupMicros = 35LL * 86'400 * 1'000'000;

struct Backup {
  std::string account, region, table_name, id;  // id: 14 digits of milliseconds, "-", 8 hex digits
  std::string name;
  bool system = false;  // made when a table with point-in-time recovery was deleted
  Timestamp created;
  std::optional<Timestamp> expires;
  uint64_t items_id = 0;  // object id of the items
  int64_t items = 0, bytes = 0;
  TableRef table;  // as it was

  std::string arn() const;
};

struct BackupAddress {
  std::string partition, account, region, table_name, id;
};
// arn:PARTITION:dynamodb:REGION:ACCOUNT:table/NAME/backup/ID
std::optional<BackupAddress> parse_backup_arn(std::string_view arn);

// The id of a backup made now; of the service's own ones the last part is zeros.
std::string new_backup_id(Timestamp now, uint64_t chance, bool system);

Result<std::optional<Backup>> find_backup(const storage::View& view, const BackupAddress& address);
void put_backup(storage::Txn& txn, const Backup& backup);
// With its items.
void erase_backup(storage::Txn& txn, const Backup& backup);
// By table name and time; of one table if it is named; after the position of `after` (whether or
// not that exists).
Result<void> list_backups_of(const storage::View& view, std::string_view account,
                             std::string_view region, std::string_view table,
                             const BackupAddress* after,
                             const std::function<bool(const Backup&)>& visit);

// Object ids whose items and index entries are being copied. `drop_unfinished` at a start erases
// what they hold.
void mark_unfinished(storage::Txn& txn, uint64_t object_id);
void clear_unfinished(storage::Txn& txn, uint64_t object_id);
Result<void> drop_unfinished(storage::Txn& txn);
void drop_unfinished_object(storage::Txn& txn, uint64_t object_id);

}  // namespace virga::dynamodb
