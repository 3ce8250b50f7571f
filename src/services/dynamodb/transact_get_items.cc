#include "api/dynamodb/transact_get_items.h"

#include <map>
#include <set>

#include "services/dynamodb/capacity.h"
#include "services/dynamodb/expression_evaluator.h"
#include "services/dynamodb/item_key.h"
#include "services/dynamodb/item_size.h"
#include "services/dynamodb/request_checks.h"
#include "services/dynamodb/service.h"
#include "services/dynamodb/transaction_limits.h"

namespace virga::dynamodb {
namespace {

struct CheckedGet {
  const api::Get& request;
  std::optional<ParsedProjection> projection;
  TableRef table;
  std::string key;
};

Result<std::vector<CheckedGet>> check_gets(const api::TransactGetItemsInput& input) {
  std::vector<CheckedGet> out;
  VIRGA_TRY_VOID(check_transaction_length(input.transact_items.size()));
  for (const auto& one : input.transact_items) {
    const api::Get& get = one.get;
    VIRGA_TRY_VOID(check_expression_parameters(
        {{"ProjectionExpression", get.projection_expression.has_value()}}, {},
        get.expression_attribute_names.has_value(), false));
    VIRGA_TRY_VOID(check_values(get.key));
    CheckedGet checked{.request = get};
    VIRGA_TRY(placeholders, read_placeholders(get.expression_attribute_names));
    if (get.projection_expression) {
      VIRGA_TRY(projection, read_projection(*get.projection_expression, placeholders));
      checked.projection = std::move(projection);
    }
    VIRGA_TRY_VOID(check_all_used(placeholders));
    out.push_back(std::move(checked));
  }
  return out;
}

}  // namespace

// All items as they are at one moment: one snapshot. Source: DynamoDB API Reference,
// TransactGetItems.
Task<api::TransactGetItemsOutput> Service::transact_get_items(Ctx ctx,
                                                              api::TransactGetItemsInput input) {
  std::vector<CheckedGet> gets = co_await check_gets(input);
  std::vector<errors::CancellationReason> reasons(gets.size());
  bool cancelled = false;
  std::set<std::string> keys;
  for (size_t i = 0; i < gets.size(); ++i) {
    gets[i].table = co_await data_table(*ctx, gets[i].request.table_name);
    const Result<void> checked = check_key(gets[i].table->keys, gets[i].request.key);
    if (!checked) {
      reasons[i] = {.code = "ValidationError", .message = checked.error().message, .item = {}};
      cancelled = true;
      continue;
    }
    gets[i].key = item_key(*gets[i].table, gets[i].request.key);
    if (!keys.insert(gets[i].key).second) co_return fail(multiple_operations_on_one_item());
  }
  if (cancelled) co_return fail(errors::transaction_canceled(reasons));

  api::TransactGetItemsOutput output;
  auto& responses = output.responses.emplace();
  const auto view = shard_.snapshot();
  size_t total_bytes = 0;
  std::map<std::string, std::pair<TableRef, ReadUnits>> used;
  for (const auto& get : gets) {
    const std::optional<std::string> record = co_await view->get(get.key);
    api::ItemResponse response;
    size_t bytes = 0;
    if (record) {
      const ItemView item = co_await item_of_record(*record);
      bytes = item_bytes(item);
      response.item = get.projection ? project(get.projection->paths, item) : Item(item);
    }
    total_bytes += bytes;
    if (total_bytes > kTransactionBytesMax) co_return fail(transaction_too_large());
    responses.push_back(std::move(response));
    auto& entry = used[get.request.table_name];
    entry.first = get.table;
    entry.second.table +=
        2 * read_half_units(bytes, true);  // transactional reads cost twice a consistent one
  }
  for (const auto& [name, entry] : used) {
    auto capacity =
        read_capacity(input.return_consumed_capacity, *entry.first, entry.second, nullptr, true);
    if (!capacity) break;
    capacity->table_name = name;
    if (!output.consumed_capacity) output.consumed_capacity.emplace();
    output.consumed_capacity->push_back(std::move(*capacity));
  }
  co_return std::move(output);
}

}  // namespace virga::dynamodb
