#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "async/task.h"

namespace virga::apigatewayv2 {

// A request that the gateway sends out: HTTP integrations, OpenID discovery, key sets.
struct UpstreamRequest {
  std::string method = "GET";
  std::string url;  // http:// or https://, absolute
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  int64_t timeout_ms = 30'000;             // connect to last byte
  size_t body_bytes_max = 10 * 1024 * 1024;
};

struct UpstreamReply {
  int status = 0;
  std::vector<std::pair<std::string, std::string>> headers;  // in order, names as sent
  std::string body;
};

// The way out. Errors: RequestTimeout when the time is over, anything else when no answer came. The server's own
// implementation uses net's client; tests hand over a fake.
class Upstream {
 public:
  virtual ~Upstream() = default;
  virtual Task<UpstreamReply> send(UpstreamRequest request) = 0;
};

}  // namespace virga::apigatewayv2
