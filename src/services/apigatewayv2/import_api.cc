#include "api/apigatewayv2/import_api.h"

#include "api/apigatewayv2/reimport_api.h"
#include "services/apigatewayv2/open_api.h"
#include "services/apigatewayv2/service.h"
#include "services/apigatewayv2/validate.h"

// An API from its OpenAPI definition. Source: Amazon API Gateway Version 2 API Reference, "Apis",
// ImportApi and ReimportApi.
namespace virga::apigatewayv2 {
namespace {

constexpr size_t kApiIdLength = 10;
constexpr size_t kPartIdLength = 7;

// What the definition says of the API itself; what it does not say is taken away.
void describe(api::Api& api, const ApiDefinition& definition) {
  api.name = definition.name;
  api.version.reset();
  api.description.reset();
  api.cors_configuration.reset();
  if (!definition.version.empty()) api.version = definition.version;
  if (!definition.description.empty()) api.description = definition.description;
  if (definition.cors) api.cors_configuration = *definition.cors;
  if (!definition.tags.empty()) api.tags = definition.tags;
}

Result<void> check(const ApiDefinition& definition, bool fail_on_warnings) {
  if (definition.cors) VIRGA_TRY_VOID(check_cors(*definition.cors));
  VIRGA_TRY_VOID(check_tags(definition.tags));
  if (fail_on_warnings && !definition.warnings.empty()) {
    return fail(
        errors::bad_request("Warnings found during import: " + definition.warnings.front()));
  }
  return {};
}

template <class Output>
Output answer(const ApiState& state, const ApiDefinition& definition, std::string endpoint) {
  auto output = from_members<Output>(state.api);
  output.api_endpoint = std::move(endpoint);
  if (!definition.warnings.empty()) output.warnings = definition.warnings;
  return output;
}

}  // namespace

Result<void> Service::apply_definition(ApiChange& change, const ApiDefinition& definition) const {
  std::map<std::string, std::string> shared;  // name → id
  const auto add_integration = [&](api::Integration integration) -> Result<std::string> {
    VIRGA_TRY_VOID(check_integration(integration));
    integration.integration_id = new_id(kPartIdLength);
    std::string id = *integration.integration_id;
    change.put(std::move(integration));
    return id;
  };
  for (const auto& [name, integration] : definition.integrations) {
    VIRGA_TRY(id, add_integration(integration));
    shared[name] = std::move(id);
  }
  std::map<std::string, std::string> authorizers;
  for (const auto& [name, given] : definition.authorizers) {
    api::Authorizer authorizer = given;
    VIRGA_TRY_VOID(check_authorizer(authorizer));
    authorizer.authorizer_id = new_id(kPartIdLength);
    authorizers[name] = *authorizer.authorizer_id;
    change.put(std::move(authorizer));
  }
  for (const ApiDefinition::Route& given : definition.routes) {
    api::Route route;
    route.route_id = new_id(kPartIdLength);
    route.route_key = given.key;
    route.api_key_required = false;
    route.authorization_type = given.authorization_type;
    if (!given.operation_name.empty()) route.operation_name = given.operation_name;
    if (!given.authorizer.empty()) route.authorizer_id = authorizers[given.authorizer];
    if (!given.scopes.empty()) route.authorization_scopes = given.scopes;
    if (given.integration) {
      VIRGA_TRY(id, add_integration(*given.integration));
      route.target = "integrations/" + id;
    } else if (!given.shared_integration.empty()) {
      const auto found = shared.find(given.shared_integration);
      if (found == shared.end()) {
        return fail(errors::bad_request("Invalid OpenAPI input: there is no integration " +
                                        given.shared_integration));
      }
      route.target = "integrations/" + found->second;
    }
    VIRGA_TRY_VOID(check_route(change.state(), route));
    change.put(std::move(route));
  }
  return {};
}

Task<api::ImportApiOutput> Service::import_api(Ctx ctx, api::ImportApiInput input) {
  const ApiDefinition definition = co_await parse_open_api(input.body);
  co_await check(definition, input.fail_on_warnings.value_or(false));
  ApiState state;
  state.owner = {.account = ctx->account, .region = ctx->region, .partition = ctx->partition};
  api::Api& api = state.api;
  api.api_id = new_id(kApiIdLength);
  api.created_date = Timestamp::from_seconds(ctx->now.at.seconds());
  api.protocol_type = "HTTP";
  api.api_key_selection_expression = "$request.header.x-api-key";
  api.route_selection_expression = kRouteSelection;
  api.disable_execute_api_endpoint = false;
  api.ip_address_type = "ipv4";
  api.tags.emplace();
  describe(api, definition);
  const std::string api_id = *api.api_id;
  const bool made =
      co_await platform::transact(ctx, shard_, [&](storage::Txn& txn) -> Result<bool> {
        ApiChange change(txn, state);
        change.put_owner();
        change.put_api();
        VIRGA_TRY_VOID(apply_definition(change, definition));
        return true;
      });
  CHECK(made);
  changed(api_id, ctx->depends_on_lsn);
  co_return answer<api::ImportApiOutput>(state, definition, endpoint_of(*ctx, api_id));
}

// Everything but stages and deployments is replaced.
Task<api::ReimportApiOutput> Service::reimport_api(Ctx ctx, api::ReimportApiInput input) {
  const ApiDefinition definition = co_await parse_open_api(input.body);
  co_await check(definition, input.fail_on_warnings.value_or(false));
  const std::string api_id = input.api_id;
  const Timestamp now = ctx->now.at;
  const ApiState state =
      co_await change<ApiState>(ctx, api_id, [&](ApiChange& change) -> Result<ApiState> {
        const ApiState before = change.state();
        for (const auto& [id, route] : before.routes) change.erase(Part::route, id);
        for (const auto& [id, integration] : before.integrations)
          change.erase(Part::integration, id);
        for (const auto& [id, authorizer] : before.authorizers) change.erase(Part::authorizer, id);
        describe(change.state().api, definition);
        change.put_api();
        VIRGA_TRY_VOID(apply_definition(change, definition));
        redeploy(change, now);
        return change.state();
      });
  authorizations_.clear();
  co_return answer<api::ReimportApiOutput>(state, definition, endpoint_of(*ctx, api_id));
}

}  // namespace virga::apigatewayv2
