#pragma once

#include <string_view>

#include "services/apigatewayv2/compiled_api.h"
#include "services/apigatewayv2/gateway_request.h"
#include "services/apigatewayv2/reply.h"

// CORS of an HTTP API with a CORS configuration. Without one the gateway leaves everything to
// routes and integrations. Source: API Gateway Developer Guide, "Configure CORS for HTTP APIs".
namespace virga::apigatewayv2 {

// OPTIONS with Origin and Access-Control-Request-Method: answered by the gateway, whatever routes
// there are.
bool is_preflight(const GatewayRequest& request);

// 204; with CORS headers when the origin is allowed, without when it is not.
GatewayReply preflight_reply(const CorsRules& rules, const GatewayRequest& request);

// Puts the configured headers in place of the integration's own on an answer to a request with an
// Origin.
void apply_cors(const CorsRules& rules, const GatewayRequest& request, GatewayReply& reply);

}  // namespace virga::apigatewayv2
