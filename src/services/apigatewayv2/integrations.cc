#include "api/apigatewayv2/create_integration.h"
#include "api/apigatewayv2/delete_integration.h"
#include "api/apigatewayv2/get_integration.h"
#include "api/apigatewayv2/get_integrations.h"
#include "api/apigatewayv2/update_integration.h"
#include "base/strings.h"
#include "services/apigatewayv2/service.h"
#include "services/apigatewayv2/service_list.h"
#include "services/apigatewayv2/validate.h"

// Source: Amazon API Gateway Version 2 API Reference, "Integrations".
namespace virga::apigatewayv2 {
namespace {

constexpr size_t kIntegrationIdLength = 7;

template <class Input>
Result<void> refuse_unsupported_members(const Input& input) {
  if (input.content_handling_strategy || input.passthrough_behavior || input.request_templates ||
      input.template_selection_expression) {
    return fail(
        errors::bad_request("ContentHandlingStrategy, PassthroughBehavior, RequestTemplates and "
                            "TemplateSelectionExpression are not supported for HTTP APIs"));
  }
  if (input.tls_config) return fail(errors::not_implemented("An integration with TlsConfig"));
  return {};
}

void fill_defaults(api::Integration& integration) {
  if (!integration.connection_type) integration.connection_type = "INTERNET";
  if (!integration.timeout_in_millis) integration.timeout_in_millis = kTimeoutMsDefault;
  const bool function =
      integration.integration_type == "AWS_PROXY" && !integration.integration_subtype;
  if (!integration.integration_method && function) integration.integration_method = "POST";
}

using Parameters = std::map<std::string, std::string>;

// An update's entries join the stored ones; an empty value takes its entry away.
// Source: Developer Guide, "Transform API requests and responses for HTTP APIs", removing
// configured mappings.
Parameters merged(Parameters stored, const Parameters& changes) {
  for (const auto& [key, value] : changes) {
    if (value.empty()) {
      stored.erase(key);
    } else {
      stored.insert_or_assign(key, value);
    }
  }
  return stored;
}

void merge_parameters(api::Integration& integration, const api::UpdateIntegrationInput& input,
                      const api::Integration& before) {
  if (input.request_parameters) {
    integration.request_parameters =
        merged(before.request_parameters.value_or({}), *input.request_parameters);
    if (integration.request_parameters->empty()) integration.request_parameters.reset();
  }
  if (!input.response_parameters) return;
  auto stored = before.response_parameters.value_or({});
  for (const auto& [status, changes] : *input.response_parameters) {
    auto parameters = changes.empty() ? Parameters() : merged(stored[status], changes);
    if (parameters.empty()) {
      stored.erase(status);
    } else {
      stored.insert_or_assign(status, std::move(parameters));
    }
  }
  integration.response_parameters = std::move(stored);
  if (integration.response_parameters->empty()) integration.response_parameters.reset();
}

}  // namespace

Task<api::CreateIntegrationOutput> Service::create_integration(Ctx ctx,
                                                               api::CreateIntegrationInput input) {
  co_await refuse_unsupported_members(input);
  auto integration = from_members<api::Integration>(input);
  integration.integration_id = new_id(kIntegrationIdLength);
  fill_defaults(integration);
  co_await check_integration(integration);
  co_await change<bool>(ctx, input.api_id, [&](ApiChange& change) -> Result<bool> {
    change.put(integration);
    return true;  // no route leads to it yet: nothing to deploy
  });
  co_return from_members<api::CreateIntegrationOutput>(integration);
}

Task<api::GetIntegrationOutput> Service::get_integration(Ctx ctx, api::GetIntegrationInput input) {
  const auto integration = co_await require_part<api::Integration>(
      *ctx, input.api_id, Part::integration, "Integration", input.integration_id);
  co_return from_members<api::GetIntegrationOutput>(integration);
}

Task<api::GetIntegrationsOutput> Service::get_integrations(Ctx ctx,
                                                           api::GetIntegrationsInput input) {
  api::GetIntegrationsOutput output;
  co_await list<api::Integration>(*ctx, input, Part::integration, output);
  co_return std::move(output);
}

Task<api::UpdateIntegrationOutput> Service::update_integration(Ctx ctx,
                                                               api::UpdateIntegrationInput input) {
  co_await refuse_unsupported_members(input);
  const Timestamp now = ctx->now.at;
  const auto updated = co_await change<api::Integration>(
      ctx, input.api_id, [&](ApiChange& change) -> Result<api::Integration> {
        const auto found = change.state().integrations.find(input.integration_id);
        if (found == change.state().integrations.end())
          return fail(errors::no_such_part("Integration", input.integration_id));
        const api::Integration before = found->second;
        api::Integration integration = before;
        assign_present(integration, input);
        merge_parameters(integration, input, before);
        fill_defaults(integration);
        VIRGA_TRY_VOID(check_integration(integration));
        change.put(integration);
        redeploy(change, now);
        return integration;
      });
  co_return from_members<api::UpdateIntegrationOutput>(updated);
}

Task<api::DeleteIntegrationOutput> Service::delete_integration(Ctx ctx,
                                                               api::DeleteIntegrationInput input) {
  const Timestamp now = ctx->now.at;
  co_await change<bool>(ctx, input.api_id, [&](ApiChange& change) -> Result<bool> {
    const std::string& id = input.integration_id;
    if (!change.state().integrations.contains(id))
      return fail(errors::no_such_part("Integration", id));
    std::vector<std::string> routes;
    for (const auto& [route_id, route] : change.state().routes) {
      if (route.target && *route.target == "integrations/" + id) routes.push_back(route_id);
    }
    if (!routes.empty()) {
      return fail(errors::conflict(
          "Cannot delete Integration because it is referenced by the following Routes with Ids: [" +
          join(routes, ", ") + "]"));
    }
    change.erase(Part::integration, id);
    redeploy(change, now);
    return true;
  });
  co_return api::DeleteIntegrationOutput();
}

}  // namespace virga::apigatewayv2
