#pragma once

#include <string>
#include <string_view>

#include "aws/door.h"
#include "base/error.h"
#include "platform/gate.h"
#include "services/apigatewayv2/compiled_api.h"
#include "services/apigatewayv2/gateway_request.h"
#include "services/apigatewayv2/reply.h"

namespace virga::apigatewayv2 {

namespace api {
struct Integration;
}

// Integrations with an IntegrationSubtype call an operation of another service with the role of
// CredentialsArn; RequestParameters name the operation's own parameters.
// Source: API Gateway Developer Guide, "Create AWS service integrations for HTTP APIs in API
// Gateway" and "Integration subtype reference".

// Errors: BadRequestException for subtypes and parameters that AWS does not know, NotImplemented
// for subtypes of services that are not here.
Result<void> check_service_integration(const api::Integration& integration);

// Calls the services. One for the server, called from every loop; both arguments outlive it.
class ServiceCaller {
 public:
  // An operation by the model's names ("sqs", "SendMessage"); null when it is not there.
  using FindOperation = const aws::OperationDesc* (*)(std::string_view service,
                                                      std::string_view operation);

  // `gate` is null in open mode: roles then need not exist.
  ServiceCaller(aws::Door& door, FindOperation find, platform::Gate* gate)
      : door_(door), find_(find), gate_(gate) {}

  // The service's own answer, refusals included, in the form of its wire protocol.
  // Errors: InternalServerError when the role does not trust API Gateway.
  Task<GatewayReply> call(const CompiledIntegration* integration, const Exchange* exchange);

 private:
  Task<aws::CallContext> caller(const CompiledIntegration* integration, const Exchange* exchange,
                                std::string region);

  aws::Door& door_;
  FindOperation find_;
  platform::Gate* gate_;
};

}  // namespace virga::apigatewayv2
