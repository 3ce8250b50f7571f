#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "api/apigatewayv2/handlers.h"
#include "async/clock.h"
#include "platform/transact.h"
#include "services/apigatewayv2/data_plane.h"
#include "services/apigatewayv2/domain_store.h"
#include "services/apigatewayv2/errors.h"
#include "services/apigatewayv2/lambda_authorizer.h"
#include "services/apigatewayv2/store.h"

namespace virga::apigatewayv2 {

struct ApiDefinition;

// The control plane of HTTP APIs, and the source of what the data plane serves. One for the server,
// called from every loop; all state is in the shard, the compiled APIs here may be lost at any
// time.
class Service final : public api::Handlers, public ApiSource {
 public:
  Service(storage::Shard& shard, async::Env& env);
  ~Service() override;

  Task<api::CreateApiOutput> create_api(Ctx ctx, api::CreateApiInput input) override;
  Task<api::GetApiOutput> get_api(Ctx ctx, api::GetApiInput input) override;
  Task<api::GetApisOutput> get_apis(Ctx ctx, api::GetApisInput input) override;
  Task<api::UpdateApiOutput> update_api(Ctx ctx, api::UpdateApiInput input) override;
  Task<api::DeleteApiOutput> delete_api(Ctx ctx, api::DeleteApiInput input) override;
  Task<api::DeleteCorsConfigurationOutput> delete_cors_configuration(
      Ctx ctx, api::DeleteCorsConfigurationInput input) override;

  // import_api.cc
  Task<api::ImportApiOutput> import_api(Ctx ctx, api::ImportApiInput input) override;
  Task<api::ReimportApiOutput> reimport_api(Ctx ctx, api::ReimportApiInput input) override;

  Task<api::CreateRouteOutput> create_route(Ctx ctx, api::CreateRouteInput input) override;
  Task<api::GetRouteOutput> get_route(Ctx ctx, api::GetRouteInput input) override;
  Task<api::GetRoutesOutput> get_routes(Ctx ctx, api::GetRoutesInput input) override;
  Task<api::UpdateRouteOutput> update_route(Ctx ctx, api::UpdateRouteInput input) override;
  Task<api::DeleteRouteOutput> delete_route(Ctx ctx, api::DeleteRouteInput input) override;

  Task<api::CreateIntegrationOutput> create_integration(Ctx ctx,
                                                        api::CreateIntegrationInput input) override;
  Task<api::GetIntegrationOutput> get_integration(Ctx ctx, api::GetIntegrationInput input) override;
  Task<api::GetIntegrationsOutput> get_integrations(Ctx ctx,
                                                    api::GetIntegrationsInput input) override;
  Task<api::UpdateIntegrationOutput> update_integration(Ctx ctx,
                                                        api::UpdateIntegrationInput input) override;
  Task<api::DeleteIntegrationOutput> delete_integration(Ctx ctx,
                                                        api::DeleteIntegrationInput input) override;

  Task<api::CreateAuthorizerOutput> create_authorizer(Ctx ctx,
                                                      api::CreateAuthorizerInput input) override;
  Task<api::GetAuthorizerOutput> get_authorizer(Ctx ctx, api::GetAuthorizerInput input) override;
  Task<api::GetAuthorizersOutput> get_authorizers(Ctx ctx, api::GetAuthorizersInput input) override;
  Task<api::UpdateAuthorizerOutput> update_authorizer(Ctx ctx,
                                                      api::UpdateAuthorizerInput input) override;
  Task<api::DeleteAuthorizerOutput> delete_authorizer(Ctx ctx,
                                                      api::DeleteAuthorizerInput input) override;
  Task<api::ResetAuthorizersCacheOutput> reset_authorizers_cache(
      Ctx ctx, api::ResetAuthorizersCacheInput input) override;

  Task<api::CreateStageOutput> create_stage(Ctx ctx, api::CreateStageInput input) override;
  Task<api::GetStageOutput> get_stage(Ctx ctx, api::GetStageInput input) override;
  Task<api::GetStagesOutput> get_stages(Ctx ctx, api::GetStagesInput input) override;
  Task<api::UpdateStageOutput> update_stage(Ctx ctx, api::UpdateStageInput input) override;
  Task<api::DeleteStageOutput> delete_stage(Ctx ctx, api::DeleteStageInput input) override;
  Task<api::DeleteAccessLogSettingsOutput> delete_access_log_settings(
      Ctx ctx, api::DeleteAccessLogSettingsInput input) override;
  Task<api::DeleteRouteSettingsOutput> delete_route_settings(
      Ctx ctx, api::DeleteRouteSettingsInput input) override;

  Task<api::CreateDeploymentOutput> create_deployment(Ctx ctx,
                                                      api::CreateDeploymentInput input) override;
  Task<api::GetDeploymentOutput> get_deployment(Ctx ctx, api::GetDeploymentInput input) override;
  Task<api::GetDeploymentsOutput> get_deployments(Ctx ctx, api::GetDeploymentsInput input) override;
  Task<api::UpdateDeploymentOutput> update_deployment(Ctx ctx,
                                                      api::UpdateDeploymentInput input) override;
  Task<api::DeleteDeploymentOutput> delete_deployment(Ctx ctx,
                                                      api::DeleteDeploymentInput input) override;

  Task<api::CreateDomainNameOutput> create_domain_name(Ctx ctx,
                                                       api::CreateDomainNameInput input) override;
  Task<api::GetDomainNameOutput> get_domain_name(Ctx ctx, api::GetDomainNameInput input) override;
  Task<api::GetDomainNamesOutput> get_domain_names(Ctx ctx,
                                                   api::GetDomainNamesInput input) override;
  Task<api::UpdateDomainNameOutput> update_domain_name(Ctx ctx,
                                                       api::UpdateDomainNameInput input) override;
  Task<api::DeleteDomainNameOutput> delete_domain_name(Ctx ctx,
                                                       api::DeleteDomainNameInput input) override;

  Task<api::CreateApiMappingOutput> create_api_mapping(Ctx ctx,
                                                       api::CreateApiMappingInput input) override;
  Task<api::GetApiMappingOutput> get_api_mapping(Ctx ctx, api::GetApiMappingInput input) override;
  Task<api::GetApiMappingsOutput> get_api_mappings(Ctx ctx,
                                                   api::GetApiMappingsInput input) override;
  Task<api::UpdateApiMappingOutput> update_api_mapping(Ctx ctx,
                                                       api::UpdateApiMappingInput input) override;
  Task<api::DeleteApiMappingOutput> delete_api_mapping(Ctx ctx,
                                                       api::DeleteApiMappingInput input) override;

  Task<api::ExportApiOutput> export_api(Ctx ctx, api::ExportApiInput input) override;

  Task<api::GetTagsOutput> get_tags(Ctx ctx, api::GetTagsInput input) override;
  Task<api::TagResourceOutput> tag_resource(Ctx ctx, api::TagResourceInput input) override;
  Task<api::UntagResourceOutput> untag_resource(Ctx ctx, api::UntagResourceInput input) override;

  // For the data plane, from any loop: the latest durable state, compiled. Null when there is no
  // such API.
  Result<std::shared_ptr<const CompiledApi>> find_api(std::string_view api_id) override;
  // custom_domain.cc, for the data plane, from any loop. Hosts are lower case and without port.
  bool has_domain(std::string_view host) const;
  // nullopt when no custom domain has this name.
  Result<std::optional<DataPlaneAddress>> custom_address(std::string_view host,
                                                         std::string_view path) const;
  AuthorizerCache& authorizations() { return authorizations_; }

 private:
  // Runs `body` (Result<T>(ApiChange&)) on the caller's API in one transaction; NotFoundException
  // when it is not theirs.
  template <class T, class F>
  Task<T> change(Ctx ctx, std::string api_id, F body) {
    T out = co_await platform::transact(ctx, shard_, [&](storage::Txn& txn) -> Result<T> {
      VIRGA_TRY(state, load_owned(txn, *ctx, api_id));
      ApiChange change(txn, state);
      return body(change);
    });
    changed(api_id, ctx->depends_on_lsn);
    co_return std::move(out);
  }
  Result<ApiState> load_owned(const storage::View& view, const RequestContext& context,
                              std::string_view api_id) const;
  Result<void> require_api(const storage::View& view, const RequestContext& context,
                           std::string_view api_id) const;
  // A part of the caller's API; NotFoundException naming its kind.
  template <class T>
  Result<T> require_part(const RequestContext& context, const std::string& api_id, Part part,
                         std::string_view kind, const std::string& id) const {
    const auto view = shard_.snapshot();
    VIRGA_TRY_VOID(require_api(*view, context, api_id));
    VIRGA_TRY(found, read_part<T>(*view, api_id, part, id));
    if (!found) return fail(errors::no_such_part(kind, id));
    return std::move(*found);
  }
  // The page of a list operation: fills items and next_token.
  template <class T, class Input, class Output>
  Result<void> list(const RequestContext& context, const Input& input, Part part,
                    Output& output) const;

  // tags.cc: lets `edit` (void(map&)) change the tags of what the ARN names.
  template <class F>
  Task<bool> edit_tags_of(Ctx ctx, std::string arn, F edit);
  template <class F>
  Task<bool> edit_domain_tags(Ctx ctx, std::string name, F edit);

  // The caller's domain; NotFoundException.
  Result<api::DomainName> require_domain(const storage::View& view, const DomainPlace& place) const;
  Result<void> check_mapping(const storage::View& view, const RequestContext& context,
                             const DomainPlace& place, const api::ApiMapping& mapping) const;
  Result<std::optional<DomainPlace>> find_domain(const storage::View& view,
                                                 std::string_view host) const;
  // BadRequestException while a custom domain leads to the API, or to that stage of it.
  Result<void> check_unmapped(const storage::View& view, const ApiState& state,
                              std::optional<std::string_view> stage) const;

  // From this LSN on the compiled form is out of date.
  void changed(const std::string& api_id, storage::Lsn lsn);
  std::string new_id(size_t length) const;
  // The URL a client of this call reaches the API at.
  static std::string endpoint_of(const RequestContext& context, std::string_view api_id);

  // What an imported definition adds to an API without routes.
  Result<void> apply_definition(ApiChange& change, const ApiDefinition& definition) const;
  Result<void> check_route(const ApiState& state, const api::Route& route) const;
  // A new automatic deployment for the stages that deploy by themselves; old ones nobody points to
  // go.
  void redeploy(ApiChange& change, Timestamp now) const;

  struct Compiled {
    std::shared_ptr<const CompiledApi> api;
    storage::Lsn loaded = 0;   // the state it was made from holds at least this
    storage::Lsn changed = 0;  // the last change known of
    storage::Generation generation = 0;
  };
  static constexpr size_t kCompiledMax = 10'000;

  storage::Shard& shard_;
  async::Env& env_;
  AuthorizerCache authorizations_;
  mutable std::mutex mutex_;  // guards compiled_; never held across an await or a read of the shard
  std::map<std::string, Compiled, std::less<>> compiled_;
};

}  // namespace virga::apigatewayv2
