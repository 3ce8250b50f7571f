// The condition keys that policies ask for. Source: IAM API Reference,
// GetContextKeysForCustomPolicy and GetContextKeysForPrincipalPolicy.
#include <algorithm>

#include "api/iam/get_context_keys_for_custom_policy.h"
#include "api/iam/get_context_keys_for_principal_policy.h"
#include "base/json.h"
#include "base/strings.h"
#include "platform/managed_policies.h"
#include "platform/policy.h"
#include "services/iam/errors.h"
#include "services/iam/service.h"

namespace virga::iam {
namespace {

using Names = std::vector<std::string>;

void add_name(std::string_view name, Names& out) {
  const auto known = std::find_if(out.begin(), out.end(),
                                  [&](const std::string& one) { return iequals(one, name); });
  if (known == out.end()) out.emplace_back(name);
}

// "aws:username" of "arn:aws:s3:::home/${aws:username, 'nobody'}"; ${*}, ${?} and ${$} are letters.
void add_variables(std::string_view text, Names& out) {
  for (size_t at = text.find("${"); at != std::string_view::npos; at = text.find("${", at + 2)) {
    const size_t end = text.find('}', at);
    if (end == std::string_view::npos) return;
    const std::string_view inside = text.substr(at + 2, end - at - 2);
    const std::string_view name = trim(inside.substr(0, inside.find(',')));
    if (name.size() > 1) add_name(name, out);
  }
}

void add_values(const Document& value, Names& out) {
  if (value.is_string()) add_variables(value.as_string(), out);
  if (!value.is_array()) return;
  for (const Document& one : value.as_array()) add_values(one, out);
}

void add_statement(const Document& statement, Names& out) {
  for (const char* member : {"Resource", "NotResource"}) {
    if (const Document* value = statement.find(member)) add_values(*value, out);
  }
  const Document* condition = statement.find("Condition");
  if (!condition || !condition->is_object()) return;
  for (const auto& [name, keys] : condition->as_object()) {
    if (!keys.is_object()) continue;
    for (const auto& [key, value] : keys.as_object()) {
      add_name(key, out);
      add_values(value, out);
    }
  }
}

Result<void> add_policy(const std::string& text, Names& out) {
  const auto parsed = platform::PolicyDocument::parse(text, platform::PolicyKind::identity);
  if (!parsed) return fail(errors::invalid_input(parsed.error().message));
  VIRGA_TRY(document, parse_json(text));
  const Document* statements = document.find("Statement");
  if (statements && statements->is_object()) add_statement(*statements, out);
  if (!statements || !statements->is_array()) return {};
  for (const Document& statement : statements->as_array()) add_statement(statement, out);
  return {};
}

Result<void> add_policies(const std::vector<std::string>& texts, Names& out) {
  for (const auto& text : texts) VIRGA_TRY_VOID(add_policy(text, out));
  return {};
}

// Inline and attached policies of one user, group or role.
Result<void> add_entity(const IamReader& iam, const Entity& e, Names& out) {
  for (const auto& [name, document] : e.inline_policies) VIRGA_TRY_VOID(add_policy(document, out));
  for (const auto& arn : e.attached) {
    if (const auto* managed = platform::find_managed_policy(arn)) {
      VIRGA_TRY_VOID(add_policy(std::string(managed->document), out));
      continue;
    }
    VIRGA_TRY(policy, iam.find_policy_by_arn(arn));
    if (policy) VIRGA_TRY_VOID(add_policy(policy->document(), out));
  }
  return {};
}

// The user with its groups, the group or the role that the ARN names.
Result<void> add_principal(const IamReader& iam, const std::string& arn, Names& out) {
  const std::string_view resource = std::string_view(arn).substr(arn.rfind(':') + 1);
  const std::string name(resource.substr(resource.rfind('/') + 1));
  const bool user = resource.starts_with("user/");
  const bool group = resource.starts_with("group/");
  if (!user && !group && !resource.starts_with("role/")) {
    return fail(errors::invalid_input("Invalid Entity Arn: " + arn +
                                      " does not clearly define entity type and name."));
  }
  VIRGA_TRY(entity, iam.entity(user ? Kind::user : group ? Kind::group : Kind::role, name));
  VIRGA_TRY_VOID(add_entity(iam, entity, out));
  for (const auto& member_of : entity.groups) {
    VIRGA_TRY(found, iam.find_entity(Kind::group, member_of));
    if (found) VIRGA_TRY_VOID(add_entity(iam, *found, out));
  }
  return {};
}

}  // namespace

Task<api::GetContextKeysForCustomPolicyOutput> Service::get_context_keys_for_custom_policy(
    Ctx ctx, api::GetContextKeysForCustomPolicyInput input) {
  Names names;
  co_await add_policies(input.policy_input_list, names);
  api::GetContextKeysForCustomPolicyOutput output;
  output.context_key_names = std::move(names);
  co_return output;
}

Task<api::GetContextKeysForPrincipalPolicyOutput> Service::get_context_keys_for_principal_policy(
    Ctx ctx, api::GetContextKeysForPrincipalPolicyInput input) {
  Names names;
  co_await read(ctx, [&](const IamReader& iam) {
    return add_principal(iam, input.policy_source_arn, names);
  });
  if (input.policy_input_list) co_await add_policies(*input.policy_input_list, names);
  api::GetContextKeysForPrincipalPolicyOutput output;
  output.context_key_names = std::move(names);
  co_return output;
}

}  // namespace virga::iam
