#include "api/apigatewayv2/export_api.h"

#include "base/json.h"
#include "services/apigatewayv2/open_api_export.h"
#include "services/apigatewayv2/service.h"

// Source: Amazon API Gateway Version 2 API Reference, "Export".
namespace virga::apigatewayv2 {
namespace {

Result<void> check(const api::ExportApiInput& input) {
  if (input.specification != "OAS30")
    return fail(errors::bad_request("Invalid specification specified: only OAS30 is supported"));
  if (input.output_type != "JSON" && input.output_type != "YAML")
    return fail(errors::bad_request("Invalid output type specified: JSON and YAML are supported"));
  if (input.export_version.value_or("1.0") != "1.0")
    return fail(errors::bad_request("Invalid export version specified: only 1.0 is supported"));
  return {};
}

// What the stage serves; without a stage the API as it stands.
Result<ConfigRecords> exported_config(const ApiState& state,
                                      const std::optional<std::string>& stage_name) {
  if (!stage_name) return current_config(state);
  const auto stage = state.stages.find(*stage_name);
  if (stage == state.stages.end()) return fail(errors::no_such_part("Stage", *stage_name));
  const auto snapshot = state.snapshots.find(stage->second.deployment_id.value_or(""));
  if (snapshot != state.snapshots.end()) return decode_snapshot(snapshot->second);
  if (stage->second.auto_deploy.value_or(false)) return current_config(state);
  return ConfigRecords();
}

}  // namespace

Task<api::ExportApiOutput> Service::export_api(Ctx ctx, api::ExportApiInput input) {
  co_await check(input);
  const auto view = shard_.snapshot();
  const ApiState state = co_await load_owned(*view, *ctx, input.api_id);
  const ConfigRecords config = co_await exported_config(state, input.stage_name);
  ExportOptions options;
  options.extensions = input.include_extensions.value_or(true);
  options.server = endpoint_of(*ctx, input.api_id);
  const std::string stage = input.stage_name.value_or("$default");
  if (stage != "$default") options.stage = stage;
  options.version = format_iso8601(state.api.created_date.value_or(ctx->now.at));
  const Document definition = export_open_api(state.api, config, options);
  api::ExportApiOutput output;
  output.body = input.output_type == "YAML" ? to_yaml(definition) : to_json(definition);
  co_return std::move(output);
}

}  // namespace virga::apigatewayv2
