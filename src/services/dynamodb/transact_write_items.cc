#include "api/dynamodb/transact_write_items.h"

#include <map>
#include <set>

#include "base/hashing.h"
#include "base/strings.h"
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
  std::string problem;  // found before, told as the action's own reason
};

template <class Action>
Result<void> read_action(const Action& action, const Item& item,
                         const std::optional<std::string>& condition,
                         const std::string* update_expression, CheckedAction& out) {
  out.table_name = &action.table_name;
  out.item = &item;
  out.write.item = item.view();
  VIRGA_TRY_VOID(check_expression_parameters({{"UpdateExpression", update_expression != nullptr},
                                              {"ConditionExpression", condition.has_value()}},
                                             {}, action.expression_attribute_names.has_value(),
                                             action.expression_attribute_values.has_value()));
  VIRGA_TRY_VOID(check_values(item));
  VIRGA_TRY(placeholders,
            read_placeholders(action.expression_attribute_names, action.expression_attribute_values,
                              DeepValues::accepted));
  // Only what would be stored must not nest too deep. Source: answers of the service as users
  // report them.
  if (update_expression && nests_too_deep(action.expression_attribute_values)) {
    out.problem = action.expression_attribute_values->problem();
  }
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
  const int actions = (item.condition_check ? 1 : 0) + (item.put ? 1 : 0) + (item.delete_ ? 1 : 0) +
                      (item.update ? 1 : 0);
  if (actions != 1) {
    return fail(
        errors::validation("TransactItems can only contain one of Check, Put, Update or Delete"));
  }
  CheckedAction out;
  if (item.put) {
    out.write.kind = ItemWrite::Kind::put;
    VIRGA_TRY_VOID(
        read_action(*item.put, item.put->item, item.put->condition_expression, nullptr, out));
    if (item_bytes(item.put->item) > kItemBytesMax) {
      return fail(errors::validation("Item size has exceeded the maximum allowed size"));
    }
  } else if (item.delete_) {
    out.write.kind = ItemWrite::Kind::erase;
    VIRGA_TRY_VOID(read_action(*item.delete_, item.delete_->key, item.delete_->condition_expression,
                               nullptr, out));
  } else if (item.update) {
    out.write.kind = ItemWrite::Kind::update;
    VIRGA_TRY_VOID(read_action(*item.update, item.update->key, item.update->condition_expression,
                               &item.update->update_expression, out));
  } else {
    out.write.kind = ItemWrite::Kind::check;
    const std::optional<std::string> condition = item.condition_check->condition_expression;
    VIRGA_TRY_VOID(
        read_action(*item.condition_check, item.condition_check->key, condition, nullptr, out));
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
  if (bytes > kTransactionBytesMax) return fail(transaction_too_large());
  return out;
}

// What the service tells as the action's own reason.
Result<void> check_against_table(CheckedAction& action) {
  const Table& table = *action.write.table;
  if (!action.problem.empty()) return fail(errors::validation(action.problem));
  if (action.write.kind == ItemWrite::Kind::put) return check_item_keys(table, *action.item);
  VIRGA_TRY_VOID(check_key(table.keys, *action.item));
  if (action.write.kind != ItemWrite::Kind::update) return {};
  VIRGA_TRY_VOID(check_update_targets(table, action.update));
  action.write.actions = std::move(action.update.actions);
  return {};
}

// Empty key values refuse the request, other wrong ones cancel the transaction. Source: answers of
// the service as users report them.
bool refuses_the_request(const AwsError& error) {
  return error.code == "ResourceNotFoundException" || error.http_status >= 500 ||
         error.message.find("key attribute cannot contain an empty") != std::string::npos;
}

errors::CancellationReason reason_of(const AwsError& error) {
  errors::CancellationReason out;
  out.message = error.message;
  out.code = error.code == "ConditionalCheckFailedException" ? "ConditionalCheckFailed"
                                                             : "ValidationError";
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
    if (item.delete_)
      add_action("delete", *item.delete_, item.delete_->key, item.delete_->condition_expression);
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
  std::vector<size_t>
      charged;  // of a repeated one: what each action was charged for then, in bytes
};

// What the actions were charged for, kept with the token: a repeated request is charged as a read
// of it.
std::string charged_text(const std::vector<PreparedWrite>& writes) {
  std::string out;
  for (const auto& write : writes) out += std::to_string(write.bytes) + ",";
  return out;
}
std::vector<size_t> charged_bytes(std::string_view text) {
  std::vector<size_t> out;
  for (size_t comma = text.find(','); comma != std::string_view::npos; comma = text.find(',')) {
    out.push_back(static_cast<size_t>(parse_int(text.substr(0, comma)).value_or(0)));
    text.remove_prefix(comma + 1);
  }
  return out;
}

// Source: DynamoDB API Reference, TransactWriteItems, ReturnConsumedCapacity of subsequent calls
// with one token.
Maybe<std::vector<api::ConsumedCapacity>> repeated_capacity(
    const api::TransactWriteItemsInput& input, const std::vector<CheckedAction>& actions,
    const std::vector<size_t>& charged) {
  std::map<std::string, std::pair<TableRef, ReadUnits>> used;
  for (size_t i = 0; i < actions.size(); ++i) {
    auto& entry = used[*actions[i].table_name];
    entry.first = actions[i].write.table;
    entry.second.table += 2 * read_half_units(i < charged.size() ? charged[i] : 0, true);
  }
  Maybe<std::vector<api::ConsumedCapacity>> out;
  for (const auto& [name, entry] : used) {
    auto capacity =
        read_capacity(input.return_consumed_capacity, *entry.first, entry.second, nullptr, true);
    if (!capacity) break;
    capacity->table_name = name;
    if (!out) out.emplace();
    out->push_back(std::move(*capacity));
  }
  return out;
}

}  // namespace

// All or nothing, in one commit. Source: DynamoDB API Reference, TransactWriteItems.
Task<api::TransactWriteItemsOutput> Service::transact_write_items(
    Ctx ctx, api::TransactWriteItemsInput input) {
  std::vector<CheckedAction> actions = co_await check_actions(input);
  std::vector<errors::CancellationReason> reasons(actions.size());
  bool cancelled = false;
  std::set<std::string> keys;
  for (size_t i = 0; i < actions.size(); ++i) {
    actions[i].write.table = co_await data_table(*ctx, *actions[i].table_name);
    const Result<void> checked = check_against_table(actions[i]);
    if (!checked && refuses_the_request(checked.error())) co_return fail(checked.error());
    if (!checked) {
      reasons[i] = reason_of(checked.error());
      cancelled = true;
      continue;
    }
    actions[i].write.key = item_key(*actions[i].write.table, *actions[i].item);
    if (!keys.insert(actions[i].write.key).second)
      co_return fail(multiple_operations_on_one_item());
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
      if (seen && !seen->starts_with(as_bytes(print)))
        return fail(errors::idempotent_parameter_mismatch());
      if (seen) {
        out.repeated = true;
        out.charged = charged_bytes(std::string_view(*seen).substr(as_bytes(print).size()));
        return out;
      }
    }
    for (size_t i = 0; i < actions.size(); ++i) {
      auto prepared = writer_.prepare(txn, actions[i].write);
      if (prepared) {
        out.writes.push_back(std::move(*prepared));
        continue;
      }
      if (refuses_the_request(prepared.error())) return fail(std::move(prepared.error()));
      reasons[i] = reason_of(prepared.error());
      cancelled = true;
    }
    if (cancelled) return fail(errors::transaction_canceled(reasons));
    for (size_t i = 0; i < actions.size(); ++i)
      writer_.commit(txn, actions[i].write, out.writes[i], now);
    if (!token.empty()) {
      const std::string memo = std::string(as_bytes(print)) + charged_text(out.writes);
      VIRGA_TRY_VOID(keep_request_token(txn, ctx->account, ctx->region, token, memo, now));
    }
    return out;
  });
  ctx->depends_on(done.lsn);
  const Outcome outcome = co_await std::move(done.result);

  api::TransactWriteItemsOutput output;
  if (outcome.repeated) {
    output.consumed_capacity = repeated_capacity(input, actions, outcome.charged);
    co_return std::move(output);
  }
  std::map<std::string, std::pair<TableRef, WriteUnits>> used;
  for (size_t i = 0; i < actions.size(); ++i) {
    const TableRef& table = outcome.writes[i].table;
    auto& entry = used[*actions[i].table_name];
    entry.first = table;
    entry.second.add(outcome.writes[i].units);
    auto metrics =
        collection_metrics(input.return_item_collection_metrics, *table, *actions[i].item);
    if (!metrics) continue;
    if (!output.item_collection_metrics) output.item_collection_metrics.emplace();
    (*output.item_collection_metrics)[table->name].push_back(std::move(*metrics));
  }
  for (auto& [name, entry] : used) {
    entry.second.table *=
        2;  // transactional writes cost twice, what follows from them in indexes does not
    auto capacity =
        write_capacity(input.return_consumed_capacity, *entry.first, entry.second, true);
    if (!capacity) break;
    capacity->table_name = name;
    if (!output.consumed_capacity) output.consumed_capacity.emplace();
    output.consumed_capacity->push_back(std::move(*capacity));
  }
  co_return std::move(output);
}

}  // namespace virga::dynamodb
