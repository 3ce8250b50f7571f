#include "api/sts/get_caller_identity.h"

#include "services/sts/errors.h"
#include "services/sts/service.h"

namespace virga::sts {

// Needs no permission, and no explicit deny takes it away. Source: STS API Reference,
// GetCallerIdentity.
Task<api::GetCallerIdentityOutput> Service::get_caller_identity(Ctx ctx,
                                                                api::GetCallerIdentityInput input) {
  api::GetCallerIdentityOutput output;
  output.account = ctx->principal.account.empty() ? ctx->account : ctx->principal.account;
  output.arn = ctx->principal.arn;
  output.user_id = ctx->principal.user_id;
  co_return output;
}

}  // namespace virga::sts
