#include "api/dynamodb/describe_table.h"

#include "api/dynamodb/list_tables.h"
#include "async/wait.h"
#include "services/dynamodb/describe.h"
#include "services/dynamodb/errors.h"
#include "services/dynamodb/item_key.h"
#include "services/dynamodb/service.h"

namespace virga::dynamodb {
namespace {

// Rows counted in one go: about a millisecond of the owner loop.
constexpr size_t kCountedRows = 1000;
constexpr size_t kListedTablesMax = 100;

}  // namespace

Task<api::DescribeTableOutput> Service::described(Ctx ctx, TableRef table) {
  struct Object {
    uint64_t id;
    std::string prefix;
  };
  std::vector<Object> objects{{table->id, items_prefix(table->id)}};
  for (const auto& index : table->indexes) objects.push_back({index.id, index_prefix(index.id)});
  ObjectCounts counts;
  // After a start the first description counts, step by step.
  for (const auto& object : objects) {
    bool complete = false;
    while (!complete) {
      auto done = co_await shard_.transact(
          storage::TransactOptions{}, [&](storage::Txn& txn) -> Result<bool> {
            VIRGA_TRY(counted,
                      writer_.stats().count_some(object.id, object.prefix, txn, kCountedRows));
            if (counted) counts[object.id] = *writer_.stats().find(object.id);
            return counted;
          });
      ctx->depends_on(done.lsn);
      complete = co_await std::move(done.result);
    }
  }
  api::DescribeTableOutput output;
  output.table = describe_table_as(*ctx, *table, table->status(ctx->now.at), counts);
  co_return std::move(output);
}

// Source: DynamoDB API Reference, DescribeTable.
Task<api::DescribeTableOutput> Service::describe_table(Ctx ctx, api::DescribeTableInput input) {
  TableRef table = co_await control_table(*ctx, input.table_name);
  if (table->is_building()) table = co_await build_indexes(ctx, table);
  api::DescribeTableOutput output = co_await described(ctx, table);
  co_return std::move(output);
}

// Names in order, from after ExclusiveStartTableName. Source: DynamoDB API Reference, ListTables.
Task<api::ListTablesOutput> Service::list_tables(Ctx ctx, api::ListTablesInput input) {
  const auto limit = static_cast<size_t>(input.limit.value_or(kListedTablesMax));
  api::ListTablesOutput output;
  auto& names = output.table_names.emplace();
  const auto view = shard_.snapshot();
  bool more = false;
  co_await tables_.list(*view, ctx->account, ctx->region,
                        input.exclusive_start_table_name.value_or(""), [&](const TableRef& table) {
                          if (table->status(ctx->now.at) == "DELETED") return true;
                          more = names.size() == limit;
                          if (!more) names.push_back(table->name);
                          return !more;
                        });
  if (more) output.last_evaluated_table_name = names.back();
  co_return std::move(output);
}

}  // namespace virga::dynamodb
