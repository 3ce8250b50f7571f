#include "services/logs/names.h"

#include "base/strings.h"
#include "services/logs/errors.h"

namespace virga::logs {

std::string group_arn(const RequestContext& context, std::string_view name) {
  return make_arn(context, "logs", "log-group:" + std::string(name));
}

Result<std::string> name_of_arn(std::string_view arn) {
  const auto parts = split(arn, ':');
  const bool form = parts.size() >= 7 && parts[0] == "arn" && parts[2] == "logs" &&
                    parts[5] == "log-group" && !parts[6].empty();
  if (!form)
    return fail(errors::invalid_parameter("The ARN " + std::string(arn) +
                                          " is not valid for a log group."));
  return std::string(parts[6]);
}

Result<std::string> group_name(const std::optional<std::string>& name,
                               const std::optional<std::string>& identifier) {
  if (name && identifier)
    return fail(
        errors::invalid_parameter("LogGroupName and LogGroupIdentifier cannot be used together."));
  if (name) return *name;
  if (!identifier)
    return fail(
        errors::invalid_parameter("Either LogGroupName or LogGroupIdentifier must be given."));
  if (identifier->starts_with("arn:")) return name_of_arn(*identifier);
  return *identifier;
}

}  // namespace virga::logs
