#include "services/apigatewayv2/domain_store.h"

#include <algorithm>

#include "base/strings.h"
#include "storage/keys.h"

namespace virga::apigatewayv2 {
namespace {

using storage::Key;
using storage::Space;

constexpr uint8_t kDomains = 3;
constexpr uint8_t kDomainListing = 4;
constexpr char kDomainFormat = 1;

enum class DomainPart : uint8_t { domain = 0, mapping = 1 };

Key name_range(std::string_view name) {
  Key key(Space::apigateway);
  key.u8(kDomains).text(name);
  return key;
}
Key domain_range(const DomainPlace& place) {
  Key key = name_range(place.name);
  key.account(place.account).region(place.region);
  return key;
}
Key part_range(const DomainPlace& place, DomainPart part) {
  Key key = domain_range(place);
  key.u8(static_cast<uint8_t>(part));
  return key;
}
std::string key_of(const DomainPlace& place, DomainPart part, std::string_view id = {}) {
  return part_range(place, part).text(id).str();
}
Key listing_range(std::string_view account, std::string_view region) {
  Key key(Space::apigateway);
  key.u8(kDomainListing).account(account).region(region);
  return key;
}

template <class T>
Result<std::optional<T>> read(const storage::View& view, const std::string& key) {
  VIRGA_TRY(bytes, view.get(key));
  if (!bytes) return std::optional<T>();
  VIRGA_TRY(record, decode_record<T>(*bytes));
  return std::optional<T>(std::move(record));
}

}  // namespace

DomainPlace place_of(const RequestContext& context, std::string_view name) {
  return {.name = to_lower(name), .account = context.account, .region = context.region};
}

Result<std::optional<api::DomainName>> read_domain(const storage::View& view,
                                                   const DomainPlace& place) {
  return read<api::DomainName>(view, key_of(place, DomainPart::domain));
}

Result<std::vector<DomainPlace>> domains_named(const storage::View& view, std::string_view name) {
  const Key range = name_range(name);
  std::vector<DomainPlace> found;
  const auto scanned =
      view.scan(range.str(), range.range_end(), storage::Direction::forward,
                [&](std::string_view key, std::string_view) {
                  storage::KeyReader reader(key.substr(range.str().size()));
                  DomainPlace place{
                      .name = std::string(name), .account = reader.text(), .region = reader.text()};
                  const auto part = static_cast<DomainPart>(reader.u8());
                  if (part == DomainPart::domain) found.push_back(place);
                  return true;
                });
  if (!scanned) return fail(scanned.error());
  return found;
}

Result<Page> list_domains(const storage::View& view, std::string_view account,
                          std::string_view region, std::string_view after, size_t limit) {
  return list_range(view, listing_range(account, region), after, limit);
}

Result<std::optional<api::ApiMapping>> read_mapping(const storage::View& view,
                                                    const DomainPlace& place, std::string_view id) {
  return read<api::ApiMapping>(view, key_of(place, DomainPart::mapping, id));
}

Result<Page> list_mappings(const storage::View& view, const DomainPlace& place,
                           std::string_view after, size_t limit) {
  return list_range(view, part_range(place, DomainPart::mapping), after, limit);
}

Result<std::vector<api::ApiMapping>> all_mappings(const storage::View& view,
                                                  const DomainPlace& place) {
  VIRGA_TRY(page, list_mappings(view, place, {}, SIZE_MAX));
  std::vector<api::ApiMapping> mappings;
  for (const auto& bytes : page.records) {
    VIRGA_TRY(record, decode_record<api::ApiMapping>(bytes));
    mappings.push_back(std::move(record));
  }
  return mappings;
}

Result<std::vector<std::string>> domains_mapped_to(const storage::View& view, const Owner& owner,
                                                   std::string_view api_id,
                                                   std::optional<std::string_view> stage) {
  VIRGA_TRY(page, list_domains(view, owner.account, owner.region, {}, SIZE_MAX));
  std::vector<std::string> names;
  for (const auto& name : page.ids) {
    VIRGA_TRY(mappings, all_mappings(view, {name, owner.account, owner.region}));
    const bool mapped = std::any_of(mappings.begin(), mappings.end(), [&](const auto& mapping) {
      return mapping.api_id == api_id && (!stage || mapping.stage == *stage);
    });
    if (mapped) names.push_back(name);
  }
  return names;
}

void put_domain(storage::Txn& txn, const DomainPlace& place, const api::DomainName& record) {
  txn.put(key_of(place, DomainPart::domain), encode_record(record));
  txn.put(listing_range(place.account, place.region).text(place.name).str(),
          std::string(1, kDomainFormat));
}

void put_mapping(storage::Txn& txn, const DomainPlace& place, const api::ApiMapping& record) {
  txn.put(key_of(place, DomainPart::mapping, *record.api_mapping_id), encode_record(record));
}

void erase_mapping(storage::Txn& txn, const DomainPlace& place, std::string_view id) {
  txn.erase(key_of(place, DomainPart::mapping, id));
}

void erase_domain(storage::Txn& txn, const DomainPlace& place) {
  const Key range = domain_range(place);
  txn.allow_in_low_space();
  txn.erase_range(range.str(), range.range_end());
  txn.erase(listing_range(place.account, place.region).text(place.name).str());
}

}  // namespace virga::apigatewayv2
