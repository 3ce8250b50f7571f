#pragma once

#include <map>

#include "services/apigatewayv2/upstream.h"

namespace virga::apigatewayv2 {

// Sends each request by the HTTP client of the loop it comes from. Filled before serving begins,
// then only read.
class ClientUpstream final : public Upstream {
 public:
  void add(async::Loop& loop, net::HttpClient& client) { clients_[&loop] = &client; }
  Task<UpstreamReply> send(UpstreamRequest request) override;

 private:
  std::map<const async::Loop*, net::HttpClient*> clients_;
};

}  // namespace virga::apigatewayv2
