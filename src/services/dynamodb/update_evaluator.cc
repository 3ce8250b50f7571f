#include <algorithm>
#include <map>

#include "aws/attribute_value_number.h"
#include "services/dynamodb/expression_evaluator.h"

namespace virga::dynamodb {
namespace {

constexpr const char* kBadPath =
    "The document path provided in the update expression is invalid for update";
constexpr const char* kWrongType = "An operand in the update expression has an incorrect data type";
constexpr const char* kMissing =
    "The provided expression refers to an attribute that does not exist in the item";

constexpr const char* kTooDeep =
    "Nesting Levels have exceeded supported limits: Attributes in the item have nested levels "
    "beyond supported limit";

using Bytes = std::expected<std::string, std::string>;  // a value, or AWS's message

Bytes evaluate(const Operand& operand, ItemView item);

Bytes arithmetic(const Operand& operand, ItemView item) {
  Bytes left = evaluate(operand.args[0], item);
  if (!left) return left;
  if (!ValueView(*left).is(AttributeType::number)) return std::unexpected<std::string>(kWrongType);
  Bytes right = evaluate(operand.args[1], item);
  if (!right) return right;
  if (!ValueView(*right).is(AttributeType::number)) return std::unexpected<std::string>(kWrongType);
  const Number a = *Number::parse(ValueView(*left).payload());
  const Number b = *Number::parse(ValueView(*right).payload());
  const auto result =
      operand.kind == Operand::Kind::add ? Number::add(a, b) : Number::subtract(a, b);
  if (!result) return std::unexpected(result.error());
  std::string out;
  tlv::append_value(out, AttributeType::number, result->text());
  return out;
}

Bytes list_append(const Operand& operand, ItemView item) {
  Bytes left = evaluate(operand.args[0], item);
  if (!left) return left;
  if (!ValueView(*left).is(AttributeType::list)) return std::unexpected<std::string>(kWrongType);
  Bytes right = evaluate(operand.args[1], item);
  if (!right) return right;
  if (!ValueView(*right).is(AttributeType::list)) return std::unexpected<std::string>(kWrongType);
  std::string out;
  const size_t mark = tlv::begin_value(out, AttributeType::list);
  out += ValueView(*left).payload();
  out += ValueView(*right).payload();
  tlv::end_value(out, mark);
  return out;
}

Bytes evaluate(const Operand& operand, ItemView item) {
  switch (operand.kind) {
    case Operand::Kind::value:
      return std::string(operand.value.bytes());
    case Operand::Kind::add:
    case Operand::Kind::subtract:
      return arithmetic(operand, item);
    case Operand::Kind::list_append:
      return list_append(operand, item);
    case Operand::Kind::if_not_exists: {
      const auto found = find_path(item, operand.args[0].path);
      if (found) return std::string(found->bytes());
      return evaluate(operand.args[1], item);
    }
    default: {
      const auto found = find_path(item, operand.path);
      if (!found) return std::unexpected<std::string>(kMissing);
      return std::string(found->bytes());
    }
  }
}

// Lists and maps around the innermost value.
size_t nesting(ValueView value) {
  size_t deepest = 0;
  if (value.is(AttributeType::list)) {
    for (const auto element : value.list()) deepest = std::max(deepest, 1 + nesting(element));
  } else if (value.is(AttributeType::map)) {
    for (const auto member : value.map()) deepest = std::max(deepest, 1 + nesting(member.value));
  }
  return deepest;
}

// ADD: numbers sum, sets unite; what is missing counts as zero or as the empty set.
Bytes added(const UpdateAction& action, std::optional<ValueView> old) {
  const ValueView value = action.value.value;
  if (!old) return std::string(value.bytes());
  if (old->type() != value.type()) return std::unexpected<std::string>(kWrongType);
  std::string out;
  if (value.is(AttributeType::number)) {
    const auto sum = Number::add(*Number::parse(old->payload()), *Number::parse(value.payload()));
    if (!sum) return std::unexpected(sum.error());
    tlv::append_value(out, AttributeType::number, sum->text());
    return out;
  }
  const size_t mark = tlv::begin_value(out, value.type());
  out += old->payload();
  if (value.is(AttributeType::list)) {
    out += value.payload();
  } else {
    for (const auto member : value.set()) {
      if (!old->set().contains(member)) tlv::append_bytes(out, member);
    }
  }
  tlv::end_value(out, mark);
  return out;
}

// DELETE: the set without the given members; an empty string when nothing is left.
Bytes erased(const UpdateAction& action, ValueView old) {
  const ValueView value = action.value.value;
  if (old.type() != value.type()) return std::unexpected<std::string>(kWrongType);
  std::string out;
  const size_t mark = tlv::begin_value(out, old.type());
  for (const auto member : old.set()) {
    if (!value.set().contains(member)) tlv::append_bytes(out, member);
  }
  if (out.size() == mark) return std::string();
  tlv::end_value(out, mark);
  return out;
}

// What happens at one place of the document: a new value, a removal, or changes further down.
// Positions in lists are the old ones; positions behind the end append in their order.
struct Change {
  enum class Kind { none, put, remove };
  Kind kind = Kind::none;
  std::string value;
  std::map<std::string, Change, std::less<>> members;
  std::vector<std::string> new_members;  // order of appearance
  std::map<int64_t, Change> elements;
};

void rebuild_members(const Change& change, ItemView old, std::string& out);

void rebuild_value(const Change& change, ValueView old, std::string& out) {
  if (change.kind == Change::Kind::put) {
    out += change.value;
    return;
  }
  const size_t mark = tlv::begin_value(out, old.type());
  if (old.is(AttributeType::map)) {
    rebuild_members(change, old.map(), out);
  } else {
    int64_t index = 0;
    for (const auto element : old.list()) {
      const auto it = change.elements.find(index++);
      if (it == change.elements.end()) {
        out += element.bytes();
      } else if (it->second.kind != Change::Kind::remove) {
        rebuild_value(it->second, element, out);
      }
    }
    for (auto it = change.elements.lower_bound(index); it != change.elements.end(); ++it) {
      if (it->second.kind == Change::Kind::put) out += it->second.value;
    }
  }
  tlv::end_value(out, mark);
}

void rebuild_members(const Change& change, ItemView old, std::string& out) {
  for (const auto member : old) {
    const auto it = change.members.find(member.name);
    if (it != change.members.end() && it->second.kind == Change::Kind::remove) continue;
    tlv::append_bytes(out, member.name);
    if (it == change.members.end()) {
      out += member.value.bytes();
    } else {
      rebuild_value(it->second, member.value, out);
    }
  }
  for (const auto& name : change.new_members) {
    const auto it = change.members.find(name);
    if (it->second.kind != Change::Kind::put || old.contains(name)) continue;
    tlv::append_bytes(out, name);
    out += it->second.value;
  }
}

Change& change_at(Change& root, const DocumentPath& path) {
  Change* at = &root;
  for (const auto& step : path) {
    if (step.is_index()) {
      at = &at->elements[step.index];
      continue;
    }
    const auto [it, fresh] = at->members.try_emplace(step.name);
    if (fresh) at->new_members.push_back(step.name);
    at = &it->second;
  }
  return *at;
}

// Paths go through maps by names and through lists by positions, and all but their last step must
// exist.
bool parent_exists(ItemView item, const DocumentPath& path) {
  if (path.size() == 1) return true;
  const auto parent = find_path(item, DocumentPath(path.begin(), path.end() - 1));
  return parent && parent->is(path.back().is_index() ? AttributeType::list : AttributeType::map);
}

}  // namespace

std::expected<Item, std::string> apply_update(const std::vector<UpdateAction>& actions,
                                              ItemView item) {
  Change root;
  // The service computes all SET values before it looks at any path.
  std::vector<std::string> values(actions.size());
  for (size_t i = 0; i < actions.size(); ++i) {
    if (actions[i].kind != UpdateAction::Kind::set) continue;
    Bytes value = evaluate(actions[i].value, item);
    if (!value) return std::unexpected(std::move(value.error()));
    if (actions[i].path.size() - 1 + nesting(ValueView(*value)) >= kAttributeDepthMax) {
      return std::unexpected<std::string>(kTooDeep);
    }
    values[i] = std::move(*value);
  }
  for (size_t i = 0; i < actions.size(); ++i) {
    const UpdateAction& action = actions[i];
    if (!parent_exists(item, action.path)) return std::unexpected<std::string>(kBadPath);
    const auto old = find_path(item, action.path);
    switch (action.kind) {
      case UpdateAction::Kind::set: {
        Change& change = change_at(root, action.path);
        change.kind = Change::Kind::put;
        change.value = std::move(values[i]);
        break;
      }
      case UpdateAction::Kind::remove:
        if (old) change_at(root, action.path).kind = Change::Kind::remove;
        break;
      case UpdateAction::Kind::add: {
        Bytes value = added(action, old);
        if (!value) return std::unexpected(std::move(value.error()));
        Change& change = change_at(root, action.path);
        change.kind = Change::Kind::put;
        change.value = std::move(*value);
        break;
      }
      case UpdateAction::Kind::erase: {
        if (!old) break;
        Bytes value = erased(action, *old);
        if (!value) return std::unexpected(std::move(value.error()));
        Change& change = change_at(root, action.path);
        change.kind = value->empty() ? Change::Kind::remove : Change::Kind::put;
        change.value = std::move(*value);
        break;
      }
    }
  }
  std::string out;
  out.reserve(item.bytes().size() + 64);
  rebuild_members(root, item, out);
  return Item::from_bytes(std::move(out));
}

}  // namespace virga::dynamodb
