#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "async/clock.h"
#include "async/task.h"
#include "aws/context.h"
#include "platform/policy.h"

namespace virga::platform {

// open: keys, secrets and policies are not checked, roles need not exist. strict: as AWS does.
enum class AuthMode { open, strict };

using TagList = std::vector<std::pair<std::string, std::string>>;

// What temporary credentials carry besides their key. Immutable, shared by the requests that use
// it.
struct SessionInfo {
  std::string role_arn;  // arn:aws:iam::…:role/…; empty for GetSessionToken and GetFederationToken
  bool limited =
      false;  // session policies were given: they limit what the identity's policies allow
  std::vector<PolicyRef> policies;
  std::vector<std::string>
      policy_arns;  // managed session policies, looked up when they are evaluated
  TagList tags;     // session tags: aws:PrincipalTag/… before the role's own
};

// What the door needs to know about an access key: whose it is and how to check a signature made
// with it.
struct Credential {
  std::string access_key_id;
  std::string secret;
  std::string session_token;                  // empty for long-term keys
  std::optional<async::WallTime> expires_at;  // temporary keys; a request after it is ExpiredToken
  bool active = true;                         // an Inactive key is refused as an unknown one
  Principal principal;
  std::shared_ptr<const SessionInfo> session;  // null for long-term keys
};

// The policies that limit and allow a principal's calls.
struct PrincipalPolicies {
  std::string principal_arn;        // the user's; for a session its role's arn:aws:iam::…:role/…
  std::string user_name;            // aws:username; empty for sessions and the root
  std::vector<PolicyRef> identity;  // inline, attached, and the groups'
  bool limited_by_session = false;
  std::vector<PolicyRef> session;
  PolicyRef boundary;  // null when there is none
  TagList tags;        // aws:PrincipalTag/…
};

// A role as STS and the services that assume it see it.
struct RoleInfo {
  std::string arn;
  std::string name;
  std::string role_id;  // AROA…
  int32_t max_session_seconds = 3600;
  PolicyRef trust;
  TagList tags;
};

// Temporary credentials to be made.
struct SessionRequest {
  Principal principal;   // who the credentials stand for; its access_key_id is filled in
  std::string role_arn;  // as in SessionInfo
  int64_t duration_seconds = 3600;
  bool limited = false;
  std::vector<std::string> policy_documents;  // session policies
  std::vector<std::string> policy_arns;
  TagList tags;
};

// Who stands behind a key, and what they may do. Implemented by the IAM service over its state; the
// door asks it for each signed call, so answers come from memory (filled at the first question,
// dropped at each write). Any loop may ask.
class IdentityStore {
 public:
  virtual ~IdentityStore() = default;

  // nullopt for a key that nobody has, and for temporary keys whose session token is not theirs.
  // Expired and inactive ones are returned: the door says which refusal it is.
  virtual Task<std::optional<Credential>> find_access_key(std::string access_key_id,
                                                          std::string session_token) = 0;

  // The account that a key belongs to; of temporary keys, the one that their id carries.
  virtual Task<std::optional<std::string>> account_of_access_key(std::string access_key_id) = 0;

  // The policies of a credential's principal. One that is gone meanwhile has none. Without
  // `session`, that of the principal's temporary key is used if this process has seen it; else such
  // a principal may do nothing.
  virtual Task<PrincipalPolicies> policies_for(Principal principal,
                                               std::shared_ptr<const SessionInfo> session) = 0;

  // nullopt when there is no such role.
  virtual Task<std::optional<RoleInfo>> find_role(std::string role_arn) = 0;

  // Makes temporary credentials (STS, function sandboxes). Nothing is written: the token describes
  // itself.
  virtual Task<Credential> issue_session(SessionRequest request) = 0;

  // Whether the role exists and its trust policy lets `service` ("lambda.amazonaws.com") assume it.
  Task<bool> service_may_assume(std::string role_arn, std::string service);
};

// The principal of a role's session: arn:aws:sts::ACCOUNT:assumed-role/ROLE/SESSION and
// AROA…:SESSION. `role_arn` must have the form of one (role_name_of says so).
Principal assumed_role_principal(std::string_view role_arn, std::string_view role_id,
                                 std::string_view session_name);
// "app" of arn:aws:iam::111122223333:role/path/app; empty when it is no role's ARN.
std::string_view role_name_of(std::string_view role_arn);

}  // namespace virga::platform
