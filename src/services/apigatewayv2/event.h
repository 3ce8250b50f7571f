#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "services/apigatewayv2/gateway_request.h"

namespace virga::apigatewayv2 {

// The events that functions behind an HTTP API receive, as JSON.
// Source: API Gateway Developer Guide, "Create AWS Lambda proxy integrations for HTTP APIs",
// payload format version.

std::string integration_event_v2(const Exchange& exchange);
std::string integration_event_v1(const Exchange& exchange);

// The events of Lambda (REQUEST) authorizers. `identities` holds the identity sources' values.
// Source: API Gateway Developer Guide, "Control access to HTTP APIs with AWS Lambda authorizers".
std::string authorizer_event_v2(const Exchange& exchange,
                                const std::vector<std::string>& identities);
std::string authorizer_event_v1(const Exchange& exchange,
                                const std::vector<std::string>& identities);

}  // namespace virga::apigatewayv2
