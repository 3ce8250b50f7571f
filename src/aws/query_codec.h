#pragma once

#include "aws/member_set.h"

// Form bodies of query requests (Action=…&Version=…&Filters.member.1.Name=…) into structures.
// Source: Smithy documentation, "AWS query protocol", serialization of inputs.
namespace virga::aws {

Result<void> read_query_struct(const std::vector<std::pair<std::string, std::string>>& form,
                               const StructDesc& shape, void* object, DecodeNotes& notes);

}  // namespace virga::aws
