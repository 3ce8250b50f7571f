#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/apigatewayv2/shapes/api.h"
#include "api/apigatewayv2/shapes/authorizer.h"
#include "api/apigatewayv2/shapes/cors.h"
#include "api/apigatewayv2/shapes/integration.h"
#include "base/error.h"

namespace virga::apigatewayv2 {

// An HTTP API as an OpenAPI 3 definition describes it: records without ids. Source: API Gateway
// Developer Guide, "Work with OpenAPI definitions for HTTP APIs", "OpenAPI extensions for API
// Gateway".
struct ApiDefinition {
  struct Route {
    std::string key;  // "GET /pets/{id}"
    std::string operation_name;
    std::optional<api::Integration> integration;
    std::string shared_integration;  // instead: a name in `integrations`
    std::string authorization_type = "NONE";
    std::string authorizer;  // a name in `authorizers`
    std::vector<std::string> scopes;
  };
  std::string name;
  std::string version;
  std::string description;
  std::optional<api::Cors> cors;
  std::map<std::string, std::string> tags;
  std::map<std::string, api::Integration>
      integrations;  // components/x-amazon-apigateway-integrations
  std::map<std::string, api::Authorizer> authorizers;
  std::vector<Route> routes;
  std::vector<std::string> warnings;  // what was left out
};

// BadRequestException for text that is no JSON, or no definition of version 3.0.
Result<ApiDefinition> parse_open_api(std::string_view text);

}  // namespace virga::apigatewayv2
