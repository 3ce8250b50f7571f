#pragma once

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

// What the door needs to know about an access key: whose it is and how to check a signature made with it.
struct Credential {
  std::string access_key_id;
  std::string secret;
  std::string session_token;                   // empty for long-term keys; else the request must carry exactly this
  std::optional<async::WallTime> expires_at;   // temporary keys; a request after it is ExpiredToken
  bool active = true;                          // an Inactive key is refused as an unknown one
  Principal principal;
};

// The policies that limit and allow a principal's calls.
struct PrincipalPolicies {
  std::string principal_arn;                   // the user's; for a session its role's arn:aws:iam::…:role/…
  std::string user_name;                       // aws:username; empty for sessions and the root
  std::vector<PolicyRef> identity;             // inline, attached, and the groups'
  bool limited_by_session = false;             // AssumeRole was given policies: `session` limits what `identity` allows
  std::vector<PolicyRef> session;
  PolicyRef boundary;                          // null when there is none
  std::vector<std::pair<std::string, std::string>> tags;  // aws:PrincipalTag/…
};

// Who stands behind a key, and what they may do. Implemented by the IAM service over its state; the door asks it for each
// signed call, so answers come from memory (filled at the first question, dropped at each write). Any loop may ask.
class IdentityStore {
 public:
  virtual ~IdentityStore() = default;

  // nullopt for a key that nobody has.
  virtual Task<std::optional<Credential>> find_access_key(std::string access_key_id) = 0;

  // Of a principal that find_access_key returned. A user or role that is gone meanwhile has no policies.
  virtual Task<PrincipalPolicies> policies_for(Principal principal) = 0;

  // Whether `role_arn` exists and its trust policy lets `service` ("lambda.amazonaws.com") assume it.
  virtual Task<bool> service_may_assume(std::string role_arn, std::string service) = 0;
};

}  // namespace virga::platform
