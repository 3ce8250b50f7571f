#include "platform/identity.h"

#include <algorithm>

#include "aws/account_id.h"
#include "base/strings.h"

namespace virga::platform {

Task<bool> IdentityStore::service_may_assume(std::string role_arn, std::string service) {
  const auto role = co_await find_role(role_arn);
  if (!role || !role->trust) co_return false;
  ConditionContext context;
  context.set("aws:PrincipalIsAWSService", "true");
  context.set("aws:PrincipalServiceName", service);
  const PolicyRequest request{.action = "sts:AssumeRole",
                              .resource = role->arn,
                              .context = context,
                              .caller = {.service = service}};
  const PolicyVerdict verdict = role->trust->evaluate(request);
  co_return verdict.allowed() && !verdict.denied;
}

std::string_view role_name_of(std::string_view role_arn) {
  const auto parts = split(role_arn, ':');
  if (parts.size() != 6 || parts[0] != "arn" || !parts[1].starts_with("aws") || parts[2] != "iam" ||
      !parts[3].empty())
    return {};
  if (!is_account_id(parts[4]) || !parts[5].starts_with("role/")) return {};
  const std::string_view name = parts[5].substr(parts[5].rfind('/') + 1);
  const bool good =
      !name.empty() && name.size() <= 64 && std::all_of(name.begin(), name.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               std::string_view("+=,.@_-").find(c) != std::string_view::npos;
      });
  return good ? name : std::string_view();
}

Principal assumed_role_principal(std::string_view role_arn, std::string_view role_id,
                                 std::string_view session_name) {
  const auto parts = split(role_arn, ':');
  Principal p;
  p.kind = Principal::Kind::assumed_role;
  p.account = std::string(parts[4]);
  p.arn = "arn:" + std::string(parts[1]) + ":sts::" + p.account + ":assumed-role/" +
          std::string(role_name_of(role_arn)) + "/" + std::string(session_name);
  p.user_id = std::string(role_id) + ":" + std::string(session_name);
  return p;
}

}  // namespace virga::platform
