#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/apigatewayv2/shapes/api_mapping.h"
#include "api/apigatewayv2/shapes/domain_name.h"
#include "aws/context.h"
#include "services/apigatewayv2/store.h"

// Custom domain names and their API mappings in the shard. docs/formats/apigatewayv2.md:
//   apigateway | 3 | domain name | account | region | part | id    one domain's records, one range
//   apigateway | 4 | account | region | domain name                the domains of an account
// The name comes first because it is all that a request on the data plane has.
namespace virga::apigatewayv2 {

// Which domain: a name may exist once in every region.
struct DomainPlace {
  std::string name;  // lower case
  std::string account;
  std::string region;
};

// Of the caller.
DomainPlace place_of(const RequestContext& context, std::string_view name);

Result<std::optional<api::DomainName>> read_domain(const storage::View& view,
                                                   const DomainPlace& place);
// Who has this name, in the order of their accounts and regions.
Result<std::vector<DomainPlace>> domains_named(const storage::View& view, std::string_view name);
Result<Page> list_domains(const storage::View& view, std::string_view account,
                          std::string_view region, std::string_view after, size_t limit);

Result<std::optional<api::ApiMapping>> read_mapping(const storage::View& view,
                                                    const DomainPlace& place, std::string_view id);
Result<Page> list_mappings(const storage::View& view, const DomainPlace& place,
                           std::string_view after, size_t limit);
Result<std::vector<api::ApiMapping>> all_mappings(const storage::View& view,
                                                  const DomainPlace& place);
// The names of the domains with a mapping to this API, or to one of its stages only.
Result<std::vector<std::string>> domains_mapped_to(const storage::View& view, const Owner& owner,
                                                   std::string_view api_id,
                                                   std::optional<std::string_view> stage);

void put_domain(storage::Txn& txn, const DomainPlace& place, const api::DomainName& record);
void put_mapping(storage::Txn& txn, const DomainPlace& place, const api::ApiMapping& record);
void erase_mapping(storage::Txn& txn, const DomainPlace& place, std::string_view id);
void erase_domain(storage::Txn& txn, const DomainPlace& place);  // with its mappings

}  // namespace virga::apigatewayv2
