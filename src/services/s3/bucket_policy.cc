#include "services/s3/bucket_policy.h"

#include <algorithm>
#include <array>
#include <vector>

#include "api/s3/service.h"
#include "aws/account_id.h"
#include "base/json.h"
#include "base/strings.h"

namespace virga::s3 {
namespace {

constexpr size_t kPolicyBytesMax = 20 * 1024;

std::unexpected<AwsError> malformed(std::string message) {
  return fail("MalformedPolicy", 400, std::move(message));
}

// The strings of a member that may be one or a list of them.
std::vector<std::string> texts(const Document* member) {
  std::vector<std::string> out;
  if (!member) return out;
  if (member->is_string()) out.push_back(member->as_string());
  if (member->is_array()) {
    for (const Document& d : member->as_array()) {
      if (d.is_string()) out.push_back(d.as_string());
    }
  }
  return out;
}

std::vector<const Document*> statements(const Document& policy) {
  std::vector<const Document*> out;
  const Document* list = policy.find("Statement");
  if (!list) return out;
  if (list->is_object()) out.push_back(list);
  if (list->is_array()) {
    for (const Document& d : list->as_array()) out.push_back(&d);
  }
  return out;
}

bool is_aws_principal(std::string_view text) {
  if (text == "*" || is_account_id(text)) return true;
  if (!text.starts_with("arn:")) return text.starts_with("AIDA") || text.starts_with("AROA");
  const auto parts = split(text, ':');
  return parts.size() >= 6 && (parts[2] == "iam" || parts[2] == "sts") && parts[3].empty() &&
         is_account_id(parts[4]) && !parts[5].empty() &&
         (parts[5] == "root" || parts[5].find('/') != std::string_view::npos) &&
         parts[5].find('*') == std::string_view::npos;
}

Result<void> check_principal(const Document& principal) {
  if (principal.is_string()) {
    if (principal.as_string() == "*") return {};
    return malformed("Invalid principal in policy");
  }
  if (!principal.is_object() || principal.as_object().empty())
    return malformed("Invalid principal in policy");
  for (const auto& [kind, value] : principal.as_object()) {
    if (kind != "AWS" && kind != "Service" && kind != "Federated" && kind != "CanonicalUser")
      return malformed("Invalid principal in policy");
    const auto names = texts(&value);
    if (names.empty()) return malformed("Invalid principal in policy");
    for (const auto& name : names) {
      if (kind == "AWS" && !is_aws_principal(name)) return malformed("Invalid principal in policy");
    }
  }
  return {};
}

// Of a resource: this bucket's ARN, or one below it.
enum class ResourceKind { foreign, bucket, object, either };

ResourceKind resource_kind(std::string_view resource, std::string_view bucket,
                           std::string_view partition) {
  if (resource == "*") return ResourceKind::either;
  const std::string prefix = "arn:" + std::string(partition) + ":s3:::";
  if (!resource.starts_with(prefix)) return ResourceKind::foreign;
  const auto rest = resource.substr(prefix.size());
  const auto name = rest.substr(0, rest.find('/'));
  if (!wildcard_match(name, bucket)) return ResourceKind::foreign;
  if (name.size() != rest.size()) return ResourceKind::object;
  return name.ends_with("*") ? ResourceKind::either : ResourceKind::bucket;
}

// Actions on what is in the bucket, as opposed to on the bucket. Source: Service Authorization
// Reference, "Actions, resources, and condition keys for Amazon S3".
bool is_object_action(std::string_view action) {
  static constexpr std::array<std::string_view, 5> kOthers{
      "s3:AbortMultipartUpload", "s3:BypassGovernanceRetention", "s3:ListMultipartUploadParts",
      "s3:RestoreObject", "s3:ReplicateTags"};
  if (std::find(kOthers.begin(), kOthers.end(), action) != kOthers.end()) return true;
  if (action.find("BucketObjectLock") != std::string_view::npos) return false;
  return action.find("Object") != std::string_view::npos;
}

// An action of S3 by its full name: of an operation that the model has, or one of those that no
// operation is called by. Source: Service Authorization Reference, "Actions, resources, and
// condition keys for Amazon S3".
bool is_known_action(std::string_view action) {
  static constexpr std::array<std::string_view, 26> kOthers{"s3:BypassGovernanceRetention",
                                                            "s3:CreateAccessPoint",
                                                            "s3:DeleteAccessPoint",
                                                            "s3:DeleteAccessPointPolicy",
                                                            "s3:DeleteObjectVersion",
                                                            "s3:DeleteObjectVersionTagging",
                                                            "s3:GetAccessPoint",
                                                            "s3:GetAccessPointPolicy",
                                                            "s3:GetAccessPointPolicyStatus",
                                                            "s3:GetObjectVersion",
                                                            "s3:GetObjectVersionAcl",
                                                            "s3:GetObjectVersionAttributes",
                                                            "s3:GetObjectVersionForReplication",
                                                            "s3:GetObjectVersionTagging",
                                                            "s3:GetObjectVersionTorrent",
                                                            "s3:InitiateReplication",
                                                            "s3:ListTagsForResource",
                                                            "s3:ObjectOwnerOverrideToBucketOwner",
                                                            "s3:PutAccessPointPolicy",
                                                            "s3:PutObjectVersionAcl",
                                                            "s3:PutObjectVersionTagging",
                                                            "s3:ReplicateDelete",
                                                            "s3:ReplicateObject",
                                                            "s3:ReplicateTags",
                                                            "s3:TagResource",
                                                            "s3:UntagResource"};
  const auto same = [&](std::string_view known) { return iequals(known, action); };
  if (std::any_of(kOthers.begin(), kOthers.end(), same)) return true;
  for (const aws::OperationDesc& op : api::service_desc().operations) {
    for (const aws::AuthDesc& needed : op.auth) {
      const auto known = needed.action;
      if (same(known.starts_with('?') ? known.substr(1) : known)) return true;
    }
  }
  return false;
}

// A condition key of S3's. Source: Service Authorization Reference, "Actions, resources, and
// condition keys for Amazon S3".
bool is_known_condition_key(std::string_view key) {
  static constexpr std::array<std::string_view, 26> kKeys{"AccessGrantsInstanceArn",
                                                          "AccessPointNetworkOrigin",
                                                          "authType",
                                                          "DataAccessPointAccount",
                                                          "DataAccessPointArn",
                                                          "delimiter",
                                                          "destinationRegion",
                                                          "ExistingJobOperation",
                                                          "ExistingJobPriority",
                                                          "if-match",
                                                          "if-none-match",
                                                          "InventoryAccessibleOptionalFields",
                                                          "isReplicationPauseRequest",
                                                          "JobSuspendedCause",
                                                          "LocationConstraint",
                                                          "max-keys",
                                                          "ObjectCreationOperation",
                                                          "prefix",
                                                          "RequestJobOperation",
                                                          "RequestJobPriority",
                                                          "RequestObjectTagKeys",
                                                          "ResourceAccount",
                                                          "signatureAge",
                                                          "signatureversion",
                                                          "TlsVersion",
                                                          "VersionId"};
  static constexpr std::array<std::string_view, 6> kBeginnings{"AccessPointTag/",    "BucketTag/",
                                                               "ExistingObjectTag/", "object-lock-",
                                                               "RequestObjectTag/",  "x-amz-"};
  const auto same = [&](std::string_view known) { return iequals(known, key); };
  const auto begins = [&](std::string_view known) {
    return iequals(known, key.substr(0, known.size()));
  };
  return std::any_of(kKeys.begin(), kKeys.end(), same) ||
         std::any_of(kBeginnings.begin(), kBeginnings.end(), begins);
}

Result<void> check_conditions(const Document& conditions) {
  if (!conditions.is_object()) return {};
  constexpr std::string_view kOurs = "s3:";
  for (const auto& [op, tests] : conditions.as_object()) {
    if (!tests.is_object()) continue;
    for (const auto& [key, value] : tests.as_object()) {
      const std::string_view whole = key;
      if (iequals(whole.substr(0, kOurs.size()), kOurs) &&
          !is_known_condition_key(whole.substr(kOurs.size())))
        return malformed("Policy has an invalid condition key");
    }
  }
  return {};
}

Result<void> check_statement(const Document& s, std::string_view bucket,
                             std::string_view partition) {
  if (!s.is_object())
    return malformed("Policies must be valid JSON and the first byte must be '{'");
  const Document* principal = s.find("Principal") ? s.find("Principal") : s.find("NotPrincipal");
  if (!principal) return malformed("Missing required field Principal");
  if (!s.find("Effect")) return malformed("Missing required field Effect");
  if (!s.find("Action") && !s.find("NotAction")) return malformed("Missing required field Action");
  const Document* resource_member = s.find("Resource") ? s.find("Resource") : s.find("NotResource");
  if (!resource_member) return malformed("Missing required field Resource");
  const auto effect = s.string_or("Effect", "");
  if (effect != "Allow" && effect != "Deny")
    return malformed("Invalid effect: " + std::string(effect));
  VIRGA_TRY_VOID(check_principal(*principal));
  bool about_bucket = false;
  bool about_objects = false;
  const auto resources = texts(resource_member);
  if (resources.empty()) return malformed("Policy has invalid resource");
  for (const auto& resource : resources) {
    const auto kind = resource_kind(resource, bucket, partition);
    if (kind == ResourceKind::foreign) return malformed("Policy has invalid resource");
    about_bucket = about_bucket || kind != ResourceKind::object;
    about_objects = about_objects || kind != ResourceKind::bucket;
  }
  for (const auto& action : texts(s.find("Action"))) {
    if (action == "*") continue;
    if (!iequals(action.substr(0, 3), "s3:") || action.size() == 3)
      return malformed("Policy has invalid action");
    if (action.find_first_of("*?") != std::string::npos) continue;
    if (!is_known_action(action)) return malformed("Policy has invalid action");
    if (is_object_action(action) ? !about_objects : !about_bucket) {
      return malformed("Action does not apply to any resource(s) in statement");
    }
  }
  if (const Document* conditions = s.find("Condition"))
    VIRGA_TRY_VOID(check_conditions(*conditions));
  return {};
}

bool names_everybody(const Document& s) {
  if (s.find("NotPrincipal")) return true;
  const Document* principal = s.find("Principal");
  if (!principal) return false;
  if (principal->is_string()) return principal->as_string() == "*";
  const auto names = texts(principal->find("AWS"));
  return std::find(names.begin(), names.end(), "*") != names.end();
}

bool is_wide_network(std::string_view cidr) {
  const auto slash = cidr.find('/');
  if (slash == std::string_view::npos) return false;
  const auto bits = parse_int(cidr.substr(slash + 1));
  const bool v6 = cidr.find(':') != std::string_view::npos;
  return !bits || *bits < (v6 ? 32 : 8);  // S3 takes wider blocks for the whole internet
}

// A condition that ties the statement to fixed values of who or where.
bool is_fixing_condition(const Document& conditions) {
  static constexpr std::array<std::string_view, 14> kKeys{
      "aws:principalorgid",
      "aws:sourcearn",
      "aws:sourcevpc",
      "aws:sourcevpce",
      "aws:sourceowner",
      "aws:sourceaccount",
      "aws:userid",
      "aws:principalarn",
      "aws:principalaccount",
      "aws:sourceip",
      "aws:principalorgpaths",
      "s3:dataaccesspointarn",
      "s3:dataaccesspointaccount",
      "s3:x-amz-server-side-encryption-aws-kms-key-id"};
  for (const auto& [op, tests] : conditions.as_object()) {
    const std::string lower = to_lower(op);
    const bool positive =
        lower.find("not") == std::string::npos && lower != "null" && !lower.ends_with("ifexists");
    if (!positive || !tests.is_object()) continue;
    for (const auto& [key, value] : tests.as_object()) {
      const std::string k = to_lower(key);
      if (std::find(kKeys.begin(), kKeys.end(), k) == kKeys.end()) continue;
      const auto values = texts(&value);
      const bool fixed =
          !values.empty() && std::all_of(values.begin(), values.end(), [&](const std::string& v) {
            if (k == "aws:sourceip") return !is_wide_network(v);
            return v.find_first_of("*?$") == std::string::npos ||
                   (k == "aws:sourcearn" && is_account_id(split(v + ":::::", ':')[4]));
          });
      if (fixed) return true;
    }
  }
  return false;
}

}  // namespace

Result<platform::PolicyRef> parse_bucket_policy(std::string_view text, std::string_view bucket,
                                                std::string_view partition) {
  if (text.size() > kPolicyBytesMax)
    return fail("PolicyTooLarge", 400, "Policy exceeds the maximum allowed document size.");
  const auto parsed = parse_json(text);
  if (!parsed || !parsed->is_object() || !text.starts_with('{')) {
    return malformed("Policies must be valid JSON and the first byte must be '{'");
  }
  const Document* version = parsed->find("Version");
  if (version && (!version->is_string() ||
                  (version->as_string() != "2012-10-17" && version->as_string() != "2008-10-17"))) {
    return malformed("The policy must contain a valid version string");
  }
  const auto all = statements(*parsed);
  if (!parsed->find("Statement")) return malformed("Missing required field Statement");
  if (all.empty()) return malformed("Could not parse the policy: Statement is empty!");
  for (const Document* s : all) VIRGA_TRY_VOID(check_statement(*s, bucket, partition));
  auto compiled = platform::PolicyDocument::parse(text, platform::PolicyKind::resource);
  if (!compiled) return malformed(compiled.error().message);
  return std::move(*compiled);
}

std::string with_account_principals(std::string_view text, const Owners& owners) {
  if (text.find("CanonicalUser") == std::string_view::npos) return std::string(text);
  auto parsed = parse_json(text);
  Document* const list = parsed ? parsed->find("Statement") : nullptr;
  if (!list) return std::string(text);
  const auto name_accounts = [&](Document& statement) {
    for (const char* const member : {"Principal", "NotPrincipal"}) {
      Document* const principal = statement.is_object() ? statement.find(member) : nullptr;
      if (!principal || !principal->is_object()) continue;
      Document accounts = Document::array();
      for (const std::string& name : texts(principal->find("AWS"))) accounts.push(name);
      for (const std::string& id : texts(principal->find("CanonicalUser"))) {
        if (const auto owner = owners.find_canonical_id(id)) accounts.push(owner->account);
      }
      if (!accounts.as_array().empty()) principal->set("AWS", std::move(accounts));
    }
  };
  if (list->is_array()) {
    for (Document& statement : list->as_array()) name_accounts(statement);
  } else {
    name_accounts(*list);
  }
  return to_json(*parsed);
}

bool is_public_policy(std::string_view text) {
  const auto parsed = parse_json(text);
  if (!parsed) return false;
  const auto all = statements(*parsed);
  return std::any_of(all.begin(), all.end(), [](const Document* s) {
    if (s->string_or("Effect", "") != "Allow" || !names_everybody(*s)) return false;
    const Document* conditions = s->find("Condition");
    return !conditions || !conditions->is_object() || !is_fixing_condition(*conditions);
  });
}

}  // namespace virga::s3
