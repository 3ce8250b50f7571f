#include "api/apigatewayv2/create_stage.h"
#include "api/apigatewayv2/delete_access_log_settings.h"
#include "api/apigatewayv2/delete_route_settings.h"
#include "api/apigatewayv2/delete_stage.h"
#include "api/apigatewayv2/get_stage.h"
#include "api/apigatewayv2/get_stages.h"
#include "api/apigatewayv2/update_stage.h"
#include "services/apigatewayv2/compile.h"
#include "services/apigatewayv2/service.h"
#include "services/apigatewayv2/service_list.h"
#include "services/apigatewayv2/validate.h"

// Source: Amazon API Gateway Version 2 API Reference, "Stages".
namespace virga::apigatewayv2 {
namespace {

Result<void> check_deployment(const ApiState& state, const api::Stage& stage) {
  if (stage.deployment_id && !state.deployments.contains(*stage.deployment_id)) {
    return fail(errors::no_such_part("Deployment", *stage.deployment_id));
  }
  return {};
}

// Settings are per route key, so the route has to exist.
Result<void> check_route_settings(const ApiState& state, const api::Stage& stage) {
  if (!stage.route_settings) return {};
  for (const auto& [key, settings] : *stage.route_settings) {
    bool found = false;
    for (const auto& [id, route] : state.routes) found = found || route.route_key == key;
    if (!found)
      return fail(errors::not_found("Unable to find Route by key " + key +
                                    " within the provided RouteSettings"));
  }
  return {};
}

template <class Input>
Result<void> refuse_unsupported_members(const Input& input) {
  if (input.client_certificate_id)
    return fail(errors::bad_request("ClientCertificateId is not supported for HTTP APIs"));
  return {};
}

api::Stage* find_stage(ApiChange& change, const std::string& name) {
  const auto found = change.state().stages.find(name);
  return found == change.state().stages.end() ? nullptr : &found->second;
}

// An update's variables and settings join the stored ones; an empty variable goes.
void merge_members(api::Stage& stage, const api::UpdateStageInput& input,
                   const api::Stage& before) {
  if (input.stage_variables) {
    auto variables = before.stage_variables.value_or({});
    for (const auto& [name, value] : *input.stage_variables) {
      if (value.empty()) {
        variables.erase(name);
      } else {
        variables.insert_or_assign(name, value);
      }
    }
    stage.stage_variables = std::move(variables);
  }
  if (input.route_settings) {
    auto settings = before.route_settings.value_or({});
    for (const auto& [key, value] : *input.route_settings) settings.insert_or_assign(key, value);
    stage.route_settings = std::move(settings);
  }
}

}  // namespace

Task<api::CreateStageOutput> Service::create_stage(Ctx ctx, api::CreateStageInput input) {
  co_await refuse_unsupported_members(input);
  const Timestamp now = ctx->now.at;
  api::Stage stage = new_stage(input.stage_name, now);
  assign_present(stage, input);
  co_await check_stage(stage);
  const bool automatic = stage.auto_deploy.value_or(false);
  if (automatic && stage.deployment_id) {
    co_return fail(
        errors::bad_request("DeploymentId cannot be set on a stage with AutoDeploy enabled"));
  }
  const auto created =
      co_await change<api::Stage>(ctx, input.api_id, [&](ApiChange& change) -> Result<api::Stage> {
        if (find_stage(change, stage.stage_name))
          return fail(errors::conflict("Stage already exists"));
        VIRGA_TRY_VOID(check_deployment(change.state(), stage));
        VIRGA_TRY_VOID(check_route_settings(change.state(), stage));
        change.put(stage);
        if (automatic) redeploy(change, now);
        return change.state().stages.at(stage.stage_name);
      });
  co_return from_members<api::CreateStageOutput>(created);
}

Task<api::GetStageOutput> Service::get_stage(Ctx ctx, api::GetStageInput input) {
  const auto stage =
      co_await require_part<api::Stage>(*ctx, input.api_id, Part::stage, "Stage", input.stage_name);
  co_return from_members<api::GetStageOutput>(stage);
}

Task<api::GetStagesOutput> Service::get_stages(Ctx ctx, api::GetStagesInput input) {
  api::GetStagesOutput output;
  co_await list<api::Stage>(*ctx, input, Part::stage, output);
  co_return std::move(output);
}

Task<api::UpdateStageOutput> Service::update_stage(Ctx ctx, api::UpdateStageInput input) {
  co_await refuse_unsupported_members(input);
  const Timestamp now = ctx->now.at;
  const auto updated =
      co_await change<api::Stage>(ctx, input.api_id, [&](ApiChange& change) -> Result<api::Stage> {
        const api::Stage* found = find_stage(change, input.stage_name);
        if (!found) return fail(errors::no_such_part("Stage", input.stage_name));
        const api::Stage before = *found;
        api::Stage stage = before;
        assign_present(stage, input);
        merge_members(stage, input, before);
        stage.last_updated_date = Timestamp::from_seconds(now.seconds());
        const bool was_automatic = before.auto_deploy.value_or(false);
        const bool automatic = stage.auto_deploy.value_or(false);
        if (automatic && input.deployment_id) {
          return fail(
              errors::bad_request("DeploymentId cannot be set on a stage with AutoDeploy enabled"));
        }
        VIRGA_TRY_VOID(check_stage(stage));
        VIRGA_TRY_VOID(check_deployment(change.state(), stage));
        VIRGA_TRY_VOID(check_route_settings(change.state(), stage));
        // A stage that stops following the API keeps what it serves now.
        if (was_automatic && !automatic && stage.deployment_id &&
            !change.state().snapshots.contains(*stage.deployment_id)) {
          change.put_snapshot(*stage.deployment_id,
                              encode_snapshot(current_config(change.state())));
        }
        change.put(stage);
        if (automatic && !was_automatic) redeploy(change, now);
        return change.state().stages.at(stage.stage_name);
      });
  co_return from_members<api::UpdateStageOutput>(updated);
}

Task<api::DeleteStageOutput> Service::delete_stage(Ctx ctx, api::DeleteStageInput input) {
  co_await change<bool>(ctx, input.api_id, [&](ApiChange& change) -> Result<bool> {
    if (!find_stage(change, input.stage_name))
      return fail(errors::no_such_part("Stage", input.stage_name));
    VIRGA_TRY_VOID(check_unmapped(change.view(), change.state(), input.stage_name));
    change.erase(Part::stage, input.stage_name);
    return true;
  });
  co_return api::DeleteStageOutput();
}

Task<api::DeleteAccessLogSettingsOutput> Service::delete_access_log_settings(
    Ctx ctx, api::DeleteAccessLogSettingsInput input) {
  co_await change<bool>(ctx, input.api_id, [&](ApiChange& change) -> Result<bool> {
    const api::Stage* found = find_stage(change, input.stage_name);
    if (!found) return fail(errors::no_such_part("Stage", input.stage_name));
    api::Stage stage = *found;
    stage.access_log_settings.reset();
    change.put(std::move(stage));
    return true;
  });
  co_return api::DeleteAccessLogSettingsOutput();
}

Task<api::DeleteRouteSettingsOutput> Service::delete_route_settings(
    Ctx ctx, api::DeleteRouteSettingsInput input) {
  co_await change<bool>(ctx, input.api_id, [&](ApiChange& change) -> Result<bool> {
    const api::Stage* found = find_stage(change, input.stage_name);
    if (!found) return fail(errors::no_such_part("Stage", input.stage_name));
    api::Stage stage = *found;
    if (!stage.route_settings || stage.route_settings->erase(input.route_key) == 0) {
      return fail(errors::not_found("Unable to find Route by key " + input.route_key +
                                    " within the provided RouteSettings"));
    }
    change.put(std::move(stage));
    return true;
  });
  co_return api::DeleteRouteSettingsOutput();
}

}  // namespace virga::apigatewayv2
