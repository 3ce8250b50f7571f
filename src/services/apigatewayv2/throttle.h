#pragma once

#include <map>
#include <mutex>
#include <string>

#include "async/clock.h"
#include "services/apigatewayv2/compiled_api.h"

namespace virga::apigatewayv2 {

// Token buckets of stages and routes with throttling settings: `rate` requests a second, `burst` at
// once. Shared by all loops. Source: API Gateway Developer Guide, "Throttle requests to your HTTP
// APIs for better throughput".
class Throttles {
 public:
  explicit Throttles(const async::SteadyClock& clock) : clock_(clock) {}

  // Whether one more request may pass now; a new bucket is full.
  bool take(const std::string& key, const Throttle& limit);

 private:
  struct Bucket {
    double tokens = 0;
    async::SteadyTime filled;
  };
  // More buckets than this are forgotten together: each starts full again.
  static constexpr size_t kBucketsMax = 10'000;

  const async::SteadyClock& clock_;
  std::mutex mutex_;
  std::map<std::string, Bucket> buckets_;
};

}  // namespace virga::apigatewayv2
