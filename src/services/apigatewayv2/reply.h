#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "platform/proxy_payload.h"
#include "services/apigatewayv2/gateway_request.h"

namespace virga::apigatewayv2 {

// An answer on its way to the client. Header names in lower case, as HTTP APIs send them.
using GatewayReply = platform::ProxyReply;

// {"message":"…"} with the gateway's content type: what HTTP APIs answer when no integration does.
GatewayReply message_reply(int status, std::string_view message);

GatewayReply not_found();              // 404 {"message":"Not Found"}
GatewayReply unauthorized();           // 401 {"message":"Unauthorized"}
GatewayReply forbidden();              // 403 {"message":"Forbidden"}
GatewayReply internal_server_error();  // 500 {"message":"Internal Server Error"}
GatewayReply service_unavailable();    // 503 {"message":"Service Unavailable"}
GatewayReply request_too_large();      // 413 {"message":"Request Entity Too Large"}
GatewayReply too_many_requests();      // 429 {"message":"Too Many Requests"}
GatewayReply headers_too_large();      // 431 {"message":"Request Header Fields Too Large"}

// What a function's answer means in payload format 1.0 or 2.0; internal_server_error() when it is
// malformed. Source: API Gateway Developer Guide, "Create AWS Lambda proxy integrations for HTTP
// APIs", response format.
GatewayReply reply_from_function(std::string_view payload, std::string_view payload_version);

// Carries out an integration's response parameters for the reply's status.
void apply_response_mappings(const CompiledIntegration& integration, const Exchange& exchange,
                             GatewayReply& reply);

using platform::is_header_name;
using platform::is_header_value;

}  // namespace virga::apigatewayv2
