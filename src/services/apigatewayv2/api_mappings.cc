#include "api/apigatewayv2/create_api_mapping.h"
#include "api/apigatewayv2/delete_api_mapping.h"
#include "api/apigatewayv2/get_api_mapping.h"
#include "api/apigatewayv2/get_api_mappings.h"
#include "api/apigatewayv2/update_api_mapping.h"
#include "base/strings.h"
#include "services/apigatewayv2/domain_store.h"
#include "services/apigatewayv2/paging.h"
#include "services/apigatewayv2/service.h"

// Source: Amazon API Gateway Version 2 API Reference, "ApiMappings"; Developer Guide, "Map API
// stages to a custom domain name for HTTP APIs".
namespace virga::apigatewayv2 {
namespace {

constexpr size_t kMappingIdLength = 6;
constexpr size_t kKeyBytesMax = 300;

AwsError no_such_mapping() {
  return errors::not_found("Invalid API mapping identifier specified");
}

// One or more path segments without slashes around them; empty for everything else.
Result<void> check_key(std::string_view key) {
  const bool slashed =
      key.starts_with('/') || key.ends_with('/') || key.find("//") != std::string_view::npos;
  const bool letters = key.find_first_not_of(
                           "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                           "$-_.+!*'()/") == std::string_view::npos;
  if (!letters) {
    return fail(errors::bad_request(
        "API mapping key may only contain letters, numbers and one of $-_.+!*'()/"));
  }
  if (slashed || key.size() > kKeyBytesMax)
    return fail(errors::bad_request("Invalid API mapping key specified: " + std::string(key)));
  return {};
}

}  // namespace

// The domain, the API and the stage are the caller's, and no other mapping has the key.
Result<void> Service::check_mapping(const storage::View& view, const RequestContext& context,
                                    const DomainPlace& place,
                                    const api::ApiMapping& mapping) const {
  VIRGA_TRY_VOID(check_key(mapping.api_mapping_key.value_or("")));
  VIRGA_TRY_VOID(require_api(view, context, mapping.api_id));
  VIRGA_TRY(stage, read_part<api::Stage>(view, mapping.api_id, Part::stage, mapping.stage));
  if (!stage) return fail(errors::no_such_part("Stage", mapping.stage));
  VIRGA_TRY(others, all_mappings(view, place));
  for (const auto& other : others) {
    if (other.api_mapping_id != mapping.api_mapping_id &&
        other.api_mapping_key.value_or("") == mapping.api_mapping_key.value_or("")) {
      return fail(errors::conflict("ApiMapping key already exists for this domain name"));
    }
  }
  return {};
}

Result<void> Service::check_unmapped(const storage::View& view, const ApiState& state,
                                     std::optional<std::string_view> stage) const {
  VIRGA_TRY(names, domains_mapped_to(view, state.owner, *state.api.api_id, stage));
  if (names.empty()) return {};
  const std::string what = stage ? "stage" : "API";
  return fail(errors::bad_request("Deleting " + what +
                                  " failed. Please remove all base path mappings related to the " +
                                  what + " in your domains: " + join(names, ", ")));
}

Task<api::CreateApiMappingOutput> Service::create_api_mapping(Ctx ctx,
                                                              api::CreateApiMappingInput input) {
  const DomainPlace place = place_of(*ctx, input.domain_name);
  api::ApiMapping mapping;
  mapping.api_mapping_id = new_id(kMappingIdLength);
  mapping.api_id = input.api_id;
  mapping.stage = input.stage;
  mapping.api_mapping_key = input.api_mapping_key.value_or("");
  co_await platform::transact(ctx, shard_, [&](storage::Txn& txn) -> Result<bool> {
    VIRGA_TRY_VOID(require_domain(txn, place));
    VIRGA_TRY_VOID(check_mapping(txn, *ctx, place, mapping));
    put_mapping(txn, place, mapping);
    return true;
  });
  co_return from_members<api::CreateApiMappingOutput>(mapping);
}

Task<api::GetApiMappingOutput> Service::get_api_mapping(Ctx ctx, api::GetApiMappingInput input) {
  const auto view = shard_.snapshot();
  const DomainPlace place = place_of(*ctx, input.domain_name);
  co_await require_domain(*view, place);
  const auto mapping = co_await read_mapping(*view, place, input.api_mapping_id);
  if (!mapping) co_return fail(no_such_mapping());
  co_return from_members<api::GetApiMappingOutput>(*mapping);
}

Task<api::GetApiMappingsOutput> Service::get_api_mappings(Ctx ctx, api::GetApiMappingsInput input) {
  const auto view = shard_.snapshot();
  const DomainPlace place = place_of(*ctx, input.domain_name);
  co_await require_domain(*view, place);
  const std::string scope = "apimappings/" + place.account + "/" + place.region + "/" + place.name;
  const PageRequest request = co_await parse_page(input.max_results, input.next_token, scope);
  const Page page = co_await list_mappings(*view, place, request.after, request.limit);
  api::GetApiMappingsOutput output;
  auto& items = output.items.emplace();
  for (const auto& bytes : page.records) {
    auto record = co_await decode_record<api::ApiMapping>(bytes);
    items.push_back(std::move(record));
  }
  if (!page.next.empty()) output.next_token = make_page_token(page.next, scope);
  co_return std::move(output);
}

Task<api::UpdateApiMappingOutput> Service::update_api_mapping(Ctx ctx,
                                                              api::UpdateApiMappingInput input) {
  const DomainPlace place = place_of(*ctx, input.domain_name);
  const auto updated =
      co_await platform::transact(ctx, shard_, [&](storage::Txn& txn) -> Result<api::ApiMapping> {
        VIRGA_TRY_VOID(require_domain(txn, place));
        VIRGA_TRY(mapping, read_mapping(txn, place, input.api_mapping_id));
        if (!mapping) return fail(no_such_mapping());
        mapping->api_id = input.api_id;
        if (input.stage) mapping->stage = *input.stage;
        if (input.api_mapping_key) mapping->api_mapping_key = *input.api_mapping_key;
        VIRGA_TRY_VOID(check_mapping(txn, *ctx, place, *mapping));
        put_mapping(txn, place, *mapping);
        return *mapping;
      });
  co_return from_members<api::UpdateApiMappingOutput>(updated);
}

Task<api::DeleteApiMappingOutput> Service::delete_api_mapping(Ctx ctx,
                                                              api::DeleteApiMappingInput input) {
  const DomainPlace place = place_of(*ctx, input.domain_name);
  co_await platform::transact(ctx, shard_, [&](storage::Txn& txn) -> Result<bool> {
    VIRGA_TRY_VOID(require_domain(txn, place));
    VIRGA_TRY(mapping, read_mapping(txn, place, input.api_mapping_id));
    if (!mapping) return fail(no_such_mapping());
    erase_mapping(txn, place, input.api_mapping_id);
    return true;
  });
  co_return api::DeleteApiMappingOutput();
}

}  // namespace virga::apigatewayv2
