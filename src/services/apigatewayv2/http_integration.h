#pragma once

#include <deque>
#include <memory>
#include <string>

#include "services/apigatewayv2/gateway_request.h"
#include "services/apigatewayv2/reply.h"
#include "services/apigatewayv2/upstream.h"

namespace virga::apigatewayv2 {

// A request after an integration's request parameters were carried out. Owns what they made; the
// views of what they left alone still belong to the client's request.
struct MappedRequest {
  GatewayRequest request;
  Exchange exchange;  // the original with the new request, and the new path where one was set
  bool path_overwritten = false;
  std::deque<std::string> texts;
};

// Heap-allocated because the exchange points into it.
std::unique_ptr<MappedRequest> apply_request_mappings(const CompiledIntegration& integration,
                                                      const Exchange& exchange);

// What goes to an HTTP integration. `exchange` is the mapped one. BadRequestException when the URL
// is none.
//
// The URL's {variables} take the route's path variables; $default sends the whole path behind the
// URL. Source: API Gateway Developer Guide, "Create HTTP proxy integrations for HTTP APIs".
Result<UpstreamRequest> upstream_request(const CompiledIntegration& integration,
                                         const MappedRequest& mapped);

GatewayReply reply_from_upstream(UpstreamReply reply);

}  // namespace virga::apigatewayv2
