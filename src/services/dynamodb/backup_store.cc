#include "services/dynamodb/backup_store.h"

#include <algorithm>
#include <vector>

#include "base/json.h"
#include "base/strings.h"
#include "services/dynamodb/item_key.h"
#include "storage/keys.h"

namespace virga::dynamodb {
namespace {

using storage::Key;
using storage::KeyReader;
using storage::Space;

constexpr int kFormat = 1;

Key backups_prefix(std::string_view account, std::string_view region) {
  return Key(Space::platform).text("dynamodb-backup").account(account).region(region);
}
std::string backup_key(std::string_view account, std::string_view region, std::string_view table,
                       std::string_view id) {
  return backups_prefix(account, region).text(table).text(id).str();
}
Key unfinished_prefix() {
  return Key(Space::platform).text("dynamodb-unfinished");
}

int64_t int_at(const Document& d, std::string_view key) {
  const Document* m = d.find(key);
  return m && m->is_int() ? m->as_int() : 0;
}

Result<Backup> read_backup(std::string_view bytes, std::string_view account,
                           std::string_view region, std::string table, std::string id) {
  VIRGA_TRY(d, parse_json(bytes));
  if (int_at(d, "format") != kFormat)
    return fail(internal_failure("a backup's description is damaged"));
  Backup out{std::string(account), std::string(region), std::move(table), std::move(id)};
  out.name = d.string_or("name", "");
  out.system = d.find("system") != nullptr;
  out.created = {int_at(d, "created")};
  if (d.find("expires")) out.expires = Timestamp{int_at(d, "expires")};
  out.items_id = static_cast<uint64_t>(int_at(d, "items_id"));
  out.items = int_at(d, "items");
  out.bytes = int_at(d, "bytes");
  VIRGA_TRY(described, decode_table(d.string_or("table", ""), account, region, 0));
  out.table = std::move(described);
  return out;
}

void erase_object(storage::Txn& txn, uint64_t object_id) {
  for (const std::string& prefix : {items_prefix(object_id), index_prefix(object_id)}) {
    txn.erase_range(prefix, storage::prefix_end(prefix));
  }
}

}  // namespace

std::string Backup::arn() const {
  std::string out = "arn:";
  out.append(partition_of(region)).append(":dynamodb:").append(region).append(":").append(account);
  out.append(":table/").append(table_name).append("/backup/").append(id);
  return out;
}

std::optional<BackupAddress> parse_backup_arn(std::string_view arn) {
  const auto parts = split(arn, ':');
  if (parts.size() != 6 || parts[0] != "arn" || parts[2] != "dynamodb") return std::nullopt;
  const auto names = split(parts[5], '/');
  if (names.size() != 4 || names[0] != "table" || names[1].empty() || names[2] != "backup" ||
      names[3].empty()) {
    return std::nullopt;
  }
  return BackupAddress{std::string(parts[1]), std::string(parts[4]), std::string(parts[3]),
                       std::string(names[1]), std::string(names[3])};
}

std::string new_backup_id(Timestamp now, uint64_t chance, bool system) {
  std::string millis = std::to_string(now.millis());
  if (millis.size() < 14) millis.insert(0, 14 - millis.size(), '0');
  std::string tail(4, '\0');
  for (char& c : tail) {
    c = system ? '\0' : static_cast<char>(chance);
    chance >>= 8;
  }
  return millis + "-" + to_hex(tail);
}

Result<std::optional<Backup>> find_backup(const storage::View& view, const BackupAddress& a) {
  VIRGA_TRY(bytes, view.get(backup_key(a.account, a.region, a.table_name, a.id)));
  if (!bytes) return std::optional<Backup>();
  VIRGA_TRY(backup, read_backup(*bytes, a.account, a.region, a.table_name, a.id));
  return std::optional<Backup>(std::move(backup));
}

void put_backup(storage::Txn& txn, const Backup& backup) {
  Document d = Document::object();
  d.set("format", kFormat);
  d.set("name", backup.name);
  if (backup.system) d.set("system", true);
  d.set("created", backup.created.micros);
  if (backup.expires) d.set("expires", backup.expires->micros);
  d.set("items_id", static_cast<int64_t>(backup.items_id));
  d.set("items", backup.items);
  d.set("bytes", backup.bytes);
  d.set("table", encode_table(*backup.table));
  txn.put(backup_key(backup.account, backup.region, backup.table_name, backup.id), to_json(d));
}

void erase_backup(storage::Txn& txn, const Backup& backup) {
  txn.erase(backup_key(backup.account, backup.region, backup.table_name, backup.id));
  erase_object(txn, backup.items_id);
  txn.allow_in_low_space();
}

Result<void> list_backups_of(const storage::View& view, std::string_view account,
                             std::string_view region, std::string_view table,
                             const BackupAddress* after,
                             const std::function<bool(const Backup&)>& visit) {
  Key prefix = backups_prefix(account, region);
  const size_t named = prefix.str().size();
  if (!table.empty()) prefix.text(table);
  std::string begin = prefix.str();
  if (after)
    begin = std::max(begin, backup_key(account, region, after->table_name, after->id) + '\0');
  Result<void> read;
  VIRGA_TRY_VOID(view.scan(begin, prefix.range_end(), storage::Direction::forward,
                           [&](std::string_view key, std::string_view bytes) {
                             KeyReader reader(key.substr(named));
                             std::string name = reader.text();
                             std::string id = reader.text();
                             auto backup = read_backup(bytes, account, region, std::move(name),
                                                       std::move(id));
                             if (!backup) {
                               read = fail(std::move(backup.error()));
                               return false;
                             }
                             return visit(*backup);
                           }));
  return read;
}

void mark_unfinished(storage::Txn& txn, uint64_t object_id) {
  txn.put(unfinished_prefix().u64(object_id), "");
}
void clear_unfinished(storage::Txn& txn, uint64_t object_id) {
  txn.erase(unfinished_prefix().u64(object_id));
}

Result<void> drop_unfinished(storage::Txn& txn) {
  const Key prefix = unfinished_prefix();
  std::vector<uint64_t> ids;
  VIRGA_TRY_VOID(txn.scan(prefix.str(), prefix.range_end(), storage::Direction::forward,
                          [&](std::string_view key, std::string_view) {
                            ids.push_back(KeyReader(key.substr(prefix.str().size())).u64());
                            return true;
                          }));
  for (const uint64_t id : ids) drop_unfinished_object(txn, id);
  return {};
}
void drop_unfinished_object(storage::Txn& txn, uint64_t object_id) {
  erase_object(txn, object_id);
  clear_unfinished(txn, object_id);
  txn.allow_in_low_space();
}

}  // namespace virga::dynamodb
