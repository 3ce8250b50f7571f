#include "services/dynamodb/request_checks.h"

#include <algorithm>

namespace virga::dynamodb {

Result<void> check_conditional_operator(const std::optional<std::string>& conditional_operator,
                                        size_t conditions) {
  if (!conditional_operator) return {};
  if (conditions == 0) {
    return fail(
        errors::validation("ConditionalOperator cannot be used without Filter or Expected"));
  }
  if (conditions == 1) {
    return fail(errors::validation(
        "ConditionalOperator can only be used when Filter or Expected has two or more elements"));
  }
  return {};
}

Result<void> check_table_name(std::string_view name) {
  const bool characters = std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
           c == '-' || c == '.';
  });
  if (characters && name.size() >= 3 && name.size() <= 255) return {};
  const std::string head =
      "Value '" + std::string(name) + "' at 'tableName' failed to satisfy constraint: Member must ";
  std::vector<std::string> violations;
  if (!characters)
    violations.push_back(head + "satisfy regular expression pattern: [a-zA-Z0-9_.-]+");
  if (name.size() < 3) violations.push_back(head + "have length greater than or equal to 3");
  if (name.size() > 255) violations.push_back(head + "have length less than or equal to 255");
  if (violations.size() == 1) return fail(errors::one_violation(violations[0]));
  return fail(
      errors::validation("2 validation errors detected: " + violations[0] + "; " + violations[1]));
}

Result<void> check_key_paths(const Table& table, const std::vector<std::string>& nested) {
  for (const auto& name : nested) {
    if (table.keys.contains(name)) {
      return fail(errors::validation(
          "Key attributes must be scalars; list random access '[]' and map lookup '.' are not "
          "allowed: Key: " +
          name));
    }
  }
  for (const auto& name : nested) {
    for (const auto& index : table.indexes) {
      if (index.keys.contains(name)) {
        return fail(errors::validation(
            "Key attributes must be scalars; list random access '[]' and map lookup '.' are "
            "not allowed: IndexKey: " +
            name));
      }
    }
  }
  return {};
}

}  // namespace virga::dynamodb
