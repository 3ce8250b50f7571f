#include "services/apigatewayv2/record.h"

#include "base/document.h"
#include "base/json.h"
#include "base/time.h"

namespace virga::apigatewayv2 {
namespace {

constexpr char kFormat = 1;

Document value_document(const aws::TypeDesc& type, const void* value);

Document map_document(const aws::TypeDesc& type, const void* map) {
  struct Visit {
    const aws::TypeDesc* element;
    Document out = Document::object();
  } visit{type.element};
  type.map->each(type, map, &visit, [](void* self, const std::string& key, const void* value) {
    auto& v = *static_cast<Visit*>(self);
    v.out.set(key, value_document(*v.element, value));
  });
  return std::move(visit.out);
}

Document value_document(const aws::TypeDesc& type, const void* value) {
  switch (type.kind) {
    case aws::Kind::boolean:
      return Document(*static_cast<const bool*>(value));
    case aws::Kind::int32:
      return Document(static_cast<int64_t>(*static_cast<const int32_t*>(value)));
    case aws::Kind::int64:
      return Document(*static_cast<const int64_t*>(value));
    case aws::Kind::real:
      return Document(*static_cast<const double*>(value));
    case aws::Kind::string:
      return Document(*static_cast<const std::string*>(value));
    case aws::Kind::timestamp:
      return Document(static_cast<const Timestamp*>(value)->micros);
    case aws::Kind::list: {
      Document list = Document::array();
      for (size_t i = 0; i < aws::list_size(type, value); ++i) {
        list.push(value_document(*type.element, aws::list_at(type, value, i)));
      }
      return list;
    }
    case aws::Kind::map:
      return map_document(type, value);
    case aws::Kind::structure:
      return to_document(*type.structure, value);
    default:
      CHECK(false);  // no record of this service has blobs, streams or attribute values
  }
  return {};
}

Result<void> fits(bool ok) {
  if (ok) return {};
  return fail(internal_failure("an apigatewayv2 record holds a value of another type"));
}

Result<void> take_value(const Document& in, const aws::TypeDesc& type, void* value) {
  switch (type.kind) {
    case aws::Kind::boolean:
      VIRGA_TRY_VOID(fits(in.is_bool()));
      *static_cast<bool*>(value) = in.as_bool();
      return {};
    case aws::Kind::int32:
      VIRGA_TRY_VOID(fits(in.is_int()));
      *static_cast<int32_t*>(value) = static_cast<int32_t>(in.as_int());
      return {};
    case aws::Kind::int64:
      VIRGA_TRY_VOID(fits(in.is_int()));
      *static_cast<int64_t*>(value) = in.as_int();
      return {};
    case aws::Kind::real:
      VIRGA_TRY_VOID(fits(in.is_number()));
      *static_cast<double*>(value) = in.as_double();
      return {};
    case aws::Kind::string:
      VIRGA_TRY_VOID(fits(in.is_string()));
      *static_cast<std::string*>(value) = in.as_string();
      return {};
    case aws::Kind::timestamp:
      VIRGA_TRY_VOID(fits(in.is_int()));
      static_cast<Timestamp*>(value)->micros = in.as_int();
      return {};
    case aws::Kind::list:
      VIRGA_TRY_VOID(fits(in.is_array()));
      for (const auto& item : in.as_array()) {
        VIRGA_TRY_VOID(take_value(item, *type.element, aws::list_append(type, value)));
      }
      return {};
    case aws::Kind::map:
      VIRGA_TRY_VOID(fits(in.is_object()));
      for (const auto& [key, item] : in.as_object()) {
        VIRGA_TRY_VOID(take_value(item, *type.element, type.map->insert(type, value, key)));
      }
      return {};
    case aws::Kind::structure:
      return from_document(in, *type.structure, value);
    default:
      CHECK(false);
  }
  return {};
}

}  // namespace

void assign_present(const aws::StructDesc& to_desc, void* to, const aws::StructDesc& from_desc,
                    const void* from) {
  for (const auto& member : from_desc.members) {
    const void* value = aws::get_member(member, from);
    if (!value) continue;
    const aws::MemberDesc* target = aws::find_member(to_desc, member.name);
    if (!target || target->type->kind != member.type->kind) continue;
    if (member.type->structure != target->type->structure) continue;
    void* slot = aws::set_member(*target, to);
    aws::destroy_value(*target->type, slot);
    aws::copy_value(*target->type, slot, value);
  }
}

Document to_document(const aws::StructDesc& shape, const void* object) {
  Document out = Document::object();
  for (const auto& member : shape.members) {
    const void* value = aws::get_member(member, object);
    if (value) out.set(member.name, value_document(*member.type, value));
  }
  return out;
}

Result<void> from_document(const Document& in, const aws::StructDesc& shape, void* object) {
  VIRGA_TRY_VOID(fits(in.is_object()));
  for (const auto& [name, value] : in.as_object()) {
    // A member that a newer version wrote is none of ours.
    const aws::MemberDesc* member = aws::find_member(shape, name);
    if (member) VIRGA_TRY_VOID(take_value(value, *member->type, aws::set_member(*member, object)));
  }
  return {};
}

std::string encode_record(const aws::StructDesc& shape, const void* object) {
  std::string bytes(1, kFormat);
  append_json(bytes, to_document(shape, object));
  return bytes;
}

Result<void> decode_record(std::string_view bytes, const aws::StructDesc& shape, void* object) {
  if (bytes.empty() || bytes.front() != kFormat) {
    return fail(internal_failure("an apigatewayv2 record has an unknown format"));
  }
  VIRGA_TRY(document, parse_json(bytes.substr(1)));
  return from_document(document, shape, object);
}

}  // namespace virga::apigatewayv2
