#include "api/dynamodb/batch_get_item.h"

#include <set>

#include "services/dynamodb/capacity.h"
#include "services/dynamodb/expression_evaluator.h"
#include "services/dynamodb/item_key.h"
#include "services/dynamodb/item_size.h"
#include "services/dynamodb/request_checks.h"
#include "services/dynamodb/service.h"

namespace virga::dynamodb {
namespace {

// Source: DynamoDB API Reference, BatchGetItem.
constexpr size_t kBatchKeysMax = 100;
constexpr size_t kBatchBytesMax = 16 * 1024 * 1024;

// One table's part, checked as far as that goes without the table.
struct TablePart {
  const std::string& name;
  const api::KeysAndAttributes& request;
  std::optional<ParsedProjection> projection;
  TableRef table;
};

Result<std::vector<TablePart>> check_batch(const api::BatchGetItemInput& input) {
  std::vector<TablePart> parts;
  size_t keys = 0;
  // These sizes are told without the values, and with the parameters' own names. Source: answers of
  // the service as users report them.
  const auto wrong_size = [](const std::string& at, std::string_view demand) {
    return fail(errors::one_violation("Value at '" + at +
                                      "' failed to satisfy constraint: Member must have length " +
                                      std::string(demand)));
  };
  if (input.request_items.empty()) return wrong_size("RequestItems", "greater than or equal to 1");
  for (const auto& [name, request] : input.request_items) {
    const std::string at = "RequestItems." + name + ".member.Keys";
    if (request.keys.empty()) return wrong_size(at, "greater than or equal to 1");
    if (request.keys.size() > kBatchKeysMax) return wrong_size(at, "less than or equal to 100");
  }
  // The two kinds of parameters exclude each other also between tables.
  bool expressions = false, others = false;
  for (const auto& [name, request] : input.request_items) {
    expressions = expressions || request.projection_expression.has_value();
    others = others || request.attributes_to_get.has_value();
  }
  VIRGA_TRY_VOID(check_expression_parameters({{"ProjectionExpression", expressions}},
                                             {{"AttributesToGet", others}}, false, false));
  for (const auto& [name, request] : input.request_items) {
    VIRGA_TRY_VOID(check_expression_parameters(
        {{"ProjectionExpression", request.projection_expression.has_value()}},
        {{"AttributesToGet", request.attributes_to_get.has_value()}},
        request.expression_attribute_names.has_value(), false));
    VIRGA_TRY(projection, read_projection_of(request));
    for (size_t i = 0; i < request.keys.size(); ++i) {
      VIRGA_TRY_VOID(check_values(request.keys[i]));
      for (size_t j = 0; j < i; ++j) {
        if (request.keys[i] == request.keys[j]) {
          return fail(errors::validation("Provided list of item keys contains duplicates"));
        }
      }
      if (++keys > kBatchKeysMax)
        return fail(errors::validation("Too many items requested for the BatchGetItem call"));
    }
    parts.push_back({name, request, std::move(projection), nullptr});
  }
  return parts;
}

void add_unprocessed(const TablePart& part, const Item& key, api::BatchGetItemOutput& output) {
  auto& unprocessed = *output.unprocessed_keys;
  auto [it, fresh] = unprocessed.try_emplace(part.name);
  if (fresh) {
    it->second = part.request;
    it->second.keys.clear();
  }
  it->second.keys.push_back(key);
}

}  // namespace

// Up to 16 MiB of items from one snapshot; what does not fit is returned as unprocessed.
Task<api::BatchGetItemOutput> Service::batch_get_item(Ctx ctx, api::BatchGetItemInput input) {
  std::vector<TablePart> parts = co_await check_batch(input);
  for (auto& part : parts) {
    const TableRef table = co_await data_table(*ctx, part.name);
    for (const auto& key : part.request.keys) co_await check_key(table->keys, key);
    if (part.projection) co_await check_key_paths(*table, part.projection->nested_heads);
    part.table = table;
  }
  api::BatchGetItemOutput output;
  auto& responses = output.responses.emplace();
  output.unprocessed_keys.emplace();
  const auto view = shard_.snapshot();
  size_t bytes = 0;
  for (const auto& part : parts) {
    auto& items = responses[part.name];
    ReadUnits units;
    for (const auto& key : part.request.keys) {
      const std::optional<std::string> record = co_await view->get(item_key(*part.table, key));
      size_t size = 0;
      if (record) {
        const ItemView item = co_await item_of_record(*record);
        size = item_bytes(item);
        if (bytes + size > kBatchBytesMax) {
          add_unprocessed(part, key, output);
          continue;
        }
        bytes += size;
        items.push_back(part.projection ? project(part.projection->paths, item) : Item(item));
      }
      units.table += read_half_units(size, part.request.consistent_read.value_or(false));
    }
    auto used = read_capacity(input.return_consumed_capacity, *part.table, units);
    if (!used) continue;
    used->table_name = part.name;
    if (!output.consumed_capacity) output.consumed_capacity.emplace();
    output.consumed_capacity->push_back(std::move(*used));
  }
  co_return std::move(output);
}

}  // namespace virga::dynamodb
