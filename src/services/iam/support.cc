#include "services/iam/support.h"

#include <algorithm>

#include "api/iam/shapes/attached_permissions_boundary.h"
#include "api/iam/shapes/role_last_used.h"
#include "base/hashing.h"
#include "base/strings.h"
#include "services/iam/errors.h"

namespace virga::iam {
namespace {

constexpr size_t kTagsMax = 50;

Box<api::AttachedPermissionsBoundary> boundary_of(const Entity& e) {
  if (e.boundary.empty()) return {};
  api::AttachedPermissionsBoundary b;
  b.permissions_boundary_type = "Policy";
  b.permissions_boundary_arn = e.boundary;
  return b;
}

// Four bytes of CRC in front of the name: a marker that was made up does not pass.
std::string sealed(std::string_view last) {
  const uint32_t sum = crc32c(last, 0x1a3);
  std::string out;
  for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(sum >> shift);
  out += last;
  return out;
}

}  // namespace

api::User to_user(const RequestContext& context, const Entity& e, Detail detail) {
  api::User u;
  u.path = e.path;
  u.user_name = e.name;
  u.user_id = e.id;
  u.arn = entity_arn(context.partition, context.account, e);
  u.create_date = e.created;
  if (detail == Detail::full) {
    u.permissions_boundary = boundary_of(e);
    if (!e.tags.empty()) u.tags = to_tags(e.tags);
  }
  return u;
}

api::Role to_role(const RequestContext& context, const Entity& e, Detail detail) {
  api::Role r;
  r.path = e.path;
  r.role_name = e.name;
  r.role_id = e.id;
  r.arn = entity_arn(context.partition, context.account, e);
  r.create_date = e.created;
  r.assume_role_policy_document = percent_encode(e.trust);
  if (e.has_description) r.description = e.description;
  r.max_session_duration = e.max_session_seconds;
  if (detail == Detail::full) {
    r.permissions_boundary = boundary_of(e);
    if (!e.tags.empty()) r.tags = to_tags(e.tags);
    r.role_last_used = api::RoleLastUsed();
  }
  return r;
}

api::Group to_group(const RequestContext& context, const Entity& e) {
  api::Group g;
  g.path = e.path;
  g.group_name = e.name;
  g.group_id = e.id;
  g.arn = entity_arn(context.partition, context.account, e);
  g.create_date = e.created;
  return g;
}

api::Policy to_policy(const RequestContext& context, const PolicyRecord& p, int32_t attachments,
                      int32_t boundaries, Detail detail) {
  api::Policy out;
  out.policy_name = p.name;
  out.policy_id = p.id;
  out.arn = policy_arn(context.partition, context.account, p);
  out.path = p.path;
  out.default_version_id = "v" + std::to_string(p.default_version);
  out.attachment_count = attachments;
  out.permissions_boundary_usage_count = boundaries;
  out.is_attachable = true;
  out.create_date = p.created;
  out.update_date = p.updated;
  if (detail == Detail::full) {
    if (!p.description.empty()) out.description = p.description;
    out.tags = to_tags(p.tags);
  }
  return out;
}

Result<api::InstanceProfile> to_instance_profile(const RequestContext& context,
                                                 const IamReader& reader,
                                                 const InstanceProfileRecord& p) {
  api::InstanceProfile out;
  out.path = p.path;
  out.instance_profile_name = p.name;
  out.instance_profile_id = p.id;
  out.arn = instance_profile_arn(context.partition, context.account, p);
  out.create_date = p.created;
  if (!p.role.empty()) {
    VIRGA_TRY(role, reader.find_entity(Kind::role, p.role));
    if (role) out.roles.push_back(to_role(context, *role, Detail::listed));
  }
  if (!p.tags.empty()) out.tags = to_tags(p.tags);
  return out;
}

std::vector<api::Tag> to_tags(const TagList& tags) {
  std::vector<api::Tag> out;
  for (const auto& [key, value] : tags) {
    api::Tag& t = out.emplace_back();
    t.key = key;
    t.value = value;
  }
  return out;
}

std::string make_marker(std::string_view last) {
  return to_base64(sealed(last));
}

Result<std::string> read_marker(const std::optional<std::string>& marker) {
  if (!marker) return std::string();
  const auto bytes = from_base64(*marker);
  if (!bytes || bytes->size() <= 4 || sealed(std::string_view(*bytes).substr(4)) != *bytes)
    return fail(errors::invalid_marker());
  return bytes->substr(4);
}

Result<void> add_tags(TagList& tags, const std::vector<api::Tag>& added, std::string_view quota) {
  for (size_t i = 0; i < added.size(); ++i) {
    for (size_t j = 0; j < i; ++j) {
      if (iequals(added[i].key, added[j].key)) {
        return fail(errors::invalid_input(
            "Duplicate tag keys found. Please note that Tag keys are case insensitive."));
      }
    }
    if (to_lower(added[i].key).starts_with("aws:")) {
      return fail(
          errors::invalid_input("Tag keys that begin with aws: are reserved for system use."));
    }
  }
  for (const api::Tag& t : added) {
    const auto at = std::find_if(tags.begin(), tags.end(),
                                 [&](const auto& old) { return iequals(old.first, t.key); });
    if (at == tags.end()) {
      tags.emplace_back(t.key, t.value);
    } else {
      *at = {t.key, t.value};
    }
  }
  if (tags.size() > kTagsMax)
    return fail(errors::limit_exceeded("Cannot exceed quota for " + std::string(quota) + ": 50"));
  return {};
}

void remove_tags(TagList& tags, const std::vector<std::string>& keys) {
  std::erase_if(tags, [&](const auto& tag) {
    return std::any_of(keys.begin(), keys.end(),
                       [&](const std::string& k) { return iequals(k, tag.first); });
  });
}

size_t policy_size(std::string_view document) {
  return static_cast<size_t>(std::count_if(document.begin(), document.end(), [](char c) {
    return c != ' ' && c != '\n' && c != '\r' && c != '\t';
  }));
}

std::optional<std::string> calling_user(const RequestContext& context) {
  if (context.principal.kind != Principal::Kind::user) return std::nullopt;
  return context.principal.arn.substr(context.principal.arn.rfind('/') + 1);
}

}  // namespace virga::iam
