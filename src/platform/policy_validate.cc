// What IAM refuses in a policy document, in its words and its order: syntax, version, what IAM
// calls legacy parsing, statement ids, resources, actions. Sources: IAM User Guide, "Grammar of the
// IAM JSON policy language"; the texts are those of the service, as recorded by public test suites.
#include <algorithm>
#include <array>
#include <set>
#include <span>

#include "async/task.h"
#include "aws/account_id.h"
#include "base/document.h"
#include "base/strings.h"
#include "platform/policy.h"

namespace virga::platform {
namespace {

constexpr std::string_view kSyntax = "Syntax errors in policy.";
constexpr std::string_view kLegacy = "The policy failed legacy parsing";

std::unexpected<AwsError> refuse(std::string_view message) {
  return fail(malformed_policy(std::string(message)));
}

bool has_control_character(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) {
    return static_cast<unsigned char>(c) < 0x20 && c != '\t' && c != '\n' && c != '\r';
  });
}

bool is_text(const Document& v) {
  return v.is_string() && !has_control_character(v.as_string());
}

bool is_text_or_list(const Document& v) {
  if (is_text(v)) return true;
  return v.is_array() && std::all_of(v.as_array().begin(), v.as_array().end(), is_text);
}

bool is_scalar(const Document& v) {
  return is_text(v) || v.is_bool() || v.is_number();
}

bool is_condition_value(const Document& v) {
  if (is_scalar(v)) return true;
  return v.is_array() && std::all_of(v.as_array().begin(), v.as_array().end(), is_scalar);
}

bool only_members(const Document& object, std::span<const std::string_view> names) {
  std::set<std::string_view> seen;
  for (const auto& [name, value] : object.as_object()) {
    if (std::find(names.begin(), names.end(), name) == names.end() || !seen.insert(name).second)
      return false;
  }
  return true;
}

std::span<const Document> statements_of(const Document& document) {
  const Document* s = document.find("Statement");
  if (s->is_array()) return s->as_array();
  return {s, 1};
}

bool principal_syntax(const Document& p) {
  if (p.is_string()) return p.as_string() == "*";
  static constexpr std::array<std::string_view, 4> kTypes{"AWS", "Service", "Federated",
                                                          "CanonicalUser"};
  if (!p.is_object() || p.as_object().empty() || !only_members(p, kTypes)) return false;
  for (const auto& [type, who] : p.as_object()) {
    if (!is_text_or_list(who) || (who.is_array() && who.as_array().empty())) return false;
  }
  return true;
}

bool condition_syntax(const Document& condition) {
  if (!condition.is_object()) return false;
  for (const auto& [name, keys] : condition.as_object()) {
    if (!keys.is_object()) return false;
    if (!keys.as_object().empty() && !Condition::parse_operator(name)) return false;
    for (const auto& [key, values] : keys.as_object()) {
      if (!is_condition_value(values)) return false;
    }
  }
  return true;
}

bool statement_syntax(const Document& s) {
  static constexpr std::array<std::string_view, 9> kMembers{
      "Sid",       "Effect",   "Principal",   "NotPrincipal", "Action",
      "NotAction", "Resource", "NotResource", "Condition"};
  if (!s.is_object() || !only_members(s, kMembers)) return false;
  if (const Document* sid = s.find("Sid"); sid && !is_text(*sid)) return false;
  const std::string effect = to_lower(s.string_or("Effect", ""));
  if (effect != "allow" && effect != "deny") return false;
  for (const std::string_view name : {"Action", "Resource", "Principal"}) {
    const std::string inverse = "Not" + std::string(name);
    if (s.find(name) && s.find(inverse)) return false;
    for (const Document* v : {s.find(name), s.find(inverse)}) {
      if (v && !(name == "Principal" ? principal_syntax(*v) : is_text_or_list(*v))) return false;
    }
  }
  const Document* condition = s.find("Condition");
  return !condition || condition_syntax(*condition);
}

bool document_syntax(const Document& d) {
  static constexpr std::array<std::string_view, 3> kMembers{"Version", "Id", "Statement"};
  if (!d.is_object() || !only_members(d, kMembers)) return false;
  if (const Document* version = d.find("Version")) {
    if (!version->is_string()) return false;
    if (version->as_string() != "2012-10-17" && version->as_string() != "2008-10-17") return false;
  }
  if (const Document* id = d.find("Id"); id && !is_text(*id)) return false;
  const Document* statement = d.find("Statement");
  if (!statement || (!statement->is_array() && !statement->is_object())) return false;
  if (statement->is_array() && statement->as_array().empty()) return false;
  const auto all = statements_of(d);
  return std::all_of(all.begin(), all.end(), statement_syntax);
}

std::vector<std::string_view> list(const Document& s, std::string_view name) {
  std::vector<std::string_view> out;
  for (const std::string& member : {std::string(name), "Not" + std::string(name)}) {
    const Document* v = s.find(member);
    if (!v) continue;
    if (v->is_string()) out.push_back(v->as_string());
    if (v->is_array()) {
      for (const Document& item : v->as_array()) out.push_back(item.as_string());
    }
  }
  return out;
}

bool is_partition(std::string_view text) {
  static constexpr std::array<std::string_view, 8> kPartitions{
      "aws", "aws-cn", "aws-us-gov", "aws-iso", "aws-iso-b", "aws-iso-e", "aws-iso-f", "aws-eusc"};
  return text == "*" ||
         std::find(kPartitions.begin(), kPartitions.end(), text) != kPartitions.end();
}

// The effect's exact spelling, dates that are none, ARNs with an empty service or a missing colon.
bool legacy_parses(const Document& s) {
  const std::string_view effect = s.string_or("Effect", "");
  if (effect != "Allow" && effect != "Deny") return false;
  if (const Document* condition = s.find("Condition")) {
    for (const auto& [name, keys] : condition->as_object()) {
      const auto kind = Condition::parse_operator(name);
      if (!kind) continue;
      for (const auto& [key, values] : keys.as_object()) {
        std::vector<const Document*> all;
        if (values.is_array()) {
          for (const Document& v : values.as_array()) all.push_back(&v);
        } else {
          all.push_back(&values);
        }
        for (const Document* v : all) {
          if (v->is_string() && !Condition::value_is_valid(*kind, v->as_string())) return false;
        }
      }
    }
  }
  for (const std::string_view r : list(s, "Resource")) {
    const auto parts = split(r, ':');
    if (parts.size() < 4 || parts[0] != "arn" || !is_partition(parts[1])) continue;
    if (parts[2].empty() || (parts[2] == "s3" && parts.size() == 5)) return false;
  }
  return true;
}

// `a:b` is read as `arn:b:*:*:*:*`.
std::string completed_arn(const std::vector<std::string_view>& parts) {
  std::string out = "arn";
  for (size_t i = 1; i < std::max<size_t>(parts.size(), 6); ++i) {
    out += ':';
    out += i < parts.size() ? parts[i] : "*";
  }
  return out;
}

Result<void> check_iam_path(std::string_view path) {
  static constexpr std::array<std::string_view, 12> kPrefixes{"user/",
                                                              "federated-user/",
                                                              "role/",
                                                              "group/",
                                                              "instance-profile/",
                                                              "mfa/",
                                                              "server-certificate/",
                                                              "policy/",
                                                              "sms-mfa/",
                                                              "saml-provider/",
                                                              "oidc-provider/",
                                                              "report/"};
  if (path == "*" || path.starts_with("access-report/") || path.starts_with("$")) return ok();
  // A wildcard may stand for the rest of the kind's name: "user*".
  for (const std::string_view p : kPrefixes) {
    if (path.starts_with(p)) return ok();
    const size_t star = path.find_first_of("*?");
    if (star != std::string_view::npos && p.starts_with(path.substr(0, star))) return ok();
  }
  return refuse(
      "IAM resource path must either be \"*\" or start with user/, federated-user/, role/, group/, "
      "instance-profile/, mfa/, "
      "server-certificate/, policy/, sms-mfa/, saml-provider/, oidc-provider/, report/, "
      "access-report/.");
}

Result<void> check_resource(std::string_view r) {
  if (r == "*") return ok();
  const std::string text(r);
  const auto parts = split(r, ':');
  if (parts.size() < 2) return refuse("Resource " + text + " must be in ARN format or \"*\".");
  if (!is_partition(parts[1])) {
    return refuse("Partition \"" + std::string(parts[1]) + "\" is not valid for resource \"" +
                  completed_arn(parts) + "\".");
  }
  if (parts.size() < 3 || parts[2].find_first_of("*?") != std::string_view::npos) {
    return refuse("Resource vendor must be fully qualified and cannot contain regexes.");
  }
  const std::string_view service = parts[2];
  const bool region = parts.size() > 3 && !parts[3].empty() && parts[3] != "*";
  if (service == "s3" && region)
    return refuse("Resource " + text + " can not contain region information.");
  if (service == "iam" && region)
    return refuse("IAM resource " + text + " cannot contain region information.");
  if (service == "iam" && parts.size() >= 6) return check_iam_path(parts[5]);
  return ok();
}

Result<void> check_action(std::string_view a) {
  if (a == "*") return ok();
  const auto parts = split(a, ':');
  if (parts.size() < 2)
    return refuse("Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.");
  if (parts.size() > 2) return refuse("Actions/Condition can contain only one colon.");
  const auto ok_char = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_';
  };
  if (parts[0].empty() || !std::all_of(parts[0].begin(), parts[0].end(), ok_char)) {
    return refuse("Vendor " + std::string(parts[0]) + " is not valid");
  }
  return ok();
}

Result<void> check_sids(std::span<const Document> statements) {
  std::set<std::string_view> seen;
  for (const Document& s : statements) {
    const std::string_view sid = s.string_or("Sid", "");
    if (sid.empty()) continue;
    const bool plain = std::all_of(sid.begin(), sid.end(), [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    });
    if (!plain) {
      return refuse(
          "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular "
          "expression [0-9A-Za-z]*");
    }
    if (!seen.insert(sid).second)
      return refuse("Statement IDs (SID) in a single policy must be unique.");
  }
  return ok();
}

// Managed and inline policies, and those of sessions.
Result<void> validate_identity(const Document& document) {
  if (document.string_or("Version", "") != "2012-10-17")
    return refuse("Policy document must be version 2012-10-17 or greater.");
  const auto statements = statements_of(document);
  for (const Document& s : statements) {
    if (s.find("Principal") || s.find("NotPrincipal"))
      return refuse("Policy document should not specify a principal.");
  }
  for (const Document& s : statements) {
    if (!legacy_parses(s)) return refuse(kLegacy);
  }
  VIRGA_TRY_VOID(check_sids(statements));
  for (const Document& s : statements) {
    for (const std::string_view r : list(s, "Resource")) VIRGA_TRY_VOID(check_resource(r));
  }
  for (const Document& s : statements) {
    const auto actions = list(s, "Action");
    if (actions.empty()) return refuse("Policy statement must contain actions.");
    for (const std::string_view a : actions) VIRGA_TRY_VOID(check_action(a));
    if (list(s, "Resource").empty()) return refuse("Policy statement must contain resources.");
  }
  return ok();
}

Result<void> check_trust_principal(const Document& principal) {
  if (!principal.is_object()) return ok();
  for (const auto& [type, who] : principal.as_object()) {
    std::vector<std::string_view> names;
    if (who.is_string()) names.push_back(who.as_string());
    if (who.is_array()) {
      for (const Document& v : who.as_array()) names.push_back(v.as_string());
    }
    for (const std::string_view name : names) {
      const auto parts = split(name, ':');
      const bool account = is_account_id(name);
      const bool arn = parts.size() >= 6 && parts[0] == "arn" && is_partition(parts[1]) &&
                       (parts[2] == "iam" || parts[2] == "sts") && !parts[5].empty() &&
                       name.find_first_of("*?") == std::string_view::npos;
      const bool unique_id =
          name.size() >= 16 && name.starts_with("A") && name.find(':') == std::string_view::npos;
      const bool good = type == "AWS" ? name == "*" || account || arn || unique_id
                        : type == "Service"
                            ? name == "*" || name.find('.') != std::string_view::npos
                            : !name.empty();
      if (!good)
        return refuse("Invalid principal in policy: \"" + type + "\":\"" + std::string(name) +
                      "\"");
    }
  }
  return ok();
}

// What a role's trust policy holds: principals, sts actions, and no resource.
Result<void> validate_trust(const Document& document) {
  static constexpr std::array<std::string_view, 6> kActions{
      "sts:AssumeRole", "sts:AssumeRoleWithSAML", "sts:AssumeRoleWithWebIdentity",
      "sts:TagSession", "sts:SetSourceIdentity",  "sts:SetContext"};
  const auto statements = statements_of(document);
  for (const Document& s : statements) {
    if (s.find("Resource") || s.find("NotResource")) return refuse("Has prohibited field Resource");
    const Document* principal = s.find("Principal");
    if (!principal) principal = s.find("NotPrincipal");
    if (!principal) return refuse("Missing required field Principal");
    VIRGA_TRY_VOID(check_trust_principal(*principal));
    const auto actions = list(s, "Action");
    if (actions.empty()) return refuse("Missing required field Action");
    for (const std::string_view a : actions) {
      VIRGA_TRY_VOID(check_action(a));
      const bool sts = a == "*" ||
                       (iequals(a.substr(0, 4), "sts:") && a.find('*') != std::string_view::npos) ||
                       std::any_of(kActions.begin(), kActions.end(),
                                   [&](std::string_view k) { return iequals(k, a); });
      if (!sts) return refuse("AssumeRole policy may only specify STS AssumeRole actions.");
    }
  }
  return check_sids(statements);
}

Result<void> validate_resource_policy(const Document& document) {
  for (const Document& s : statements_of(document)) {
    if (!s.find("Principal") && !s.find("NotPrincipal"))
      return refuse("Missing required field Principal");
    const auto actions = list(s, "Action");
    if (actions.empty()) return refuse("Policy statement must contain actions.");
    for (const std::string_view a : actions) VIRGA_TRY_VOID(check_action(a));
  }
  return ok();
}

}  // namespace

AwsError malformed_policy(std::string message) {
  return {.code = "MalformedPolicyDocumentException",
          .http_status = 400,
          .message = std::move(message),
          .detail = nullptr};
}

Result<void> validate_policy(const Document& document, PolicyKind kind) {
  if (!document_syntax(document)) return refuse(kSyntax);
  switch (kind) {
    case PolicyKind::identity:
    case PolicyKind::session:
      return validate_identity(document);
    case PolicyKind::trust:
      return validate_trust(document);
    case PolicyKind::resource:
      return validate_resource_policy(document);
  }
  return ok();
}

}  // namespace virga::platform
