#include "api/dynamodb/execute_transaction.h"

#include <map>
#include <set>

#include "services/dynamodb/capacity.h"
#include "services/dynamodb/errors.h"
#include "services/dynamodb/item_key.h"
#include "services/dynamodb/item_size.h"
#include "services/dynamodb/partiql_plan.h"
#include "services/dynamodb/request_tokens.h"
#include "services/dynamodb/service.h"
#include "services/dynamodb/transaction_limits.h"

namespace virga::dynamodb {
namespace {

using partiql::PlannedWrite;
using partiql::Statement;

// Source: DynamoDB API Reference, CancellationReason, Code.
errors::CancellationReason reason_of(const AwsError& error) {
  errors::CancellationReason out;
  out.message = error.message;
  out.code = error.code == "ConditionalCheckFailedException" ? "ConditionalCheckFailed"
             : error.code == "DuplicateItemException"        ? "DuplicateItem"
                                                             : "ValidationError";
  const Document* item = error.detail ? error.detail->find("Item") : nullptr;
  if (item) out.item = *item;
  return out;
}

// A statement that cannot be part of a transaction refuses it as a whole.
AwsError failed_at(size_t position, const AwsError& error) {
  return errors::validation("Validation failed in TransactStatements[" + std::to_string(position) +
                            "]: " + error.message);
}

Result<void> check_in_transaction(const Statement& statement) {
  if (statement.returning != Statement::Returning::none) {
    return fail(errors::validation("RETURNING clause is not supported in ExecuteTransaction."));
  }
  if (statement.reads() && !statement.index.empty()) {
    return fail(errors::validation("Reads on indices are not supported within transactions."));
  }
  if (!statement.index.empty())
    return fail(errors::validation("This operation is not supported on an index"));
  return {};
}

// A reason of its own, or the whole transaction's error.
bool is_reason(const AwsError& error) {
  return error.code == "ConditionalCheckFailedException" ||
         error.code == "DuplicateItemException" || error.code == "ValidationException";
}

}  // namespace

// All statements at one moment: all reads, or all writes and existence checks.
// Source: DynamoDB API Reference, ExecuteTransaction.
Task<api::ExecuteTransactionOutput> Service::execute_transaction(
    Ctx ctx, api::ExecuteTransactionInput input) {
  std::vector<Statement> statements;
  size_t reads = 0;
  std::string prints;
  for (const auto& request : input.transact_statements) {
    const std::vector<AttributeValue> none;
    const auto& parameters = request.parameters ? *request.parameters : none;
    const size_t position = statements.size();
    auto statement = partiql::parse_statement(request.statement, parameters);
    if (statement) {
      const Result<void> allowed = check_in_transaction(*statement);
      if (!allowed) co_return fail(failed_at(position, allowed.error()));
    } else {
      co_return fail(failed_at(position, statement.error()));
    }
    statements.push_back(std::move(*statement));
    reads += statements.back().reads() ? 1 : 0;
    prints += partiql::fingerprint(request.statement, parameters);
  }
  if (reads > 0 && reads < statements.size()) {
    co_return fail(errors::validation(
        "The entire transaction must consist of either read statements or write statements; you "
        "cannot mix both in one transaction."));
  }
  if (reads > 0) {
    api::ExecuteTransactionOutput output =
        co_await read_transaction(ctx, std::move(statements), std::move(input));
    co_return std::move(output);
  }
  api::ExecuteTransactionOutput output = co_await write_transaction(
      ctx, std::move(statements), std::move(input), partiql::fingerprint(prints, {}));
  co_return std::move(output);
}

Task<api::ExecuteTransactionOutput> Service::read_transaction(Ctx ctx,
                                                              std::vector<Statement> statements,
                                                              api::ExecuteTransactionInput input) {
  api::ExecuteTransactionOutput output;
  auto& responses = output.responses.emplace();
  std::map<std::string, std::pair<TableRef, ReadUnits>> used;
  std::set<std::string> keys;
  const auto view = shard_.snapshot();
  for (const auto& statement : statements) {
    const TableRef table = co_await data_table(*ctx, statement.table);
    const size_t position = responses.size();
    api::ItemResponse response;
    size_t bytes = 0;
    const auto keyed = partiql::whole_key(*table, statement.where);
    if (!keyed || keyed->rest)
      co_return fail(failed_at(position, partiql::names_no_key("ExecuteTransaction")));
    auto item = read_by_key(*view, statement, *table, "ExecuteTransaction", bytes);
    if (!item && item.error().code == "ValidationException") {
      std::vector<errors::CancellationReason> reasons(statements.size());
      reasons[position] = reason_of(item.error());
      co_return fail(errors::transaction_canceled(reasons));
    }
    response.item = co_await std::move(item);
    responses.push_back(std::move(response));
    if (!keys.insert(item_key(*table, keyed->key)).second)
      co_return fail(multiple_operations_on_one_item());
    auto& entry = used[table->name];
    entry.first = table;
    entry.second.table +=
        2 * read_half_units(bytes, true);  // transactional reads cost twice a consistent one
  }
  for (const auto& [name, entry] : used) {
    auto capacity =
        read_capacity(input.return_consumed_capacity, *entry.first, entry.second, nullptr, true);
    if (!capacity) break;
    if (!output.consumed_capacity) output.consumed_capacity.emplace();
    output.consumed_capacity->push_back(std::move(*capacity));
  }
  co_return std::move(output);
}

Task<api::ExecuteTransactionOutput> Service::write_transaction(Ctx ctx,
                                                               std::vector<Statement> statements,
                                                               api::ExecuteTransactionInput input,
                                                               std::string print) {
  std::vector<std::unique_ptr<PlannedWrite>> planned(statements.size());
  std::vector<errors::CancellationReason> reasons(statements.size());
  bool cancelled = false;
  std::set<std::string> keys;
  storage::Generation generation = shard_.generation();
  for (size_t i = 0; i < statements.size(); ++i) {
    const auto& request = input.transact_statements[i];
    const TableRef table = co_await data_table(*ctx, statements[i].table);
    generation = table->generation;
    const bool item_on_failure = request.return_values_on_condition_check_failure == "ALL_OLD";
    auto plan = partiql::plan_write(std::move(statements[i]), table, item_on_failure);
    if (!plan && plan.error().message.starts_with("EXISTS()"))
      co_return fail(failed_at(i, plan.error()));
    if (!plan) {
      reasons[i] = reason_of(plan.error());
      cancelled = true;
      continue;
    }
    planned[i] = std::move(*plan);
    if (!keys.insert(planned[i]->write.key).second)
      co_return fail(multiple_operations_on_one_item());
  }
  if (cancelled) co_return fail(errors::transaction_canceled(reasons));

  const std::string token = input.client_request_token.value_or("");
  const int64_t now = ctx->now.at.micros;
  const storage::TransactOptions options{.generation = generation};
  auto done = co_await shard_.transact(
      options, [&](storage::Txn& txn) -> Result<std::vector<PreparedWrite>> {
        std::vector<PreparedWrite> out;
        if (!token.empty()) {
          VIRGA_TRY(seen, find_request_token(txn, ctx->account, ctx->region, token, now));
          if (seen && *seen != print) return fail(errors::idempotent_parameter_mismatch());
          if (seen) return out;
        }
        for (size_t i = 0; i < planned.size(); ++i) {
          auto prepared = writer_.prepare(txn, planned[i]->write);
          if (prepared) {
            out.push_back(std::move(*prepared));
            continue;
          }
          AwsError error = partiql::write_error(*planned[i], std::move(prepared.error()));
          if (!is_reason(error)) return fail(std::move(error));
          reasons[i] = reason_of(error);
          cancelled = true;
        }
        if (cancelled) return fail(errors::transaction_canceled(reasons));
        for (size_t i = 0; i < planned.size(); ++i)
          writer_.commit(txn, planned[i]->write, out[i], now);
        if (!token.empty())
          VIRGA_TRY_VOID(keep_request_token(txn, ctx->account, ctx->region, token, print, now));
        return out;
      });
  ctx->depends_on(done.lsn);
  const std::vector<PreparedWrite> writes = co_await std::move(done.result);

  api::ExecuteTransactionOutput output;
  auto& responses = output.responses.emplace();
  std::map<std::string, std::pair<TableRef, WriteUnits>> used;
  for (size_t i = 0; i < planned.size(); ++i) {
    api::ItemResponse response;
    if (i < writes.size()) {  // a repeated request wrote nothing
      auto& entry = used[writes[i].table->name];
      entry.first = writes[i].table;
      entry.second.add(writes[i].units);
    }
    responses.push_back(std::move(response));
  }
  for (auto& [name, entry] : used) {
    entry.second.table *=
        2;  // transactional writes cost twice, what follows from them in indexes does not
    auto capacity =
        write_capacity(input.return_consumed_capacity, *entry.first, entry.second, true);
    if (!capacity) break;
    if (!output.consumed_capacity) output.consumed_capacity.emplace();
    output.consumed_capacity->push_back(std::move(*capacity));
  }
  co_return std::move(output);
}

}  // namespace virga::dynamodb
