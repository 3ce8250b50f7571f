#include "services/dynamodb/expression_evaluator.h"

#include "aws/attribute_value_number.h"

namespace virga::dynamodb {
namespace {

using Kind = Condition::Kind;

// The stored form is canonical, so it parses.
Number number_of(ValueView v) {
  return *Number::parse(v.payload());
}

// UTF-16 code units: the length of a string as the service's own language counts it.
size_t string_length(std::string_view utf8) {
  size_t units = 0;
  for (const char c : utf8) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte & 0xc0) != 0x80) units += byte >= 0xf0 ? 2 : 1;
  }
  return units;
}

std::optional<size_t> size_of(ValueView v) {
  switch (v.type()) {
    case AttributeType::string:
      return string_length(v.payload());
    case AttributeType::binary:
      return v.payload().size();
    case AttributeType::string_set:
    case AttributeType::number_set:
    case AttributeType::binary_set:
      return v.set().size();
    case AttributeType::list:
      return v.list().size();
    case AttributeType::map:
      return v.map().size();
    default:
      return std::nullopt;
  }
}

// `scratch` holds the value where it is computed.
std::optional<ValueView> resolve(const Operand& operand, ItemView item, std::string& scratch) {
  switch (operand.kind) {
    case Operand::Kind::path:
      return find_path(item, operand.path);
    case Operand::Kind::value:
      return operand.value;
    case Operand::Kind::size: {
      std::string inner;
      const auto value = resolve(operand.args[0], item, inner);
      const auto size = value ? size_of(*value) : std::nullopt;
      if (!size) return std::nullopt;
      scratch.clear();
      tlv::append_value(scratch, AttributeType::number, std::to_string(*size));
      return ValueView(scratch);
    }
    default:
      return std::nullopt;
  }
}

bool begins_with(std::optional<ValueView> value, std::optional<ValueView> prefix) {
  return value && prefix && value->type() == prefix->type() &&
         (value->is(AttributeType::string) || value->is(AttributeType::binary)) &&
         value->payload().starts_with(prefix->payload());
}

bool contains(std::optional<ValueView> value, std::optional<ValueView> part) {
  if (!value || !part) return false;
  switch (value->type()) {
    case AttributeType::string:
    case AttributeType::binary:
      return value->type() == part->type() &&
             value->payload().find(part->payload()) != std::string_view::npos;
    case AttributeType::string_set:
      return part->is(AttributeType::string) && value->set().contains(part->payload());
    case AttributeType::number_set:
      return part->is(AttributeType::number) && value->set().contains(part->payload());
    case AttributeType::binary_set:
      return part->is(AttributeType::binary) && value->set().contains(part->payload());
    case AttributeType::list:
      for (const auto element : value->list()) {
        if (element == *part) return true;
      }
      return false;
    default:
      return false;
  }
}

bool in_order(Kind kind, std::optional<ValueView> left, std::optional<ValueView> right) {
  if (!left || !right) return false;
  const auto order = compare_values(*left, *right);
  if (!order) return false;
  switch (kind) {
    case Kind::less:
      return *order < 0;
    case Kind::less_equal:
      return *order <= 0;
    case Kind::greater:
      return *order > 0;
    default:
      return *order >= 0;
  }
}

bool matches_leaf(const Condition& c, ItemView item) {
  std::string scratch, other_scratch;
  const auto first = resolve(c.operands[0], item, scratch);
  switch (c.kind) {
    case Kind::attribute_exists:
      return first.has_value();
    case Kind::attribute_not_exists:
      return !first.has_value();
    case Kind::in:
      if (!first) return false;
      for (size_t i = 1; i < c.operands.size(); ++i) {
        const auto candidate = resolve(c.operands[i], item, other_scratch);
        if (candidate && *first == *candidate) return true;
      }
      return false;
    default:
      break;
  }
  const auto second = resolve(c.operands[1], item, other_scratch);
  switch (c.kind) {
    case Kind::equal:
      return first && second && *first == *second;
    case Kind::not_equal:
      return !(first && second && *first == *second);
    case Kind::between: {
      std::string third_scratch;
      const auto third = resolve(c.operands[2], item, third_scratch);
      return in_order(Kind::greater_equal, first, second) &&
             in_order(Kind::less_equal, first, third);
    }
    case Kind::attribute_type:
      return first && second && first->type_name() == second->payload();
    case Kind::begins_with:
      return begins_with(first, second);
    case Kind::contains:
      return contains(first, second);
    case Kind::not_contains:
      return first && !contains(first, second);
    default:
      return in_order(c.kind, first, second);
  }
}

// Which parts of a document a projection keeps.
struct Selection {
  PathStep step;  // from the part above
  bool whole = false;
  std::vector<Selection> parts;

  Selection& part(const PathStep& wanted) {
    for (auto& p : parts) {
      if (p.step == wanted) return p;
    }
    parts.push_back({.step = wanted});
    return parts.back();
  }
  const Selection* find(std::string_view name) const {
    for (const auto& p : parts) {
      if (!p.step.is_index() && p.step.name == name) return &p;
    }
    return nullptr;
  }
  const Selection* find(int64_t index) const {
    for (const auto& p : parts) {
      if (p.step.index == index) return &p;
    }
    return nullptr;
  }
};

bool select_members(const Selection& selection, ItemView members, std::string& out);

// Appends the selected part of a value; false, and nothing appended, when there is none.
bool select_value(const Selection& selection, ValueView value, std::string& out) {
  if (selection.whole) {
    out += value.bytes();
    return true;
  }
  const size_t start = out.size();
  bool any = false;
  if (value.is(AttributeType::map)) {
    const size_t mark = tlv::begin_value(out, AttributeType::map);
    any = select_members(selection, value.map(), out);
    tlv::end_value(out, mark);
  } else if (value.is(AttributeType::list)) {
    const size_t mark = tlv::begin_value(out, AttributeType::list);
    int64_t index = 0;
    for (const auto element : value.list()) {
      const Selection* part = selection.find(index++);
      if (part && select_value(*part, element, out)) any = true;
    }
    tlv::end_value(out, mark);
  }
  if (!any) out.resize(start);
  return any;
}

bool select_members(const Selection& selection, ItemView members, std::string& out) {
  bool any = false;
  for (const auto member : members) {
    const Selection* part = selection.find(member.name);
    if (!part) continue;
    const size_t start = out.size();
    tlv::append_bytes(out, member.name);
    if (select_value(*part, member.value, out)) {
      any = true;
    } else {
      out.resize(start);
    }
  }
  return any;
}

}  // namespace

std::optional<ValueView> find_path(ItemView item, const DocumentPath& path) {
  auto value = item.find(path[0].name);
  for (size_t i = 1; value && i < path.size(); ++i) {
    if (path[i].is_index()) {
      value = value->is(AttributeType::list) ? value->list().at(static_cast<size_t>(path[i].index))
                                             : std::nullopt;
    } else {
      value = value->is(AttributeType::map) ? value->map().find(path[i].name) : std::nullopt;
    }
  }
  return value;
}

std::optional<std::strong_ordering> compare_values(ValueView a, ValueView b) {
  if (a.type() != b.type()) return std::nullopt;
  if (a.is(AttributeType::number)) return number_of(a) <=> number_of(b);
  // char_traits<char> compares as unsigned bytes, which is the order of UTF-8 and of binaries.
  if (a.is(AttributeType::string) || a.is(AttributeType::binary))
    return a.payload().compare(b.payload()) <=> 0;
  return std::nullopt;
}

bool matches(const Condition& condition, ItemView item) {
  switch (condition.kind) {
    case Kind::all_of:
      for (const auto& child : condition.children) {
        if (!matches(child, item)) return false;
      }
      return true;
    case Kind::any_of:
      for (const auto& child : condition.children) {
        if (matches(child, item)) return true;
      }
      return false;
    case Kind::negation:
      return !matches(condition.children[0], item);
    default:
      return matches_leaf(condition, item);
  }
}

Item project(const std::vector<DocumentPath>& paths, ItemView item) {
  Selection root;
  for (const auto& path : paths) {
    Selection* at = &root;
    for (const auto& step : path) at = &at->part(step);
    at->whole = true;
  }
  std::string out;
  select_members(root, item, out);
  return Item::from_bytes(std::move(out));
}

}  // namespace virga::dynamodb
