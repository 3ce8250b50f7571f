#include "api/dynamodb/transact_write_items.h"

#include <map>
#include <set>

#include "base/hashing.h"
#include "services/dynamodb/capacity.h"
#include "services/dynamodb/item_key.h"
#include "services/dynamodb/item_size.h"
#include "services/dynamodb/request_checks.h"
#include "services/dynamodb/request_tokens.h"
#include "services/dynamodb/service.h"
#include "services/dynamodb/transaction_limits.h"
#include "services/dynamodb/update_checks.h"

namespace virga::dynamodb {
namespace {

// One action before its table is known. Views are into the request.
struct CheckedAction {
  const std::string* table_name = nullptr;
  const Item* item = nullptr;  // put: the item; else the key
  ItemWrite write;
  ParsedUpdate update;
};

template <class Action>
Result<void> read_action(const Action& action, const Item& item, const std::optional<std::string>& condition,
                         const std::string* update_expression, CheckedAction& out) {
  out.table_name = &action.table_name;
  out.item = &item;
  out.write.item = item.view();
  VIRGA_TRY_VOID(check_expression_parameters(
      {{"UpdateExpression", update_expression != nullptr}, {"ConditionExpression", condition.has_value()}}, {},
      action.expression_attribute_names.has_value(), action.expression_attribute_values.has_value()));
  VIRGA_TRY_VOID(check_values(item));
  VIRGA_TRY(placeholders, read_placeholders(action.expression_attribute_names, action.expression_attribute_values));
  if (update_expression) {
    VIRGA_TRY(update, read_update(*update_expression, placeholders));
    out.update = std::move(update);
  }
  if (condition) {
    VIRGA_TRY(parsed, read_condition("ConditionExpression", *condition, placeholders));
    out.write.condition = std::move(parsed.condition);
  }
  out.write.item_on_failure = action.return_values_on_condition_check_failure == "ALL_OLD";
  return check_all_used(placeholders);
}

Result<CheckedAction> check_action(const api::TransactWriteItem& item) {
  const int actions = (item.condition_check ? 1 : 0) + (item.put ? 1 : 0) + (item.delete_ ? 1 : 0) + (item.update ? 1 : 0);
  if (actions != 1) {
    return fail(errors::validation("TransactItems can only contain one of Check, Put, Update or Delete"));
  }
  CheckedAction out;
  if (item.put) {
    out.write.kind = ItemWrite::Kind::put;
    VIRGA_TRY_VOID(read_action(*item.put, item.put->item, item.put->condition_expression, nullptr, out));
    if (item_bytes(item.put->item) > kItemBytesMax) {
      return fail(errors::validation("Item size has exceeded the maximum allowed size"));
    }
  } else if (item.delete_) {
    out.write.kind = ItemWrite::Kind::erase;
    VIRGA_TRY_VOID(read_action(*item.delete_, item.delete_->key, item.delete_->condition_expression, nullptr, out));
  } else if (item.update) {
    out.write.kind = ItemWrite::Kind::update;
    VIRGA_TRY_VOID(read_action(*item.update, item.update->key, item.update->condition_expression,
                               &item.update->update_expression, out));
  } else {
    out.write.kind = ItemWrite::Kind::check;
    const std::optional<std::string> condition = item.condition_check->condition_expression;
    VIRGA_TRY_VOID(read_action(*item.condition_check, item.condition_check->key, condition, nullptr, out));
  }
  return out;
}

Result<std::vector<CheckedAction>> check_actions(const api::TransactWriteItemsInput& input) {
  VIRGA_TRY_VOID(check_transaction_length(input.transact_items.size()));
  std::vector<CheckedAction> out;
  size_t bytes = 0;
  for (const auto& item : input.transact_items) {
    VIRGA_TRY(action, check_action(item));
    bytes += item_bytes(*action.item);
    out.push_back(std::move(action));
  }
  if (bytes > kTransactionBytesMax) {
    return fail(errors::validation("The aggregate size of the items in the transaction cannot exceed 4 MB"));
  }
  return out;
}

// What the service tells as the action's own reason.
Result<void> check_against_table(CheckedAction& action) {
  const Table& table = *action.write.table;
  if (action.write.kind == ItemWrite::Kind::put) return check_item_keys(table, *action.item);
  VIRGA_TRY_VOID(check_key(table.keys, *action.item));
  if (action.write.kind != ItemWrite::Kind::update) return {};
  VIRGA_TRY_VOID(check_update_targets(table, action.update));
  action.write.actions = std::move(action.update.actions);
  return {};
}

errors::CancellationReason reason_of(const AwsError& error) {
  errors::CancellationReason out;
  out.message = error.message;
  out.code = error.code == "ConditionalCheckFailedException" ? "ConditionalCheckFailed" : "ValidationError";
  const Document* item = error.detail ? error.detail->find("Item") : nullptr;
  if (item) out.item = *item;
  return out;
}

// Everything that makes two requests the same.
Sha256 fingerprint(const api::TransactWriteItemsInput& input) {
  Sha256Stream hash;
  const auto add = [&](std::string_view text) {
    const std::string size = std::to_string(text.size()) + ":";
    hash.update(size);
    hash.update(text);
  };
  const auto add_action = [&](std::string_view kind, const auto& action, const Item& item,
                              const std::optional<std::string>& condition) {
    add(kind);
    add(action.table_name);
    add(item.bytes());
    add(condition.value_or(""));
    if (action.expression_attribute_names) {
      for (const auto& [key, name] : *action.expression_attribute_names) {
        add(key);
        add(name);
      }
    }
    if (action.expression_attribute_values) add(action.expression_attribute_values->bytes());
  };
  for (const auto& item : input.transact_items) {
    if (item.put) add_action("put", *item.put, item.put->item, item.put->condition_expression);
    if (item.delete_) add_action("delete", *item.delete_, item.delete_->key, item.delete_->condition_expression);
    if (item.update) {
      add_action("update", *item.update, item.update->key, item.update->condition_expression);
      add(item.update->update_expression);
    }
    if (item.condition_check) {
      const std::optional<std::string> condition = item.condition_check->condition_expression;
      add_action("check", *item.condition_check, item.condition_check->key, condition);
    }
  }
  return hash.finish();
}

struct Outcome {
  bool repeated = false;  // the token has been seen: nothing was written
  std::vector<PreparedWrite> writes;
};

}  // namespace

// All or nothing, in one commit. Source: DynamoDB API Reference, TransactWriteItems.
Task<api::TransactWriteItemsOutput> Service::transact_write_items(Ctx ctx, api::TransactWriteItemsInput input) {
  std::vector<CheckedAction> actions = co_await check_actions(input);
  std::vector<errors::CancellationReason> reasons(actions.size());
  bool cancelled = false;
  std::set<std::string> keys;
  for (size_t i = 0; i < actions.size(); ++i) {
    actions[i].write.table = co_await data_table(*ctx, *actions[i].table_name);
    const Result<void> checked = check_against_table(actions[i]);
    if (!checked) {
      reasons[i] = reason_of(checked.error());
      cancelled = true;
      continue;
    }
    actions[i].write.key = item_key(*actions[i].write.table, *actions[i].item);
    if (!keys.insert(actions[i].write.key).second) co_return fail(multiple_operations_on_one_item());
  }
  if (cancelled) co_return fail(errors::transaction_canceled(reasons));

  const std::string token = input.client_request_token.value_or("");
  const Sha256 print = token.empty() ? Sha256{} : fingerprint(input);
  const int64_t now = ctx->now.at.micros;
  const storage::TransactOptions options{.generation = actions[0].write.table->generation};
  auto done = co_await shard_.transact(options, [&](storage::Txn& txn) -> Result<Outcome> {
    Outcome out;
    if (!token.empty()) {
      VIRGA_TRY(seen, find_request_token(txn, ctx->account, ctx->region, token, now));
      if (seen && *seen != as_bytes(print)) return fail(errors::idempotent_parameter_mismatch());
      out.repeated = seen.has_value();
      if (out.repeated) return out;
    }
    for (size_t i = 0; i < actions.size(); ++i) {
      auto prepared = writer_.prepare(txn, actions[i].write);
      if (prepared) {
        out.writes.push_back(std::move(*prepared));
        continue;
      }
      if (prepared.error().code == "ResourceNotFoundException") return fail(std::move(prepared.error()));
      if (prepared.error().http_status >= 500) return fail(std::move(prepared.error()));
      reasons[i] = reason_of(prepared.error());
      cancelled = true;
    }
    if (cancelled) return fail(errors::transaction_canceled(reasons));
    for (size_t i = 0; i < actions.size(); ++i) writer_.commit(txn, actions[i].write, out.writes[i], now);
    if (!token.empty()) VIRGA_TRY_VOID(keep_request_token(txn, ctx->account, ctx->region, token, as_bytes(print), now));
    return out;
  });
  ctx->depends_on(done.lsn);
  const Outcome outcome = co_await std::move(done.result);

  api::TransactWriteItemsOutput output;
  if (outcome.repeated) co_return std::move(output);
  std::map<std::string, std::pair<TableRef, WriteUnits>> used;
  for (size_t i = 0; i < actions.size(); ++i) {
    const TableRef& table = outcome.writes[i].table;
    auto& entry = used[table->name];
    entry.first = table;
    entry.second.add(outcome.writes[i].units);
    auto metrics = collection_metrics(input.return_item_collection_metrics, *table, *actions[i].item);
    if (!metrics) continue;
    if (!output.item_collection_metrics) output.item_collection_metrics.emplace();
    (*output.item_collection_metrics)[table->name].push_back(std::move(*metrics));
  }
  for (auto& [name, entry] : used) {
    entry.second.multiply(2);  // transactional writes cost twice
    auto capacity = write_capacity(input.return_consumed_capacity, *entry.first, entry.second, true);
    if (!capacity) break;
    if (!output.consumed_capacity) output.consumed_capacity.emplace();
    output.consumed_capacity->push_back(std::move(*capacity));
  }
  co_return std::move(output);
}

}  // namespace virga::dynamodb
