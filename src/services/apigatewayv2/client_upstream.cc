#include "services/apigatewayv2/client_upstream.h"

namespace virga::apigatewayv2 {

Task<UpstreamReply> ClientUpstream::send(UpstreamRequest request) {
  const auto it = clients_.find(async::Loop::current());
  if (it == clients_.end()) co_return fail(internal_failure("this loop has no HTTP client"));
  UpstreamReply reply = co_await it->second->send(std::move(request));
  co_return std::move(reply);
}

}  // namespace virga::apigatewayv2
