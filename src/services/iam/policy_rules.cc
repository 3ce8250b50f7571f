#include "services/iam/policy_rules.h"

#include "base/strings.h"
#include "platform/managed_policies.h"
#include "services/iam/errors.h"
#include "services/iam/support.h"

namespace virga::iam {

Result<bool> policy_exists(const IamReader& iam, std::string_view arn) {
  if (platform::find_managed_policy(arn)) return true;
  VIRGA_TRY(own, iam.find_policy_by_arn(arn));
  return own.has_value();
}

Result<void> check_boundary(const IamReader& iam, std::string_view arn) {
  VIRGA_TRY(exists, policy_exists(iam, arn));
  if (!exists)
    return fail(errors::no_such_entity_text("Scope ARN: " + std::string(arn) +
                                            " does not exist or is not attachable."));
  return {};
}

Result<void> check_policy_arn_form(std::string_view arn) {
  const auto parts = split(arn, ':');
  if (parts.size() != 6 || parts[0] != "arn" || parts[2] != "iam" ||
      !parts[5].starts_with("policy/")) {
    return fail(errors::invalid_input("ARN " + std::string(arn) + " is not valid."));
  }
  return {};
}

Result<void> check_inline_size(const Entity& e) {
  size_t total = 0;
  for (const auto& [name, document] : e.inline_policies) total += policy_size(document);
  const size_t limit = e.kind == Kind::user ? 2048 : e.kind == Kind::role ? 10240 : 5120;
  const char* what = e.kind == Kind::user ? "user" : e.kind == Kind::role ? "role" : "group";
  if (total <= limit) return {};
  return fail(errors::limit_exceeded("Maximum policy size of " + std::to_string(limit) +
                                     " bytes exceeded for " + what + " " + e.name));
}

Result<void> check_trust_size(std::string_view document) {
  if (policy_size(document) > 2048)
    return fail(errors::limit_exceeded("Cannot exceed quota for ACLSizePerRole: 2048"));
  return {};
}

Result<void> check_managed_size(std::string_view document) {
  if (policy_size(document) > 6144)
    return fail(errors::limit_exceeded("Cannot exceed quota for PolicySize: 6144"));
  return {};
}

Result<std::map<std::string, PolicyUse>> policy_uses(const IamReader& iam) {
  std::map<std::string, PolicyUse> uses;
  for (const Kind kind : {Kind::user, Kind::role, Kind::group}) {
    VIRGA_TRY_VOID(iam.each_entity(kind, "", [&](Entity&& e) {
      for (const std::string& arn : e.attached) ++uses[arn].attachments;
      if (!e.boundary.empty()) ++uses[e.boundary].boundaries;
      return true;
    }));
  }
  return uses;
}

}  // namespace virga::iam
