#include "services/dynamodb/update_checks.h"

#include "services/dynamodb/errors.h"
#include "services/dynamodb/request_checks.h"

namespace virga::dynamodb {
namespace {

// The type of an action's value, where the request alone decides it.
std::optional<AttributeType> type_of(const Operand& operand) {
  switch (operand.kind) {
    case Operand::Kind::value:
      return operand.value.type();
    case Operand::Kind::add:
    case Operand::Kind::subtract:
      return AttributeType::number;
    case Operand::Kind::list_append:
      return AttributeType::list;
    case Operand::Kind::if_not_exists:
      return type_of(operand.args[1]);
    default:
      return std::nullopt;
  }
}

}  // namespace

Result<void> check_update_targets(const Table& table, const ParsedUpdate& update) {
  for (size_t i = 0; i < table.keys.size(); ++i) {
    const std::string& name = table.keys.at(i).name;
    for (const auto& action : update.actions) {
      if (action.path[0].name != name) continue;
      return fail(errors::invalid_parameter("Cannot update attribute " + name +
                                            ". This attribute is part of the key"));
    }
  }
  for (const auto& index : table.indexes) {
    for (size_t i = 0; i < index.keys.size(); ++i) {
      const KeyAttribute& attribute = index.keys.at(i);
      for (const auto& action : update.actions) {
        if (action.kind == UpdateAction::Kind::remove || action.path.size() != 1 ||
            action.path[0].name != attribute.name) {
          continue;
        }
        const auto type = type_of(action.value);
        if (!type || *type == attribute.type) continue;
        return fail(errors::invalid_parameter(
            "Type mismatch for Index Key " + attribute.name +
            " Expected: " + std::string(attribute_type_name(attribute.type)) +
            " Actual: " + std::string(attribute_type_name(*type)) + " IndexName: " + index.name));
      }
    }
  }
  return check_key_paths(table, update.nested_heads);
}

}  // namespace virga::dynamodb
