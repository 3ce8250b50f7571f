#pragma once

#include "aws/member_set.h"
#include "base/document.h"

// rpc-v2-cbor bodies. Source: RFC 8949; Smithy documentation, "Smithy RPC v2 CBOR protocol".
namespace virga::aws {

Result<void> read_cbor_struct(std::string_view body, const StructDesc& shape, void* object,
                              MemberSet& seen, DecodeNotes& notes);
void write_cbor_struct(std::string& out, const StructDesc& shape, const void* object);
void write_cbor_document(std::string& out, const Document& value);

}  // namespace virga::aws
