#pragma once

#include <string>
#include <string_view>

#include "aws/document_codec.h"
#include "base/error.h"

// What is stored beside groups, streams and events: filters, policies, saved queries. The model's
// own structures are the records: a format byte and JSON with the members' model names
// (docs/formats/logs.md).
namespace virga::logs {

std::string encode_setting(const aws::StructDesc& shape, const void* object);
Result<void> decode_setting(std::string_view bytes, const aws::StructDesc& shape, void* object);

template <class T>
std::string encode_setting(const T& record) {
  return encode_setting(T::descriptor(), &record);
}
template <class T>
Result<T> decode_setting(std::string_view bytes) {
  T record;
  VIRGA_TRY_VOID(decode_setting(bytes, T::descriptor(), &record));
  return record;
}

}  // namespace virga::logs
