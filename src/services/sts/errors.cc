#include "services/sts/errors.h"

#include <utility>

namespace virga::sts::errors {

AwsError access_denied(std::string message) {
  return {
      .code = "AccessDenied", .http_status = 403, .message = std::move(message), .detail = nullptr};
}

AwsError validation(std::string message) {
  return {.code = "ValidationError",
          .http_status = 400,
          .message = std::move(message),
          .detail = nullptr};
}

AwsError duration_over_roles_maximum() {
  return validation(
      "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.");
}

// A role that is not there is refused as one that does not trust the caller: nobody learns which
// roles exist.
AwsError may_not_assume(std::string_view caller_arn, std::string_view role_arn) {
  return access_denied(
      "User: " + std::string(caller_arn) +
      " is not authorized to perform: sts:AssumeRole on resource: " + std::string(role_arn));
}

AwsError packed_policy_too_large(int percent) {
  return {.code = "PackedPolicyTooLargeException",
          .http_status = 400,
          .message = "Serialized token too large for session: the policies and tags take " +
                     std::to_string(percent) + "% of what fits.",
          .detail = nullptr};
}

}  // namespace virga::sts::errors
