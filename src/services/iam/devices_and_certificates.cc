// What tools look for before they delete a user. Nothing here makes such objects, so there are
// none: the operations that would make them answer NotImplemented. Source: IAM API Reference, the
// pages of these operations.
#include "api/iam/list_mfa_devices.h"
#include "api/iam/list_server_certificates.h"
#include "api/iam/list_service_specific_credentials.h"
#include "api/iam/list_signing_certificates.h"
#include "api/iam/list_ssh_public_keys.h"
#include "api/iam/list_virtual_mfa_devices.h"
#include "api/iam/shapes.h"
#include "services/iam/service.h"

namespace virga::iam {

Result<void> Service::must_be_a_user(const RequestContext& context,
                                     const std::optional<std::string>& name) {
  if (!name) return {};
  const auto view = shard_.snapshot();
  VIRGA_TRY(user, IamReader(*view, context.account).entity(Kind::user, *name));
  return {};
}

Task<api::ListMFADevicesOutput> Service::list_mfa_devices(Ctx ctx, api::ListMFADevicesInput input) {
  co_await must_be_a_user(*ctx, input.user_name);
  api::ListMFADevicesOutput output;
  output.is_truncated = false;
  co_return output;
}

Task<api::ListVirtualMFADevicesOutput> Service::list_virtual_mfa_devices(
    Ctx ctx, api::ListVirtualMFADevicesInput input) {
  api::ListVirtualMFADevicesOutput output;
  output.is_truncated = false;
  co_return output;
}

Task<api::ListSSHPublicKeysOutput> Service::list_ssh_public_keys(
    Ctx ctx, api::ListSSHPublicKeysInput input) {
  co_await must_be_a_user(*ctx, input.user_name);
  api::ListSSHPublicKeysOutput output;
  output.ssh_public_keys.emplace();
  output.is_truncated = false;
  co_return output;
}

Task<api::ListSigningCertificatesOutput> Service::list_signing_certificates(
    Ctx ctx, api::ListSigningCertificatesInput input) {
  co_await must_be_a_user(*ctx, input.user_name);
  api::ListSigningCertificatesOutput output;
  output.is_truncated = false;
  co_return output;
}

Task<api::ListServiceSpecificCredentialsOutput> Service::list_service_specific_credentials(
    Ctx ctx, api::ListServiceSpecificCredentialsInput input) {
  co_await must_be_a_user(*ctx, input.user_name);
  api::ListServiceSpecificCredentialsOutput output;
  output.service_specific_credentials.emplace();
  output.is_truncated = false;
  co_return output;
}

Task<api::ListServerCertificatesOutput> Service::list_server_certificates(
    Ctx ctx, api::ListServerCertificatesInput input) {
  api::ListServerCertificatesOutput output;
  output.is_truncated = false;
  co_return output;
}

}  // namespace virga::iam
