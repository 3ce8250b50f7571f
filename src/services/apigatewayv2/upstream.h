#pragma once

#include <cstdint>
#include <string>

#include "net/http_client.h"

namespace virga::apigatewayv2 {

using UpstreamRequest = net::HttpClientRequest;
using UpstreamReply = net::HttpClientResponse;

// The way out of the gateway: HTTP integrations, OpenID discovery, key sets. The server hands over
// one that uses the calling loop's net::HttpClient (client_upstream.h); tests hand over a fake.
// Errors are the client's.
class Upstream {
 public:
  virtual ~Upstream() = default;
  virtual Task<UpstreamReply> send(UpstreamRequest request) = 0;
};

}  // namespace virga::apigatewayv2
