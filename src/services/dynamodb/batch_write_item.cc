#include "api/dynamodb/batch_write_item.h"

#include <algorithm>
#include <iterator>
#include <set>

#include "services/dynamodb/capacity.h"
#include "services/dynamodb/item_key.h"
#include "services/dynamodb/item_size.h"
#include "services/dynamodb/request_checks.h"
#include "services/dynamodb/service.h"

namespace virga::dynamodb {
namespace {

// Source: DynamoDB API Reference, BatchWriteItem.
constexpr size_t kBatchWritesMax = 25;
// Items written in one commit: more of them, with their index entries and change records, keep
// other writes waiting.
constexpr size_t kCommitBytesMax = 4 * 1024 * 1024;

Result<void> check_batch(const api::BatchWriteItemInput& input) {
  if (input.request_items.empty()) {
    return fail(errors::validation("The requestItems parameter is required for BatchWriteItem"));
  }
  size_t writes = 0;
  for (const auto& [name, requests] : input.request_items) {
    for (const auto& request : requests) {
      // The text is the service's for both: neither of the two, or both.
      if (request.put_request.has_value() == request.delete_request.has_value()) {
        return fail(
            errors::validation("Supplied AttributeValue has more than one datatypes set, must "
                               "contain exactly one of the supported datatypes"));
      }
      const Item& item =
          request.put_request ? request.put_request->item : request.delete_request->key;
      VIRGA_TRY_VOID(check_values(item));
      if (request.put_request && item_bytes(item) > kItemBytesMax) {
        return fail(errors::validation("Item size has exceeded the maximum allowed size"));
      }
      if (++writes > kBatchWritesMax) {
        return fail(errors::validation("Too many items requested for the BatchWriteItem call"));
      }
    }
  }
  return {};
}

// In a batch, items without a good key are told as keys are.
Result<void> check_batch_item(const Table& table, const Item& item) {
  auto checked = check_item_keys(table, item);
  if (checked) return {};
  const std::string& message = checked.error().message;
  if (message.find("Missing the key") != std::string::npos ||
      message.find("Type mismatch for key") != std::string::npos) {
    return fail(errors::validation("The provided key element does not match the schema"));
  }
  return checked;
}

Result<void> add_writes(const std::vector<api::WriteRequest>& requests, const TableRef& table,
                        std::vector<ItemWrite>& writes) {
  std::set<std::string> keys;
  for (const auto& request : requests) {
    ItemWrite write{.kind = request.put_request ? ItemWrite::Kind::put : ItemWrite::Kind::erase,
                    .table = table};
    const Item& item =
        request.put_request ? request.put_request->item : request.delete_request->key;
    if (request.put_request) {
      VIRGA_TRY_VOID(check_batch_item(*table, item));
    } else {
      VIRGA_TRY_VOID(check_key(table->keys, item));
    }
    write.key = item_key(*table, item);
    write.item = item.view();
    if (!keys.insert(write.key).second) {
      return fail(errors::validation("Provided list of item keys contains duplicates"));
    }
    writes.push_back(std::move(write));
  }
  return {};
}

}  // namespace

// Nothing is ever left unprocessed.
Task<api::BatchWriteItemOutput> Service::batch_write_item(Ctx ctx, api::BatchWriteItemInput input) {
  co_await check_batch(input);
  std::vector<ItemWrite> writes;
  for (const auto& [name, requests] : input.request_items) {
    const TableRef table = co_await data_table(*ctx, name);
    co_await add_writes(requests, table, writes);
  }
  const std::vector<PreparedWrite> done = co_await write_items(ctx, &writes);

  api::BatchWriteItemOutput output;
  output.unprocessed_items.emplace();
  size_t at = 0;
  for (const auto& [name, requests] : input.request_items) {
    WriteUnits units;
    std::vector<api::ItemCollectionMetrics> metrics;
    const Table& table = *writes[at].table;
    for (size_t i = 0; i < requests.size(); ++i, ++at) {
      units.add(done[at].units);
      auto one = collection_metrics(input.return_item_collection_metrics, table, writes[at].item);
      if (one) metrics.push_back(std::move(*one));
    }
    auto used = write_capacity(input.return_consumed_capacity, table, units);
    if (used) {
      used->table_name = name;
      if (!output.consumed_capacity) output.consumed_capacity.emplace();
      output.consumed_capacity->push_back(std::move(*used));
    }
    if (metrics.empty()) continue;
    if (!output.item_collection_metrics) output.item_collection_metrics.emplace();
    output.item_collection_metrics->emplace(name, std::move(metrics));
  }
  co_return std::move(output);
}

// Several writes without conditions, in as few commits as their size allows. `writes` outlives the
// call.
Task<std::vector<PreparedWrite>> Service::write_items(Ctx ctx,
                                                      const std::vector<ItemWrite>* writes) {
  const storage::TransactOptions options{.generation = writes->front().table->generation};
  const int64_t now = ctx->now.at.micros;
  std::vector<PreparedWrite> out;
  while (out.size() < writes->size()) {
    const size_t from = out.size();
    size_t to = from;
    for (size_t bytes = 0; to < writes->size() && bytes < kCommitBytesMax; ++to)
      bytes += item_bytes((*writes)[to].item);
    auto done = co_await shard_.transact(
        options, [&](storage::Txn& txn) -> Result<std::vector<PreparedWrite>> {
          std::vector<PreparedWrite> prepared;
          for (size_t i = from; i < to; ++i) {
            VIRGA_TRY(one, writer_.prepare(txn, (*writes)[i]));
            prepared.push_back(std::move(one));
          }
          for (size_t i = from; i < to; ++i)
            writer_.commit(txn, (*writes)[i], prepared[i - from], now);
          return prepared;
        });
    ctx->depends_on(done.lsn);
    std::vector<PreparedWrite> written = co_await std::move(done.result);
    std::move(written.begin(), written.end(), std::back_inserter(out));
  }
  co_return std::move(out);
}

}  // namespace virga::dynamodb
