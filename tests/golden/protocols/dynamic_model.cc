#include "dynamic_model.h"

#include <algorithm>
#include <optional>

#include "base/time.h"

namespace virga::aws::testing {
namespace {

// A map of anything: values of the element's type in memory of their own.
using DynamicMap = std::vector<std::pair<std::string, void*>>;

void* make_value(const TypeDesc& element) {
  void* at = ::operator new(std::max<size_t>(value_bytes(element), 1));
  construct_value(element, at);
  return at;
}
void drop_entries(const TypeDesc& type, DynamicMap& map) {
  for (auto& [key, value] : map) {
    destroy_value(*type.element, value);
    ::operator delete(value);
  }
}

constexpr MapOps kDynamicMapOps = {
    sizeof(DynamicMap),
    [](const TypeDesc&, void* at) { ::new (at) DynamicMap(); },
    [](const TypeDesc& type, void* at) {
      auto& map = *static_cast<DynamicMap*>(at);
      drop_entries(type, map);
      std::destroy_at(&map);
    },
    [](const TypeDesc& type, void* at, const void* from) {
      auto& map = *::new (at) DynamicMap();
      for (const auto& [key, value] : *static_cast<const DynamicMap*>(from)) {
        void* copy = ::operator new(std::max<size_t>(value_bytes(*type.element), 1));
        copy_value(*type.element, copy, value);
        map.emplace_back(key, copy);
      }
    },
    [](const TypeDesc&, void* at, void* from) {
      ::new (at) DynamicMap(std::move(*static_cast<DynamicMap*>(from)));
    },
    [](const TypeDesc&, const void* map) { return static_cast<const DynamicMap*>(map)->size(); },
    [](const TypeDesc& type, void* at, std::string key) -> void* {
      auto& map = *static_cast<DynamicMap*>(at);
      for (auto& [name, value] : map) {
        if (name == key) return value;
      }
      return map.emplace_back(std::move(key), make_value(*type.element)).second;
    },
    [](const TypeDesc&, const void* map, void* self,
       void (*visit)(void*, const std::string&, const void*)) {
      for (const auto& [key, value] : *static_cast<const DynamicMap*>(map)) visit(self, key, value);
    },
};

Kind kind_of(const Document& shape) {
  const auto type = shape.string_or("type", "string");
  if (type == "structure") return shape.find("document") ? Kind::document : Kind::structure;
  if (type == "list") return Kind::list;
  if (type == "map") return Kind::map;
  if (type == "blob") return Kind::blob;
  if (type == "boolean") return Kind::boolean;
  if (type == "integer" || type == "short" || type == "byte") return Kind::int32;
  if (type == "long" || type == "bigInteger") return Kind::int64;
  if (type == "float" || type == "double" || type == "bigDecimal") return Kind::real;
  if (type == "timestamp") return Kind::timestamp;
  return Kind::string;
}

size_t optional_bytes(Kind kind) {
  switch (kind) {
    case Kind::boolean:
      return sizeof(std::optional<bool>);
    case Kind::int32:
      return sizeof(std::optional<int32_t>);
    case Kind::int64:
      return sizeof(std::optional<int64_t>);
    case Kind::real:
      return sizeof(std::optional<double>);
    case Kind::timestamp:
      return sizeof(std::optional<Timestamp>);
    case Kind::document:
      return sizeof(std::optional<Document>);
    default:
      return sizeof(std::optional<std::string>);
  }
}

bool flag(const Document* raw, std::string_view name) {
  const Document* value = raw ? raw->find(name) : nullptr;
  return value && (!value->is_bool() || value->as_bool());
}

Location location_of(std::string_view name) {
  if (name == "uri") return Location::uri;
  if (name == "querystring") return Location::query;
  if (name == "header") return Location::header;
  if (name == "headers") return Location::headers;
  if (name == "statusCode") return Location::status;
  return Location::body;
}

Protocol protocol_named(std::string_view name) {
  if (name == "rest-json") return Protocol::rest_json;
  if (name == "rest-xml") return Protocol::rest_xml;
  if (name == "query") return Protocol::query;
  if (name == "smithy-rpc-v2-cbor") return Protocol::cbor;
  return Protocol::json;
}

}  // namespace

std::string_view DynamicModel::keep(std::string_view text) {
  return texts_.emplace_back(text);
}

const XmlNamespace* DynamicModel::xml_namespace(const Document* raw) {
  const Document* ns = raw ? raw->find("xmlNamespace") : nullptr;
  if (!ns) return nullptr;
  if (ns->is_string()) return &namespaces_.emplace_back(XmlNamespace{keep(ns->as_string()), {}});
  return &namespaces_.emplace_back(
      XmlNamespace{keep(ns->string_or("uri", "")), keep(ns->string_or("prefix", ""))});
}

const TypeDesc* DynamicModel::type(const std::string& shape, const Document* ref) {
  std::string key = shape;
  if (ref) key += "/" + std::string(ref->string_or("timestampFormat", ""));
  const auto found = type_of_.find(key);
  if (found != type_of_.end()) return found->second;
  TypeDesc& made = types_.emplace_back();
  type_of_[key] = &made;
  fill_type(made, shape, ref);
  return &made;
}

void DynamicModel::fill_type(TypeDesc& out, const std::string& shape, const Document* ref) {
  const Document* raw = shapes_.find(shape);
  out.name = keep(shape);
  if (!raw) return;  // a String that the case does not spell out
  out.kind = kind_of(*raw);
  const auto format = ref && ref->find("timestampFormat") ? ref->string_or("timestampFormat", "")
                                                          : raw->string_or("timestampFormat", "");
  if (format == "iso8601") out.time_format = TimeFormat::iso8601;
  if (format == "rfc822") out.time_format = TimeFormat::http_date;
  if (format == "unixTimestamp") out.time_format = TimeFormat::epoch;
  out.flattened = flag(raw, "flattened");
  if (out.kind == Kind::structure) out.structure = structure(shape);
  const Document* element = raw->find(out.kind == Kind::list ? "member" : "value");
  if ((out.kind != Kind::list && out.kind != Kind::map) || !element) return;
  out.element = type(std::string(element->string_or("shape", "")), element);
  out.element_name = keep(element->string_or("locationName", ""));
  out.element_namespace = xml_namespace(element);
  if (out.kind == Kind::list) return;
  const Document* map_key = raw->find("key");
  out.key = type(std::string(map_key->string_or("shape", "")), map_key);
  out.key_name = keep(map_key->string_or("locationName", ""));
  out.key_namespace = xml_namespace(map_key);
  out.map = &kDynamicMapOps;
}

const StructDesc* DynamicModel::structure(const std::string& name) {
  const auto found = structure_of_.find(name);
  if (found != structure_of_.end()) return found->second;
  StructDesc& made = structures_.emplace_back();
  structure_of_[name] = &made;
  made.name = keep(name);
  made.size = 1;
  if (!name.empty()) fill_structure(made, name);
  return &made;
}

MemberDesc DynamicModel::member(const Document& shape, const std::string& name, const Document& ref,
                                uint32_t& size) {
  const std::string target(ref.string_or("shape", ""));
  const Document* target_shape = shapes_.find(target);
  MemberDesc m;
  m.name = keep(name);
  m.wire = keep(ref.string_or("locationName", name));
  m.type = type(target, &ref);
  m.location = location_of(ref.string_or("location", ""));
  m.xml_namespace = xml_namespace(&ref);
  if (!m.xml_namespace) m.xml_namespace = xml_namespace(target_shape);
  static constexpr std::pair<std::string_view, MemberFlags> kFlags[] = {
      {"flattened", kFlattened}, {"xmlAttribute", kXmlAttribute},
      {"jsonvalue", kJsonValue}, {"idempotencyToken", kIdempotencyToken},
      {"hostLabel", kHostLabel}, {"locationName", kExplicitName}};
  for (const auto& [word, bit] : kFlags) {
    if (flag(&ref, word)) m.flags |= bit;
  }
  if (flag(target_shape, "flattened")) m.flags |= kFlattened;
  bool required = false;
  if (const Document* list = shape.find("required")) {
    for (const Document& r : list->as_array()) required = required || r.as_string() == name;
  }
  if (required) m.flags |= kRequired;
  size_t bytes = 0;
  if (m.type->kind == Kind::structure) {
    m.slot = Slot::box;
    bytes = sizeof(void*);
  } else if (required) {
    m.slot = Slot::plain;
    bytes = value_bytes(*m.type);
  } else if (m.type->kind == Kind::list || m.type->kind == Kind::map) {
    m.slot = Slot::maybe;
    bytes = value_bytes(*m.type) + 1;
  } else {
    m.slot = Slot::optional;
    bytes = optional_bytes(m.type->kind);
  }
  m.offset = size;
  size += static_cast<uint32_t>((bytes + 7) / 8 * 8);
  return m;
}

void DynamicModel::fill_structure(StructDesc& out, const std::string& name) {
  const Document* raw = shapes_.find(name);
  CHECK(raw);
  uint32_t size = 0;
  std::vector<MemberDesc> list;
  if (const Document* all = raw->find("members")) {
    for (const auto& [member_name, ref] : all->as_object())
      list.push_back(member(*raw, member_name, ref, size));
  }
  const auto& kept = members_.emplace_back(std::move(list));
  out.members = Table<MemberDesc>(kept.data(), kept.size());
  out.size = std::max(size, 1u);
  out.is_union = flag(raw, "union");
  out.xml_name = keep(raw->string_or("locationName", ""));
  out.xml_namespace = xml_namespace(raw);
  const auto payload = raw->string_or("payload", "");
  if (!payload.empty()) out.payload = find_member(out, payload);
}

void DynamicModel::add_errors(const Document& operation) {
  std::vector<std::string> names;
  if (const Document* listed = operation.find("errors")) {
    for (const Document& e : listed->as_array()) names.emplace_back(e.string_or("shape", ""));
  }
  for (const auto& [name, shape] : shapes_.as_object()) {
    if (flag(&shape, "exception")) names.push_back(name);
  }
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  for (const auto& name : names) {
    const Document* shape = shapes_.find(name);
    if (!shape) continue;
    ErrorDesc& error = errors_.emplace_back();
    const Document* facts = shape->find("error");
    error.name = keep(name);
    error.code = keep(facts ? facts->string_or("code", name) : name);
    error.status = flag(shape, "fault") ? 500 : 400;
    if (facts && facts->find("httpStatusCode"))
      error.status = static_cast<uint16_t>(facts->find("httpStatusCode")->as_int());
    error.sender = facts && facts->find("senderFault") ? facts->find("senderFault")->as_bool()
                                                       : error.status < 500;
    error.shape = structure(name);
  }
  for (const ErrorDesc& e : errors_) error_list_.push_back(&e);
}

DynamicModel::DynamicModel(const Document& metadata, const Document& shapes,
                           const Document& operation)
    : shapes_(shapes) {
  const Document* http = operation.find("http");
  operation_.name = keep(operation.string_or("name", ""));
  operation_.service = &service_;
  operation_.http_method = keep(http ? http->string_or("method", "POST") : "POST");
  operation_.uri = keep(http ? http->string_or("requestUri", "/") : "/");
  if (http && http->find("responseCode"))
    operation_.status = static_cast<uint16_t>(http->find("responseCode")->as_int());
  const Document* input = operation.find("input");
  const Document* output = operation.find("output");
  operation_.has_input = input != nullptr;
  operation_.has_output = output != nullptr;
  operation_.input = structure(input ? std::string(input->string_or("shape", "")) : "");
  operation_.output = structure(output ? std::string(output->string_or("shape", "")) : "");
  if (output) operation_.result_wrapper = keep(output->string_or("resultWrapper", ""));
  add_errors(operation);
  operation_.errors = Table<const ErrorDesc*>(error_list_.data(), error_list_.size());

  service_.name = "test";
  service_.service_id = keep(metadata.string_or("serviceId", "Test"));
  service_.endpoint_prefix = service_.signing_name = "test";
  service_.api_version = keep(metadata.string_or("apiVersion", ""));
  service_.target_prefix = keep(metadata.string_or("targetPrefix", ""));
  service_.json_version = keep(metadata.string_or("jsonVersion", ""));
  service_.xml_namespace = keep(metadata.string_or("xmlNamespace", ""));
  service_.query_compatible = metadata.find("awsQueryCompatible") != nullptr;
  protocols_ = {protocol_named(metadata.string_or("protocol", "json"))};
  service_.protocols = Table<Protocol>(protocols_.data(), protocols_.size());
  service_.operations = Table<OperationDesc>(&operation_, 1);
  service_.errors = Table<const ErrorDesc*>(error_list_.data(), error_list_.size());
}

}  // namespace virga::aws::testing
