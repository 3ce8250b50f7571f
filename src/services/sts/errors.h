#pragma once

#include <string>
#include <string_view>

#include "base/error.h"

// STS's refusals, in the service's words. Source: STS API Reference, "Errors" of each operation.
namespace virga::sts::errors {

AwsError access_denied(std::string message);
AwsError validation(std::string message);
AwsError duration_over_roles_maximum();
AwsError may_not_assume(std::string_view caller_arn, std::string_view role_arn);
AwsError packed_policy_too_large(int percent);

}  // namespace virga::sts::errors
