#include "platform/policy.h"

#include <algorithm>

#include "aws/account_id.h"
#include "base/document.h"
#include "base/json.h"
#include "base/strings.h"

namespace virga::platform {
namespace {

using Named = PolicyStatement::Named;

std::string scalar_text(const Document& value) {
  if (value.is_string()) return value.as_string();
  return to_json(value);
}

// A value that may stand alone or in a list.
std::vector<std::string> texts(const Document& value) {
  std::vector<std::string> out;
  if (value.is_array()) {
    for (const Document& v : value.as_array()) out.push_back(scalar_text(v));
  } else {
    out.push_back(scalar_text(value));
  }
  return out;
}

// arn:aws:iam::111122223333:root, or the number alone, mean the account.
Named aws_principal(std::string value) {
  if (value == "*") return {Named::Kind::any, {}};
  if (is_account_id(value)) return {Named::Kind::account, std::move(value)};
  const auto parts = split(value, ':');
  if (parts.size() == 6 && parts[2] == "iam" && parts[5] == "root")
    return {Named::Kind::account, std::string(parts[4])};
  return {Named::Kind::arn, std::move(value)};
}

void compile_principals(const Document& value, std::vector<Named>& out) {
  if (value.is_string()) {
    out.push_back({Named::Kind::any, {}});  // "*": the syntax check allows no other text
    return;
  }
  for (const auto& [type, who] : value.as_object()) {
    for (std::string& name : texts(who)) {
      if (type == "AWS") {
        out.push_back(aws_principal(std::move(name)));
      } else if (type == "Service") {
        out.push_back({name == "*" ? Named::Kind::any : Named::Kind::service, std::move(name)});
      } else {
        out.push_back({Named::Kind::other, std::move(name)});
      }
    }
  }
}

// The element `name` or `Not` + `name`, whichever is there.
const Document* either(const Document& statement, std::string_view name, bool& negated) {
  if (const Document* plain = statement.find(name)) {
    negated = false;
    return plain;
  }
  const Document* inverse = statement.find("Not" + std::string(name));
  negated = inverse != nullptr;
  return inverse;
}

PolicyStatement compile_statement(const Document& statement, Variables variables) {
  PolicyStatement out;
  out.deny = iequals(statement.string_or("Effect", ""), "Deny");
  if (const Document* actions = either(statement, "Action", out.not_action)) {
    for (const std::string& a : texts(*actions)) out.actions.emplace_back(a, Variables::literal);
  }
  if (const Document* resources = either(statement, "Resource", out.not_resource)) {
    out.has_resource = true;
    for (const std::string& r : texts(*resources)) out.resources.emplace_back(r, variables);
  }
  if (const Document* principals = either(statement, "Principal", out.not_principal)) {
    out.has_principal = true;
    compile_principals(*principals, out.principals);
  }
  if (const Document* conditions = statement.find("Condition");
      conditions && conditions->is_object()) {
    for (const auto& [name, keys] : conditions->as_object()) {
      const auto kind = Condition::parse_operator(name);
      if (!kind) continue;  // valid only with no keys below it
      for (const auto& [key, values] : keys.as_object())
        out.conditions.emplace_back(*kind, key, texts(values), variables);
    }
  }
  return out;
}

}  // namespace

PolicyDocument::PolicyDocument() = default;
PolicyDocument::~PolicyDocument() = default;

Result<PolicyRef> PolicyDocument::parse(std::string_view json, PolicyKind kind) {
  auto parsed = parse_json(json);
  if (!parsed)
    return fail(malformed_policy(kind == PolicyKind::trust ? "This policy contains invalid Json"
                                                           : "Syntax errors in policy."));
  VIRGA_TRY_VOID(validate_policy(*parsed, kind));
  const Variables variables =
      parsed->string_or("Version", "") == "2012-10-17" ? Variables::expand : Variables::literal;
  auto document = std::make_shared<PolicyDocument>();
  document->kind_ = kind;
  const Document* statements = parsed->find("Statement");
  if (statements->is_array()) {
    for (const Document& s : statements->as_array())
      document->statements_.push_back(compile_statement(s, variables));
  } else {
    document->statements_.push_back(compile_statement(*statements, variables));
  }
  return document;
}

PolicyVerdict PolicyDocument::evaluate(const PolicyRequest& request) const {
  PolicyVerdict verdict;
  for (const PolicyStatement& s : statements_) {
    if (!s.covers_action_and_resource(request)) continue;
    Grant grant = Grant::direct;
    if (s.has_principal) {
      grant = s.principal_grant(request.caller);
      if (grant == Grant::none) continue;
    } else if (kind_ == PolicyKind::trust || kind_ == PolicyKind::resource) {
      continue;
    }
    if (!s.conditions_hold(request.context)) continue;
    if (s.deny) {
      verdict.denied = true;
      return verdict;
    }
    verdict.grant = std::max(verdict.grant, grant);
  }
  return verdict;
}

bool PolicyStatement::covers_action_and_resource(const PolicyRequest& request) const {
  const auto action_matches = [&](const Pattern& p) {
    return p.matches(request.action, request.context, Case::ignore);
  };
  if (std::any_of(actions.begin(), actions.end(), action_matches) == not_action) return false;
  if (!has_resource) return true;
  const auto resource_matches = [&](const Pattern& p) {
    return p.matches_arn(request.resource, request.context);
  };
  return std::any_of(resources.begin(), resources.end(), resource_matches) != not_resource;
}

bool PolicyStatement::conditions_hold(const ConditionContext& context) const {
  return std::all_of(conditions.begin(), conditions.end(),
                     [&](const Condition& c) { return c.holds(context); });
}

Grant PolicyStatement::principal_grant(const PolicyCaller& caller) const {
  Grant best = Grant::none;
  for (const Named& p : principals) {
    Grant g = Grant::none;
    switch (p.kind) {
      case Named::Kind::any:
        g = Grant::direct;
        break;
      case Named::Kind::account:
        if (!caller.account.empty() && p.value == caller.account) g = Grant::account;
        break;
      case Named::Kind::arn:
        if (caller.arn.empty()) break;
        if (p.value == caller.arn && caller.arn != caller.principal_arn) {
          g = Grant::session;
        } else if (p.value == caller.arn || p.value == caller.principal_arn) {
          g = Grant::direct;
        }
        break;
      case Named::Kind::service:
        if (!caller.service.empty() && p.value == caller.service) g = Grant::direct;
        break;
      case Named::Kind::other:
        break;
    }
    best = std::max(best, g);
  }
  if (!not_principal) return best;
  return best == Grant::none ? Grant::direct : Grant::none;
}

}  // namespace virga::platform
