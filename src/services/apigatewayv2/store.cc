#include "services/apigatewayv2/store.h"

#include "base/json.h"
#include "storage/keys.h"

namespace virga::apigatewayv2 {
namespace {

using storage::Key;
using storage::Space;

constexpr uint8_t kApis = 1;
constexpr uint8_t kListing = 2;
constexpr char kFormat = 1;

Key api_range(std::string_view api_id) {
  Key key(Space::apigateway);
  key.u8(kApis).text(api_id);
  return key;
}
Key part_range(std::string_view api_id, Part part) {
  Key key = api_range(api_id);
  key.u8(static_cast<uint8_t>(part));
  return key;
}
Key listing_range(std::string_view account, std::string_view region) {
  Key key(Space::apigateway);
  key.u8(kListing).account(account).region(region);
  return key;
}

std::string encode_owner(const Owner& owner) {
  std::string bytes(1, kFormat);
  JsonWriter w(bytes);
  w.begin_object();
  w.key("account");
  w.string(owner.account);
  w.key("region");
  w.string(owner.region);
  w.key("partition");
  w.string(owner.partition);
  w.end_object();
  return bytes;
}

Result<Owner> decode_owner(std::string_view bytes) {
  if (bytes.empty() || bytes.front() != kFormat)
    return fail(internal_failure("an API's owner record has an unknown format"));
  VIRGA_TRY(document, parse_json(bytes.substr(1)));
  return Owner{.account = std::string(document.string_or("account", "")),
               .region = std::string(document.string_or("region", "")),
               .partition = std::string(document.string_or("partition", "aws"))};
}

template <class T>
Result<void> take(std::map<std::string, T>& into, std::string id, std::string_view bytes) {
  VIRGA_TRY(record, decode_record<T>(bytes));
  into.insert_or_assign(std::move(id), std::move(record));
  return {};
}

Result<void> take_part(ApiState& state, Part part, std::string id, std::string_view bytes) {
  switch (part) {
    case Part::owner: {
      VIRGA_TRY(owner, decode_owner(bytes));
      state.owner = std::move(owner);
      return {};
    }
    case Part::api:
      return decode_record(bytes, api::Api::descriptor(), &state.api);
    case Part::route:
      return take(state.routes, std::move(id), bytes);
    case Part::integration:
      return take(state.integrations, std::move(id), bytes);
    case Part::authorizer:
      return take(state.authorizers, std::move(id), bytes);
    case Part::stage:
      return take(state.stages, std::move(id), bytes);
    case Part::deployment:
      return take(state.deployments, std::move(id), bytes);
    case Part::snapshot:
      state.snapshots.insert_or_assign(std::move(id), std::string(bytes));
      return {};
  }
  return fail(internal_failure("an API has a part of unknown kind"));
}

}  // namespace

Result<Page> list_range(const storage::View& view, const Key& range, std::string_view after,
                        size_t limit) {
  std::string begin(range.str());
  if (!after.empty()) begin = prefix_end(Key(range).text(after));
  Page page;
  const auto scanned = view.scan(begin, range.range_end(), storage::Direction::forward,
                                 [&](std::string_view key, std::string_view value) {
                                   if (page.ids.size() == limit) {
                                     page.next = page.ids.back();
                                     return false;
                                   }
                                   storage::KeyReader reader(key.substr(range.str().size()));
                                   page.ids.push_back(reader.text());
                                   page.records.emplace_back(value);
                                   return true;
                                 });
  if (!scanned) return fail(scanned.error());
  return page;
}

std::string part_key(std::string_view api_id, Part part, std::string_view id) {
  return part_range(api_id, part).text(id).str();
}
std::string parts_begin(std::string_view api_id, Part part) {
  return part_range(api_id, part).str();
}
std::string listing_key(std::string_view account, std::string_view region,
                        std::string_view api_id) {
  return listing_range(account, region).text(api_id).str();
}

Result<std::optional<Owner>> read_owner(const storage::View& view, std::string_view api_id) {
  VIRGA_TRY(bytes, view.get(part_key(api_id, Part::owner)));
  if (!bytes) return std::optional<Owner>();
  VIRGA_TRY(owner, decode_owner(*bytes));
  return std::optional<Owner>(std::move(owner));
}

Result<std::optional<ApiState>> load_api(const storage::View& view, std::string_view api_id) {
  const Key range = api_range(api_id);
  ApiState state;
  bool found = false;
  Result<void> taken;
  const auto scanned = view.scan(range.str(), range.range_end(), storage::Direction::forward,
                                 [&](std::string_view key, std::string_view value) {
                                   storage::KeyReader reader(key.substr(range.str().size()));
                                   const auto part = static_cast<Part>(reader.u8());
                                   std::string id = reader.text();
                                   found = found || part == Part::owner;
                                   taken = take_part(state, part, std::move(id), value);
                                   return taken.has_value();
                                 });
  if (!scanned) return fail(scanned.error());
  if (!taken) return fail(taken.error());
  if (!found) return std::optional<ApiState>();
  return std::optional<ApiState>(std::move(state));
}

Result<Page> list_parts(const storage::View& view, std::string_view api_id, Part part,
                        std::string_view after, size_t limit) {
  return list_range(view, part_range(api_id, part), after, limit);
}
Result<Page> list_api_ids(const storage::View& view, std::string_view account,
                          std::string_view region, std::string_view after, size_t limit) {
  return list_range(view, listing_range(account, region), after, limit);
}

void ApiChange::put_owner() {
  txn_.put(part_key(api_id(), Part::owner), encode_owner(state_.owner));
  txn_.put(listing_key(state_.owner.account, state_.owner.region, api_id()),
           std::string(1, kFormat));
}
void ApiChange::put_api() {
  write(Part::api, "", state_.api);
}
void ApiChange::put(api::Route record) {
  const std::string id = *record.route_id;
  write(Part::route, id, record);
  state_.routes.insert_or_assign(id, std::move(record));
}
void ApiChange::put(api::Integration record) {
  const std::string id = *record.integration_id;
  write(Part::integration, id, record);
  state_.integrations.insert_or_assign(id, std::move(record));
}
void ApiChange::put(api::Authorizer record) {
  const std::string id = *record.authorizer_id;
  write(Part::authorizer, id, record);
  state_.authorizers.insert_or_assign(id, std::move(record));
}
void ApiChange::put(api::Stage record) {
  const std::string id = record.stage_name;
  write(Part::stage, id, record);
  state_.stages.insert_or_assign(id, std::move(record));
}
void ApiChange::put(api::Deployment record) {
  const std::string id = *record.deployment_id;
  write(Part::deployment, id, record);
  state_.deployments.insert_or_assign(id, std::move(record));
}
void ApiChange::put_snapshot(const std::string& deployment_id, std::string snapshot) {
  txn_.put(part_key(api_id(), Part::snapshot, deployment_id), snapshot);
  state_.snapshots.insert_or_assign(deployment_id, std::move(snapshot));
}
void ApiChange::erase(Part part, const std::string& id) {
  txn_.erase(part_key(api_id(), part, id));
  switch (part) {
    case Part::route:
      state_.routes.erase(id);
      break;
    case Part::integration:
      state_.integrations.erase(id);
      break;
    case Part::authorizer:
      state_.authorizers.erase(id);
      break;
    case Part::stage:
      state_.stages.erase(id);
      break;
    case Part::deployment:
      state_.deployments.erase(id);
      break;
    case Part::snapshot:
      state_.snapshots.erase(id);
      break;
    case Part::owner:
    case Part::api:
      CHECK(false);
  }
}
void ApiChange::erase_api() {
  const Key range = api_range(api_id());
  txn_.allow_in_low_space();
  txn_.erase_range(range.str(), range.range_end());
  txn_.erase(listing_key(state_.owner.account, state_.owner.region, api_id()));
}

}  // namespace virga::apigatewayv2
