#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "services/apigatewayv2/access_log.h"
#include "services/apigatewayv2/mapping.h"
#include "services/apigatewayv2/route_table.h"

// An HTTP API in the form the data plane serves it from: made once per change, then immutable and
// shared by all requests in flight.
namespace virga::apigatewayv2 {

struct CorsRules {
  std::vector<std::string> allow_origins;  // "*", "https://*", "http://*" or an origin
  std::vector<std::string> allow_methods;
  std::vector<std::string> allow_headers;
  std::vector<std::string> expose_headers;
  std::optional<int64_t> max_age;  // seconds
  bool allow_credentials = false;
};

struct CompiledIntegration {
  enum class Kind { lambda, http, service };
  std::string id;
  Kind kind = Kind::lambda;
  std::string
      uri;  // http: the URL; lambda: the function's ARN, unqualified. May hold ${stageVariables.x}
  std::string qualifier;  // lambda
  std::string method;     // http: "ANY" passes the client's on
  std::string payload_version = "2.0";
  std::string credentials_arn;
  int64_t timeout_ms = 30'000;
  std::string subtype;  // service: "SQS-SendMessage"
  std::vector<std::pair<std::string, MappingValue>> service_parameters;  // of its operation
  std::vector<ParameterMapping> request_mappings;
  std::vector<std::pair<int, std::vector<ParameterMapping>>> response_mappings;  // by status
};

struct CompiledAuthorizer {
  enum class Kind { jwt, lambda };
  std::string id;
  Kind kind = Kind::jwt;
  std::vector<MappingValue> identity_sources;
  std::vector<std::string> identity_names;  // as configured, beside identity_sources
  // jwt
  std::string issuer;
  std::vector<std::string> audience;
  // lambda
  std::string function_arn;
  std::string qualifier;
  std::string credentials_arn;
  std::string payload_version = "2.0";
  bool simple_responses = false;
  int64_t ttl_s = 0;
};

struct CompiledRoute {
  enum class Auth { none, iam, jwt, lambda };
  std::string id;
  std::string key;     // "GET /pets/{id}", "$default"
  std::string path;    // "/pets/{id}", "$default"
  std::string method;  // "GET", "ANY"; empty for $default
  std::string operation_name;
  Auth auth = Auth::none;
  const CompiledAuthorizer* authorizer = nullptr;    // of the same CompiledConfig
  const CompiledIntegration* integration = nullptr;  // null: the route has no target
  std::vector<std::string> scopes;
};

// Routes, integrations and authorizers of one deployment, or the current ones for stages that
// deploy by themselves.
struct CompiledConfig {
  std::vector<std::unique_ptr<CompiledIntegration>> integrations;
  std::vector<std::unique_ptr<CompiledAuthorizer>> authorizers;
  std::vector<CompiledRoute> routes;
  RouteTable table;  // of indices into routes
};

struct Throttle {
  double rate = 0;   // requests per second
  double burst = 0;  // requests at once
};

struct CompiledStage {
  std::string name;  // "$default", "prod"
  std::vector<std::pair<std::string, std::string>> variables;
  std::shared_ptr<const CompiledConfig>
      config;                        // shared by stages that serve the same; null: nothing deployed
  std::optional<Throttle> throttle;  // of all routes without one of their own
  std::vector<std::pair<std::string, Throttle>> route_throttles;  // by route key
  std::optional<AccessLogRule> access_log;

  std::optional<std::string_view> variable(std::string_view name) const {
    for (const auto& [n, v] : variables) {
      if (n == name) return v;
    }
    return std::nullopt;
  }
};

struct CompiledApi {
  std::string account;
  std::string region;
  std::string partition = "aws";
  std::string id;
  std::optional<CorsRules> cors;
  bool disable_execute_api_endpoint = false;
  std::vector<CompiledStage> stages;

  const CompiledStage* stage(std::string_view name) const {
    for (const auto& s : stages) {
      if (s.name == name) return &s;
    }
    return nullptr;
  }
};

}  // namespace virga::apigatewayv2
