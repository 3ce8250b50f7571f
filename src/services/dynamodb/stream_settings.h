#pragma once

#include "api/dynamodb/shapes/stream_specification.h"
#include "base/error.h"
#include "services/dynamodb/errors.h"

namespace virga::dynamodb {

// A view type goes with a stream that is enabled, and only with one.
inline Result<void> check_new_stream(const api::StreamSpecification& wanted) {
  if (wanted.stream_enabled && !wanted.stream_view_type) {
    return fail(errors::invalid_parameter(
        "Table is being created with a stream enabled, UpdateViewType is required"));
  }
  if (!wanted.stream_enabled && wanted.stream_view_type) {
    return fail(errors::invalid_parameter(
        "Table is being created with a stream disabled, UpdateViewType should not be specified"));
  }
  return {};
}

inline Result<void> check_stream_update(const api::StreamSpecification& wanted) {
  if (wanted.stream_enabled && !wanted.stream_view_type) {
    return fail(
        errors::invalid_parameter("If stream is being enabled then UpdateViewType is required"));
  }
  if (!wanted.stream_enabled && wanted.stream_view_type) {
    return fail(errors::invalid_parameter(
        "If stream is being disabled, then UpdateViewType must not be specified"));
  }
  return {};
}

}  // namespace virga::dynamodb
