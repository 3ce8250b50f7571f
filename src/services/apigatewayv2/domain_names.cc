#include "api/apigatewayv2/create_domain_name.h"
#include "api/apigatewayv2/delete_domain_name.h"
#include "api/apigatewayv2/get_domain_name.h"
#include "api/apigatewayv2/get_domain_names.h"
#include "api/apigatewayv2/update_domain_name.h"
#include "base/strings.h"
#include "services/apigatewayv2/domain_store.h"
#include "services/apigatewayv2/paging.h"
#include "services/apigatewayv2/service.h"
#include "services/apigatewayv2/validate.h"

// Source: Amazon API Gateway Version 2 API Reference, "DomainNames".
namespace virga::apigatewayv2 {
namespace {

constexpr std::string_view kMappingSelection = "$request.basepath";
constexpr std::string_view kMappingsOnly = "API_MAPPING_ONLY";
constexpr size_t kRegionalNameLength = 10;

// The hosted zones of regional endpoints, which alias records name. Source: AWS General Reference,
// "Amazon API Gateway endpoints and quotas".
std::string_view hosted_zone_of(std::string_view region) {
  struct Row {
    std::string_view region;
    std::string_view zone;
  };
  static constexpr Row kRows[] = {
      {"us-east-1", "Z1UJRXOUMOOFQ8"},      {"us-east-2", "ZOJJZC49E0EPZ"},
      {"us-west-1", "Z2MUQ32089INYE"},      {"us-west-2", "Z2OJLYMUO9EFXC"},
      {"ap-south-1", "Z3VO1THU9YC4UR"},     {"ap-northeast-1", "Z1YSHQZHG15GKL"},
      {"ap-northeast-2", "Z20JF4UZKIW1U8"}, {"ap-southeast-1", "ZL327KTPIQFUL"},
      {"ap-southeast-2", "Z2RPCDW04V8134"}, {"ca-central-1", "Z19DQILCV0OWEC"},
      {"eu-central-1", "Z1U9ULNL0V5AJ3"},   {"eu-north-1", "Z3UWIKFBOOGXPP"},
      {"eu-west-1", "ZLY8HYME6SFDD"},       {"eu-west-2", "ZJ5UAJN8Y3Z2Q"},
      {"eu-west-3", "Z3KY65QIEKYHQQ"},      {"sa-east-1", "ZCMLWB8V5SYIT"}};
  for (const auto& row : kRows) {
    if (row.region == region) return row.zone;
  }
  return {};
}

// Labels of letters, digits and hyphens, at least two of them; the first may be "*".
bool is_domain_name(std::string_view name) {
  if (name.starts_with("*.")) name.remove_prefix(2);
  if (name.size() > 253 || name.find('.') == std::string_view::npos) return false;
  for (const auto label : split(name, '.')) {
    if (label.empty() || label.size() > 63 || label.front() == '-' || label.back() == '-')
      return false;
    for (const char c : label) {
      if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-')) return false;
    }
  }
  return true;
}

template <class Input>
Result<void> refuse_unsupported_members(const Input& input) {
  if (input.mutual_tls_authentication &&
      !input.mutual_tls_authentication->truststore_uri.value_or("").empty())
    return fail(errors::not_implemented("MutualTlsAuthentication"));
  if (input.routing_mode && *input.routing_mode != kMappingsOnly)
    return fail(errors::not_implemented("RoutingMode " + *input.routing_mode));
  return {};
}

// The one configuration of a domain name, with what AWS adds to it.
Result<api::DomainNameConfiguration> checked_configuration(
    const std::vector<api::DomainNameConfiguration>& given, const RequestContext& context) {
  if (given.size() != 1)
    return fail(errors::bad_request("Exactly one domain name configuration must be provided"));
  api::DomainNameConfiguration out = given.front();
  if (out.endpoint_type.value_or("REGIONAL") != "REGIONAL")
    return fail(errors::bad_request("Only REGIONAL endpoint type is supported"));
  const auto parts = split(out.certificate_arn.value_or(""), ':');
  if (parts.size() != 6 || parts[0] != "arn" || parts[2] != "acm" ||
      !parts[5].starts_with("certificate/")) {
    return fail(errors::bad_request("A valid certificate ARN must be provided"));
  }
  if (parts[3] != context.region)
    return fail(errors::bad_request("Certificate must be in '" + context.region + "'."));
  out.endpoint_type = "REGIONAL";
  if (!out.security_policy) out.security_policy = "TLS_1_2";
  if (!out.ip_address_type) out.ip_address_type = "ipv4";
  out.domain_name_status = "AVAILABLE";
  out.domain_name_status_message.reset();
  if (const auto zone = hosted_zone_of(context.region); !zone.empty())
    out.hosted_zone_id = std::string(zone);
  return out;
}

}  // namespace

Result<api::DomainName> Service::require_domain(const storage::View& view,
                                                const DomainPlace& place) const {
  VIRGA_TRY(found, read_domain(view, place));
  if (!found) return fail(errors::not_found("Invalid domain name identifier specified"));
  return std::move(*found);
}

Task<api::CreateDomainNameOutput> Service::create_domain_name(Ctx ctx,
                                                              api::CreateDomainNameInput input) {
  co_await refuse_unsupported_members(input);
  const DomainPlace place = place_of(*ctx, input.domain_name);
  if (!is_domain_name(place.name))
    co_return fail(errors::bad_request("The domain name " + input.domain_name + " is not valid"));
  auto configuration =
      co_await checked_configuration(input.domain_name_configurations.value_or({}), *ctx);
  configuration.api_gateway_domain_name =
      "d-" + new_id(kRegionalNameLength) + ".execute-api." + ctx->region +
      (ctx->partition == "aws-cn" ? ".amazonaws.com.cn" : ".amazonaws.com");
  co_await check_tags(input.tags.value_or({}));
  api::DomainName record;
  record.domain_name = place.name;
  record.domain_name_arn =
      "arn:" + ctx->partition + ":apigateway:" + ctx->region + "::/domainnames/" + place.name;
  record.api_mapping_selection_expression = std::string(kMappingSelection);
  record.domain_name_configurations.emplace().push_back(std::move(configuration));
  record.routing_mode = std::string(kMappingsOnly);
  record.tags = input.tags.value_or({});
  co_await platform::transact(ctx, shard_, [&](storage::Txn& txn) -> Result<bool> {
    VIRGA_TRY(taken, domains_named(txn, place.name));
    for (const auto& other : taken) {
      // Nobody proves here that a name is theirs: who has it first, has it everywhere.
      if (other.region == place.region || other.account != place.account)
        return fail(errors::conflict("The domain name you provided already exists."));
    }
    put_domain(txn, place, record);
    return true;
  });
  co_return from_members<api::CreateDomainNameOutput>(record);
}

Task<api::GetDomainNameOutput> Service::get_domain_name(Ctx ctx, api::GetDomainNameInput input) {
  const auto view = shard_.snapshot();
  const auto record = co_await require_domain(*view, place_of(*ctx, input.domain_name));
  co_return from_members<api::GetDomainNameOutput>(record);
}

Task<api::GetDomainNamesOutput> Service::get_domain_names(Ctx ctx, api::GetDomainNamesInput input) {
  const auto view = shard_.snapshot();
  const std::string scope = "domainnames/" + ctx->account + "/" + ctx->region;
  const PageRequest request = co_await parse_page(input.max_results, input.next_token, scope);
  const Page page =
      co_await list_domains(*view, ctx->account, ctx->region, request.after, request.limit);
  api::GetDomainNamesOutput output;
  auto& items = output.items.emplace();
  for (const auto& name : page.ids) {
    auto record = co_await read_domain(*view, place_of(*ctx, name));
    if (record) items.push_back(std::move(*record));
  }
  if (!page.next.empty()) output.next_token = make_page_token(page.next, scope);
  co_return std::move(output);
}

Task<api::UpdateDomainNameOutput> Service::update_domain_name(Ctx ctx,
                                                              api::UpdateDomainNameInput input) {
  co_await refuse_unsupported_members(input);
  const DomainPlace place = place_of(*ctx, input.domain_name);
  const auto updated =
      co_await platform::transact(ctx, shard_, [&](storage::Txn& txn) -> Result<api::DomainName> {
        VIRGA_TRY(record, require_domain(txn, place));
        if (input.domain_name_configurations) {
          VIRGA_TRY(configuration, checked_configuration(*input.domain_name_configurations, *ctx));
          auto& stored = record.domain_name_configurations->front();
          configuration.api_gateway_domain_name = stored.api_gateway_domain_name;
          stored = std::move(configuration);
        }
        put_domain(txn, place, record);
        return record;
      });
  co_return from_members<api::UpdateDomainNameOutput>(updated);
}

Task<api::DeleteDomainNameOutput> Service::delete_domain_name(Ctx ctx,
                                                              api::DeleteDomainNameInput input) {
  const DomainPlace place = place_of(*ctx, input.domain_name);
  co_await platform::transact(ctx, shard_, [&](storage::Txn& txn) -> Result<bool> {
    VIRGA_TRY_VOID(require_domain(txn, place));
    erase_domain(txn, place);
    return true;
  });
  co_return api::DeleteDomainNameOutput();
}

}  // namespace virga::apigatewayv2
