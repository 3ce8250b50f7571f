#pragma once

#include <string>

#include "services/apigatewayv2/compile.h"

namespace virga {
class Document;
}

namespace virga::apigatewayv2 {

struct ExportOptions {
  bool extensions = true;  // API Gateway's own members: integrations, authorizers, CORS
  std::string server;      // the URL of the API, without a stage
  std::string stage;       // its path; empty for $default
  std::string version;     // of an API that has none
};

// An OpenAPI 3.0 definition as ExportApi gives and ImportApi takes it. Source: API Gateway
// Developer Guide, "Exporting an HTTP API from API Gateway".
Document export_open_api(const api::Api& api, const ConfigRecords& config,
                         const ExportOptions& options);

// Block style; every text is in double quotes.
std::string to_yaml(const Document& document);

}  // namespace virga::apigatewayv2
