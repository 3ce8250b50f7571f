#include "services/dynamodb/key_range.h"

#include "services/dynamodb/errors.h"
#include "services/dynamodb/item_key.h"
#include "storage/keys.h"

namespace virga::dynamodb {
namespace {

bool is_range_operator(std::string_view op) {
  return op == "EQ" || op == "LT" || op == "LE" || op == "GT" || op == "GE" || op == "BETWEEN" ||
         op == "BEGINS_WITH";
}

}  // namespace

const KeyPredicate* find_predicate(const std::vector<KeyPredicate>& predicates,
                                   std::string_view attribute) {
  for (const auto& p : predicates) {
    if (p.attribute == attribute) return &p;
  }
  return nullptr;
}

Result<void> check_predicates(const KeySchema& keys, const std::vector<KeyPredicate>& predicates) {
  size_t found = 0;
  bool open =
      false;  // a range attribute without an equality: the ones behind it cannot be conditioned
  for (size_t i = 0; i < keys.size(); ++i) {
    const KeyAttribute& attribute = keys.at(i);
    const bool is_hash = i < keys.hash.size();
    if (is_hash && keys.size() == 1 && predicates.size() > 1) {
      return fail(errors::validation("Query key condition not supported"));
    }
    const KeyPredicate* predicate = find_predicate(predicates, attribute.name);
    if (!predicate) {
      if (is_hash || found < predicates.size()) {
        return fail(
            errors::validation("Query condition missed key schema element: " + attribute.name));
      }
      open = true;
      continue;
    }
    ++found;
    if (!is_range_operator(predicate->op)) {
      return fail(
          errors::validation("Attempted conditional constraint is not an indexable operation"));
    }
    for (const auto& value : predicate->values) {
      if (value.type() != attribute.type) {
        return fail(
            errors::invalid_parameter("Condition parameter type does not match schema type"));
      }
      if (value.payload().empty()) {
        return fail(errors::validation(
            "One or more parameter values are not valid. The AttributeValue for a key attribute "
            "cannot contain an empty " +
            std::string(attribute.type == AttributeType::string ? "string" : "binary") +
            " value. Key: " + attribute.name));
      }
    }
    if (open || (is_hash && predicate->op != "EQ"))
      return fail(errors::validation("Query key condition not supported"));
    open = predicate->op != "EQ";
  }
  return {};
}

KeyRange key_range(const Table& table, const Index* index,
                   const std::vector<KeyPredicate>& predicates) {
  const KeySchema& keys = index ? index->keys : table.keys;
  Item partition;
  for (const auto& attribute : keys.hash) {
    partition.append(attribute.name, find_predicate(predicates, attribute.name)->values[0]);
  }
  std::string prefix = index ? index_prefix(index->id) : items_prefix(table.id);
  append_partition(prefix, keys, partition);
  for (const auto& attribute : keys.range) {
    const KeyPredicate* p = find_predicate(predicates, attribute.name);
    if (!p) break;
    std::string low = prefix, high = prefix;
    append_key_value(low, p->values[0]);
    if (p->op == "EQ") {
      prefix = low;
      continue;
    }
    if (p->op == "BEGINS_WITH") {
      append_key_prefix(high, p->values[0]);
      return {high, storage::prefix_end(high)};
    }
    if (p->op == "BETWEEN") {
      append_key_value(high, p->values[1]);
      return {low, storage::prefix_end(high)};
    }
    if (p->op == "LT") return {prefix, low};
    if (p->op == "LE") return {prefix, storage::prefix_end(low)};
    if (p->op == "GE") return {low, storage::prefix_end(prefix)};
    return {storage::prefix_end(low), storage::prefix_end(prefix)};  // GT
  }
  return {prefix, storage::prefix_end(prefix)};
}

}  // namespace virga::dynamodb
