#pragma once

#include "platform/credential_issuer.h"
#include "platform/identity.h"

namespace virga::server {

// Temporary credentials for functions, from the identity store: what their role may do is looked up
// there at each call.
class RoleCredentials final : public platform::CredentialIssuer {
 public:
  RoleCredentials(platform::IdentityStore& identity, platform::AuthMode mode)
      : identity_(identity), mode_(mode) {}
  Task<platform::SessionCredentials> issue(Request request) override;

 private:
  platform::IdentityStore& identity_;
  platform::AuthMode mode_;
};

}  // namespace virga::server
