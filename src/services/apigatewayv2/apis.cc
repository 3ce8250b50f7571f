#include "api/apigatewayv2/create_api.h"
#include "api/apigatewayv2/delete_api.h"
#include "api/apigatewayv2/delete_cors_configuration.h"
#include "api/apigatewayv2/get_api.h"
#include "api/apigatewayv2/get_apis.h"
#include "api/apigatewayv2/update_api.h"
#include "base/strings.h"
#include "services/apigatewayv2/compile.h"
#include "services/apigatewayv2/paging.h"
#include "services/apigatewayv2/service.h"
#include "services/apigatewayv2/validate.h"

// The APIs themselves. Source: Amazon API Gateway Version 2 API Reference, "Apis".
namespace virga::apigatewayv2 {
namespace {

constexpr size_t kApiIdLength = 10;
constexpr size_t kPartIdLength = 7;

// Quick create: an integration, a route and a stage that API Gateway manages.
struct QuickCreate {
  api::Integration integration;
  api::Route route;
  api::Stage stage;
};

Result<api::Integration> quick_integration(const std::string& target,
                                           const std::optional<std::string>& credentials) {
  api::Integration integration;
  const bool function = target.starts_with("arn:");
  integration.api_gateway_managed = true;
  integration.connection_type = "INTERNET";
  integration.integration_type = function ? "AWS_PROXY" : "HTTP_PROXY";
  integration.integration_method = function ? "POST" : "ANY";
  integration.integration_uri = target;
  integration.payload_format_version = function ? "2.0" : "1.0";
  integration.timeout_in_millis = kTimeoutMsDefault;
  if (credentials) integration.credentials_arn = *credentials;
  VIRGA_TRY_VOID(check_integration(integration));
  return integration;
}

Result<void> check_api(const api::Api& api) {
  // "StringWithLengthBetween1And128" of the API reference.
  static constexpr size_t kNameMax = 128;
  if (api.name.empty() || api.name.size() > kNameMax)
    return fail(errors::bad_request("Name must be between 1 and 128 characters long"));
  if (api.route_selection_expression != kRouteSelection &&
      api.route_selection_expression != "${request.method} ${request.path}") {
    return fail(errors::bad_request(
        "Invalid route selection expression specified. For HTTP protocol, the only supported "
        "value is ${request.method} ${request.path}"));
  }
  if (api.cors_configuration) VIRGA_TRY_VOID(check_cors(*api.cors_configuration));
  if (api.tags) VIRGA_TRY_VOID(check_tags(*api.tags));
  return {};
}

template <class Output>
Output api_answer(const api::Api& api, std::string endpoint) {
  auto output = from_members<Output>(api);
  output.api_endpoint = std::move(endpoint);
  return output;
}

api::Integration* managed_integration(ApiState& state) {
  for (auto& [id, integration] : state.integrations) {
    if (integration.api_gateway_managed.value_or(false)) return &integration;
  }
  return nullptr;
}
api::Route* managed_route(ApiState& state) {
  for (auto& [id, route] : state.routes) {
    if (route.api_gateway_managed.value_or(false)) return &route;
  }
  return nullptr;
}

}  // namespace

Task<api::CreateApiOutput> Service::create_api(Ctx ctx, api::CreateApiInput input) {
  if (input.protocol_type == "WEBSOCKET")
    co_return fail(errors::not_implemented("CreateApi with ProtocolType WEBSOCKET"));
  if (input.protocol_type != "HTTP") {
    co_return fail(
        errors::bad_request("Invalid protocol specified. Must be one of [HTTP, WEBSOCKET]"));
  }
  if (!input.target && (input.route_key || input.credentials_arn)) {
    co_return fail(
        errors::bad_request("RouteKey and CredentialsArn are only supported together with Target"));
  }
  ApiState state;
  state.owner = {.account = ctx->account, .region = ctx->region, .partition = ctx->partition};
  api::Api& api = state.api;
  assign_present(api, input);
  api.api_id = new_id(kApiIdLength);
  api.created_date = Timestamp::from_seconds(ctx->now.at.seconds());
  api.api_key_selection_expression = "$request.header.x-api-key";
  if (!input.route_selection_expression) api.route_selection_expression = kRouteSelection;
  if (!api.disable_execute_api_endpoint) api.disable_execute_api_endpoint = false;
  if (!api.ip_address_type) api.ip_address_type = "ipv4";
  if (!api.tags) api.tags.emplace();
  co_await check_api(api);

  std::optional<QuickCreate> quick;
  if (input.target) {
    quick.emplace();
    quick->integration = co_await quick_integration(*input.target, input.credentials_arn);
    quick->integration.integration_id = new_id(kPartIdLength);
    quick->route.route_id = new_id(kPartIdLength);
    quick->route.route_key = input.route_key.value_or("$default");
    quick->route.target = "integrations/" + *quick->integration.integration_id;
    quick->route.api_gateway_managed = true;
    quick->route.api_key_required = false;
    quick->route.authorization_type = "NONE";
    co_await RouteKey::parse(quick->route.route_key);
    quick->stage = new_stage("$default", ctx->now.at);
    quick->stage.auto_deploy = true;
    quick->stage.api_gateway_managed = true;
  }
  const std::string api_id = *api.api_id;
  const bool created =
      co_await platform::transact(ctx, shard_, [&](storage::Txn& txn) -> Result<bool> {
        VIRGA_TRY(taken, read_owner(txn, api_id));
        if (taken)
          return fail(
              errors::conflict("Unable to complete operation due to concurrent modification. "
                               "Please try again later."));
        ApiChange change(txn, state);
        change.put_owner();
        change.put_api();
        if (quick) {
          change.put(quick->integration);
          change.put(quick->route);
          change.put(quick->stage);
          redeploy(change, ctx->now.at);
        }
        return true;
      });
  CHECK(created);
  changed(api_id, ctx->depends_on_lsn);
  co_return api_answer<api::CreateApiOutput>(state.api, endpoint_of(*ctx, api_id));
}

Task<api::GetApiOutput> Service::get_api(Ctx ctx, api::GetApiInput input) {
  const auto view = shard_.snapshot();
  co_await require_api(*view, *ctx, input.api_id);
  const auto record = co_await read_part<api::Api>(*view, input.api_id, Part::api, "");
  if (!record) co_return fail(errors::no_such_api(ctx->account, input.api_id));
  co_return api_answer<api::GetApiOutput>(*record, endpoint_of(*ctx, input.api_id));
}

Task<api::GetApisOutput> Service::get_apis(Ctx ctx, api::GetApisInput input) {
  const auto view = shard_.snapshot();
  const std::string scope = "apis/" + ctx->account + "/" + ctx->region;
  const PageRequest request = co_await parse_page(input.max_results, input.next_token, scope);
  const Page page =
      co_await list_api_ids(*view, ctx->account, ctx->region, request.after, request.limit);
  api::GetApisOutput output;
  auto& items = output.items.emplace();
  for (const auto& id : page.ids) {
    auto record = co_await read_part<api::Api>(*view, id, Part::api, "");
    if (!record) continue;
    record->api_endpoint = endpoint_of(*ctx, id);
    items.push_back(std::move(*record));
  }
  if (!page.next.empty()) output.next_token = make_page_token(page.next, scope);
  co_return std::move(output);
}

Task<api::UpdateApiOutput> Service::update_api(Ctx ctx, api::UpdateApiInput input) {
  const std::string api_id = input.api_id;
  const Timestamp now = ctx->now.at;
  const bool quick = input.target || input.route_key || input.credentials_arn;
  api::Api updated =
      co_await change<api::Api>(ctx, api_id, [&](ApiChange& change) -> Result<api::Api> {
        ApiState& state = change.state();
        assign_present(state.api, input);
        VIRGA_TRY_VOID(check_api(state.api));
        change.put_api();
        if (!quick) return state.api;
        api::Integration* integration = managed_integration(state);
        api::Route* route = managed_route(state);
        if (!integration || !route) {
          return fail(
              errors::bad_request("Target, RouteKey and CredentialsArn can only be updated for an "
                                  "API made by quick create"));
        }
        if (input.target || input.credentials_arn) {
          const auto credentials =
              input.credentials_arn ? input.credentials_arn : integration->credentials_arn;
          VIRGA_TRY(made, quick_integration(input.target.value_or(*integration->integration_uri),
                                            credentials));
          made.integration_id = *integration->integration_id;
          change.put(std::move(made));
        }
        if (input.route_key) {
          api::Route moved = *route;
          moved.route_key = *input.route_key;
          VIRGA_TRY_VOID(check_route(state, moved));
          change.put(std::move(moved));
        }
        redeploy(change, now);
        return state.api;
      });
  co_return api_answer<api::UpdateApiOutput>(updated, endpoint_of(*ctx, api_id));
}

Task<api::DeleteApiOutput> Service::delete_api(Ctx ctx, api::DeleteApiInput input) {
  co_await change<bool>(ctx, input.api_id, [&](ApiChange& change) -> Result<bool> {
    VIRGA_TRY_VOID(check_unmapped(change.view(), change.state(), std::nullopt));
    change.erase_api();
    return true;
  });
  co_return api::DeleteApiOutput();
}

Task<api::DeleteCorsConfigurationOutput> Service::delete_cors_configuration(
    Ctx ctx, api::DeleteCorsConfigurationInput input) {
  co_await change<bool>(ctx, input.api_id, [&](ApiChange& change) -> Result<bool> {
    change.state().api.cors_configuration.reset();
    change.put_api();
    return true;
  });
  co_return api::DeleteCorsConfigurationOutput();
}

}  // namespace virga::apigatewayv2
