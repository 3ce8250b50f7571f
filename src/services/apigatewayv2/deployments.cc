#include "api/apigatewayv2/create_deployment.h"
#include "api/apigatewayv2/delete_deployment.h"
#include "api/apigatewayv2/get_deployment.h"
#include "api/apigatewayv2/get_deployments.h"
#include "api/apigatewayv2/update_deployment.h"
#include "services/apigatewayv2/compile.h"
#include "services/apigatewayv2/service.h"
#include "services/apigatewayv2/service_list.h"

// Source: Amazon API Gateway Version 2 API Reference, "Deployments".
// DIFFERS: of a stage's automatic deployments only the latest is kept; AWS keeps the older ones in
// the list.
namespace virga::apigatewayv2 {
namespace {

constexpr size_t kDeploymentIdLength = 6;

bool is_used(const ApiState& state, const std::string& deployment_id) {
  for (const auto& [name, stage] : state.stages) {
    if (stage.deployment_id == deployment_id) return true;
  }
  return false;
}

}  // namespace

void Service::redeploy(ApiChange& change, Timestamp now) const {
  std::vector<api::Stage> stages;
  for (const auto& [name, stage] : change.state().stages) {
    if (stage.auto_deploy.value_or(false)) stages.push_back(stage);
  }
  if (stages.empty()) return;
  api::Deployment deployment;
  deployment.deployment_id = new_id(kDeploymentIdLength);
  deployment.auto_deployed = true;
  deployment.created_date = Timestamp::from_seconds(now.seconds());
  deployment.deployment_status = "DEPLOYED";
  deployment.description = "Automatic deployment triggered by changes to the Api configuration";
  const std::string id = *deployment.deployment_id;
  change.put(std::move(deployment));
  for (auto& stage : stages) {
    stage.deployment_id = id;
    stage.last_deployment_status_message =
        "Successfully deployed stage with deployment ID '" + id + "'";
    stage.last_updated_date = Timestamp::from_seconds(now.seconds());
    change.put(std::move(stage));
  }
  std::vector<std::string> old;
  for (const auto& [other, record] : change.state().deployments) {
    if (record.auto_deployed.value_or(false) && !is_used(change.state(), other))
      old.push_back(other);
  }
  for (const auto& other : old) {
    change.erase(Part::deployment, other);
    change.erase(Part::snapshot, other);
  }
}

Task<api::CreateDeploymentOutput> Service::create_deployment(Ctx ctx,
                                                             api::CreateDeploymentInput input) {
  api::Deployment deployment;
  deployment.deployment_id = new_id(kDeploymentIdLength);
  deployment.auto_deployed = false;
  deployment.created_date = Timestamp::from_seconds(ctx->now.at.seconds());
  deployment.deployment_status = "DEPLOYED";
  if (input.description) deployment.description = *input.description;
  const std::string id = *deployment.deployment_id;
  co_await change<bool>(ctx, input.api_id, [&](ApiChange& change) -> Result<bool> {
    if (change.state().routes.empty()) {
      return fail(errors::bad_request("Unable to deploy API because no routes exist in this API"));
    }
    if (input.stage_name) {
      const auto found = change.state().stages.find(*input.stage_name);
      if (found == change.state().stages.end())
        return fail(errors::no_such_part("Stage", *input.stage_name));
      if (found->second.auto_deploy.value_or(false)) {
        return fail(
            errors::bad_request("Deployments to a stage with AutoDeploy enabled are not allowed"));
      }
      api::Stage stage = found->second;
      stage.deployment_id = id;
      stage.last_updated_date = *deployment.created_date;
      change.put(std::move(stage));
    }
    change.put(deployment);
    change.put_snapshot(id, encode_snapshot(current_config(change.state())));
    return true;
  });
  co_return from_members<api::CreateDeploymentOutput>(deployment);
}

Task<api::GetDeploymentOutput> Service::get_deployment(Ctx ctx, api::GetDeploymentInput input) {
  const auto deployment = co_await require_part<api::Deployment>(
      *ctx, input.api_id, Part::deployment, "Deployment", input.deployment_id);
  co_return from_members<api::GetDeploymentOutput>(deployment);
}

Task<api::GetDeploymentsOutput> Service::get_deployments(Ctx ctx, api::GetDeploymentsInput input) {
  api::GetDeploymentsOutput output;
  co_await list<api::Deployment>(*ctx, input, Part::deployment, output);
  co_return std::move(output);
}

Task<api::UpdateDeploymentOutput> Service::update_deployment(Ctx ctx,
                                                             api::UpdateDeploymentInput input) {
  const auto updated = co_await change<api::Deployment>(
      ctx, input.api_id, [&](ApiChange& change) -> Result<api::Deployment> {
        const auto found = change.state().deployments.find(input.deployment_id);
        if (found == change.state().deployments.end())
          return fail(errors::no_such_part("Deployment", input.deployment_id));
        api::Deployment deployment = found->second;
        if (input.description) deployment.description = *input.description;
        change.put(deployment);
        return deployment;
      });
  co_return from_members<api::UpdateDeploymentOutput>(updated);
}

Task<api::DeleteDeploymentOutput> Service::delete_deployment(Ctx ctx,
                                                             api::DeleteDeploymentInput input) {
  co_await change<bool>(ctx, input.api_id, [&](ApiChange& change) -> Result<bool> {
    const std::string& id = input.deployment_id;
    if (!change.state().deployments.contains(id))
      return fail(errors::no_such_part("Deployment", id));
    if (is_used(change.state(), id)) {
      return fail(errors::bad_request(
          "Active stages pointing to this deployment must be moved or deleted"));
    }
    change.erase(Part::deployment, id);
    change.erase(Part::snapshot, id);
    return true;
  });
  co_return api::DeleteDeploymentOutput();
}

}  // namespace virga::apigatewayv2
