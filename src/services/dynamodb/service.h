#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "api/dynamodb/handlers.h"
#include "async/clock.h"
#include "async/offload.h"
#include "async/wait.h"
#include "aws/context.h"
#include "services/dynamodb/item_writer.h"
#include "services/dynamodb/table_store.h"
#include "storage/shard.h"

namespace virga::aws {
struct ServiceBinding;
class Door;
}  // namespace virga::aws
namespace virga::platform {
class LogWriter;
}

namespace virga::dynamodb {

namespace api {
struct BatchStatementRequest;
}
namespace partiql {
struct Statement;
}
struct StatementOutcome;
struct Transfer;

// Kind of timers, on disk: a backup's expiry, by its ARN.
inline constexpr const char* kBackupTimer = "dynamodb.backup";
// Of the end of an export's or import's record, by its ARN.
inline constexpr const char* kTransferTimer = "dynamodb.transfer";

struct ServiceOptions {
  // AWS's windows in which a table is CREATING, UPDATING or DELETING; 0: the answer shows them and
  // the next request finds the final state.
  int64_t lifecycle_delay_ms = 0;
};

// DynamoDB. Owned by the composition root. Handlers of operations on items run on any loop, all
// others on the first one; writes are evaluated on the shard's owner loop. Tables are in `tables_`,
// everything about writing an item in `writer_`.
class Service final : public api::Handlers {
 public:
  // Registers its kinds of timers: before `timers` are started.
  Service(storage::Shard& shard, async::Env& env, platform::DurableTimers& timers,
          platform::StreamWakeups& wakeups, ServiceOptions options);
  ~Service();

  // Begins and ends the deletion of expired items; on the shard's owner loop. Without it they stay.
  void start();
  Task<void> stop();
  // The way to S3, for exports and imports, where errors of imports are logged, and who encodes and
  // decodes their items. Without it these are not implemented.
  void set_door(aws::Door& door, platform::LogWriter& logs, async::Pool& pool) {
    door_ = &door;
    logs_ = &logs;
    pool_ = &pool;
  }
  // Goes on with exports and imports that an earlier server left behind; once S3 is there.
  void resume_transfers();

  Task<api::CreateTableOutput> create_table(Ctx ctx, api::CreateTableInput input) override;
  Task<api::DescribeTableOutput> describe_table(Ctx ctx, api::DescribeTableInput input) override;
  Task<api::ListTablesOutput> list_tables(Ctx ctx, api::ListTablesInput input) override;
  Task<api::UpdateTableOutput> update_table(Ctx ctx, api::UpdateTableInput input) override;
  Task<api::DeleteTableOutput> delete_table(Ctx ctx, api::DeleteTableInput input) override;

  Task<api::PutItemOutput> put_item(Ctx ctx, api::PutItemInput input) override;
  Task<api::GetItemOutput> get_item(Ctx ctx, api::GetItemInput input) override;
  Task<api::UpdateItemOutput> update_item(Ctx ctx, api::UpdateItemInput input) override;
  Task<api::DeleteItemOutput> delete_item(Ctx ctx, api::DeleteItemInput input) override;
  Task<api::QueryOutput> query(Ctx ctx, api::QueryInput input) override;
  Task<api::ScanOutput> scan(Ctx ctx, api::ScanInput input) override;
  Task<api::BatchGetItemOutput> batch_get_item(Ctx ctx, api::BatchGetItemInput input) override;
  Task<api::BatchWriteItemOutput> batch_write_item(Ctx ctx,
                                                   api::BatchWriteItemInput input) override;
  Task<api::TransactGetItemsOutput> transact_get_items(Ctx ctx,
                                                       api::TransactGetItemsInput input) override;
  Task<api::TransactWriteItemsOutput> transact_write_items(
      Ctx ctx, api::TransactWriteItemsInput input) override;

  Task<api::ExecuteStatementOutput> execute_statement(Ctx ctx,
                                                      api::ExecuteStatementInput input) override;
  Task<api::BatchExecuteStatementOutput> batch_execute_statement(
      Ctx ctx, api::BatchExecuteStatementInput input) override;
  Task<api::ExecuteTransactionOutput> execute_transaction(
      Ctx ctx, api::ExecuteTransactionInput input) override;

  Task<api::TagResourceOutput> tag_resource(Ctx ctx, api::TagResourceInput input) override;
  Task<api::UntagResourceOutput> untag_resource(Ctx ctx, api::UntagResourceInput input) override;
  Task<api::ListTagsOfResourceOutput> list_tags_of_resource(
      Ctx ctx, api::ListTagsOfResourceInput input) override;
  Task<api::PutResourcePolicyOutput> put_resource_policy(
      Ctx ctx, api::PutResourcePolicyInput input) override;
  Task<api::GetResourcePolicyOutput> get_resource_policy(
      Ctx ctx, api::GetResourcePolicyInput input) override;
  Task<api::DeleteResourcePolicyOutput> delete_resource_policy(
      Ctx ctx, api::DeleteResourcePolicyInput input) override;
  Task<api::DescribeContributorInsightsOutput> describe_contributor_insights(
      Ctx ctx, api::DescribeContributorInsightsInput input) override;
  Task<api::ListContributorInsightsOutput> list_contributor_insights(
      Ctx ctx, api::ListContributorInsightsInput input) override;
  Task<api::DescribeKinesisStreamingDestinationOutput> describe_kinesis_streaming_destination(
      Ctx ctx, api::DescribeKinesisStreamingDestinationInput input) override;
  Task<api::ListGlobalTablesOutput> list_global_tables(Ctx ctx,
                                                       api::ListGlobalTablesInput input) override;
  Task<api::DescribeGlobalTableOutput> describe_global_table(
      Ctx ctx, api::DescribeGlobalTableInput input) override;
  Task<api::DescribeGlobalTableSettingsOutput> describe_global_table_settings(
      Ctx ctx, api::DescribeGlobalTableSettingsInput input) override;
  Task<api::DescribeTimeToLiveOutput> describe_time_to_live(
      Ctx ctx, api::DescribeTimeToLiveInput input) override;
  Task<api::UpdateTimeToLiveOutput> update_time_to_live(Ctx ctx,
                                                        api::UpdateTimeToLiveInput input) override;
  Task<api::DescribeContinuousBackupsOutput> describe_continuous_backups(
      Ctx ctx, api::DescribeContinuousBackupsInput input) override;
  Task<api::UpdateContinuousBackupsOutput> update_continuous_backups(
      Ctx ctx, api::UpdateContinuousBackupsInput input) override;
  Task<api::CreateBackupOutput> create_backup(Ctx ctx, api::CreateBackupInput input) override;
  Task<api::DescribeBackupOutput> describe_backup(Ctx ctx, api::DescribeBackupInput input) override;
  Task<api::ListBackupsOutput> list_backups(Ctx ctx, api::ListBackupsInput input) override;
  Task<api::DeleteBackupOutput> delete_backup(Ctx ctx, api::DeleteBackupInput input) override;
  Task<api::RestoreTableFromBackupOutput> restore_table_from_backup(
      Ctx ctx, api::RestoreTableFromBackupInput input) override;
  Task<api::RestoreTableToPointInTimeOutput> restore_table_to_point_in_time(
      Ctx ctx, api::RestoreTableToPointInTimeInput input) override;
  Task<api::ExportTableToPointInTimeOutput> export_table_to_point_in_time(
      Ctx ctx, api::ExportTableToPointInTimeInput input) override;
  Task<api::DescribeExportOutput> describe_export(Ctx ctx, api::DescribeExportInput input) override;
  Task<api::ListExportsOutput> list_exports(Ctx ctx, api::ListExportsInput input) override;
  Task<api::ImportTableOutput> import_table(Ctx ctx, api::ImportTableInput input) override;
  Task<api::DescribeImportOutput> describe_import(Ctx ctx, api::DescribeImportInput input) override;
  Task<api::ListImportsOutput> list_imports(Ctx ctx, api::ListImportsInput input) override;
  Task<api::DescribeEndpointsOutput> describe_endpoints(Ctx ctx,
                                                        api::DescribeEndpointsInput input) override;
  Task<api::DescribeLimitsOutput> describe_limits(Ctx ctx, api::DescribeLimitsInput input) override;

 private:
  // The table of a data operation: `name` may be an ARN. ResourceNotFoundException unless its items
  // can be used.
  Result<TableRef> data_table(const RequestContext& ctx, const std::string& name);
  // The table of a control operation; errors name it.
  Result<TableRef> control_table(const RequestContext& ctx, const std::string& name);
  Result<TableRef> table_of_arn(const RequestContext& ctx, const std::string& arn);
  // A table as CreateTable is asked for it, without ids. create_table.cc
  Result<std::shared_ptr<Table>> new_table(const RequestContext& ctx,
                                           const api::CreateTableInput& input);
  // The description that the name still has (of a deleted table, or none). ResourceInUseException.
  Result<TableRef> free_name(storage::Txn& txn, const Table& table, Timestamp now);
  void give_ids(storage::Txn& txn, Table& table);
  // Puts it, with its ids, in the place of `existing`.
  void put_new_table(storage::Txn& txn, const TableRef& existing, const Table& table);
  // One item's write in a transaction of its own.
  Task<PreparedWrite> write_item(Ctx ctx, ItemWrite write);
  Task<std::vector<PreparedWrite>> write_items(Ctx ctx, const std::vector<ItemWrite>* writes);
  // The table once all its indexes are complete.
  Task<TableRef> build_indexes(Ctx ctx, TableRef table);
  Task<TableRef> build_expiries(Ctx ctx, TableRef table);
  Task<void> expire_items();
  Result<void> expire_item(storage::Txn& txn, const ExpiryIndex::Entry& entry, int64_t now_micros);
  // PartiQL.
  Task<api::ExecuteStatementOutput> select_items(Ctx ctx, partiql::Statement statement,
                                                 api::ExecuteStatementInput input);
  Task<StatementOutcome> run_batched(Ctx ctx, partiql::Statement statement,
                                     const api::BatchStatementRequest* request);
  Task<api::ExecuteTransactionOutput> read_transaction(Ctx ctx,
                                                       std::vector<partiql::Statement> statements,
                                                       api::ExecuteTransactionInput input);
  Task<api::ExecuteTransactionOutput> write_transaction(Ctx ctx,
                                                        std::vector<partiql::Statement> statements,
                                                        api::ExecuteTransactionInput input,
                                                        std::string print);
  // A SELECT that names one item by its whole key; `bytes`: the item's, also when the rest of its
  // condition fails.
  Result<std::optional<Item>> read_by_key(const storage::View& view,
                                          const partiql::Statement& statement, const Table& table,
                                          std::string_view operation, size_t& bytes);
  // Backups. `items_id` is what is copied as `view` has it; `undo_after`: then back to that moment
  // of `source`.
  struct Restore {
    std::shared_ptr<const storage::View> view;  // shared with nobody: it may only not be copied
    uint64_t items_id = 0;
    std::shared_ptr<Table> table;  // the new one; gets its ids
    TableRef source;
    std::optional<Timestamp> undo_after;
  };
  Task<void> build_restored(Ctx ctx, Restore restore);
  Task<void> fill_restored(const Restore* restore, storage::Generation generation);
  Result<TableRef> backup_source(const RequestContext& ctx, const std::string& name);
  Task<uint64_t> reserve_objects(Ctx ctx, size_t count, storage::Generation generation);
  Task<void> drop_objects(uint64_t first, size_t count, storage::Generation generation);
  void keep_deleted(storage::Txn& txn, const TableRef& table, ObjectStats::Count count,
                    Timestamp now);
  Result<void> expire_backup(storage::Txn& txn, std::string_view arn);
  Task<void> drop_unfinished_copies();
  // Exports and imports. Their jobs run in the background, on the owner loop.
  struct Export;
  struct Import;
  Result<TableRef> export_source(const RequestContext& ctx, const std::string& arn);
  Task<void> run_export(Transfer job, TableRef table, std::shared_ptr<const storage::View> view);
  Task<void> open_export(Export* work);
  Task<void> write_export(Export* work);
  Task<void> finish_export(Export* work);
  Task<void> run_import(Transfer job, TableRef table);
  Task<void> import_objects(Import* work);
  Task<void> import_object(Import* work, std::string key);
  Task<void> empty_table(Import* work);
  Task<void> write_batch(Import* work);
  Task<void> note_import_error(Import* work, AwsError error);
  Task<void> log_import_errors(Import* work);
  Task<void> finish_import(Import* work);
  Task<void> resume_all();
  Task<void> store_ended(const Transfer* job, storage::Generation generation);
  void keep_ended(storage::Txn& txn, const Transfer& job);
  Result<void> forget_transfer(storage::Txn& txn, std::string_view arn);
  // A description with current counts; `ctx` waits for what they depend on.
  Task<api::DescribeTableOutput> described(Ctx ctx, TableRef table);
  // Reads a table, changes a copy, writes it: `change` may refuse.
  Task<TableRef> change_table(Ctx ctx, TableRef known,
                              std::function<Result<void>(Table&, storage::Txn&)> change);

  storage::Shard& shard_;
  async::Env& env_;
  platform::DurableTimers& timers_;
  ServiceOptions options_;
  TableStore tables_;
  ChangeFeed changes_;
  ItemWriter writer_;
  async::TaskScope background_;
  std::shared_ptr<bool> alive_ =
      std::make_shared<bool>(true);  // ours alone; watched by the clock's listener
  aws::Door* door_ = nullptr;
  platform::LogWriter* logs_ = nullptr;
  async::Pool* pool_ = nullptr;
};

// The operations on items: they read snapshots on the loop that calls, and write in transactions of
// the shard. All others keep to the first loop.
std::span<const std::string_view> operations_of_any_loop();

// Joins the service to its model, with notes on what is partial.
aws::ServiceBinding make_binding(Service& service);

}  // namespace virga::dynamodb
