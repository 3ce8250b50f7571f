#pragma once

#include <memory>

#include "api/dynamodb/handlers.h"
#include "async/clock.h"
#include "aws/context.h"
#include "services/dynamodb/item_writer.h"
#include "services/dynamodb/table_store.h"
#include "storage/shard.h"

namespace virga::aws {
struct ServiceBinding;
}

namespace virga::dynamodb {

struct ServiceOptions {
  // AWS's windows in which a table is CREATING, UPDATING or DELETING; 0: the answer shows them and the next request finds
  // the final state.
  int64_t lifecycle_delay_ms = 0;
};

// DynamoDB. Owned by the composition root; its handlers run on any loop, writes are evaluated on the shard's owner loop.
// Tables are in `tables_`, everything about writing an item in `writer_`.
class Service final : public api::Handlers {
 public:
  Service(storage::Shard& shard, async::Env& env, ServiceOptions options);
  ~Service();

  Task<api::CreateTableOutput> create_table(Ctx ctx, api::CreateTableInput input) override;
  Task<api::DescribeTableOutput> describe_table(Ctx ctx, api::DescribeTableInput input) override;
  Task<api::ListTablesOutput> list_tables(Ctx ctx, api::ListTablesInput input) override;
  Task<api::DeleteTableOutput> delete_table(Ctx ctx, api::DeleteTableInput input) override;

  Task<api::PutItemOutput> put_item(Ctx ctx, api::PutItemInput input) override;
  Task<api::GetItemOutput> get_item(Ctx ctx, api::GetItemInput input) override;
  Task<api::UpdateItemOutput> update_item(Ctx ctx, api::UpdateItemInput input) override;
  Task<api::DeleteItemOutput> delete_item(Ctx ctx, api::DeleteItemInput input) override;


 private:
  // The table of a data operation: `name` may be an ARN. ResourceNotFoundException unless its items can be used.
  Result<TableRef> data_table(const RequestContext& ctx, const std::string& name);
  // The table of a control operation; errors name it.
  Result<TableRef> control_table(const RequestContext& ctx, const std::string& name);
  Result<TableRef> table_of_arn(const RequestContext& ctx, const std::string& arn);
  // One item's write in a transaction of its own.
  Task<PreparedWrite> write_item(Ctx ctx, ItemWrite write);
  // A description with current counts; `ctx` waits for what they depend on.
  Task<api::DescribeTableOutput> described(Ctx ctx, TableRef table);
  // Reads a table, changes a copy, writes it: `change` may refuse.
  Task<TableRef> change_table(Ctx ctx, TableRef known, std::function<Result<void>(Table&, storage::Txn&)> change);

  storage::Shard& shard_;
  async::Env& env_;
  ServiceOptions options_;
  TableStore tables_;
  ItemWriter writer_;
};

// Joins the service to its model, with notes on what is partial.
aws::ServiceBinding make_binding(Service& service);

}  // namespace virga::dynamodb
