#include "api/dynamodb/batch_execute_statement.h"

#include <map>

#include "aws/attribute_value_json.h"
#include "services/dynamodb/capacity.h"
#include "services/dynamodb/errors.h"
#include "services/dynamodb/expression_evaluator.h"
#include "services/dynamodb/item_key.h"
#include "services/dynamodb/item_size.h"
#include "services/dynamodb/partiql_plan.h"
#include "services/dynamodb/service.h"

namespace virga::dynamodb {
namespace {

using partiql::Statement;

constexpr size_t kStatementsMax = 25;

// Source: DynamoDB API Reference, BatchStatementError, Code.
std::string batch_code(const AwsError& error) {
  static const std::map<std::string, std::string> kCodes = {
      {"ConditionalCheckFailedException", "ConditionalCheckFailed"},
      {"DuplicateItemException", "DuplicateItem"},
      {"ResourceNotFoundException", "ResourceNotFound"},
      {"ValidationException", "ValidationError"},
      {"AccessDeniedException", "AccessDenied"},
      {"ThrottlingException", "ThrottlingError"},
  };
  const auto it = kCodes.find(error.code);
  return it == kCodes.end() ? "InternalServerError" : it->second;
}

// An item as an error carries it.
std::optional<Item> item_of_document(const Document& document) {
  Result<Item> item = parse_item(to_json(document));
  if (!item) return std::nullopt;
  return std::move(*item);
}

}  // namespace

// What one statement of a batch did.
struct StatementOutcome {
  TableRef table;
  std::optional<Item> item;
  ReadUnits read;
  WriteUnits written;
};

// Each statement on its own: its error is its own answer. All read one item by its key, or all
// write one. Source: DynamoDB API Reference, BatchExecuteStatement.
Task<api::BatchExecuteStatementOutput> Service::batch_execute_statement(
    Ctx ctx, api::BatchExecuteStatementInput input) {
  if (input.statements.empty() || input.statements.size() > kStatementsMax) {
    co_return fail(
        errors::validation("1 validation error detected: Value at 'statements' failed to satisfy "
                           "constraint: Member must have length " +
                           std::string(input.statements.empty() ? "greater than or equal to 1"
                                                                : "less than or equal to 25")));
  }
  std::vector<Result<Statement>> statements;
  int reads = 0, writes = 0;
  for (const auto& request : input.statements) {
    const std::vector<AttributeValue> none;
    statements.push_back(partiql::parse_statement(request.statement,
                                                  request.parameters ? *request.parameters : none));
    if (statements.back()) ++(statements.back()->reads() ? reads : writes);
  }
  if (reads > 0 && writes > 0) {
    co_return fail(errors::validation(
        "The entire batch must consist of either read statements or write statements; you cannot "
        "mix both in one batch."));
  }
  api::BatchExecuteStatementOutput output;
  auto& responses = output.responses.emplace();
  std::map<std::string, std::pair<TableRef, ReadUnits>> read_units;
  std::map<std::string, std::pair<TableRef, WriteUnits>> write_units;
  for (size_t i = 0; i < statements.size(); ++i) {
    const api::BatchStatementRequest& request = input.statements[i];
    api::BatchStatementResponse response;
    if (statements[i]) response.table_name = statements[i]->table;
    Result<StatementOutcome> ran = fail(AwsError{});
    if (statements[i]) {
      ran = co_await as_result(run_batched(ctx, std::move(*statements[i]), &request));
    } else {
      ran = fail(std::move(statements[i].error()));
    }
    if (!ran) {
      auto& error = response.error.emplace();
      error.code = batch_code(ran.error());
      error.message = ran.error().message;
      const Document* item = ran.error().detail ? ran.error().detail->find("Item") : nullptr;
      if (item) error.item = item_of_document(*item);
    } else {
      response.item = std::move(ran->item);
      auto& read = read_units[ran->table->name];
      read.first = ran->table;
      read.second.table += ran->read.table;
      auto& written = write_units[ran->table->name];
      written.first = ran->table;
      written.second.add(ran->written);
    }
    responses.push_back(std::move(response));
  }
  const auto add_capacity = [&](Box<api::ConsumedCapacity> capacity) {
    if (!capacity) return;
    if (!output.consumed_capacity) output.consumed_capacity.emplace();
    output.consumed_capacity->push_back(std::move(*capacity));
  };
  if (writes == 0) {
    for (const auto& [name, used] : read_units) {
      add_capacity(read_capacity(input.return_consumed_capacity, *used.first, used.second));
    }
  } else {
    for (const auto& [name, used] : write_units) {
      add_capacity(write_capacity(input.return_consumed_capacity, *used.first, used.second));
    }
  }
  co_return std::move(output);
}

Task<StatementOutcome> Service::run_batched(Ctx ctx, Statement statement,
                                            const api::BatchStatementRequest* request) {
  StatementOutcome out;
  if (statement.kind == Statement::Kind::exists) {
    co_return fail(partiql::exists_outside_of_transactions());
  }
  out.table = co_await data_table(*ctx, statement.table);
  if (statement.reads()) {
    const auto view = shard_.snapshot();
    const bool consistent = request->consistent_read.value_or(false);
    size_t bytes = 0;
    out.item = co_await read_by_key(*view, statement, *out.table, "BatchExecuteStatement", bytes);
    out.read.table = read_half_units(bytes, consistent);
    co_return std::move(out);
  }
  const bool item_on_failure = request->return_values_on_condition_check_failure == "ALL_OLD";
  const auto planned =
      co_await partiql::plan_write(std::move(statement), out.table, item_on_failure);
  auto done = co_await as_result(write_item(ctx, planned->write));
  if (!done) co_return fail(partiql::write_error(*planned, std::move(done.error())));
  out.item = partiql::returned_item(*planned, *done);
  out.written = done->units;
  co_return std::move(out);
}

Result<std::optional<Item>> Service::read_by_key(const storage::View& view,
                                                 const Statement& statement, const Table& table,
                                                 std::string_view operation, size_t& bytes) {
  const auto keyed =
      statement.index.empty() ? partiql::whole_key(table, statement.where) : std::nullopt;
  if (!keyed) return fail(partiql::names_no_key(operation));
  VIRGA_TRY_VOID(partiql::check_whole_key(table, keyed->key));
  VIRGA_TRY(record, view.get(item_key(table, keyed->key)));
  if (!record) return std::optional<Item>();
  VIRGA_TRY(item, item_of_record(*record));
  bytes = item_bytes(item);
  if (keyed->rest && !matches(*keyed->rest, item)) return std::optional<Item>();
  return std::optional<Item>(partiql::projected_item(statement, item));
}

}  // namespace virga::dynamodb
