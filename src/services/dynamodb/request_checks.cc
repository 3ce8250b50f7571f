#include "services/dynamodb/request_checks.h"

#include <algorithm>

namespace virga::dynamodb {

Result<void> check_conditional_operator(const std::optional<std::string>& conditional_operator, size_t conditions) {
  if (!conditional_operator) return {};
  if (conditions == 0) {
    return fail(errors::validation("ConditionalOperator cannot be used without Filter or Expected"));
  }
  if (conditions == 1) {
    return fail(errors::validation("ConditionalOperator can only be used when Filter or Expected has two or more elements"));
  }
  return {};
}

Result<void> check_table_name(std::string_view name) {
  const bool characters = std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '-' || c == '.';
  });
  if (characters && name.size() >= 3 && name.size() <= 255) return {};
  return fail(errors::validation("Invalid table/index name.  Table/index names must be between 3 and 255 characters long, "
                                 "and may contain only the characters a-z, A-Z, 0-9, '_', '-', and '.'"));
}

Result<void> check_key_paths(const Table& table, const std::vector<std::string>& nested) {
  for (const auto& name : nested) {
    if (table.keys.contains(name)) {
      return fail(errors::validation("Key attributes must be scalars; list random access '[]' and map lookup '.' are not "
                                     "allowed: Key: " + name));
    }
  }
  for (const auto& name : nested) {
    for (const auto& index : table.indexes) {
      if (index.keys.contains(name)) {
        return fail(errors::validation("Key attributes must be scalars; list random access '[]' and map lookup '.' are "
                                       "not allowed: IndexKey: " + name));
      }
    }
  }
  return {};
}

}  // namespace virga::dynamodb
