#pragma once

#include <string>
#include <string_view>

#include "aws/shape.h"
#include "base/error.h"

namespace virga {
class Document;
}

// The API's own structures are the records: a route is stored as api::Route. These walk the
// descriptor tables.
namespace virga::apigatewayv2 {

// Copies every member that `from` has into the member of the same name of `to`; members that only
// one side knows, and those that `from` lacks, stay as they are. Requests onto records, records
// onto answers.
void assign_present(const aws::StructDesc& to_desc, void* to, const aws::StructDesc& from_desc,
                    const void* from);
template <class To, class From>
void assign_present(To& to, const From& from) {
  assign_present(To::descriptor(), &to, From::descriptor(), &from);
}
template <class To, class From>
To from_members(const From& from) {
  To to;
  assign_present(to, from);
  return to;
}

// A structure with its members' model names; timestamps as microseconds. The form on disk, so not a
// protocol's.
Document to_document(const aws::StructDesc& shape, const void* object);
Result<void> from_document(const Document& in, const aws::StructDesc& shape, void* object);

// A record's bytes: a format byte and JSON with the members' model names
// (docs/formats/apigatewayv2.md).
std::string encode_record(const aws::StructDesc& shape, const void* object);
Result<void> decode_record(std::string_view bytes, const aws::StructDesc& shape, void* object);
template <class T>
std::string encode_record(const T& record) {
  return encode_record(T::descriptor(), &record);
}
template <class T>
Result<T> decode_record(std::string_view bytes) {
  T record;
  VIRGA_TRY_VOID(decode_record(bytes, T::descriptor(), &record));
  return record;
}

}  // namespace virga::apigatewayv2
