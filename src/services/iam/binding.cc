#include "services/iam/binding.h"

#include "api/iam/binding.h"
#include "services/iam/service.h"

namespace virga::iam {

aws::ServiceBinding make_binding(Service& service) {
  return api::bind(service,
                   {{"CreateSAMLProvider", "AddPrivateKey is refused"},
                    {"UpdateSAMLProvider", "AddPrivateKey and RemovePrivateKey are refused"},
                    {"GenerateCredentialReport",
                     "password_last_changed is when the password was made; the use of keys is not "
                     "recorded"},
                    {"CreateVirtualMFADevice", "QRCodePNG is not drawn"},
                    {"GetAccessKeyLastUsed", "the use of keys is not recorded: answers N/A"},
                    {"SimulatePrincipalPolicy",
                     "resource policies are not looked at; matched statements are not listed"},
                    {"SimulateCustomPolicy",
                     "resource policies are not looked at; matched statements are not listed"},
                    {"GetUser", "PasswordLastUsed is never there: no passwords"}});
}

}  // namespace virga::iam
