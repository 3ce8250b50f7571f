#include "services/sts/binding.h"

#include "api/sts/binding.h"
#include "services/sts/service.h"

namespace virga::sts {

aws::ServiceBinding make_binding(Service& service) {
  return api::bind(
      service,
      {{"AssumeRole",
        "MFA and provided contexts are not evaluated; transitive tags do not follow into further "
        "roles"},
       {"AssumeRoleWithWebIdentity",
        "open mode only: the token's signature and the role's trust policy are not checked; "
        "ProviderId is not looked at"},
       {"GetSessionToken", "no MFA devices: SerialNumber and TokenCode are refused"},
       {"GetFederationToken",
        "calls are logged and authorized as the calling user's, limited by the session policies"}});
}

}  // namespace virga::sts
