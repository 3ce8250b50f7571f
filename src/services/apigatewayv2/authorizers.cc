#include "api/apigatewayv2/create_authorizer.h"
#include "api/apigatewayv2/delete_authorizer.h"
#include "api/apigatewayv2/get_authorizer.h"
#include "api/apigatewayv2/get_authorizers.h"
#include "api/apigatewayv2/reset_authorizers_cache.h"
#include "api/apigatewayv2/update_authorizer.h"
#include "base/strings.h"
#include "services/apigatewayv2/service.h"
#include "services/apigatewayv2/service_list.h"
#include "services/apigatewayv2/validate.h"

// Source: Amazon API Gateway Version 2 API Reference, "Authorizers".
// DIFFERS: AWS asks a JWT authorizer's issuer for its keys when the authorizer is made; here the
// first token does.
namespace virga::apigatewayv2 {
namespace {

constexpr size_t kAuthorizerIdLength = 6;

}  // namespace

Task<api::CreateAuthorizerOutput> Service::create_authorizer(Ctx ctx,
                                                             api::CreateAuthorizerInput input) {
  auto authorizer = from_members<api::Authorizer>(input);
  authorizer.authorizer_id = new_id(kAuthorizerIdLength);
  co_await check_authorizer(authorizer);
  co_await change<bool>(ctx, input.api_id, [&](ApiChange& change) -> Result<bool> {
    for (const auto& [id, other] : change.state().authorizers) {
      if (other.name == authorizer.name)
        return fail(errors::bad_request("Authorizer name must be unique. Authorizer " +
                                        authorizer.name + " already exists in this API"));
    }
    change.put(authorizer);
    return true;
  });
  co_return from_members<api::CreateAuthorizerOutput>(authorizer);
}

Task<api::GetAuthorizerOutput> Service::get_authorizer(Ctx ctx, api::GetAuthorizerInput input) {
  const auto authorizer = co_await require_part<api::Authorizer>(
      *ctx, input.api_id, Part::authorizer, "Authorizer", input.authorizer_id);
  co_return from_members<api::GetAuthorizerOutput>(authorizer);
}

Task<api::GetAuthorizersOutput> Service::get_authorizers(Ctx ctx, api::GetAuthorizersInput input) {
  api::GetAuthorizersOutput output;
  co_await list<api::Authorizer>(*ctx, input, Part::authorizer, output);
  co_return std::move(output);
}

Task<api::UpdateAuthorizerOutput> Service::update_authorizer(Ctx ctx,
                                                             api::UpdateAuthorizerInput input) {
  const Timestamp now = ctx->now.at;
  const auto updated = co_await change<api::Authorizer>(
      ctx, input.api_id, [&](ApiChange& change) -> Result<api::Authorizer> {
        const auto found = change.state().authorizers.find(input.authorizer_id);
        if (found == change.state().authorizers.end())
          return fail(errors::no_such_part("Authorizer", input.authorizer_id));
        api::Authorizer authorizer = found->second;
        const auto type = authorizer.authorizer_type;
        assign_present(authorizer, input);
        if (authorizer.authorizer_type != type)
          return fail(errors::bad_request("AuthorizerType can't be changed"));
        VIRGA_TRY_VOID(check_authorizer(authorizer));
        change.put(authorizer);
        redeploy(change, now);
        return authorizer;
      });
  authorizations_.clear();
  co_return from_members<api::UpdateAuthorizerOutput>(updated);
}

Task<api::DeleteAuthorizerOutput> Service::delete_authorizer(Ctx ctx,
                                                             api::DeleteAuthorizerInput input) {
  const Timestamp now = ctx->now.at;
  co_await change<bool>(ctx, input.api_id, [&](ApiChange& change) -> Result<bool> {
    const std::string& id = input.authorizer_id;
    if (!change.state().authorizers.contains(id))
      return fail(errors::no_such_part("Authorizer", id));
    std::vector<std::string> routes;
    for (const auto& [route_id, route] : change.state().routes) {
      if (route.authorizer_id == id) routes.push_back(route_id);
    }
    if (!routes.empty()) {
      return fail(errors::conflict(
          "Cannot delete Authorizer because it is referenced by the following Routes with Ids: [" +
          join(routes, ", ") + "]"));
    }
    change.erase(Part::authorizer, id);
    redeploy(change, now);
    return true;
  });
  authorizations_.clear();
  co_return api::DeleteAuthorizerOutput();
}

Task<api::ResetAuthorizersCacheOutput> Service::reset_authorizers_cache(
    Ctx ctx, api::ResetAuthorizersCacheInput input) {
  co_await require_part<api::Stage>(*ctx, input.api_id, Part::stage, "Stage", input.stage_name);
  authorizations_.clear();
  co_return api::ResetAuthorizersCacheOutput();
}

}  // namespace virga::apigatewayv2
