#pragma once

#include <cstdint>
#include <string>

#include "async/clock.h"
#include "async/task.h"

namespace virga::platform {

struct SessionCredentials {
  std::string access_key_id;  // ASIA…
  std::string secret_access_key;
  std::string session_token;
  async::WallTime expires_at;
};

// Temporary credentials of a role for what runs on a customer's behalf: functions, later tasks and
// state machines. Implemented by the STS service; others hold a reference that server/ handed over.
// Any loop; resumes on the calling one.
class CredentialIssuer {
 public:
  virtual ~CredentialIssuer() = default;

  struct Request {
    std::string role_arn;
    std::string session_name;  // "my-function"
    std::string service;       // "lambda.amazonaws.com": who assumes the role
    int64_t duration_seconds = 3600;
  };
  // Open mode: the role need not exist. Strict mode: AccessDenied when it is gone or does not trust
  // the service.
  virtual Task<SessionCredentials> issue(Request request) = 0;
};

}  // namespace virga::platform
