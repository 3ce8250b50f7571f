#include "api/dynamodb/create_backup.h"
#include "api/dynamodb/delete_backup.h"
#include "api/dynamodb/delete_item.h"
#include "api/dynamodb/delete_table.h"
#include "api/dynamodb/describe_backup.h"
#include "api/dynamodb/describe_continuous_backups.h"
#include "api/dynamodb/describe_table.h"
#include "api/dynamodb/list_backups.h"
#include "api/dynamodb/query.h"
#include "api/dynamodb/restore_table_from_backup.h"
#include "api/dynamodb/restore_table_to_point_in_time.h"
#include "api/dynamodb/scan.h"
#include "api/dynamodb/update_continuous_backups.h"
#include "services/dynamodb/backup_store.h"
#include "services/dynamodb/fixture.h"
#include "services/dynamodb/item_key.h"

namespace virga::dynamodb {
namespace {

struct Backed : Dynamo {
  Backed() {
    auto input = table_input("notes");
    add_attribute(input, "g", "S");
    add_global_index(input, "by-g", "g");
    create(std::move(input));
  }
  void set(const std::string& id, const std::string& g) {
    ASSERT_TRUE(put("notes", R"({"id":{"S":")" + id + R"("},"g":{"S":")" + g + R"("}})"));
  }
  void erase(const std::string& id) {
    api::DeleteItemInput input;
    input.table_name = "notes";
    input.key = test_item(R"({"id":{"S":")" + id + R"("}})");
    ASSERT_TRUE(call(&Service::delete_item, std::move(input)));
  }
  void recovery(bool enabled) {
    api::UpdateContinuousBackupsInput input;
    input.table_name = "notes";
    input.point_in_time_recovery_specification.point_in_time_recovery_enabled = enabled;
    const auto done = call(&Service::update_continuous_backups, input);
    ASSERT_TRUE(done.has_value()) << done.error().message;
  }
  std::string backup() {
    api::CreateBackupInput input;
    input.table_name = "notes";
    input.backup_name = "of-notes";
    const auto made = call(&Service::create_backup, input);
    EXPECT_TRUE(made.has_value()) << (made ? "" : made.error().message);
    return made ? made->backup_details->backup_arn : "";
  }
  Result<api::RestoreTableFromBackupOutput> restore(const std::string& arn,
                                                    const std::string& name) {
    api::RestoreTableFromBackupInput input;
    input.backup_arn = arn;
    input.target_table_name = name;
    return call(&Service::restore_table_from_backup, std::move(input));
  }
  Result<api::RestoreTableToPointInTimeOutput> restore_to(std::optional<Timestamp> at,
                                                          const std::string& name) {
    api::RestoreTableToPointInTimeInput input;
    input.source_table_name = "notes";
    input.target_table_name = name;
    if (at) input.restore_date_time = *at;
    if (!at) input.use_latest_restorable_time = true;
    return call(&Service::restore_table_to_point_in_time, std::move(input));
  }
  // "id=g" of all items, sorted; through the index if asked.
  std::vector<std::string> content(const std::string& table, const std::string& index = "") {
    api::ScanInput input;
    input.table_name = table;
    if (!index.empty()) input.index_name = index;
    const auto got = call(&Service::scan, std::move(input));
    std::vector<std::string> out;
    EXPECT_TRUE(got.has_value()) << (got ? "" : got.error().message);
    if (!got) return out;
    for (const auto& item : *got->items) {
      out.push_back(std::string(item.find("id")->payload()) + "=" +
                    std::string(item.find("g")->payload()));
    }
    std::sort(out.begin(), out.end());
    return out;
  }
  size_t listed(const std::string& type) {
    api::ListBackupsInput input;
    input.backup_type = type;
    return call(&Service::list_backups, std::move(input))->backup_summaries->size();
  }
  Timestamp now() { return shard().fake_env().env().cloud.now().at; }
};

using V = std::vector<std::string>;

TEST(Backups, keep_the_table_as_it_was) {
  Backed db;
  for (int i = 0; i < 700; ++i) db.set("k" + std::to_string(i), "x");
  const std::string arn = db.backup();
  db.set("k1", "changed");
  db.erase("k2");
  ASSERT_TRUE(db.restore(arn, "copy"));
  EXPECT_EQ(db.content("copy").size(), 700u);
  EXPECT_EQ(db.content("copy", "by-g").size(), 700u);
  EXPECT_THAT(db.content("copy"), testing::Contains("k1=x"));
  EXPECT_ERROR(db.restore(arn, "copy"), "TableAlreadyExistsException",
               "Table already exists: copy");
  api::DescribeTableInput describe;
  describe.table_name = "copy";
  EXPECT_EQ(*db.call(&Service::describe_table, describe)->table->item_count, 700);

  api::DeleteTableInput input;
  input.table_name = "notes";
  ASSERT_TRUE(db.call(&Service::delete_table, input));
  db.restart();
  ASSERT_TRUE(db.restore(arn, "again"));
  EXPECT_EQ(db.content("again").size(), 700u);
  api::DeleteBackupInput gone;
  gone.backup_arn = arn;
  EXPECT_EQ(
      db.call(&Service::delete_backup, gone)->backup_description->backup_details->backup_status,
      "DELETED");
  EXPECT_ERROR(db.call(&Service::delete_backup, gone), "BackupNotFoundException",
               "Backup not found: " + arn);
  EXPECT_ERROR(db.restore(arn, "third"), "BackupNotFoundException", "");
}

TEST(Backups, of_a_server_that_ended_meanwhile_leave_nothing) {
  Backed db;
  db.set("k", "x");
  // A copy that was begun and not finished, as a crash leaves it.
  const std::string prefix = items_prefix(4711);
  ASSERT_TRUE(db.shard().transact([&](storage::Txn& txn) -> Result<bool> {
    mark_unfinished(txn, 4711);
    txn.put(prefix + "left", "over");
    return true;
  }));
  db.restart();
  db.start_background();
  EXPECT_FALSE(db.shard()->get(prefix + "left")->has_value());
  EXPECT_EQ(db.content("notes"), V{"k=x"});
}

TEST(PointInTime, goes_back_to_any_moment_since_it_was_enabled) {
  Backed db;
  EXPECT_ERROR(db.restore_to(std::nullopt, "copy"), "PointInTimeRecoveryUnavailableException",
               "Point in time recovery is not enabled for table 'notes'");
  db.set("before", "1");
  db.recovery(true);
  db.advance_millis(10'000);
  db.set("a", "1");
  db.set("b", "1");
  db.advance_millis(10'000);
  const Timestamp first = db.now();
  db.advance_millis(10'000);
  db.set("a", "2");
  db.set("c", "1");
  db.advance_millis(10'000);
  const Timestamp second = db.now();
  db.advance_millis(10'000);
  db.set("a", "3");
  db.set("a", "4");
  db.erase("b");
  db.erase("before");
  db.restart();
  ASSERT_TRUE(db.restore_to(first, "first"));
  EXPECT_EQ(db.content("first"), (V{"a=1", "b=1", "before=1"}));
  EXPECT_EQ(db.content("first", "by-g"), (V{"a=1", "b=1", "before=1"}));
  ASSERT_TRUE(db.restore_to(second, "second"));
  EXPECT_EQ(db.content("second"), (V{"a=2", "b=1", "before=1", "c=1"}));
  ASSERT_TRUE(db.restore_to(std::nullopt, "latest"));
  EXPECT_EQ(db.content("latest"), (V{"a=4", "c=1"}));
  EXPECT_ERROR(db.restore_to(Timestamp{first.micros - 3600 * 1'000'000LL}, "x"),
               "InvalidRestoreTimeException", "must be within");
  EXPECT_ERROR(db.restore_to(Timestamp{db.now().micros + 3600 * 1'000'000LL}, "x"),
               "InvalidRestoreTimeException", "must be within");
  EXPECT_ERROR(db.restore_to(first, "notes"), "TableAlreadyExistsException", "");
}

TEST(PointInTime, describes_its_window) {
  Backed db;
  api::DescribeContinuousBackupsInput input;
  input.table_name = "nowhere";
  EXPECT_ERROR(db.call(&Service::describe_continuous_backups, input), "TableNotFoundException",
               "Table not found: nowhere");
  input.table_name = "notes";
  auto got = db.call(&Service::describe_continuous_backups, input)->continuous_backups_description;
  EXPECT_EQ(got->continuous_backups_status, "ENABLED");
  EXPECT_EQ(*got->point_in_time_recovery_description->point_in_time_recovery_status, "DISABLED");
  db.recovery(true);
  db.advance_millis(40LL * 86'400'000);
  got = db.call(&Service::describe_continuous_backups, input)->continuous_backups_description;
  const auto& recovery = *got->point_in_time_recovery_description;
  EXPECT_EQ(*recovery.recovery_period_in_days, 35);
  EXPECT_EQ(recovery.latest_restorable_date_time->seconds() -
                recovery.earliest_restorable_date_time->seconds(),
            35 * 86'400);
}

TEST(PointInTime, leaves_a_backup_of_a_deleted_table_for_35_days) {
  Backed db;
  db.start_background();
  db.recovery(true);
  db.set("a", "1");
  api::DeleteTableInput input;
  input.table_name = "notes";
  ASSERT_TRUE(db.call(&Service::delete_table, input));
  EXPECT_EQ(db.listed("USER"), 0u);
  ASSERT_EQ(db.listed("SYSTEM"), 1u);
  api::ListBackupsInput list;
  list.backup_type = "ALL";
  const auto summary = db.call(&Service::list_backups, list)->backup_summaries->at(0);
  EXPECT_EQ(*summary.backup_name, "notes$DeletedTableBackup");
  EXPECT_TRUE(summary.backup_arn->ends_with("-00000000"));
  api::DeleteBackupInput erase;
  erase.backup_arn = *summary.backup_arn;
  EXPECT_ERROR(db.call(&Service::delete_backup, erase), "ValidationException",
               "User is not allowed to delete the system backup");
  ASSERT_TRUE(db.restore(*summary.backup_arn, "back"));
  EXPECT_EQ(db.content("back"), V{"a=1"});
  db.advance_millis(36LL * 86'400'000);
  db.settle();
  EXPECT_EQ(db.listed("ALL"), 0u);
}

}  // namespace
}  // namespace virga::dynamodb
