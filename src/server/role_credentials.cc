#include "server/role_credentials.h"

#include "base/hashing.h"
#include "base/strings.h"

namespace virga::server {
namespace {

// A role that does not exist (open mode) has the id that its ARN always gives.
std::string stand_in_role_id(std::string_view role_arn) {
  std::string id = "AROA";
  for (const char c : to_hex(as_bytes(sha256(role_arn))).substr(0, 17)) {
    id.push_back(c >= 'a' ? static_cast<char>(c - 'a' + 'A') : c);
  }
  return id;
}

}  // namespace

Task<platform::SessionCredentials> RoleCredentials::issue(Request request) {
  const std::string role_arn = request.role_arn;
  const auto role = co_await identity_.find_role(role_arn);
  if (mode_ == platform::AuthMode::strict) {
    const bool allowed = co_await identity_.service_may_assume(role_arn, request.service);
    if (!allowed) {
      co_return fail("AccessDenied", 403,
                     "The role " + role_arn + " cannot be assumed by " + request.service + ".");
    }
  }
  platform::SessionRequest session;
  session.principal = platform::assumed_role_principal(
      role_arn, role ? role->role_id : stand_in_role_id(role_arn), request.session_name);
  session.role_arn = role_arn;
  session.duration_seconds = request.duration_seconds;
  const platform::Credential made = co_await identity_.issue_session(session);
  platform::SessionCredentials out;
  out.access_key_id = made.access_key_id;
  out.secret_access_key = made.secret;
  out.session_token = made.session_token;
  out.expires_at = made.expires_at.value_or(async::WallTime{});
  co_return std::move(out);
}

}  // namespace virga::server
