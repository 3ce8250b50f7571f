#include "aws/query_codec.h"

#include <algorithm>
#include <map>
#include <memory>

#include "aws/scalar_text.h"
#include "base/strings.h"

namespace virga::aws {
namespace {

// Names split at their dots. Children are ordered so that list numbers come out in numerical order.
struct NumericLess {
  using is_transparent = void;
  bool operator()(std::string_view a, std::string_view b) const {
    const bool da = !a.empty() && std::all_of(a.begin(), a.end(),
                                              [](unsigned char c) { return std::isdigit(c); });
    const bool db = !b.empty() && std::all_of(b.begin(), b.end(),
                                              [](unsigned char c) { return std::isdigit(c); });
    if (da != db) return da;
    if (da && a.size() != b.size()) return a.size() < b.size();
    return a < b;
  }
};
struct Node {
  bool has_value = false;
  std::string_view value;
  std::map<std::string_view, Node, NumericLess> children;
  const Node* child(std::string_view name) const {
    const auto found = children.find(name);
    return found == children.end() ? nullptr : &found->second;
  }
};

constexpr int kNamePartsMax = 64;

std::unexpected<AwsError> malformed(std::string_view text) {
  std::string message(text);
  message += " is not a valid value for the request parameter";
  return fail("MalformedInput", 400, std::move(message));
}

bool is_number(std::string_view text) {
  return !text.empty() && text.size() < 10 &&
         std::all_of(text.begin(), text.end(), [](unsigned char c) { return std::isdigit(c); });
}

class Reader {
 public:
  explicit Reader(DecodeNotes& notes) : notes_(notes) {}

  Result<void> structure(const Node& node, const StructDesc& shape, void* out,
                         const DecodePath* at) {
    MemberSet seen;
    for (const MemberDesc& m : shape.members) {
      const Node* child = node.child(m.wire);
      if (!child && m.is(kFlattened) && !m.type->element_name.empty())
        child = node.child(m.type->element_name);
      if (!child) continue;
      seen.add(shape, m);
      const DecodePath here = DecodePath::member(at, m.name);
      VIRGA_TRY_VOID(value(*child, *m.type, m.is(kFlattened), set_member(m, out), &here));
    }
    note_missing(shape, seen, at, notes_);
    return {};
  }

 private:
  Result<void> value(const Node& node, const TypeDesc& type, bool flattened, void* out,
                     const DecodePath* at) {
    switch (type.kind) {
      case Kind::structure:
        return structure(node, *type.structure, out, at);
      case Kind::list:
        return list(node, type, flattened, out, at);
      case Kind::map:
        return map(node, type, flattened, out, at);
      default:
        if (!node.has_value) return malformed(at->text());
        return parse_scalar(type, node.value, TimeFormat::iso8601, out) ? Result<void>()
                                                                        : malformed(node.value);
    }
  }

  Result<void> list(const Node& node, const TypeDesc& type, bool flattened, void* out,
                    const DecodePath* at) {
    const Node* items = &node;
    if (!flattened) {
      items = node.child(type.element_name.empty() ? "member" : type.element_name);
      if (!items) items = node.child("member");
      if (!items) return {};  // "Names=": an empty list
    }
    size_t index = 0;
    // One element may come without its number.
    if (flattened && node.has_value && !node.value.empty() && is_scalar(type.element->kind)) {
      const DecodePath here = DecodePath::element(at, index++);
      VIRGA_TRY_VOID(value(node, *type.element, false, list_append(type, out), &here));
    }
    for (const auto& [number, item] : items->children) {
      if (!is_number(number)) continue;
      const DecodePath here = DecodePath::element(at, index++);
      VIRGA_TRY_VOID(
          value(item, *type.element, type.element->flattened, list_append(type, out), &here));
    }
    return {};
  }

  Result<void> map(const Node& node, const TypeDesc& type, bool flattened, void* out,
                   const DecodePath* at) {
    const Node* entries = flattened ? &node : node.child("entry");
    if (!entries) return {};
    // One entry may come without its number.
    if (flattened && entries->child(key_name(type))) VIRGA_TRY_VOID(entry(*entries, type, out, at));
    for (const auto& [number, one] : entries->children) {
      if (is_number(number)) VIRGA_TRY_VOID(entry(one, type, out, at));
    }
    return {};
  }

  static std::string_view key_name(const TypeDesc& type) {
    return type.key_name.empty() ? "key" : type.key_name;
  }

  Result<void> entry(const Node& node, const TypeDesc& type, void* out, const DecodePath* at) {
    const Node* key = node.child(key_name(type));
    const Node* item = node.child(type.element_name.empty() ? "value" : type.element_name);
    if (!key || !key->has_value) return malformed(at->text());
    const std::string name(key->value);
    const DecodePath here = DecodePath::entry(at, name);
    void* slot = type.map->insert(type, out, name);
    if (!item) return {};
    return value(*item, *type.element, type.element->flattened, slot, &here);
  }

  DecodeNotes& notes_;
};

}  // namespace

Result<void> read_query_struct(const std::vector<std::pair<std::string, std::string>>& form,
                               const StructDesc& shape, void* object, DecodeNotes& notes) {
  Node root;
  for (const auto& [name, value] : form) {
    Node* node = &root;
    const auto parts = split(name, '.');
    if (parts.size() > kNamePartsMax) return malformed(name);
    for (const auto part : parts) node = &node->children[part];
    node->has_value = true;
    node->value = value;
  }
  return Reader(notes).structure(root, shape, object, nullptr);
}

}  // namespace virga::aws
