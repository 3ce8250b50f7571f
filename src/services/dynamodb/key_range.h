#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "services/dynamodb/request_expressions.h"
#include "services/dynamodb/table.h"

// Conditions on keys, and the stored keys that they admit: what Query and a PartiQL SELECT read.
namespace virga::dynamodb {

const KeyPredicate* find_predicate(const std::vector<KeyPredicate>& predicates,
                                   std::string_view attribute);

// The conditions against the key they are about.
Result<void> check_predicates(const KeySchema& keys, const std::vector<KeyPredicate>& predicates);

// The keys that checked conditions admit.
struct KeyRange {
  std::string begin, end;
};
KeyRange key_range(const Table& table, const Index* index,
                   const std::vector<KeyPredicate>& predicates);

}  // namespace virga::dynamodb
