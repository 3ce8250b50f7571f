#include "services/dynamodb/partiql_plan.h"

#include <algorithm>

#include "base/hashing.h"
#include "services/dynamodb/errors.h"
#include "services/dynamodb/expression_evaluator.h"
#include "services/dynamodb/item_key.h"
#include "services/dynamodb/item_size.h"
#include "services/dynamodb/request_checks.h"
#include "services/dynamodb/update_checks.h"
#include "storage/keys.h"

namespace virga::dynamodb::partiql {
namespace {

using Kind = Condition::Kind;

// Values of the hash key that IN takes. Source: DynamoDB Developer Guide, "PartiQL operators", IN.
constexpr size_t kPartitionsMax = 50;

void add_conjuncts(const Condition& condition, std::vector<const Condition*>& out) {
  if (condition.kind != Kind::all_of) {
    out.push_back(&condition);
    return;
  }
  for (const auto& child : condition.children) add_conjuncts(child, out);
}
std::vector<const Condition*> conjuncts(const std::optional<Condition>& where) {
  std::vector<const Condition*> out;
  if (where) add_conjuncts(*where, out);
  return out;
}

std::optional<Condition> all_of(const std::vector<const Condition*>& parts) {
  if (parts.empty()) return std::nullopt;
  Condition out{.kind = Kind::all_of, .children = {}, .operands = {}};
  for (const Condition* part : parts) out.children.push_back(*part);
  return out;
}

Kind mirrored(Kind kind) {
  switch (kind) {
    case Kind::less:
      return Kind::greater;
    case Kind::less_equal:
      return Kind::greater_equal;
    case Kind::greater:
      return Kind::less;
    case Kind::greater_equal:
      return Kind::less_equal;
    default:
      return kind;
  }
}
const char* operator_of(Kind kind) {
  switch (kind) {
    case Kind::equal:
      return "EQ";
    case Kind::less:
      return "LT";
    case Kind::less_equal:
      return "LE";
    case Kind::greater:
      return "GT";
    case Kind::greater_equal:
      return "GE";
    case Kind::between:
      return "BETWEEN";
    case Kind::begins_with:
      return "BEGINS_WITH";
    default:
      return nullptr;
  }
}

// A condition on one attribute by literals alone, as a key's condition reads; nothing for others.
std::optional<KeyPredicate> predicate_of(const Condition& c) {
  if (c.operands.size() < 2) return std::nullopt;
  const bool swapped = c.operands.size() == 2 && c.operands[0].kind == Operand::Kind::value;
  if (swapped && c.kind == Kind::begins_with) return std::nullopt;
  const Operand& subject = c.operands[swapped ? 1 : 0];
  const char* op = operator_of(swapped ? mirrored(c.kind) : c.kind);
  if (!op || subject.kind != Operand::Kind::path || subject.path.size() != 1) return std::nullopt;
  KeyPredicate out{subject.path[0].name, op, {}};
  for (const auto& operand : c.operands) {
    if (&operand == &subject) continue;
    if (operand.kind != Operand::Kind::value) return std::nullopt;
    out.values.push_back(operand.value);
  }
  return out;
}

// The values of `attribute IN (…)`, each once; empty when it is no such condition.
std::vector<ValueView> listed_values(const Condition& c, std::string_view attribute) {
  std::vector<ValueView> out;
  if (c.kind != Kind::in || c.operands[0].kind != Operand::Kind::path ||
      c.operands[0].path.size() != 1 || c.operands[0].path[0].name != attribute) {
    return out;
  }
  for (size_t i = 1; i < c.operands.size(); ++i) {
    if (c.operands[i].kind != Operand::Kind::value) return {};
    const ValueView value = c.operands[i].value;
    if (std::none_of(out.begin(), out.end(), [&](ValueView known) { return known == value; }))
      out.push_back(value);
  }
  return out;
}

// Takes the first predicate on the attribute that `admits` out of `parts`.
template <class F>
std::optional<KeyPredicate> take_predicate(std::vector<const Condition*>& parts,
                                           std::string_view attribute, F admits) {
  for (auto it = parts.begin(); it != parts.end(); ++it) {
    auto predicate = predicate_of(**it);
    if (!predicate || predicate->attribute != attribute || !admits(*predicate)) continue;
    parts.erase(it);
    return predicate;
  }
  return std::nullopt;
}
bool is_equality(const KeyPredicate& predicate) {
  return predicate.op == "EQ";
}

Condition existence(const Table& table, Kind kind) {
  Condition out{.kind = kind, .children = {}, .operands = {}};
  Operand path;
  path.path = {PathStep{table.keys.hash[0].name}};
  out.operands.push_back(std::move(path));
  return out;
}

// The key conditions of a SELECT: one list of predicates for each partition that it names; none: no
// partition.
std::vector<std::vector<KeyPredicate>> partitions_of(const KeySchema& keys,
                                                     std::vector<const Condition*>& parts) {
  std::vector<const Condition*> left = parts;
  std::vector<KeyPredicate> base;
  std::vector<ValueView> listed;
  for (const auto& attribute : keys.hash) {
    if (auto equality = take_predicate(left, attribute.name, is_equality)) {
      base.push_back(std::move(*equality));
      continue;
    }
    if (keys.hash.size() > 1) return {};
    for (auto it = left.begin(); it != left.end(); ++it) {
      listed = listed_values(**it, attribute.name);
      if (listed.empty()) continue;
      left.erase(it);
      break;
    }
    if (listed.empty()) return {};
  }
  std::vector<KeyPredicate> ranges;
  for (const auto& attribute : keys.range) {
    auto range = take_predicate(left, attribute.name, is_equality);
    const bool equal = range.has_value();
    if (!range)
      range = take_predicate(left, attribute.name, [](const KeyPredicate&) { return true; });
    if (range) ranges.push_back(std::move(*range));
    if (!equal) break;
  }
  parts = std::move(left);
  std::vector<std::vector<KeyPredicate>> out;
  if (listed.empty()) out.push_back(base);
  for (const auto value : listed) out.push_back({KeyPredicate{keys.hash[0].name, "EQ", {value}}});
  for (auto& one : out) one.insert(one.end(), ranges.begin(), ranges.end());
  return out;
}

// ORDER BY names attributes of the key: the hash key (between partitions), the sort key (within
// one).
Result<void> check_order(const Statement& statement, const KeySchema& keys, size_t partitions) {
  if (statement.order.empty()) return {};
  if (!statement.where) {
    return fail(
        errors::validation("Must have WHERE clause in the statement when using ORDER BY clause."));
  }
  if (partitions == 0) {
    return fail(
        errors::validation("Must have at least one non-optional hash key condition in WHERE clause "
                           "when using ORDER BY clause."));
  }
  for (const auto& order : statement.order) {
    if (keys.contains(order.attribute)) continue;
    return fail(errors::validation("Variable reference " + order.attribute +
                                   " in ORDER BY clause must be part of the primary key"));
  }
  const bool by_hash =
      std::any_of(statement.order.begin(), statement.order.end(),
                  [&](const Order& order) { return order.attribute == keys.hash[0].name; });
  if (partitions > 1 && !by_hash) {
    return fail(
        errors::validation("Must have hash key in ORDER BY clause when more than one hash key "
                           "condition specified in WHERE clause."));
  }
  return {};
}

Result<void> check_key_type(const KeyAttribute& key, ValueView value) {
  if (value.type() == key.type) return {};
  return fail(errors::validation(
      "Key attribute's data type should match its data type in table's schema: Key " + key.name));
}

// An item, or a key, against the table's keys.
Result<void> check_key_attributes(const KeySchema& keys, const Item& item) {
  for (size_t i = 0; i < keys.size(); ++i) {
    const KeyAttribute& key = keys.at(i);
    const auto value = item.find(key.name);
    if (!value) {
      return fail(
          errors::validation("Key attribute should be present in the item: Key " + key.name));
    }
    VIRGA_TRY_VOID(check_key_type(key, *value));
  }
  return {};
}

// The values that a SELECT's key conditions compare with.
Result<void> check_condition_types(const KeySchema& keys,
                                   const std::vector<KeyPredicate>& predicates) {
  for (size_t i = 0; i < keys.size(); ++i) {
    const KeyPredicate* predicate = find_predicate(predicates, keys.at(i).name);
    if (predicate) VIRGA_TRY_VOID(check_key_type(keys.at(i), predicate->values[0]));
  }
  return {};
}

// A write's condition beside its key sets no key attribute to yet another value.
Result<void> check_one_key(const KeyedWhere& keyed) {
  for (const Condition* part : conjuncts(keyed.rest)) {
    const auto predicate = predicate_of(*part);
    if (!predicate || !is_equality(*predicate)) continue;
    const auto value = keyed.key.find(predicate->attribute);
    if (!value || *value == predicate->values[0]) continue;
    return fail(errors::validation("Multiple conditions on same key " + predicate->attribute +
                                   ". Only single item Update/Insert/Delete are supported"));
  }
  return {};
}

// First names of the paths of a condition.
void add_heads(const Condition& condition, std::vector<std::string>& out) {
  for (const auto& child : condition.children) add_heads(child, out);
  for (const auto& operand : condition.operands) {
    if (operand.kind == Operand::Kind::path) out.push_back(operand.path[0].name);
    for (const auto& argument : operand.args) {
      if (argument.kind == Operand::Kind::path) out.push_back(argument.path[0].name);
    }
  }
}

void apply_order(const Statement& statement, const KeySchema& keys,
                 std::vector<std::vector<KeyPredicate>>& partitions, ReadPlan& plan) {
  for (const auto& order : statement.order) {
    if (order.attribute == keys.hash[0].name) {
      std::sort(partitions.begin(), partitions.end(), [&](const auto& a, const auto& b) {
        const auto before = compare_values(a[0].values[0], b[0].values[0]);
        return before && (order.descending ? *before > 0 : *before < 0);
      });
    } else if (!keys.range.empty() && order.attribute == keys.range[0].name && order.descending) {
      plan.direction = storage::Direction::backward;
    }
  }
}

}  // namespace

Result<void> check_whole_key(const Table& table, const Item& key) {
  VIRGA_TRY_VOID(check_key_attributes(table.keys, key));
  return check_key(table.keys, key);
}

std::optional<KeyedWhere> whole_key(const Table& table, const std::optional<Condition>& where) {
  std::vector<const Condition*> parts = conjuncts(where);
  KeyedWhere out;
  for (size_t i = 0; i < table.keys.size(); ++i) {
    const auto equality = take_predicate(parts, table.keys.at(i).name, is_equality);
    if (!equality) return std::nullopt;
    out.key.append(equality->attribute, equality->values[0]);
  }
  out.rest = all_of(parts);
  return out;
}

Result<std::unique_ptr<PlannedWrite>> plan_write(Statement statement, TableRef table,
                                                 bool item_on_failure) {
  auto out = std::make_unique<PlannedWrite>();
  out->statement = std::move(statement);
  const Statement& s = out->statement;
  if (!s.index.empty())
    return fail(errors::validation("This operation is not supported on an index"));
  ItemWrite& write = out->write;
  write.table = table;
  write.item_on_failure = item_on_failure;
  if (s.kind == Statement::Kind::insert) {
    out->item = s.item;
    VIRGA_TRY_VOID(check_key_attributes(table->keys, out->item));
    VIRGA_TRY_VOID(check_item_keys(*table, out->item));
    if (item_bytes(out->item) > kItemBytesMax) {
      return fail(errors::validation("Item size has exceeded the maximum allowed size"));
    }
    write.kind = ItemWrite::Kind::put;
    write.condition = existence(*table, Kind::attribute_not_exists);
  } else {
    auto keyed = whole_key(*table, s.where);
    if (s.kind == Statement::Kind::exists && (!keyed || !keyed->rest)) {
      return fail(
          errors::validation("EXISTS() must contain a single item read with additional condition"));
    }
    if (!keyed) {
      return fail(errors::validation(
          "Where clause does not contain a mandatory equality on all key attributes"));
    }
    if (s.kind != Statement::Kind::exists) VIRGA_TRY_VOID(check_one_key(*keyed));
    out->item = std::move(keyed->key);
    VIRGA_TRY_VOID(check_whole_key(*table, out->item));
    std::vector<const Condition*> parts;
    if (keyed->rest) parts.push_back(&*keyed->rest);
    const bool erases = s.kind == Statement::Kind::erase;
    const Condition there =
        existence(*table, erases ? Kind::attribute_not_exists : Kind::attribute_exists);
    if (erases) {
      write.kind = ItemWrite::Kind::erase;
      // No item, nothing to delete: the condition only speaks of one that is there.
      if (keyed->rest) {
        Condition either{.kind = Kind::any_of, .children = {}, .operands = {}};
        either.children = {there, *keyed->rest};
        write.condition = std::move(either);
      }
    } else {
      parts.insert(parts.begin(), &there);
      write.condition = all_of(parts);
      write.kind =
          s.kind == Statement::Kind::exists ? ItemWrite::Kind::check : ItemWrite::Kind::update;
      if (s.kind == Statement::Kind::update) {
        VIRGA_TRY_VOID(check_update_targets(*table, s.update));
        write.actions = s.update.actions;
      }
    }
  }
  write.item = out->item.view();
  write.key = item_key(*table, out->item);
  return std::move(out);
}

AwsError exists_outside_of_transactions() {
  return errors::validation("EXISTS can only be used in ExecuteTransaction write requests.");
}

AwsError names_no_key(std::string_view operation) {
  return errors::validation("Select statements within " + std::string(operation) +
                            " must specify the primary key in the where clause.");
}

AwsError write_error(const PlannedWrite& planned, AwsError error) {
  if (planned.statement.kind == Statement::Kind::insert &&
      error.code == "ConditionalCheckFailedException") {
    error.code = "DuplicateItemException";
    error.message = "Duplicate primary key exists in table";
  }
  return error;
}

std::optional<Item> returned_item(const PlannedWrite& planned, const PreparedWrite& done) {
  using Returning = Statement::Returning;
  const Returning returning = planned.statement.returning;
  if (returning == Returning::none) return std::nullopt;
  const bool old = returning == Returning::all_old || returning == Returning::modified_old;
  const auto item = old ? done.old_item() : done.new_item();
  if (!item) return std::nullopt;
  if (returning == Returning::all_old || returning == Returning::all_new) return Item(*item);
  std::vector<DocumentPath> paths;
  for (const auto& action : planned.statement.update.actions) paths.push_back(action.path);
  return project(paths, *item);
}

Result<ReadPlan> plan_read(const Statement& statement, TableRef table, bool consistent) {
  ReadPlan out{.table = table};
  if (!statement.index.empty()) {
    out.index = table->find_index(statement.index);
    if (!out.index) return fail(errors::index_not_found(statement.index));
    if (out.index->global && consistent) {
      return fail(errors::validation(
          "Strongly consistent read is not supported on Global Secondary Indexes"));
    }
  }
  const KeySchema& keys = out.index ? out.index->keys : table->keys;
  std::vector<const Condition*> parts = conjuncts(statement.where);
  auto partitions = partitions_of(keys, parts);
  if (partitions.size() > kPartitionsMax)
    return fail(errors::validation("Too many decomposed read operations for a given query."));
  VIRGA_TRY_VOID(check_order(statement, keys, partitions.size()));
  for (const auto& predicates : partitions) {
    VIRGA_TRY_VOID(check_condition_types(keys, predicates));
    VIRGA_TRY_VOID(check_predicates(keys, predicates));
  }
  apply_order(statement, keys, partitions, out);
  for (const auto& predicates : partitions)
    out.ranges.push_back(key_range(*table, out.index, predicates));
  if (partitions.empty()) {
    const std::string prefix = out.index ? index_prefix(out.index->id) : items_prefix(table->id);
    out.ranges.push_back({prefix, storage::prefix_end(prefix)});
  }
  out.filter = all_of(parts);
  // What reads the whole index may filter by anything.
  if (out.filter && !partitions.empty()) {
    std::vector<std::string> heads;
    add_heads(*out.filter, heads);
    VIRGA_TRY_VOID(check_filter_projected(*table, out.index, heads));
  }

  std::optional<ParsedProjection> projection;
  if (!statement.projection.empty()) {
    projection.emplace();
    for (const auto& one : statement.projection) projection->paths.push_back(one.path);
  }
  VIRGA_TRY(selection, resolve_select(std::nullopt, *table, out.index, projection));
  out.fetch_items = selection.fetch_items;
  return out;
}

Item projected_item(const Statement& statement, ItemView item) {
  if (statement.projection.empty()) return Item(item);
  Item out;
  for (const auto& one : statement.projection) {
    if (const auto value = find_path(item, one.path)) out.set(one.name, *value);
  }
  return out;
}

std::string fingerprint(std::string_view statement, const std::vector<AttributeValue>& parameters) {
  Sha256Stream hash;
  const auto add = [&](std::string_view text) {
    hash.update(std::to_string(text.size()) + ":");
    hash.update(text);
  };
  add(statement);
  for (const auto& parameter : parameters) add(parameter.bytes());
  return std::string(as_bytes(hash.finish()));
}

}  // namespace virga::dynamodb::partiql
