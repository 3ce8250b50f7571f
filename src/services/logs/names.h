#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "aws/context.h"
#include "base/error.h"

namespace virga::logs {

// arn:aws:logs:REGION:ACCOUNT:log-group:NAME
std::string group_arn(const RequestContext& context, std::string_view name);
// The group that a call means: by name, or by name or ARN as identifier. InvalidParameterException
// unless it is one of both.
Result<std::string> group_name(const std::optional<std::string>& name,
                               const std::optional<std::string>& identifier);
// The name in a group's ARN, with or without ":*" behind; InvalidParameterException for others.
Result<std::string> name_of_arn(std::string_view arn);

}  // namespace virga::logs
