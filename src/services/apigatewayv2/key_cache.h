#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "async/clock.h"
#include "services/apigatewayv2/jwt.h"
#include "services/apigatewayv2/upstream.h"

namespace virga::apigatewayv2 {

// The key sets of token issuers, fetched by OpenID discovery and kept for a while. Shared by all
// loops. Source: OpenID Connect Discovery 1.0 §4; limits of 1,500 ms and 150,000 bytes: API Gateway
// quotas.
class KeyCache {
 public:
  static constexpr int64_t kFetchMs = 1'500;
  static constexpr size_t kBodyBytesMax = 150'000;
  static constexpr int64_t kKeepMs =
      2 * 60 * 60 * 1000;  // "API Gateway can cache the public key for two hours"
  static constexpr int64_t kRefetchMs =
      10'000;  // an unknown key id asks the issuer again, not more often

  KeyCache(Upstream& upstream, const async::SteadyClock& clock)
      : upstream_(upstream), clock_(clock) {}

  // The issuer's keys; asks it again when they are old or lack `key_id`. An error says why there
  // are none.
  Task<std::shared_ptr<const KeySet>> keys(std::string issuer, std::string key_id);

 private:
  struct Entry {
    std::shared_ptr<const KeySet> keys;
    async::SteadyTime fetched;
  };
  static constexpr size_t kIssuersMax = 256;

  Task<std::shared_ptr<const KeySet>> fetch(std::string issuer);
  Task<std::string> get(std::string url);

  Upstream& upstream_;
  const async::SteadyClock& clock_;
  std::mutex mutex_;  // guards entries_; never held across an await
  std::map<std::string, Entry> entries_;
};

}  // namespace virga::apigatewayv2
