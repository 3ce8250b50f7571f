#pragma once

#include <string>
#include <string_view>

#include "aws/member_set.h"
#include "base/json.h"

// JSON bodies (awsJson, restJson) straight into structures and out of them. Wire names are
// locationNames.
namespace virga::aws {

// Reads a JSON object; an empty body is an empty object. Members that were present are added to
// `seen`; what nested structures lack is noted. Errors: SerializationException with AWS's words.
Result<void> read_json_struct(std::string_view body, const StructDesc& shape, void* object,
                              Members members, MemberSet& seen, DecodeNotes& notes);
// Reads a body that is one value (a restJson payload), at the path of its member.
Result<void> read_json_value(std::string_view body, const TypeDesc& type, void* value,
                             std::string_view member, DecodeNotes& notes);

void write_json_struct(JsonWriter& writer, const StructDesc& shape, const void* object,
                       Members members);
void write_json_value(JsonWriter& writer, const TypeDesc& type, const void* value);

}  // namespace virga::aws
