#pragma once

#include "platform/gate.h"
#include "platform/identify.h"
#include "services/apigatewayv2/data_plane.h"

namespace virga::apigatewayv2 {

// AWS_IAM routes: the request is signed for the service execute-api; in strict mode the signature
// is checked and the caller's policies must allow execute-api:Invoke on the request's ARN. In open
// mode the key only says who it is, as at the door. Source: API Gateway Developer Guide, "Control
// access to HTTP APIs with IAM authorization".
class IamSigner final : public RequestSigner {
 public:
  // `gate` is null in open mode.
  IamSigner(platform::IdentityStore& identities, platform::Gate* gate, async::Env& env,
            platform::IdentifyOptions options);
  Task<Principal> authorize(const net::HttpRequest& request, std::string_view body, std::string arn,
                            std::string account) override;

 private:
  Task<void> check_policies(Principal principal, std::string arn, std::string account,
                            std::string source_ip, bool secure);

  platform::Gate* gate_;
  async::Env& env_;
  platform::Identifier identifier_;
};

}  // namespace virga::apigatewayv2
