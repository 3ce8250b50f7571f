#pragma once

#include "aws/shape.h"
#include "base/error.h"

namespace virga::s3 {

// MalformedXML when a text in a structure is not of the model's set for it.
Result<void> check_enum_values(const aws::StructDesc& shape, const void* object);

template <class T>
Result<void> check_enum_values(const T& value) {
  return check_enum_values(T::descriptor(), &value);
}

}  // namespace virga::s3
