#include "aws/xml_codec.h"

#include "aws/scalar_text.h"

namespace virga::aws {
namespace {

std::string_view or_else(std::string_view name, std::string_view otherwise) {
  return name.empty() ? otherwise : name;
}

Result<void> append_item(const XmlNode& node, const TypeDesc& list, void* out, const DecodePath* at,
                         DecodeNotes& notes) {
  const DecodePath here = DecodePath::element(at, list_size(list, out));
  return read_xml_value(node, *list.element, list_append(list, out), &here, notes);
}

Result<void> insert_entry(const XmlNode& node, const TypeDesc& map, void* out, const DecodePath* at,
                          DecodeNotes& notes) {
  const XmlNode* key = node.child(or_else(map.key_name, "key"));
  const XmlNode* value = node.child(or_else(map.element_name, "value"));
  if (!key) return fail(malformed_xml());
  const DecodePath here = DecodePath::entry(at, key->text);
  void* slot = map.map->insert(map, out, key->text);
  if (!value) return {};
  return read_xml_value(*value, *map.element, slot, &here, notes);
}

// The name of a flattened list's elements: the list's own name for them when the list shape is what
// flattens.
std::string_view flat_name(const MemberDesc& m) {
  const bool own = m.type->kind == Kind::list && m.type->flattened && !m.type->element_name.empty();
  return own ? m.type->element_name : m.wire;
}

// A flattened list or map: every child of the name is one element.
Result<void> read_flattened(const XmlNode& node, const MemberDesc& m, const StructDesc& shape,
                            void* object, const DecodePath* at, MemberSet& seen,
                            DecodeNotes& notes) {
  const TypeDesc& type = *m.type;
  void* out = nullptr;
  for (const XmlNode& child : node.children) {
    const auto name = child.local_name();
    const bool mine = name == m.wire || name == flat_name(m);
    if (!mine) continue;
    if (!out) out = set_member(m, object);
    if (type.kind == Kind::list) {
      VIRGA_TRY_VOID(append_item(child, type, out, at, notes));
    } else {
      VIRGA_TRY_VOID(insert_entry(child, type, out, at, notes));
    }
  }
  if (out) seen.add(shape, m);
  return {};
}

bool is_container(Kind kind) {
  return kind == Kind::list || kind == Kind::map;
}

Result<void> read_member(const XmlNode& node, const MemberDesc& m, const StructDesc& shape,
                         void* object, const DecodePath* at, MemberSet& seen, DecodeNotes& notes) {
  const DecodePath here = DecodePath::member(at, m.name);
  if (m.is(kXmlAttribute)) {
    const auto text = node.attribute(m.wire);
    if (!text) return {};
    seen.add(shape, m);
    return parse_scalar(*m.type, *text, TimeFormat::iso8601, set_member(m, object))
               ? Result<void>()
               : fail(malformed_xml());
  }
  if (m.is(kFlattened) && is_container(m.type->kind))
    return read_flattened(node, m, shape, object, &here, seen, notes);
  const XmlNode* child = node.child(m.wire);
  if (!child) return {};
  seen.add(shape, m);
  return read_xml_value(*child, *m.type, set_member(m, object), &here, notes);
}

struct EntryVisit {
  XmlWriter* writer;
  const TypeDesc* map;
  std::string_view entry;
  const XmlNamespace* ns;
};

void write_entries(XmlWriter& writer, std::string_view entry, const XmlNamespace* ns,
                   const TypeDesc& map, const void* value) {
  EntryVisit visit{&writer, &map, entry, ns};
  map.map->each(map, value, &visit, [](void* self, const std::string& key, const void* item) {
    const auto& v = *static_cast<EntryVisit*>(self);
    v.writer->open(v.entry);
    write_xml_namespace(*v.writer, v.ns);
    const auto key_name = or_else(v.map->key_name, "key");
    v.writer->open(key_name);
    write_xml_namespace(*v.writer, v.map->key_namespace);
    v.writer->text(key);
    v.writer->close(key_name);
    write_xml_element(*v.writer, or_else(v.map->element_name, "value"), v.map->element_namespace,
                      *v.map->element, item);
    v.writer->close(v.entry);
  });
}

void write_items(XmlWriter& writer, std::string_view name, const XmlNamespace* ns,
                 const TypeDesc& list, const void* value) {
  const size_t count = list_size(list, value);
  for (size_t i = 0; i < count; ++i)
    write_xml_element(writer, name, ns, *list.element, list_at(list, value, i));
}

}  // namespace

Result<void> read_xml_struct(const XmlNode& node, const StructDesc& shape, void* object,
                             const DecodePath* at, MemberSet& seen, DecodeNotes& notes,
                             Members members) {
  for (const MemberDesc& m : shape.members) {
    if (members == Members::body_only ? m.location != Location::body : !in_answer_body(m)) continue;
    VIRGA_TRY_VOID(read_member(node, m, shape, object, at, seen, notes));
  }
  return {};
}

Result<void> read_xml_value(const XmlNode& node, const TypeDesc& type, void* value,
                            const DecodePath* at, DecodeNotes& notes) {
  switch (type.kind) {
    case Kind::structure: {
      MemberSet seen;
      VIRGA_TRY_VOID(read_xml_struct(node, *type.structure, value, at, seen, notes));
      note_missing(*type.structure, seen, at, notes);
      return {};
    }
    case Kind::list: {
      const auto wanted = or_else(type.element_name, "member");
      for (const XmlNode& child : node.children) {
        if (child.local_name() == wanted)
          VIRGA_TRY_VOID(append_item(child, type, value, at, notes));
      }
      return {};
    }
    case Kind::map:
      for (const XmlNode& child : node.children) {
        if (child.local_name() == "entry")
          VIRGA_TRY_VOID(insert_entry(child, type, value, at, notes));
      }
      return {};
    default: {
      // Blanks around numbers and dates are layout; in a text they are the text.
      std::string_view text = node.text;
      if (type.kind != Kind::string) {
        const auto first = text.find_first_not_of(" \t\r\n");
        text = first == std::string_view::npos
                   ? ""
                   : text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
      }
      return parse_scalar(type, text, TimeFormat::iso8601, value) ? Result<void>()
                                                                  : fail(malformed_xml());
    }
  }
}

void write_xml_namespace(XmlWriter& writer, const XmlNamespace* ns) {
  if (!ns) return;
  writer.attribute(ns->prefix.empty() ? std::string("xmlns") : "xmlns:" + std::string(ns->prefix),
                   ns->uri);
}

void write_xml_attributes(XmlWriter& writer, const StructDesc& shape, const void* object) {
  for (const MemberDesc& m : shape.members) {
    if (!m.is(kXmlAttribute)) continue;
    const void* value = get_member(m, object);
    if (!value) continue;
    std::string text;
    append_scalar(text, *m.type, value, TimeFormat::iso8601);
    writer.attribute(m.wire, text);
  }
}

void write_xml_members(XmlWriter& writer, const StructDesc& shape, const void* object) {
  for (const MemberDesc& m : shape.members) {
    if (!in_answer_body(m) || m.is(kXmlAttribute)) continue;
    const void* value = get_member(m, object);
    if (!value || m.type->kind == Kind::byte_source || m.type->kind == Kind::event_stream) continue;
    if (m.is(kFlattened) && m.type->kind == Kind::list) {
      write_items(writer, flat_name(m), m.xml_namespace, *m.type, value);
    } else if (m.is(kFlattened) && m.type->kind == Kind::map) {
      write_entries(writer, m.wire, m.xml_namespace, *m.type, value);
    } else {
      write_xml_element(writer, m.wire, m.xml_namespace, *m.type, value);
    }
  }
}

void write_xml_element(XmlWriter& writer, std::string_view name, const XmlNamespace* ns,
                       const TypeDesc& type, const void* value) {
  writer.open(name);
  if (!ns && type.kind == Kind::structure) ns = type.structure->xml_namespace;
  write_xml_namespace(writer, ns);
  switch (type.kind) {
    case Kind::structure:
      write_xml_attributes(writer, *type.structure, value);
      write_xml_members(writer, *type.structure, value);
      break;
    case Kind::list:
      write_items(writer, or_else(type.element_name, "member"), type.element_namespace, type,
                  value);
      break;
    case Kind::map:
      write_entries(writer, "entry", nullptr, type, value);
      break;
    case Kind::string:
      writer.text(*static_cast<const std::string*>(value));
      break;
    case Kind::timestamp:
      if (writer.writes_millis() && type.time_format == TimeFormat::unset) {
        writer.text(format_iso8601_millis(*static_cast<const Timestamp*>(value)));
        break;
      }
      [[fallthrough]];
    default: {
      std::string text;
      append_scalar(text, type, value, TimeFormat::iso8601);
      writer.text(text);
    }
  }
  writer.close(name);
}

}  // namespace virga::aws
