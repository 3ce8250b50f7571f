#pragma once

#include <string>
#include <string_view>

#include "aws/operation.h"
#include "net/http_server.h"
#include "platform/gate.h"
#include "platform/identify.h"

namespace virga::platform {

// A request to an endpoint of a customer's own (an HTTP API's route, a function URL) with AWS_IAM
// authorization. Request and body live until the answer is sent.
struct SignedCall {
  const net::HttpRequest& request;
  std::string_view body;
  std::string arn;      // of what is invoked
  std::string account;  // its owner
  ConditionContext conditions = {};
};

// Who signed such a request, and whether they may invoke it. Any error means that they may not.
class RequestSigner {
 public:
  virtual ~RequestSigner() = default;
  virtual Task<Principal> authorize(SignedCall call) = 0;
};

// The request is signed for `service` ("execute-api", "lambda"); in strict mode the signature is
// checked and the policies must allow `action` on the ARN. In open mode the key only says who it
// is, as at the door. Source: API Gateway Developer Guide, "Control access to HTTP APIs with IAM
// authorization"; Lambda Developer Guide, "Control access to Lambda function URLs".
class IamSigner final : public RequestSigner {
 public:
  // `gate` is null in open mode. `service` and `action` are constants.
  IamSigner(IdentityStore& identities, Gate* gate, async::Env& env, IdentifyOptions options,
            std::string_view service, std::string_view action);
  Task<Principal> authorize(SignedCall call) override;

 private:
  Task<void> check_policies(Principal principal, SignedCall call);

  Gate* gate_;
  async::Env& env_;
  Identifier identifier_;
  // What signatures are scoped to. No operations: only its names matter here.
  aws::ServiceDesc service_;
  std::string action_;
};

}  // namespace virga::platform
