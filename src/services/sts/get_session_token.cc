#include "api/sts/get_session_token.h"

#include "api/sts/get_federation_token.h"
#include "api/sts/shapes/federated_user.h"
#include "services/sts/errors.h"
#include "services/sts/service.h"
#include "services/sts/sessions.h"

namespace virga::sts {
namespace {

constexpr int32_t kDurationDefault = 43200;  // both operations: twelve hours
constexpr int32_t kRootDurationMax =
    3600;  // the account's root gets one hour at most, without an error

int32_t duration_of(const RequestContext& context, const std::optional<int32_t>& asked) {
  const int32_t duration = asked.value_or(kDurationDefault);
  return context.principal.kind == Principal::Kind::root ? std::min(duration, kRootDurationMax)
                                                         : duration;
}

Result<void> long_term_only(const RequestContext& context, std::string_view operation) {
  const bool session = context.principal.kind == Principal::Kind::assumed_role ||
                       context.principal.access_key_id.starts_with("ASIA");
  if (session)
    return fail(errors::access_denied("Cannot call " + std::string(operation) +
                                      " with session credentials"));
  return {};
}

}  // namespace

// Temporary credentials of the caller itself. DIFFERS: SerialNumber and TokenCode are refused,
// there are no MFA devices.
Task<api::GetSessionTokenOutput> Service::get_session_token(Ctx ctx,
                                                            api::GetSessionTokenInput input) {
  co_await long_term_only(*ctx, "GetSessionToken");
  if (input.serial_number || input.token_code) {
    co_return fail(errors::access_denied(
        "MultiFactorAuthentication failed with invalid MFA one time pass code."));
  }
  platform::SessionRequest request;
  request.principal = ctx->principal;
  request.duration_seconds = duration_of(*ctx, input.duration_seconds);
  const auto credential = co_await identity_.issue_session(std::move(request));
  api::GetSessionTokenOutput output;
  output.credentials = to_credentials(credential);
  co_return output;
}

// Credentials of a named federated user: what both the caller's policies and the given ones allow;
// nothing without one.
Task<api::GetFederationTokenOutput> Service::get_federation_token(
    Ctx ctx, api::GetFederationTokenInput input) {
  co_await long_term_only(*ctx, "GetFederationToken");
  platform::SessionRequest request;
  request.principal = ctx->principal;
  request.duration_seconds = duration_of(*ctx, input.duration_seconds);
  const auto packed =
      co_await add_policies_and_tags(input.policy, input.policy_arns, input.tags, request);
  request.limited = true;
  const auto credential = co_await identity_.issue_session(std::move(request));
  api::GetFederationTokenOutput output;
  output.credentials = to_credentials(credential);
  auto& user = output.federated_user.emplace();
  user.arn = "arn:" + ctx->partition + ":sts::" + ctx->account + ":federated-user/" + input.name;
  user.federated_user_id = ctx->account + ":" + input.name;
  output.packed_policy_size = packed;
  co_return output;
}

}  // namespace virga::sts
