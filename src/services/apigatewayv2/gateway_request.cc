#include "services/apigatewayv2/gateway_request.h"

#include <array>
#include <cstdio>

#include "base/strings.h"

namespace virga::apigatewayv2 {

std::optional<std::string_view> GatewayRequest::header(std::string_view name) const {
  for (const auto& h : headers) {
    if (iequals(h.name, name)) return h.value;
  }
  return std::nullopt;
}

std::optional<std::string> GatewayRequest::joined_header(std::string_view name) const {
  std::optional<std::string> joined;
  for (const auto& h : headers) {
    if (!iequals(h.name, name)) continue;
    if (joined) {
      joined->push_back(',');
      joined->append(h.value);
    } else {
      joined.emplace(h.value);
    }
  }
  return joined;
}

std::optional<std::string> GatewayRequest::query_parameter(std::string_view name) const {
  std::optional<std::string> joined;
  for (const auto& [n, v] : parse_query(query)) {
    if (n != name) continue;
    if (joined) {
      joined->push_back(',');
      joined->append(v);
    } else {
      joined = v;
    }
  }
  return joined;
}

std::string Exchange::request_arn() const {
  std::string arn = "arn:" + api->partition + ":execute-api:" + api->region + ":" + api->account +
                    ":" + api->id + "/" + stage->name + "/";
  arn += request->method;
  arn += stage_path;
  return arn;
}

std::string Exchange::route_arn() const {
  std::string arn = "arn:" + api->partition + ":execute-api:" + api->region + ":" + api->account +
                    ":" + api->id + "/" + stage->name + "/";
  if (route->method.empty()) {
    arn += "$default";
    return arn;
  }
  // ANY stands in the ARN as '*'.
  arn += route->method == "ANY" ? "*" : route->method;
  arn += route->path;
  return arn;
}

}  // namespace virga::apigatewayv2
