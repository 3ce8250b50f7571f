#include "services/s3/acl.h"

#include <algorithm>
#include <array>

#include "api/s3/shapes/grant.h"
#include "api/s3/shapes/grantee.h"
#include "api/s3/shapes/owner.h"
#include "base/strings.h"
#include "services/s3/errors.h"

namespace virga::s3 {
namespace {

constexpr size_t kGrantsMax = 100;
// Amazon EC2's own account, which aws-exec-read lets read machine images. Source: S3 User Guide,
// "Canned ACL".
constexpr std::string_view kEc2 =
    "6aa5a366c34c1cbe25dc49211496e913e0351eb0e8c37aa3477e40942ec6b97c";

constexpr std::array<std::string_view, 5> kPermissionNames{"FULL_CONTROL", "READ", "WRITE",
                                                           "READ_ACP", "WRITE_ACP"};

std::string_view permission_name(Permission p) {
  return kPermissionNames[static_cast<size_t>(p)];
}

std::optional<Permission> parse_permission(std::string_view name) {
  for (size_t i = 0; i < kPermissionNames.size(); ++i) {
    if (kPermissionNames[i] == name) return static_cast<Permission>(i);
  }
  return std::nullopt;
}

std::unexpected<AwsError> malformed_acl() {
  return fail(
      "MalformedACLError", 400,
      "The XML you provided was not well-formed or did not validate against our published schema");
}

bool is_public_grant(const Grant& g) {
  return g.group && (g.grantee == kAllUsers || g.grantee == kAuthenticatedUsers);
}

Grant to_group(std::string_view uri, Permission p) {
  return {.group = true, .grantee = std::string(uri), .permission = p};
}
Grant to_account(std::string_view id, Permission p) {
  return {.group = false, .grantee = std::string(id), .permission = p};
}

Result<Acl> canned_acl(std::string_view name, const AclContext& c) {
  Acl acl = private_acl(c.owner);
  const bool object = c.target == AclTarget::object;
  auto grant = [&](Grant g) { acl.grants.push_back(std::move(g)); };
  if (name == "private") {
  } else if (name == "public-read") {
    grant(to_group(kAllUsers, Permission::read));
  } else if (name == "public-read-write") {
    grant(to_group(kAllUsers, Permission::read));
    grant(to_group(kAllUsers, Permission::write));
  } else if (name == "authenticated-read") {
    grant(to_group(kAuthenticatedUsers, Permission::read));
  } else if (name == "aws-exec-read" && object) {
    grant(to_account(kEc2, Permission::read));
  } else if (name == "log-delivery-write" && !object) {
    grant(to_group(kLogDelivery, Permission::write));
    grant(to_group(kLogDelivery, Permission::read_acp));
  } else if (name == "bucket-owner-read" || name == "bucket-owner-full-control") {
    // Of a bucket's own list S3 ignores these two.
    const auto permission =
        name == "bucket-owner-read" ? Permission::read : Permission::full_control;
    if (object && c.bucket_owner != c.owner) grant(to_account(c.bucket_owner, permission));
  } else {
    return fail(errors::invalid_argument("", "x-amz-acl", name));
  }
  return acl;
}

Result<Grant> grant_to(const AclContext& c, std::string_view kind, const std::string& value,
                       Permission permission) {
  if (kind == "uri") {
    if (value != kAllUsers && value != kAuthenticatedUsers && value != kLogDelivery) {
      return fail(errors::invalid_argument("Invalid group uri", "uri", value));
    }
    return to_group(value, permission);
  }
  if (kind == "id") {
    if (value != kEc2 && !c.owners.find_canonical_id(value))
      return fail(errors::invalid_argument("Invalid id", "CanonicalUser/ID", value));
    return to_account(value, permission);
  }
  const auto owner = c.owners.find_email(value);
  if (!owner) {
    return fail("UnresolvableGrantByEmailAddress", 400,
                "The e-mail address you provided does not match any account on record.");
  }
  return to_account(owner->canonical_id, permission);
}

// "id=\"…\", uri=\"…\"".
Result<void> add_grants(Acl& acl, const AclContext& c, std::string_view header,
                        const std::string& text, Permission permission) {
  for (const auto part : split(text, ',')) {
    const auto item = trim(part);
    const size_t eq = item.find('=');
    if (eq == std::string_view::npos)
      return fail(errors::invalid_argument("Argument format not recognized", header, text));
    std::string kind = to_lower(trim(item.substr(0, eq)));
    auto value = trim(item.substr(eq + 1));
    if (value.size() >= 2 && value.front() == '"' && value.back() == '"')
      value = value.substr(1, value.size() - 2);
    if (kind != "id" && kind != "uri" && kind != "emailaddress") {
      return fail(errors::invalid_argument("Argument format not recognized", header, text));
    }
    VIRGA_TRY(grant, grant_to(c, kind, std::string(value), permission));
    acl.grants.push_back(std::move(grant));
  }
  return {};
}

}  // namespace

bool Acl::is_public() const {
  return std::any_of(grants.begin(), grants.end(), is_public_grant);
}

Acl Acl::without_public_grants() const {
  Acl out{.owner = owner, .grants = {}};
  std::copy_if(grants.begin(), grants.end(), std::back_inserter(out.grants),
               [](const Grant& g) { return !is_public_grant(g); });
  return out;
}

bool Acl::allows(std::string_view caller, Permission permission) const {
  // The owner can always read and write the list itself.
  const bool about_list = permission == Permission::read_acp || permission == Permission::write_acp;
  if (about_list && !caller.empty() && caller == owner) return true;
  return std::any_of(grants.begin(), grants.end(), [&](const Grant& g) {
    if (g.permission != permission && g.permission != Permission::full_control) return false;
    if (!g.group) return !caller.empty() && g.grantee == caller;
    return g.grantee == kAllUsers || (g.grantee == kAuthenticatedUsers && !caller.empty());
  });
}

Acl private_acl(std::string_view owner) {
  return {.owner = std::string(owner), .grants = {to_account(owner, Permission::full_control)}};
}

Result<Acl> acl_of_headers(const AclHeaders& headers, const AclContext& context) {
  if (headers.canned && headers.any_grant()) {
    return fail(
        errors::invalid_request("Specifying both Canned ACLs and Header Grants is not allowed"));
  }
  if (headers.canned) return canned_acl(*headers.canned, context);
  if (!headers.any_grant()) return private_acl(context.owner);
  Acl acl{.owner = context.owner, .grants = {}};
  struct Row {
    const std::optional<std::string>& text;
    std::string_view header;
    Permission permission;
  };
  const Row rows[] = {
      {headers.grant_full_control, "x-amz-grant-full-control", Permission::full_control},
      {headers.grant_read, "x-amz-grant-read", Permission::read},
      {headers.grant_write, "x-amz-grant-write", Permission::write},
      {headers.grant_read_acp, "x-amz-grant-read-acp", Permission::read_acp},
      {headers.grant_write_acp, "x-amz-grant-write-acp", Permission::write_acp}};
  for (const Row& row : rows) {
    if (row.text) VIRGA_TRY_VOID(add_grants(acl, context, row.header, *row.text, row.permission));
  }
  if (acl.grants.size() > kGrantsMax) return malformed_acl();
  return acl;
}

Result<Acl> acl_of_policy(const api::AccessControlPolicy& policy, const AclContext& context) {
  if (!policy.owner || !policy.owner->id || policy.owner->id->empty() || !policy.grants)
    return malformed_acl();
  if (*policy.owner->id != context.owner) return fail(errors::access_denied());
  if (policy.grants->size() > kGrantsMax) return malformed_acl();
  Acl acl{.owner = context.owner, .grants = {}};
  for (const api::Grant& g : *policy.grants) {
    const auto permission = parse_permission(g.permission.value_or(""));
    if (!permission || !g.grantee) return malformed_acl();
    const api::Grantee& to = *g.grantee;
    const bool canonical = to.type == "CanonicalUser" && to.id;
    const bool group = to.type == "Group" && to.uri;
    const bool email = to.type == "AmazonCustomerByEmail" && to.email_address;
    if (!canonical && !group && !email) return malformed_acl();
    const std::string& value = canonical ? *to.id : group ? *to.uri : *to.email_address;
    VIRGA_TRY(grant, grant_to(context,
                              canonical ? "id"
                              : group   ? "uri"
                                        : "emailaddress",
                              value, *permission));
    acl.grants.push_back(std::move(grant));
  }
  return acl;
}

api::Owner to_api_owner(const Owners& owners, std::string_view canonical_id) {
  api::Owner out;
  out.id = std::string(canonical_id);
  const auto known = owners.find_canonical_id(canonical_id);
  if (known && !known->display_name.empty()) out.display_name = known->display_name;
  return out;
}

std::vector<api::Grant> to_api_grants(const Owners& owners, const Acl& acl) {
  std::vector<api::Grant> out;
  for (const Grant& g : acl.grants) {
    api::Grant grant;
    api::Grantee& to = grant.grantee.emplace();
    if (g.group) {
      to.type = "Group";
      to.uri = g.grantee;
    } else {
      const api::Owner owner = to_api_owner(owners, g.grantee);
      to.type = "CanonicalUser";
      to.id = owner.id;
      to.display_name = owner.display_name;
    }
    grant.permission = std::string(permission_name(g.permission));
    out.push_back(std::move(grant));
  }
  return out;
}

std::string encode_acl(const Acl& acl) {
  std::string out = acl.owner + "\n";
  for (const Grant& g : acl.grants) {
    out += g.group ? "G " : "C ";
    out += permission_name(g.permission);
    out += " " + g.grantee + "\n";
  }
  return out;
}

Acl decode_acl(std::string_view text) {
  Acl acl;
  bool first = true;
  for (const auto line : split(text, '\n')) {
    if (first) {
      acl.owner = line;
      first = false;
      continue;
    }
    const auto words = split(line, ' ');
    if (words.size() != 3) continue;
    const auto permission = parse_permission(words[1]);
    if (!permission) continue;
    acl.grants.push_back(
        {.group = words[0] == "G", .grantee = std::string(words[2]), .permission = *permission});
  }
  return acl;
}

}  // namespace virga::s3
