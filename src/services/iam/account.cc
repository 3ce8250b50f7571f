#include "api/iam/create_account_alias.h"
#include "api/iam/delete_account_alias.h"
#include "api/iam/get_account_summary.h"
#include "api/iam/list_account_aliases.h"
#include "services/iam/errors.h"
#include "services/iam/service.h"
#include "services/iam/support.h"

namespace virga::iam {

// An account has one alias; a new one takes the old one's place.
Task<api::CreateAccountAliasOutput> Service::create_account_alias(
    Ctx ctx, api::CreateAccountAliasInput input) {
  co_await write(ctx, [&](IamWriter& iam) -> Result<void> {
    iam.put_alias(input.account_alias);
    return {};
  });
  co_return api::CreateAccountAliasOutput();
}

Task<api::DeleteAccountAliasOutput> Service::delete_account_alias(
    Ctx ctx, api::DeleteAccountAliasInput input) {
  co_await write(ctx, [&](IamWriter& iam) -> Result<void> {
    VIRGA_TRY(alias, iam.alias());
    if (!alias || *alias != input.account_alias) {
      return fail(errors::no_such_entity_text("The account alias " + input.account_alias +
                                              " does not exist."));
    }
    iam.erase_alias();
    return {};
  });
  co_return api::DeleteAccountAliasOutput();
}

Task<api::ListAccountAliasesOutput> Service::list_account_aliases(
    Ctx ctx, api::ListAccountAliasesInput input) {
  const auto alias = co_await read(ctx, [](const IamReader& iam) { return iam.alias(); });
  api::ListAccountAliasesOutput output;
  output.is_truncated = false;
  if (alias) output.account_aliases.push_back(*alias);
  co_return output;
}

// Counts and quotas. Source: IAM API Reference, GetAccountSummary.
Task<api::GetAccountSummaryOutput> Service::get_account_summary(Ctx ctx,
                                                                api::GetAccountSummaryInput input) {
  std::map<std::string, int32_t> summary{{"UsersQuota", 5000},
                                         {"GroupsQuota", 300},
                                         {"RolesQuota", 1000},
                                         {"PoliciesQuota", 1500},
                                         {"InstanceProfilesQuota", 1000},
                                         {"GroupsPerUserQuota", 10},
                                         {"AccessKeysPerUserQuota", 2},
                                         {"VersionsPerPolicyQuota", 5},
                                         {"AttachedPoliciesPerUserQuota", 10},
                                         {"AttachedPoliciesPerRoleQuota", 10},
                                         {"AttachedPoliciesPerGroupQuota", 10},
                                         {"PolicySizeQuota", 6144},
                                         {"UserPolicySizeQuota", 2048},
                                         {"GroupPolicySizeQuota", 5120},
                                         {"AssumeRolePolicySizeQuota", 2048},
                                         {"ServerCertificatesQuota", 20},
                                         {"SigningCertificatesPerUserQuota", 2},
                                         {"PolicyVersionsInUseQuota", 10000},
                                         {"GlobalEndpointTokenVersion", 1},
                                         {"AccountMFAEnabled", 0},
                                         {"MFADevices", 0},
                                         {"MFADevicesInUse", 0},
                                         {"Providers", 0},
                                         {"ServerCertificates", 0},
                                         {"Users", 0},
                                         {"Groups", 0},
                                         {"Roles", 0},
                                         {"Policies", 0},
                                         {"InstanceProfiles", 0},
                                         {"AccountAccessKeysPresent", 0},
                                         {"AccountPasswordPresent", 0},
                                         {"AccountSigningCertificatesPresent", 0},
                                         {"PolicyVersionsInUse", 0}};
  co_await read(ctx, [&](const IamReader& iam) -> Result<void> {
    const std::pair<Kind, const char*> kinds[] = {
        {Kind::user, "Users"}, {Kind::role, "Roles"}, {Kind::group, "Groups"}};
    for (const auto& [kind, name] : kinds) {
      int32_t& count = summary[name];
      VIRGA_TRY_VOID(iam.each_entity(kind, "", [&](Entity&&) { return ++count > 0; }));
    }
    VIRGA_TRY_VOID(iam.each_policy([&](PolicyRecord&& p) {
      ++summary["Policies"];
      summary["PolicyVersionsInUse"] += static_cast<int32_t>(p.versions.size());
      return true;
    }));
    VIRGA_TRY_VOID(iam.each_instance_profile(
        [&](InstanceProfileRecord&&) { return ++summary["InstanceProfiles"] > 0; }));
    for (const DocumentKind kind : {DocumentKind::oidc_provider, DocumentKind::saml_provider})
      VIRGA_TRY_VOID(iam.each_document(kind, [&](Document&&) { ++summary["Providers"]; }));
    VIRGA_TRY_VOID(iam.each_document(DocumentKind::mfa_device, [&](Document&& device) {
      ++summary["MFADevices"];
      if (!device.string_or("user_id", "").empty()) ++summary["MFADevicesInUse"];
    }));
    VIRGA_TRY_VOID(iam.each_document(DocumentKind::server_certificate,
                                     [&](Document&&) { ++summary["ServerCertificates"]; }));
    VIRGA_TRY(root, iam.find_entity(Kind::root, ""));
    if (root && !root->access_keys.empty()) summary["AccountAccessKeysPresent"] = 1;
    return {};
  });
  api::GetAccountSummaryOutput output;
  output.summary_map = std::move(summary);
  co_return output;
}

}  // namespace virga::iam
