#pragma once

#include <functional>
#include <utility>
#include <vector>

#include "api/iam/handlers.h"
#include "async/task.h"
#include "services/iam/iam_store.h"
#include "services/iam/identity.h"
#include "storage/shard.h"

namespace virga::iam {

namespace api {
struct Tag;
}
struct CredentialName;  // user_credentials.h

// IAM: users, roles, groups, their keys and policies. State is per account, without regions; every
// change is durable before its answer and effective at once. Constructed by server/; any loop may
// call it.
class Service final : public api::Handlers {
 public:
  // Both outlive the service. `identity` hears of every write, so that no cached policy outlives
  // its change. In open mode any MFA codes of six digits are right.
  Service(storage::Shard& shard, Identity& identity, platform::AuthMode mode)
      : shard_(shard), identity_(identity), mode_(mode) {}

  // users.cc
  Task<api::CreateUserOutput> create_user(Ctx ctx, api::CreateUserInput input) override;
  Task<api::GetUserOutput> get_user(Ctx ctx, api::GetUserInput input) override;
  Task<api::ListUsersOutput> list_users(Ctx ctx, api::ListUsersInput input) override;
  Task<api::UpdateUserOutput> update_user(Ctx ctx, api::UpdateUserInput input) override;
  Task<api::DeleteUserOutput> delete_user(Ctx ctx, api::DeleteUserInput input) override;

  // access_keys.cc
  Task<api::CreateAccessKeyOutput> create_access_key(Ctx ctx,
                                                     api::CreateAccessKeyInput input) override;
  Task<api::UpdateAccessKeyOutput> update_access_key(Ctx ctx,
                                                     api::UpdateAccessKeyInput input) override;
  Task<api::DeleteAccessKeyOutput> delete_access_key(Ctx ctx,
                                                     api::DeleteAccessKeyInput input) override;
  Task<api::ListAccessKeysOutput> list_access_keys(Ctx ctx,
                                                   api::ListAccessKeysInput input) override;
  Task<api::GetAccessKeyLastUsedOutput> get_access_key_last_used(
      Ctx ctx, api::GetAccessKeyLastUsedInput input) override;

  // roles.cc
  Task<api::CreateRoleOutput> create_role(Ctx ctx, api::CreateRoleInput input) override;
  Task<api::GetRoleOutput> get_role(Ctx ctx, api::GetRoleInput input) override;
  Task<api::ListRolesOutput> list_roles(Ctx ctx, api::ListRolesInput input) override;
  Task<api::UpdateRoleOutput> update_role(Ctx ctx, api::UpdateRoleInput input) override;
  Task<api::UpdateRoleDescriptionOutput> update_role_description(
      Ctx ctx, api::UpdateRoleDescriptionInput input) override;
  Task<api::UpdateAssumeRolePolicyOutput> update_assume_role_policy(
      Ctx ctx, api::UpdateAssumeRolePolicyInput input) override;
  Task<api::DeleteRoleOutput> delete_role(Ctx ctx, api::DeleteRoleInput input) override;

  // groups.cc
  Task<api::CreateGroupOutput> create_group(Ctx ctx, api::CreateGroupInput input) override;
  Task<api::GetGroupOutput> get_group(Ctx ctx, api::GetGroupInput input) override;
  Task<api::ListGroupsOutput> list_groups(Ctx ctx, api::ListGroupsInput input) override;
  Task<api::UpdateGroupOutput> update_group(Ctx ctx, api::UpdateGroupInput input) override;
  Task<api::DeleteGroupOutput> delete_group(Ctx ctx, api::DeleteGroupInput input) override;
  Task<api::AddUserToGroupOutput> add_user_to_group(Ctx ctx,
                                                    api::AddUserToGroupInput input) override;
  Task<api::RemoveUserFromGroupOutput> remove_user_from_group(
      Ctx ctx, api::RemoveUserFromGroupInput input) override;
  Task<api::ListGroupsForUserOutput> list_groups_for_user(
      Ctx ctx, api::ListGroupsForUserInput input) override;

  // inline_policies.cc
  Task<api::PutUserPolicyOutput> put_user_policy(Ctx ctx, api::PutUserPolicyInput input) override;
  Task<api::GetUserPolicyOutput> get_user_policy(Ctx ctx, api::GetUserPolicyInput input) override;
  Task<api::DeleteUserPolicyOutput> delete_user_policy(Ctx ctx,
                                                       api::DeleteUserPolicyInput input) override;
  Task<api::ListUserPoliciesOutput> list_user_policies(Ctx ctx,
                                                       api::ListUserPoliciesInput input) override;
  Task<api::PutRolePolicyOutput> put_role_policy(Ctx ctx, api::PutRolePolicyInput input) override;
  Task<api::GetRolePolicyOutput> get_role_policy(Ctx ctx, api::GetRolePolicyInput input) override;
  Task<api::DeleteRolePolicyOutput> delete_role_policy(Ctx ctx,
                                                       api::DeleteRolePolicyInput input) override;
  Task<api::ListRolePoliciesOutput> list_role_policies(Ctx ctx,
                                                       api::ListRolePoliciesInput input) override;
  Task<api::PutGroupPolicyOutput> put_group_policy(Ctx ctx,
                                                   api::PutGroupPolicyInput input) override;
  Task<api::GetGroupPolicyOutput> get_group_policy(Ctx ctx,
                                                   api::GetGroupPolicyInput input) override;
  Task<api::DeleteGroupPolicyOutput> delete_group_policy(
      Ctx ctx, api::DeleteGroupPolicyInput input) override;
  Task<api::ListGroupPoliciesOutput> list_group_policies(
      Ctx ctx, api::ListGroupPoliciesInput input) override;

  // attached_policies.cc
  Task<api::AttachUserPolicyOutput> attach_user_policy(Ctx ctx,
                                                       api::AttachUserPolicyInput input) override;
  Task<api::DetachUserPolicyOutput> detach_user_policy(Ctx ctx,
                                                       api::DetachUserPolicyInput input) override;
  Task<api::ListAttachedUserPoliciesOutput> list_attached_user_policies(
      Ctx ctx, api::ListAttachedUserPoliciesInput input) override;
  Task<api::AttachRolePolicyOutput> attach_role_policy(Ctx ctx,
                                                       api::AttachRolePolicyInput input) override;
  Task<api::DetachRolePolicyOutput> detach_role_policy(Ctx ctx,
                                                       api::DetachRolePolicyInput input) override;
  Task<api::ListAttachedRolePoliciesOutput> list_attached_role_policies(
      Ctx ctx, api::ListAttachedRolePoliciesInput input) override;
  Task<api::AttachGroupPolicyOutput> attach_group_policy(
      Ctx ctx, api::AttachGroupPolicyInput input) override;
  Task<api::DetachGroupPolicyOutput> detach_group_policy(
      Ctx ctx, api::DetachGroupPolicyInput input) override;
  Task<api::ListAttachedGroupPoliciesOutput> list_attached_group_policies(
      Ctx ctx, api::ListAttachedGroupPoliciesInput input) override;
  Task<api::ListEntitiesForPolicyOutput> list_entities_for_policy(
      Ctx ctx, api::ListEntitiesForPolicyInput input) override;

  // boundaries.cc
  Task<api::PutUserPermissionsBoundaryOutput> put_user_permissions_boundary(
      Ctx ctx, api::PutUserPermissionsBoundaryInput input) override;
  Task<api::DeleteUserPermissionsBoundaryOutput> delete_user_permissions_boundary(
      Ctx ctx, api::DeleteUserPermissionsBoundaryInput input) override;
  Task<api::PutRolePermissionsBoundaryOutput> put_role_permissions_boundary(
      Ctx ctx, api::PutRolePermissionsBoundaryInput input) override;
  Task<api::DeleteRolePermissionsBoundaryOutput> delete_role_permissions_boundary(
      Ctx ctx, api::DeleteRolePermissionsBoundaryInput input) override;

  // policies.cc
  Task<api::CreatePolicyOutput> create_policy(Ctx ctx, api::CreatePolicyInput input) override;
  Task<api::GetPolicyOutput> get_policy(Ctx ctx, api::GetPolicyInput input) override;
  Task<api::ListPoliciesOutput> list_policies(Ctx ctx, api::ListPoliciesInput input) override;
  Task<api::DeletePolicyOutput> delete_policy(Ctx ctx, api::DeletePolicyInput input) override;

  // policy_versions.cc
  Task<api::CreatePolicyVersionOutput> create_policy_version(
      Ctx ctx, api::CreatePolicyVersionInput input) override;
  Task<api::GetPolicyVersionOutput> get_policy_version(Ctx ctx,
                                                       api::GetPolicyVersionInput input) override;
  Task<api::ListPolicyVersionsOutput> list_policy_versions(
      Ctx ctx, api::ListPolicyVersionsInput input) override;
  Task<api::SetDefaultPolicyVersionOutput> set_default_policy_version(
      Ctx ctx, api::SetDefaultPolicyVersionInput input) override;
  Task<api::DeletePolicyVersionOutput> delete_policy_version(
      Ctx ctx, api::DeletePolicyVersionInput input) override;

  // tags.cc
  Task<api::TagUserOutput> tag_user(Ctx ctx, api::TagUserInput input) override;
  Task<api::UntagUserOutput> untag_user(Ctx ctx, api::UntagUserInput input) override;
  Task<api::ListUserTagsOutput> list_user_tags(Ctx ctx, api::ListUserTagsInput input) override;
  Task<api::TagRoleOutput> tag_role(Ctx ctx, api::TagRoleInput input) override;
  Task<api::UntagRoleOutput> untag_role(Ctx ctx, api::UntagRoleInput input) override;
  Task<api::ListRoleTagsOutput> list_role_tags(Ctx ctx, api::ListRoleTagsInput input) override;
  Task<api::TagPolicyOutput> tag_policy(Ctx ctx, api::TagPolicyInput input) override;
  Task<api::UntagPolicyOutput> untag_policy(Ctx ctx, api::UntagPolicyInput input) override;
  Task<api::ListPolicyTagsOutput> list_policy_tags(Ctx ctx,
                                                   api::ListPolicyTagsInput input) override;
  Task<api::TagInstanceProfileOutput> tag_instance_profile(
      Ctx ctx, api::TagInstanceProfileInput input) override;
  Task<api::UntagInstanceProfileOutput> untag_instance_profile(
      Ctx ctx, api::UntagInstanceProfileInput input) override;
  Task<api::ListInstanceProfileTagsOutput> list_instance_profile_tags(
      Ctx ctx, api::ListInstanceProfileTagsInput input) override;

  // instance_profiles.cc
  Task<api::CreateInstanceProfileOutput> create_instance_profile(
      Ctx ctx, api::CreateInstanceProfileInput input) override;
  Task<api::GetInstanceProfileOutput> get_instance_profile(
      Ctx ctx, api::GetInstanceProfileInput input) override;
  Task<api::ListInstanceProfilesOutput> list_instance_profiles(
      Ctx ctx, api::ListInstanceProfilesInput input) override;
  Task<api::DeleteInstanceProfileOutput> delete_instance_profile(
      Ctx ctx, api::DeleteInstanceProfileInput input) override;
  Task<api::AddRoleToInstanceProfileOutput> add_role_to_instance_profile(
      Ctx ctx, api::AddRoleToInstanceProfileInput input) override;
  Task<api::RemoveRoleFromInstanceProfileOutput> remove_role_from_instance_profile(
      Ctx ctx, api::RemoveRoleFromInstanceProfileInput input) override;
  Task<api::ListInstanceProfilesForRoleOutput> list_instance_profiles_for_role(
      Ctx ctx, api::ListInstanceProfilesForRoleInput input) override;

  // account.cc
  Task<api::CreateAccountAliasOutput> create_account_alias(
      Ctx ctx, api::CreateAccountAliasInput input) override;
  Task<api::DeleteAccountAliasOutput> delete_account_alias(
      Ctx ctx, api::DeleteAccountAliasInput input) override;
  Task<api::ListAccountAliasesOutput> list_account_aliases(
      Ctx ctx, api::ListAccountAliasesInput input) override;
  Task<api::GetAccountSummaryOutput> get_account_summary(
      Ctx ctx, api::GetAccountSummaryInput input) override;

  // simulate.cc
  Task<api::SimulateCustomPolicyOutput> simulate_custom_policy(
      Ctx ctx, api::SimulateCustomPolicyInput input) override;
  Task<api::SimulatePrincipalPolicyOutput> simulate_principal_policy(
      Ctx ctx, api::SimulatePrincipalPolicyInput input) override;

  // service_linked_roles.cc
  Task<api::CreateServiceLinkedRoleOutput> create_service_linked_role(
      Ctx ctx, api::CreateServiceLinkedRoleInput input) override;
  Task<api::DeleteServiceLinkedRoleOutput> delete_service_linked_role(
      Ctx ctx, api::DeleteServiceLinkedRoleInput input) override;
  Task<api::GetServiceLinkedRoleDeletionStatusOutput> get_service_linked_role_deletion_status(
      Ctx ctx, api::GetServiceLinkedRoleDeletionStatusInput input) override;
  // login_profiles.cc
  Task<api::CreateLoginProfileOutput> create_login_profile(
      Ctx ctx, api::CreateLoginProfileInput input) override;
  Task<api::ChangePasswordOutput> change_password(Ctx ctx, api::ChangePasswordInput input) override;
  Task<api::GetLoginProfileOutput> get_login_profile(Ctx ctx,
                                                     api::GetLoginProfileInput input) override;
  Task<api::UpdateLoginProfileOutput> update_login_profile(
      Ctx ctx, api::UpdateLoginProfileInput input) override;
  Task<api::DeleteLoginProfileOutput> delete_login_profile(
      Ctx ctx, api::DeleteLoginProfileInput input) override;
  Task<api::UpdateAccountPasswordPolicyOutput> update_account_password_policy(
      Ctx ctx, api::UpdateAccountPasswordPolicyInput input) override;
  Task<api::GetAccountPasswordPolicyOutput> get_account_password_policy(
      Ctx ctx, api::GetAccountPasswordPolicyInput input) override;
  Task<api::DeleteAccountPasswordPolicyOutput> delete_account_password_policy(
      Ctx ctx, api::DeleteAccountPasswordPolicyInput input) override;
  // oidc_providers.cc
  Task<api::CreateOpenIDConnectProviderOutput> create_open_id_connect_provider(
      Ctx ctx, api::CreateOpenIDConnectProviderInput input) override;
  Task<api::GetOpenIDConnectProviderOutput> get_open_id_connect_provider(
      Ctx ctx, api::GetOpenIDConnectProviderInput input) override;
  Task<api::ListOpenIDConnectProvidersOutput> list_open_id_connect_providers(
      Ctx ctx, api::ListOpenIDConnectProvidersInput input) override;
  Task<api::DeleteOpenIDConnectProviderOutput> delete_open_id_connect_provider(
      Ctx ctx, api::DeleteOpenIDConnectProviderInput input) override;
  Task<api::AddClientIDToOpenIDConnectProviderOutput> add_client_id_to_open_id_connect_provider(
      Ctx ctx, api::AddClientIDToOpenIDConnectProviderInput input) override;
  Task<api::RemoveClientIDFromOpenIDConnectProviderOutput>
  remove_client_id_from_open_id_connect_provider(
      Ctx ctx, api::RemoveClientIDFromOpenIDConnectProviderInput input) override;
  Task<api::UpdateOpenIDConnectProviderThumbprintOutput> update_open_id_connect_provider_thumbprint(
      Ctx ctx, api::UpdateOpenIDConnectProviderThumbprintInput input) override;
  Task<api::TagOpenIDConnectProviderOutput> tag_open_id_connect_provider(
      Ctx ctx, api::TagOpenIDConnectProviderInput input) override;
  Task<api::UntagOpenIDConnectProviderOutput> untag_open_id_connect_provider(
      Ctx ctx, api::UntagOpenIDConnectProviderInput input) override;
  Task<api::ListOpenIDConnectProviderTagsOutput> list_open_id_connect_provider_tags(
      Ctx ctx, api::ListOpenIDConnectProviderTagsInput input) override;
  // mfa_devices.cc
  Task<api::CreateVirtualMFADeviceOutput> create_virtual_mfa_device(
      Ctx ctx, api::CreateVirtualMFADeviceInput input) override;
  Task<api::DeleteVirtualMFADeviceOutput> delete_virtual_mfa_device(
      Ctx ctx, api::DeleteVirtualMFADeviceInput input) override;
  Task<api::EnableMFADeviceOutput> enable_mfa_device(Ctx ctx,
                                                     api::EnableMFADeviceInput input) override;
  Task<api::ResyncMFADeviceOutput> resync_mfa_device(Ctx ctx,
                                                     api::ResyncMFADeviceInput input) override;
  Task<api::DeactivateMFADeviceOutput> deactivate_mfa_device(
      Ctx ctx, api::DeactivateMFADeviceInput input) override;
  Task<api::GetMFADeviceOutput> get_mfa_device(Ctx ctx, api::GetMFADeviceInput input) override;
  Task<api::ListMFADevicesOutput> list_mfa_devices(Ctx ctx,
                                                   api::ListMFADevicesInput input) override;
  Task<api::ListVirtualMFADevicesOutput> list_virtual_mfa_devices(
      Ctx ctx, api::ListVirtualMFADevicesInput input) override;
  Task<api::TagMFADeviceOutput> tag_mfa_device(Ctx ctx, api::TagMFADeviceInput input) override;
  Task<api::UntagMFADeviceOutput> untag_mfa_device(Ctx ctx,
                                                   api::UntagMFADeviceInput input) override;
  Task<api::ListMFADeviceTagsOutput> list_mfa_device_tags(
      Ctx ctx, api::ListMFADeviceTagsInput input) override;

  // server_certificates.cc
  Task<api::UploadServerCertificateOutput> upload_server_certificate(
      Ctx ctx, api::UploadServerCertificateInput input) override;
  Task<api::GetServerCertificateOutput> get_server_certificate(
      Ctx ctx, api::GetServerCertificateInput input) override;
  Task<api::ListServerCertificatesOutput> list_server_certificates(
      Ctx ctx, api::ListServerCertificatesInput input) override;
  Task<api::UpdateServerCertificateOutput> update_server_certificate(
      Ctx ctx, api::UpdateServerCertificateInput input) override;
  Task<api::DeleteServerCertificateOutput> delete_server_certificate(
      Ctx ctx, api::DeleteServerCertificateInput input) override;
  Task<api::TagServerCertificateOutput> tag_server_certificate(
      Ctx ctx, api::TagServerCertificateInput input) override;
  Task<api::UntagServerCertificateOutput> untag_server_certificate(
      Ctx ctx, api::UntagServerCertificateInput input) override;
  Task<api::ListServerCertificateTagsOutput> list_server_certificate_tags(
      Ctx ctx, api::ListServerCertificateTagsInput input) override;

  // keys_and_signing_certificates.cc
  Task<api::UploadSSHPublicKeyOutput> upload_ssh_public_key(
      Ctx ctx, api::UploadSSHPublicKeyInput input) override;
  Task<api::GetSSHPublicKeyOutput> get_ssh_public_key(Ctx ctx,
                                                      api::GetSSHPublicKeyInput input) override;
  Task<api::ListSSHPublicKeysOutput> list_ssh_public_keys(
      Ctx ctx, api::ListSSHPublicKeysInput input) override;
  Task<api::UpdateSSHPublicKeyOutput> update_ssh_public_key(
      Ctx ctx, api::UpdateSSHPublicKeyInput input) override;
  Task<api::DeleteSSHPublicKeyOutput> delete_ssh_public_key(
      Ctx ctx, api::DeleteSSHPublicKeyInput input) override;
  Task<api::UploadSigningCertificateOutput> upload_signing_certificate(
      Ctx ctx, api::UploadSigningCertificateInput input) override;
  Task<api::ListSigningCertificatesOutput> list_signing_certificates(
      Ctx ctx, api::ListSigningCertificatesInput input) override;
  Task<api::UpdateSigningCertificateOutput> update_signing_certificate(
      Ctx ctx, api::UpdateSigningCertificateInput input) override;
  Task<api::DeleteSigningCertificateOutput> delete_signing_certificate(
      Ctx ctx, api::DeleteSigningCertificateInput input) override;

  // service_specific_credentials.cc
  Task<api::CreateServiceSpecificCredentialOutput> create_service_specific_credential(
      Ctx ctx, api::CreateServiceSpecificCredentialInput input) override;
  Task<api::ListServiceSpecificCredentialsOutput> list_service_specific_credentials(
      Ctx ctx, api::ListServiceSpecificCredentialsInput input) override;
  Task<api::ResetServiceSpecificCredentialOutput> reset_service_specific_credential(
      Ctx ctx, api::ResetServiceSpecificCredentialInput input) override;
  Task<api::UpdateServiceSpecificCredentialOutput> update_service_specific_credential(
      Ctx ctx, api::UpdateServiceSpecificCredentialInput input) override;
  Task<api::DeleteServiceSpecificCredentialOutput> delete_service_specific_credential(
      Ctx ctx, api::DeleteServiceSpecificCredentialInput input) override;

  // saml_providers.cc
  Task<api::CreateSAMLProviderOutput> create_saml_provider(
      Ctx ctx, api::CreateSAMLProviderInput input) override;
  Task<api::GetSAMLProviderOutput> get_saml_provider(Ctx ctx,
                                                     api::GetSAMLProviderInput input) override;
  Task<api::ListSAMLProvidersOutput> list_saml_providers(
      Ctx ctx, api::ListSAMLProvidersInput input) override;
  Task<api::UpdateSAMLProviderOutput> update_saml_provider(
      Ctx ctx, api::UpdateSAMLProviderInput input) override;
  Task<api::DeleteSAMLProviderOutput> delete_saml_provider(
      Ctx ctx, api::DeleteSAMLProviderInput input) override;
  Task<api::TagSAMLProviderOutput> tag_saml_provider(Ctx ctx,
                                                     api::TagSAMLProviderInput input) override;
  Task<api::UntagSAMLProviderOutput> untag_saml_provider(
      Ctx ctx, api::UntagSAMLProviderInput input) override;
  Task<api::ListSAMLProviderTagsOutput> list_saml_provider_tags(
      Ctx ctx, api::ListSAMLProviderTagsInput input) override;

  // credential_report.cc
  Task<api::GenerateCredentialReportOutput> generate_credential_report(
      Ctx ctx, api::GenerateCredentialReportInput input) override;
  Task<api::GetCredentialReportOutput> get_credential_report(
      Ctx ctx, api::GetCredentialReportInput input) override;

  // context_keys.cc
  Task<api::GetContextKeysForCustomPolicyOutput> get_context_keys_for_custom_policy(
      Ctx ctx, api::GetContextKeysForCustomPolicyInput input) override;
  Task<api::GetContextKeysForPrincipalPolicyOutput> get_context_keys_for_principal_policy(
      Ctx ctx, api::GetContextKeysForPrincipalPolicyInput input) override;

  // authorization_details.cc
  Task<api::GetAccountAuthorizationDetailsOutput> get_account_authorization_details(
      Ctx ctx, api::GetAccountAuthorizationDetailsInput input) override;

 private:
  // Runs `body` (Result<T>(IamWriter&)) as one transaction of the caller's account.
  template <class F, class T = typename std::invoke_result_t<F&, IamWriter&>::value_type>
  Task<T> write(Ctx ctx, F body) {
    storage::Committed<T> done =
        co_await shard_.transact(storage::CommitClass::durable,
                                 [this, ctx, body = std::move(body)](storage::Txn& txn) mutable {
                                   IamWriter writer(txn, ctx->account);
                                   auto result = body(writer);
                                   if (result) identity_.changing(txn.lsn());
                                   return result;
                                 });
    ctx->depends_on(done.lsn);
    co_return std::move(done.result);
  }
  // Runs `body` (Result<T>(const IamReader&)) on the published state.
  template <class F>
  auto read(Ctx ctx, F body) -> std::invoke_result_t<F&, const IamReader&> {
    const auto view = shard_.snapshot();
    const IamReader reader(*view, ctx->account);
    return body(reader);
  }

  // The families over users, roles and groups.
  Task<void> put_inline(Ctx ctx, Kind kind, std::string name, std::string policy,
                        std::string document);
  Task<void> delete_inline(Ctx ctx, Kind kind, std::string name, std::string policy);
  Task<void> attach(Ctx ctx, Kind kind, std::string name, std::string arn);
  Task<void> detach(Ctx ctx, Kind kind, std::string name, std::string arn);
  Task<void> set_boundary(Ctx ctx, Kind kind, std::string name, std::string arn);
  Task<void> delete_boundary(Ctx ctx, Kind kind, std::string name);
  Task<void> tag(Ctx ctx, Kind kind, std::string name, std::vector<api::Tag> tags);
  Task<void> untag(Ctx ctx, Kind kind, std::string name, std::vector<std::string> keys);
  template <class Edit>
  Task<void> edit_saml_provider(Ctx ctx, std::string arn, Edit edit);
  template <class Edit>
  Task<void> edit_provider(Ctx ctx, std::string arn, Edit edit);
  Task<void> set_credential_status(Ctx ctx, CredentialName which, std::string status);
  Task<void> delete_credential(Ctx ctx, CredentialName which);
  Result<void> check_codes(Ctx ctx, const Document& device, const std::string& first,
                           const std::string& second) const;
  Task<void> edit_policy(Ctx ctx, std::string arn, std::function<Result<void>(PolicyRecord&)> edit);
  Task<void> edit_profile(Ctx ctx, std::string name,
                          std::function<Result<void>(InstanceProfileRecord&)> edit);

  storage::Shard& shard_;
  Identity& identity_;
  platform::AuthMode mode_;
};

}  // namespace virga::iam
