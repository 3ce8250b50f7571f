#include "api/sts/assume_role_with_web_identity.h"

#include <algorithm>

#include "api/sts/shapes/assumed_role_user.h"
#include "base/json.h"
#include "base/strings.h"
#include "services/sts/errors.h"
#include "services/sts/service.h"
#include "services/sts/sessions.h"

namespace virga::sts {
namespace {

constexpr int32_t kWebIdentityDefault = 3600;

// What STS needs of an identity token. Source: RFC 7519, "Registered Claim Names".
struct Claims {
  std::string issuer;
  std::string subject;
  std::string audience;
  int64_t expires_s = 0;
};

std::optional<Document> decode_part(std::string_view part) {
  std::string text(part);
  std::replace(text.begin(), text.end(), '-', '+');
  std::replace(text.begin(), text.end(), '_', '/');
  while (text.size() % 4 != 0) text += '=';
  const auto bytes = from_base64(text);
  if (!bytes) return std::nullopt;
  auto parsed = parse_json(*bytes);
  if (!parsed || !parsed->is_object()) return std::nullopt;
  return std::move(*parsed);
}

AwsError invalid_token(std::string message) {
  return {
      .code = "InvalidIdentityTokenException", .http_status = 400, .message = std::move(message)};
}

Result<Claims> read_claims(std::string_view token) {
  const auto parts = split(token, '.');
  const auto header = parts.size() == 3 ? decode_part(parts[0]) : std::nullopt;
  const auto body = header ? decode_part(parts[1]) : std::nullopt;
  if (!body) {
    return fail(
        invalid_token("The ID Token provided is not a valid JWT. (You may see this error if you "
                      "sent an Access Token)"));
  }
  Claims out;
  out.issuer = std::string(body->string_or("iss", ""));
  out.subject = std::string(body->string_or("sub", ""));
  if (const Document* audience = body->find("aud")) {
    const Document* first =
        audience->is_array() && !audience->as_array().empty() ? &audience->as_array()[0] : audience;
    if (first->is_string()) out.audience = first->as_string();
  }
  if (const Document* expires = body->find("exp"); expires && expires->is_int())
    out.expires_s = expires->as_int();
  if (out.issuer.empty()) return fail(invalid_token("Missing a required claim: iss"));
  if (out.subject.empty()) return fail(invalid_token("Missing a required claim: sub"));
  if (out.audience.empty()) return fail(invalid_token("Missing a required claim: aud"));
  if (out.expires_s == 0) return fail(invalid_token("Missing a required claim: exp"));
  return out;
}

}  // namespace

// DIFFERS: the token's signature is not checked and the role's trust policy not asked (open mode;
// strict mode refuses the operation). Source: STS API Reference, AssumeRoleWithWebIdentity.
Task<api::AssumeRoleWithWebIdentityOutput> Service::assume_role_with_web_identity(
    Ctx ctx, api::AssumeRoleWithWebIdentityInput input) {
  if (mode_ == platform::AuthMode::strict) {
    co_return fail(
        "NotImplemented", 501,
        "NotImplemented: AssumeRoleWithWebIdentity cannot check tokens in strict mode yet.");
  }
  if (platform::role_name_of(input.role_arn).empty())
    co_return fail(errors::validation("Request ARN is invalid"));
  const Claims claims = co_await read_claims(input.web_identity_token);
  const int64_t now_s = ctx->env->wall.now().at.seconds();
  if (claims.expires_s <= now_s) {
    co_return fail("ExpiredTokenException", 400,
                   "Token expired: current date/time " + std::to_string(now_s) +
                       " must be before the expiration date/time " +
                       std::to_string(claims.expires_s));
  }
  auto found = co_await identity_.find_role(input.role_arn);
  const platform::RoleInfo role = found ? std::move(*found) : stand_in_role(input.role_arn);
  const int32_t duration = input.duration_seconds.value_or(kWebIdentityDefault);
  if (duration > role.max_session_seconds) co_return fail(errors::duration_over_roles_maximum());
  platform::SessionRequest request;
  request.principal =
      platform::assumed_role_principal(role.arn, role.role_id, input.role_session_name);
  request.role_arn = role.arn;
  request.duration_seconds = duration;
  const auto packed = co_await add_policies_and_tags(input.policy, input.policy_arns, {}, request);
  api::AssumeRoleWithWebIdentityOutput output;
  auto& user = output.assumed_role_user.emplace();
  user.arn = request.principal.arn;
  user.assumed_role_id = request.principal.user_id;
  const auto credential = co_await identity_.issue_session(std::move(request));
  output.credentials = to_credentials(credential);
  output.packed_policy_size = packed;
  output.subject_from_web_identity_token = claims.subject;
  output.audience = claims.audience;
  output.provider = claims.issuer;
  co_return output;
}

}  // namespace virga::sts
