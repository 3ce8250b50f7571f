#pragma once

#include "api/sts/handlers.h"
#include "async/task.h"
#include "platform/identity.h"

namespace virga::sts {

// STS: who a caller is, and temporary credentials. It has no state: credentials come from the
// identity store and describe themselves. Constructed by server/; any loop may call it.
class Service final : public api::Handlers {
 public:
  // `identity` outlives the service. In open mode a role need not exist nor trust anyone: only its
  // ARN's form counts.
  Service(platform::IdentityStore& identity, platform::AuthMode mode)
      : identity_(identity), mode_(mode) {}

  Task<api::GetCallerIdentityOutput> get_caller_identity(
      Ctx ctx, api::GetCallerIdentityInput input) override;
  Task<api::GetAccessKeyInfoOutput> get_access_key_info(Ctx ctx,
                                                        api::GetAccessKeyInfoInput input) override;
  Task<api::AssumeRoleOutput> assume_role(Ctx ctx, api::AssumeRoleInput input) override;
  Task<api::AssumeRoleWithWebIdentityOutput> assume_role_with_web_identity(
      Ctx ctx, api::AssumeRoleWithWebIdentityInput input) override;
  Task<api::DecodeAuthorizationMessageOutput> decode_authorization_message(
      Ctx ctx, api::DecodeAuthorizationMessageInput input) override;
  Task<api::GetSessionTokenOutput> get_session_token(Ctx ctx,
                                                     api::GetSessionTokenInput input) override;
  Task<api::GetFederationTokenOutput> get_federation_token(
      Ctx ctx, api::GetFederationTokenInput input) override;

 private:
  // Strict mode: the role exists and its trust policy, with the caller's own policies, lets the
  // caller assume it.
  Task<platform::RoleInfo> authorized_role(Ctx ctx, const api::AssumeRoleInput* input);

  platform::IdentityStore& identity_;
  platform::AuthMode mode_;
};

}  // namespace virga::sts
