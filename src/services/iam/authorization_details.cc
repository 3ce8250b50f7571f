#include <algorithm>
#include <variant>

#include "api/iam/get_account_authorization_details.h"
#include "api/iam/shapes.h"
#include "base/strings.h"
#include "platform/managed_policies.h"
#include "services/iam/service.h"
#include "services/iam/support.h"

// GetAccountAuthorizationDetails: every user, group, role and policy of the account in pages over
// all of them. Source: IAM API Reference, GetAccountAuthorizationDetails.
namespace virga::iam {
namespace {

// One line of the answer. `key` orders pages: users, groups, roles, customer managed policies, AWS
// managed ones.
struct Item {
  std::string key;
  std::variant<Entity, PolicyRecord, const platform::ManagedPolicy*> what;
};

std::vector<api::PolicyDetail> inline_of(const Entity& e) {
  std::vector<api::PolicyDetail> out;
  for (const auto& [name, document] : e.inline_policies) {
    auto& p = out.emplace_back();
    p.policy_name = name;
    p.policy_document = percent_encode(document);
  }
  return out;
}

std::vector<api::AttachedPolicy> attached_of(const Entity& e) {
  std::vector<api::AttachedPolicy> out;
  for (const std::string& arn : e.attached) {
    auto& p = out.emplace_back();
    p.policy_arn = arn;
    p.policy_name = arn.substr(arn.rfind('/') + 1);
  }
  return out;
}

api::UserDetail user_detail(const RequestContext& context, const Entity& e) {
  const api::User user = to_user(context, e, Detail::full);
  api::UserDetail out;
  out.path = user.path;
  out.user_name = user.user_name;
  out.user_id = user.user_id;
  out.arn = user.arn;
  out.create_date = user.create_date;
  if (!e.inline_policies.empty()) out.user_policy_list = inline_of(e);
  out.group_list = e.groups;
  out.attached_managed_policies = attached_of(e);
  out.permissions_boundary = user.permissions_boundary;
  out.tags = to_tags(e.tags);
  return out;
}

api::GroupDetail group_detail(const RequestContext& context, const Entity& e) {
  const api::Group group = to_group(context, e);
  api::GroupDetail out;
  out.path = group.path;
  out.group_name = group.group_name;
  out.group_id = group.group_id;
  out.arn = group.arn;
  out.create_date = group.create_date;
  out.group_policy_list = inline_of(e);
  out.attached_managed_policies = attached_of(e);
  return out;
}

Result<api::RoleDetail> role_detail(const RequestContext& context, const IamReader& iam,
                                    const Entity& e) {
  const api::Role role = to_role(context, e, Detail::full);
  api::RoleDetail out;
  out.path = role.path;
  out.role_name = role.role_name;
  out.role_id = role.role_id;
  out.arn = role.arn;
  out.create_date = role.create_date;
  out.assume_role_policy_document = role.assume_role_policy_document;
  auto& profiles = out.instance_profile_list.emplace();
  std::vector<InstanceProfileRecord> records;
  VIRGA_TRY_VOID(iam.each_instance_profile([&](InstanceProfileRecord&& p) {
    if (iequals(p.role, e.name)) records.push_back(std::move(p));
    return true;
  }));
  for (const auto& record : records) {
    VIRGA_TRY(profile, to_instance_profile(context, iam, record));
    profiles.push_back(std::move(profile));
  }
  out.role_policy_list = inline_of(e);
  out.attached_managed_policies = attached_of(e);
  out.permissions_boundary = role.permissions_boundary;
  out.tags = to_tags(e.tags);
  out.role_last_used.emplace();
  return out;
}

api::PolicyVersion version_of(const std::string& document, int number, bool is_default,
                              Timestamp created) {
  api::PolicyVersion out;
  out.document = percent_encode(document);
  out.version_id = "v" + std::to_string(number);
  out.is_default_version = is_default;
  out.create_date = created;
  return out;
}

api::ManagedPolicyDetail customer_policy(const RequestContext& context, const PolicyRecord& p,
                                         int32_t attachments) {
  api::ManagedPolicyDetail out;
  out.policy_name = p.name;
  out.policy_id = p.id;
  out.arn = policy_arn(context.partition, context.account, p);
  out.path = p.path;
  out.default_version_id = "v" + std::to_string(p.default_version);
  out.attachment_count = attachments;
  out.is_attachable = true;
  if (!p.description.empty()) out.description = p.description;
  out.create_date = p.created;
  out.update_date = p.updated;
  auto& versions = out.policy_version_list.emplace();
  for (auto v = p.versions.rbegin(); v != p.versions.rend(); ++v) {
    versions.push_back(
        version_of(v->document, v->number, v->number == p.default_version, v->created));
  }
  return out;
}

api::ManagedPolicyDetail aws_policy(const RequestContext& context, const platform::ManagedPolicy& p,
                                    int32_t attachments) {
  api::ManagedPolicyDetail out;
  out.policy_name = p.name;
  out.policy_id = p.id;
  out.arn = p.arn(context.partition);
  out.path = p.path;
  out.default_version_id = "v1";
  out.attachment_count = attachments;
  out.is_attachable = true;
  out.policy_version_list.emplace().push_back(version_of(p.document, 1, true, {}));
  return out;
}

struct Collected {
  std::vector<Item> items;
  std::map<std::string, int32_t> attachments;  // by ARN
};

Result<Collected> collect(const RequestContext& context, const IamReader& iam,
                          const std::vector<std::string>& filter) {
  const auto wanted = [&](std::string_view name) {
    return filter.empty() || std::find(filter.begin(), filter.end(), name) != filter.end();
  };
  Collected out;
  struct Row {
    Kind kind;
    const char* filter;
    const char* order;
  };
  for (const Row& row : {Row{Kind::user, "User", "1"}, Row{Kind::group, "Group", "2"},
                         Row{Kind::role, "Role", "3"}}) {
    VIRGA_TRY_VOID(iam.each_entity(row.kind, "", [&](Entity&& e) {
      for (const auto& arn : e.attached) ++out.attachments[arn];
      if (wanted(row.filter)) out.items.push_back({row.order + to_lower(e.name), std::move(e)});
      return true;
    }));
  }
  VIRGA_TRY_VOID(iam.each_policy([&](PolicyRecord&& p) {
    if (wanted("LocalManagedPolicy")) out.items.push_back({"4" + to_lower(p.name), std::move(p)});
    return true;
  }));
  for (const auto& p : platform::managed_policies()) {
    // Without a filter only those in use are of the account.
    const bool in_use = out.attachments.count(p.arn(context.partition)) > 0;
    if (wanted("AWSManagedPolicy") && (in_use || !filter.empty()))
      out.items.push_back({"5" + to_lower(p.name), &p});
  }
  std::sort(out.items.begin(), out.items.end(),
            [](const Item& a, const Item& b) { return a.key < b.key; });
  return out;
}

}  // namespace

Task<api::GetAccountAuthorizationDetailsOutput> Service::get_account_authorization_details(
    Ctx ctx, api::GetAccountAuthorizationDetailsInput input) {
  const auto view = shard_.snapshot();
  const IamReader iam(*view, ctx->account);
  const std::vector<std::string> filter = input.filter ? *input.filter : std::vector<std::string>();
  auto all = co_await collect(*ctx, iam, filter);
  api::GetAccountAuthorizationDetailsOutput output;
  auto& users = output.user_detail_list.emplace();
  auto& groups = output.group_detail_list.emplace();
  auto& roles = output.role_detail_list.emplace();
  auto& policies = output.policies.emplace();
  const auto page = co_await page_of(all.items, input.marker, input.max_items, output,
                                     [](const Item& i) { return i.key; });
  for (const Item& item : page) {
    if (const auto* record = std::get_if<PolicyRecord>(&item.what)) {
      const std::string arn = policy_arn(ctx->partition, ctx->account, *record);
      policies.push_back(customer_policy(*ctx, *record, all.attachments[arn]));
    } else if (const auto* managed = std::get_if<const platform::ManagedPolicy*>(&item.what)) {
      policies.push_back(
          aws_policy(*ctx, **managed, all.attachments[(*managed)->arn(ctx->partition)]));
    } else {
      const Entity& e = std::get<Entity>(item.what);
      if (e.kind == Kind::user) users.push_back(user_detail(*ctx, e));
      if (e.kind == Kind::group) groups.push_back(group_detail(*ctx, e));
      if (e.kind == Kind::role) {
        auto role = co_await role_detail(*ctx, iam, e);
        roles.push_back(std::move(role));
      }
    }
  }
  co_return output;
}

}  // namespace virga::iam
