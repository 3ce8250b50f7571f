#include "base/strings.h"
#include "services/apigatewayv2/domain_store.h"
#include "services/apigatewayv2/service.h"

// Requests that come by a custom domain name. Source: API Gateway Developer Guide, "Map API stages
// to a custom domain name for HTTP APIs".
namespace virga::apigatewayv2 {
namespace {

// Whether `path` (begins with '/', percent-encoded) lies under the mapping's key, by whole
// segments.
bool lies_under(std::string_view path, std::string_view key) {
  if (key.empty()) return true;
  path.remove_prefix(1);
  return path.starts_with(key) && (path.size() == key.size() || path[key.size()] == '/');
}

// "*.example.com" for "api.example.com".
std::string wildcard_of(std::string_view host) {
  const size_t dot = host.find('.');
  return dot == std::string_view::npos ? std::string() : "*" + std::string(host.substr(dot));
}

}  // namespace

Result<std::optional<DomainPlace>> Service::find_domain(const storage::View& view,
                                                        std::string_view host) const {
  for (const std::string& name : {std::string(host), wildcard_of(host)}) {
    if (name.empty()) continue;
    VIRGA_TRY(places, domains_named(view, name));
    if (!places.empty()) return std::optional(std::move(places.front()));
  }
  return std::optional<DomainPlace>();
}

bool Service::has_domain(std::string_view host) const {
  const auto view = shard_.snapshot();
  const auto found = find_domain(*view, host);
  return found && *found;
}

// Of the mappings whose key the path lies under, the one with the longest key.
Result<std::optional<DataPlaneAddress>> Service::custom_address(std::string_view host,
                                                                std::string_view path) const {
  const auto view = shard_.snapshot();
  VIRGA_TRY(place, find_domain(*view, host));
  if (!place) return std::optional<DataPlaneAddress>();
  VIRGA_TRY(mappings, all_mappings(*view, *place));
  const api::ApiMapping* best = nullptr;
  for (const auto& mapping : mappings) {
    const std::string_view key = *mapping.api_mapping_key;
    if (lies_under(path, key) && (!best || key.size() > best->api_mapping_key->size()))
      best = &mapping;
  }
  DataPlaneAddress address;
  address.path = path;
  address.domain_name = host;
  address.mapping.emplace();
  if (best) {
    address.api_id = best->api_id;
    address.mapping->stage = best->stage;
    address.mapping->key_bytes =
        best->api_mapping_key->empty() ? 0 : best->api_mapping_key->size() + 1;
  }
  return std::optional(std::move(address));
}

}  // namespace virga::apigatewayv2
