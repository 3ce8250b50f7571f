#include "api/apigatewayv2/create_route.h"
#include "api/apigatewayv2/delete_route.h"
#include "api/apigatewayv2/get_route.h"
#include "api/apigatewayv2/get_routes.h"
#include "api/apigatewayv2/update_route.h"
#include "services/apigatewayv2/service.h"
#include "services/apigatewayv2/service_list.h"

// Source: Amazon API Gateway Version 2 API Reference, "Routes".
namespace virga::apigatewayv2 {
namespace {

constexpr size_t kRouteIdLength = 7;

// Members that only WebSocket APIs have: stored for nobody's use, so refused.
template <class Input>
Result<void> refuse_websocket_members(const Input& input) {
  if (input.api_key_required.value_or(false) || input.model_selection_expression ||
      input.request_models || input.request_parameters ||
      input.route_response_selection_expression) {
    return fail(errors::bad_request(
        "ApiKeyRequired, ModelSelectionExpression, RequestModels, RequestParameters and "
        "RouteResponseSelectionExpression are not supported for HTTP APIs"));
  }
  return {};
}

// "type NONE" takes the authorizer and scopes away.
void settle_authorization(api::Route& route) {
  if (!route.authorization_type) route.authorization_type = "NONE";
  if (*route.authorization_type == "NONE" || *route.authorization_type == "AWS_IAM") {
    route.authorizer_id.reset();
    route.authorization_scopes.reset();
  }
}

}  // namespace

Result<void> Service::check_route(const ApiState& state, const api::Route& route) const {
  VIRGA_TRY(key, RouteKey::parse(route.route_key));
  for (const auto& [id, other] : state.routes) {
    if (id != *route.route_id && other.route_key == route.route_key) {
      return fail(
          errors::conflict("Route with key " + route.route_key + " already exists for this API"));
    }
  }
  if (route.target) {
    const std::string& target = *route.target;
    if (!target.starts_with("integrations/")) {
      return fail(
          errors::bad_request("Invalid target specified: " + target +
                              ". Target must be in the form integrations/<integration-id>"));
    }
    if (!state.integrations.contains(target.substr(13))) {
      return fail(errors::no_such_part("Integration", target.substr(13)));
    }
  }
  const std::string type = route.authorization_type.value_or("NONE");
  if (type != "JWT" && type != "CUSTOM") return {};
  const auto authorizer = state.authorizers.find(route.authorizer_id.value_or(""));
  const std::string_view wanted = type == "JWT" ? "JWT" : "REQUEST";
  if (authorizer == state.authorizers.end() || authorizer->second.authorizer_type != wanted) {
    return fail(errors::bad_request(
        "Invalid authorizer ID specified. Setting the authorization type to " + type +
        " requires a valid " + (type == "JWT" ? "JWT" : "Lambda") + " authorizer."));
  }
  if (type == "CUSTOM" && route.authorization_scopes && !route.authorization_scopes->empty()) {
    return fail(errors::bad_request(
        "AuthorizationScopes are only supported for routes with authorization type JWT"));
  }
  return {};
}

Task<api::CreateRouteOutput> Service::create_route(Ctx ctx, api::CreateRouteInput input) {
  co_await refuse_websocket_members(input);
  auto route = from_members<api::Route>(input);
  route.route_id = new_id(kRouteIdLength);
  route.api_key_required = false;
  settle_authorization(route);
  const Timestamp now = ctx->now.at;
  co_await change<bool>(ctx, input.api_id, [&](ApiChange& change) -> Result<bool> {
    VIRGA_TRY_VOID(check_route(change.state(), route));
    change.put(route);
    redeploy(change, now);
    return true;
  });
  co_return from_members<api::CreateRouteOutput>(route);
}

Task<api::GetRouteOutput> Service::get_route(Ctx ctx, api::GetRouteInput input) {
  const auto route =
      co_await require_part<api::Route>(*ctx, input.api_id, Part::route, "Route", input.route_id);
  co_return from_members<api::GetRouteOutput>(route);
}

Task<api::GetRoutesOutput> Service::get_routes(Ctx ctx, api::GetRoutesInput input) {
  api::GetRoutesOutput output;
  co_await list<api::Route>(*ctx, input, Part::route, output);
  co_return std::move(output);
}

Task<api::UpdateRouteOutput> Service::update_route(Ctx ctx, api::UpdateRouteInput input) {
  co_await refuse_websocket_members(input);
  const Timestamp now = ctx->now.at;
  const auto updated =
      co_await change<api::Route>(ctx, input.api_id, [&](ApiChange& change) -> Result<api::Route> {
        const auto found = change.state().routes.find(input.route_id);
        if (found == change.state().routes.end())
          return fail(errors::no_such_part("Route", input.route_id));
        api::Route route = found->second;
        if (route.route_key == "$default" && input.route_key && *input.route_key != "$default") {
          return fail(errors::bad_request("The $default route key can't be modified"));
        }
        assign_present(route, input);
        settle_authorization(route);
        VIRGA_TRY_VOID(check_route(change.state(), route));
        change.put(route);
        redeploy(change, now);
        return route;
      });
  co_return from_members<api::UpdateRouteOutput>(updated);
}

Task<api::DeleteRouteOutput> Service::delete_route(Ctx ctx, api::DeleteRouteInput input) {
  const Timestamp now = ctx->now.at;
  co_await change<bool>(ctx, input.api_id, [&](ApiChange& change) -> Result<bool> {
    if (!change.state().routes.contains(input.route_id))
      return fail(errors::no_such_part("Route", input.route_id));
    change.erase(Part::route, input.route_id);
    redeploy(change, now);
    return true;
  });
  co_return api::DeleteRouteOutput();
}

}  // namespace virga::apigatewayv2
