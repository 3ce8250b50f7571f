#include "services/s3/enum_values.h"

#include <algorithm>

#include "aws/shape_ops.h"
#include "services/s3/errors.h"

namespace virga::s3 {
namespace {

bool is_of_model(const aws::TypeDesc& type, const void* value) {
  if (type.kind == aws::Kind::string && type.limits && !type.limits->values.empty()) {
    const auto& text = *static_cast<const std::string*>(value);
    const auto& values = type.limits->values;
    return std::find(values.begin(), values.end(), text) != values.end();
  }
  if (type.kind == aws::Kind::structure)
    return check_enum_values(*type.structure, value).has_value();
  if (type.kind != aws::Kind::list) return true;
  for (size_t i = 0; i < aws::list_size(type, value); ++i) {
    if (!is_of_model(*type.element, aws::list_at(type, value, i))) return false;
  }
  return true;
}

}  // namespace

Result<void> check_enum_values(const aws::StructDesc& shape, const void* object) {
  for (const aws::MemberDesc& member : shape.members) {
    const void* const value = aws::get_member(member, object);
    if (value && !is_of_model(*member.type, value)) return fail(errors::malformed_xml());
  }
  return {};
}

}  // namespace virga::s3
