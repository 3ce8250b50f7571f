#include "api/dynamodb/describe_endpoints.h"
#include "api/dynamodb/describe_limits.h"
#include "api/dynamodb/list_tags_of_resource.h"
#include "api/dynamodb/tag_resource.h"
#include "api/dynamodb/untag_resource.h"
#include "services/dynamodb/errors.h"
#include "services/dynamodb/service.h"
#include "services/dynamodb/table_definition.h"

// Tags and the small reads that deployment tools make of every table.
namespace virga::dynamodb {

// Source: DynamoDB API Reference, TagResource.
Task<api::TagResourceOutput> Service::tag_resource(Ctx ctx, api::TagResourceInput input) {
  const TableRef table = co_await table_of_arn(*ctx, input.resource_arn);
  if (input.tags.empty())
    co_return fail(errors::validation("Atleast one Tag needs to be provided as Input."));
  co_await check_tags(input.tags);
  co_await change_table(ctx, table, [&](Table& changed, storage::Txn&) -> Result<void> {
    for (const auto& tag : input.tags) changed.tags[tag.key] = tag.value;
    return check_tag_count(changed.tags.size());
  });
  co_return api::TagResourceOutput();
}

Task<api::UntagResourceOutput> Service::untag_resource(Ctx ctx, api::UntagResourceInput input) {
  const TableRef table = co_await table_of_arn(*ctx, input.resource_arn);
  if (input.tag_keys.empty())
    co_return fail(errors::validation("Atleast one Tag Key needs to be provided as Input."));
  co_await change_table(ctx, table, [&](Table& changed, storage::Txn&) -> Result<void> {
    for (const auto& key : input.tag_keys) changed.tags.erase(key);
    return {};
  });
  co_return api::UntagResourceOutput();
}

// All of them in one page: there are at most 50.
Task<api::ListTagsOfResourceOutput> Service::list_tags_of_resource(
    Ctx ctx, api::ListTagsOfResourceInput input) {
  const TableRef table = co_await table_of_arn(*ctx, input.resource_arn);
  api::ListTagsOfResourceOutput output;
  auto& tags = output.tags.emplace();
  for (const auto& [key, value] : table->tags) {
    api::Tag tag;
    tag.key = key;
    tag.value = value;
    tags.push_back(std::move(tag));
  }
  co_return std::move(output);
}

// Clients with endpoint discovery come back to where they asked.
Task<api::DescribeEndpointsOutput> Service::describe_endpoints(Ctx ctx,
                                                               api::DescribeEndpointsInput input) {
  api::DescribeEndpointsOutput output;
  api::Endpoint endpoint;
  endpoint.address = ctx->endpoint.host + ":" + std::to_string(ctx->endpoint.port);
  endpoint.cache_period_in_minutes = 1440;
  output.endpoints.push_back(std::move(endpoint));
  co_return std::move(output);
}

// AWS's initial quotas. Source: DynamoDB Developer Guide, "Quotas".
Task<api::DescribeLimitsOutput> Service::describe_limits(Ctx ctx, api::DescribeLimitsInput input) {
  api::DescribeLimitsOutput output;
  output.account_max_read_capacity_units = 80'000;
  output.account_max_write_capacity_units = 80'000;
  output.table_max_read_capacity_units = 40'000;
  output.table_max_write_capacity_units = 40'000;
  co_return std::move(output);
}

Task<TableRef> Service::change_table(Ctx ctx, TableRef known,
                                     std::function<Result<void>(Table&, storage::Txn&)> change) {
  const storage::TransactOptions options{.generation = known->generation};
  bool put = false;
  auto done = co_await shard_.transact(options, [&](storage::Txn& txn) -> Result<TableRef> {
    VIRGA_TRY(table, tables_.current(txn, known));
    if (!table) return fail(errors::table_not_found(known->name));
    auto changed = std::make_shared<Table>(*table);
    VIRGA_TRY_VOID(change(*changed, txn));
    tables_.put(txn, table, *changed);
    put = true;
    return TableRef(std::move(changed));
  });
  ctx->depends_on(done.lsn);
  if (!done.result && put) tables_.forget(*known);
  const TableRef table = co_await std::move(done.result);
  co_await shard_.wait_durable(done.lsn);
  tables_.forget(*table);
  co_return table;
}

}  // namespace virga::dynamodb
