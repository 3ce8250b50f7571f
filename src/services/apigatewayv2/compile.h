#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "services/apigatewayv2/compiled_api.h"
#include "services/apigatewayv2/store.h"

namespace virga::apigatewayv2 {

// Routes, integrations and authorizers as a deployment serves them.
struct ConfigRecords {
  std::vector<api::Route> routes;
  std::vector<api::Integration> integrations;
  std::vector<api::Authorizer> authorizers;
};

ConfigRecords current_config(const ApiState& state);
// A deployment's copy of them, as bytes and back.
std::string encode_snapshot(const ConfigRecords& config);
Result<ConfigRecords> decode_snapshot(std::string_view bytes);

// What the data plane serves from. Records were checked when they were written; one that no longer
// compiles is an internal failure that names it.
Result<std::shared_ptr<const CompiledApi>> compile_api(const ApiState& state);
Result<std::unique_ptr<CompiledIntegration>> compile_integration(const api::Integration& record);
Result<std::unique_ptr<CompiledAuthorizer>> compile_authorizer(const api::Authorizer& record);

// The function an integration or authorizer URI names. Both forms are known:
//   arn:…:lambda:REGION:ACCOUNT:function:NAME[:QUALIFIER]
//   arn:…:apigateway:REGION:lambda:path/2015-03-31/functions/FUNCTION-ARN/invocations
// NAME and QUALIFIER may be ${stageVariables.x}. nullopt when it is neither.
struct FunctionName {
  std::string arn;
  std::string qualifier;
};
std::optional<FunctionName> parse_function_uri(std::string_view uri);

}  // namespace virga::apigatewayv2
