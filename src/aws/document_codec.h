#pragma once

#include "aws/member_set.h"
#include "base/document.h"

// Structures to and from documents with the members' model names: call by name, state machines,
// tests. Blobs are base64, timestamps RFC 3339 text (numbers are accepted), unknown members an
// error.
namespace virga::aws {

Result<void> read_document(const Document& in, const StructDesc& shape, void* object,
                           DecodeNotes& notes);
Document write_document(const StructDesc& shape, const void* object);
Document write_document(const TypeDesc& type, const void* value);

}  // namespace virga::aws
