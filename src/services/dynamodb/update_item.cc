#include "api/dynamodb/update_item.h"

#include "services/dynamodb/capacity.h"
#include "services/dynamodb/expression_evaluator.h"
#include "services/dynamodb/item_key.h"
#include "services/dynamodb/request_checks.h"
#include "services/dynamodb/service.h"
#include "services/dynamodb/update_checks.h"

namespace virga::dynamodb {
namespace {

struct CheckedUpdate {
  std::optional<Condition> condition;
  ParsedUpdate update;
};

Result<CheckedUpdate> check_update(const api::UpdateItemInput& input) {
  VIRGA_TRY_VOID(check_expression_parameters(
      {{"UpdateExpression", input.update_expression.has_value()},
       {"ConditionExpression", input.condition_expression.has_value()}},
      {{"AttributeUpdates", input.attribute_updates.has_value()},
       {"Expected", input.expected.has_value()},
       {"ConditionalOperator", input.conditional_operator.has_value()}},
      input.expression_attribute_names.has_value(), input.expression_attribute_values.has_value()));
  VIRGA_TRY_VOID(check_values(input.key));
  CheckedUpdate out;
  if (input.attribute_updates) {
    VIRGA_TRY(actions, read_attribute_updates(*input.attribute_updates));
    out.update.actions = std::move(actions);
  }
  VIRGA_TRY_VOID(check_conditional_operator(input.conditional_operator,
                                            input.expected ? input.expected->size() : 0));
  if (input.expected) {
    VIRGA_TRY(expected, read_expected(*input.expected, input.conditional_operator.value_or("AND")));
    out.condition = std::move(expected);
  }
  VIRGA_TRY(placeholders,
            read_placeholders(input.expression_attribute_names, input.expression_attribute_values));
  if (input.update_expression) {
    VIRGA_TRY(update, read_update(*input.update_expression, placeholders));
    out.update = std::move(update);
  }
  if (input.condition_expression) {
    VIRGA_TRY(parsed,
              read_condition("ConditionExpression", *input.condition_expression, placeholders));
    out.condition = std::move(parsed.condition);
  }
  VIRGA_TRY_VOID(check_all_used(placeholders));
  return out;
}

std::optional<Item> returned(const std::string& mode, const PreparedWrite& done,
                             const std::vector<DocumentPath>& paths) {
  const auto old_item = done.old_item();
  const auto new_item = done.new_item();
  std::optional<Item> out;
  if (mode == "ALL_OLD" && old_item) out = Item(*old_item);
  if (mode == "ALL_NEW") out = Item(*new_item);
  if (mode == "UPDATED_OLD" && old_item) out = project(paths, *old_item);
  if (mode == "UPDATED_NEW") out = project(paths, *new_item);
  if (out && out->empty()) out.reset();
  return out;
}

}  // namespace

// Changes or creates an item. Source: DynamoDB API Reference, UpdateItem.
Task<api::UpdateItemOutput> Service::update_item(Ctx ctx, api::UpdateItemInput input) {
  CheckedUpdate checked = co_await check_update(input);
  const TableRef table = co_await data_table(*ctx, input.table_name);
  co_await check_key(table->keys, input.key);
  co_await check_update_targets(*table, checked.update);

  // What is removed has no new value, also where a later element of its list comes to its place.
  const bool new_values = input.return_values == "UPDATED_NEW";
  std::vector<DocumentPath> paths;
  for (const auto& action : checked.update.actions) {
    if (!new_values || action.kind != UpdateAction::Kind::remove) paths.push_back(action.path);
  }
  ItemWrite write{
      .kind = ItemWrite::Kind::update, .table = table, .key = item_key(*table, input.key)};
  write.item = input.key.view();
  write.condition = std::move(checked.condition);
  write.actions = std::move(checked.update.actions);
  write.legacy_update = input.attribute_updates.has_value();
  write.item_on_failure = input.return_values_on_condition_check_failure == "ALL_OLD";
  const PreparedWrite done = co_await write_item(ctx, std::move(write));

  api::UpdateItemOutput output;
  output.attributes = returned(input.return_values.value_or("NONE"), done, paths);
  output.consumed_capacity =
      write_capacity(input.return_consumed_capacity, *done.table, done.units);
  name_as_asked(output.consumed_capacity, input.table_name);
  output.item_collection_metrics =
      collection_metrics(input.return_item_collection_metrics, *table, input.key);
  co_return std::move(output);
}

}  // namespace virga::dynamodb
