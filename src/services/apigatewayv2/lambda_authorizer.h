#pragma once

#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "async/clock.h"
#include "platform/policy.h"
#include "services/apigatewayv2/compiled_api.h"

// Lambda (REQUEST) authorizers of HTTP APIs: what their answers mean, and for how long they are
// remembered. Source: API Gateway Developer Guide, "Control access to HTTP APIs with AWS Lambda
// authorizers".
namespace virga::apigatewayv2 {

// An authorizer's answer. Immutable once made; shared by the cache and the requests that use it.
struct AuthorizerVerdict {
  bool simple = false;
  bool authorized = false;     // simple answers
  platform::PolicyRef policy;  // the others
  std::string principal_id;
  std::string context;  // a JSON object, or empty

  // Whether this request may go on.
  bool allows(const std::string& request_arn) const;
};

// nullopt when the answer has not the form that the authorizer promised: the client then gets a
// 500.
std::optional<AuthorizerVerdict> parse_authorizer_answer(std::string_view payload,
                                                         bool simple_responses);

// Verdicts by authorizer and identity. All loops share it; the least recently used one goes when it
// is full.
class AuthorizerCache {
 public:
  explicit AuthorizerCache(const async::SteadyClock& clock, size_t entries_max = 10'000)
      : clock_(clock), entries_max_(entries_max) {}

  static std::string key(std::string_view api_id, std::string_view authorizer_id,
                         const std::vector<std::string>& identities);

  std::shared_ptr<const AuthorizerVerdict> find(const std::string& key);
  void put(const std::string& key, std::shared_ptr<const AuthorizerVerdict> verdict, int64_t ttl_s);
  void clear();

 private:
  struct Entry {
    std::string key;
    std::shared_ptr<const AuthorizerVerdict> verdict;
    async::SteadyTime until;
  };
  const async::SteadyClock& clock_;
  const size_t entries_max_;
  std::mutex mutex_;
  std::list<Entry> entries_;  // most recently used first
  std::unordered_map<std::string_view, std::list<Entry>::iterator> index_;
};

}  // namespace virga::apigatewayv2
