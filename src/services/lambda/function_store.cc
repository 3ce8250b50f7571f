#include "services/lambda/function_store.h"

#include <functional>
#include <set>

#include "base/strings.h"
#include "services/lambda/errors.h"
#include "services/lambda/layer_store.h"

namespace virga::lambda::store {
namespace {

using storage::Direction;
using storage::Key;
using storage::Space;
using storage::Txn;
using storage::View;

enum Kind : uint8_t {
  kFunctions = 1,
  kBelow = 2,
  kReserved = 3,
  kLayerVersions = 5
};  // 4 to 9: layers, URLs, event sources
enum Part : uint8_t { kVersions = 1, kAliases = 2, kPolicies = 3, kEventInvokes = 4 };

Key base(const Owner& owner) {
  return Key(Space::lambda).account(owner.account).region(owner.region);
}
Key functions(const Owner& owner) {
  return base(owner).u8(kFunctions);
}
Key below(const Owner& owner, uint64_t id) {
  return base(owner).u8(kBelow).u64(id);
}
Key part(const Owner& owner, uint64_t id, Part which) {
  return below(owner, id).u8(which);
}

template <class R>
Result<std::optional<R>> find(const View& view, std::string_view key,
                              Result<R> (*decode)(std::string_view)) {
  VIRGA_TRY(bytes, view.get(key));
  if (!bytes) return std::optional<R>();
  VIRGA_TRY(record, decode(*bytes));
  return std::optional<R>(std::move(record));
}

// Records of [begin, end of prefix), up to `limit`.
template <class R>
Result<std::vector<R>> list(const View& view, const std::string& begin, const std::string& end,
                            size_t limit, Result<R> (*decode)(std::string_view)) {
  std::vector<R> out;
  std::optional<AwsError> broken;
  VIRGA_TRY_VOID(
      view.scan(begin, end, Direction::forward, [&](std::string_view, std::string_view value) {
        if (out.size() >= limit) return false;
        auto record = decode(value);
        if (!record) {
          broken = record.error();
          return false;
        }
        out.push_back(std::move(*record));
        return true;
      }));
  if (broken) return fail(*broken);
  return out;
}

// Where a listing goes on: after the key of `after`, or at the prefix's start.
std::string begin_after(Key prefix, std::string_view after) {
  if (after.empty()) return std::move(prefix).take();
  return prefix.text(after).str() + '\0';
}

std::optional<uint64_t> version_number(std::string_view text) {
  const auto number = parse_int(text);
  if (!number || *number <= 0) return std::nullopt;
  return static_cast<uint64_t>(*number);
}

}  // namespace

std::string function_key(const Owner& owner, std::string_view name) {
  return functions(owner).text(name).take();
}
std::string version_key(const Owner& owner, uint64_t id, uint64_t number) {
  return part(owner, id, kVersions).u64(number).take();
}

Result<std::optional<FunctionRecord>> find_function(const View& view, const Owner& owner,
                                                    std::string_view name) {
  return find(view, functions(owner).text(name), decode_function);
}

Result<FunctionRecord> get_function(const View& view, const FunctionName& name) {
  VIRGA_TRY(found, find_function(view, owner_of(name), name.name));
  if (!found) return fail(errors::function_not_found(name.arn()));
  return std::move(*found);
}

void put_function(Txn& txn, const Owner& owner, const FunctionRecord& record) {
  txn.put(functions(owner).text(record.name), encode(record));
}

void erase_function(Txn& txn, const Owner& owner, const FunctionRecord& record) {
  txn.allow_in_low_space();
  txn.erase(functions(owner).text(record.name));
  const Key prefix = below(owner, record.id);
  txn.erase_range(prefix, prefix.range_end());
}

Result<std::vector<FunctionRecord>> list_functions(const View& view, const Owner& owner,
                                                   std::string_view after, size_t limit) {
  return list(view, begin_after(functions(owner), after), functions(owner).range_end(), limit,
              decode_function);
}

Result<std::optional<VersionRecord>> find_version(const View& view, const Owner& owner, uint64_t id,
                                                  uint64_t number) {
  return find(view, part(owner, id, kVersions).u64(number), decode_version);
}
void put_version(Txn& txn, const Owner& owner, uint64_t id, uint64_t number,
                 const VersionRecord& record) {
  txn.put(part(owner, id, kVersions).u64(number), encode(record));
}
void erase_version(Txn& txn, const Owner& owner, uint64_t id, uint64_t number) {
  txn.allow_in_low_space();
  txn.erase(part(owner, id, kVersions).u64(number));
}
Result<std::vector<VersionRecord>> list_versions(const View& view, const Owner& owner, uint64_t id,
                                                 uint64_t after, size_t limit) {
  const Key prefix = part(owner, id, kVersions);
  const Key begin = part(owner, id, kVersions).u64(after + 1);
  return list(view, begin.str(), prefix.range_end(), limit, decode_version);
}

Result<std::optional<AliasRecord>> find_alias(const View& view, const Owner& owner, uint64_t id,
                                              std::string_view name) {
  return find(view, part(owner, id, kAliases).text(name), decode_alias);
}
void put_alias(Txn& txn, const Owner& owner, uint64_t id, const AliasRecord& record) {
  txn.put(part(owner, id, kAliases).text(record.name), encode(record));
}
void erase_alias(Txn& txn, const Owner& owner, uint64_t id, std::string_view name) {
  txn.allow_in_low_space();
  txn.erase(part(owner, id, kAliases).text(name));
}
Result<std::vector<AliasRecord>> list_aliases(const View& view, const Owner& owner, uint64_t id,
                                              std::string_view after, size_t limit) {
  return list(view, begin_after(part(owner, id, kAliases), after),
              part(owner, id, kAliases).range_end(), limit, decode_alias);
}

Result<std::optional<PolicyRecord>> find_policy(const View& view, const Owner& owner, uint64_t id,
                                                std::string_view qualifier) {
  return find(view, part(owner, id, kPolicies).text(qualifier), decode_policy);
}
void put_policy(Txn& txn, const Owner& owner, uint64_t id, std::string_view qualifier,
                const PolicyRecord& record) {
  const Key key = part(owner, id, kPolicies).text(qualifier);
  if (record.statements.empty()) {
    txn.erase(key);
  } else {
    txn.put(key, encode(record));
  }
}

Result<std::optional<EventInvokeRecord>> find_event_invoke(const View& view, const Owner& owner,
                                                           uint64_t id,
                                                           std::string_view qualifier) {
  return find(view, part(owner, id, kEventInvokes).text(qualifier), decode_event_invoke);
}
void put_event_invoke(Txn& txn, const Owner& owner, uint64_t id, const EventInvokeRecord& record) {
  txn.put(part(owner, id, kEventInvokes).text(record.qualifier), encode(record));
}
void erase_event_invoke(Txn& txn, const Owner& owner, uint64_t id, std::string_view qualifier) {
  txn.erase(part(owner, id, kEventInvokes).text(qualifier));
}
Result<std::vector<EventInvokeRecord>> list_event_invokes(const View& view, const Owner& owner,
                                                          uint64_t id, std::string_view after,
                                                          size_t limit) {
  return list(view, begin_after(part(owner, id, kEventInvokes), after),
              part(owner, id, kEventInvokes).range_end(), limit, decode_event_invoke);
}

Result<int> reserved_total(const View& view, const Owner& owner) {
  VIRGA_TRY(all, list_functions(view, owner, "", SIZE_MAX));
  int total = 0;
  for (const auto& function : all) total += function.reserved_concurrency.value_or(0);
  return total;
}

Result<int> account_reserved(const View& view, const Owner& owner) {
  VIRGA_TRY(bytes, view.get(base(owner).u8(kReserved)));
  return static_cast<int>(bytes ? parse_int(*bytes).value_or(0) : 0);
}
void put_account_reserved(Txn& txn, const Owner& owner, int total) {
  const Key key = base(owner).u8(kReserved);
  if (total == 0) {
    txn.erase(key);
  } else {
    txn.put(key, std::to_string(total));
  }
}

Result<std::vector<std::string>> all_code_hashes(const View& view) {
  std::set<std::string> hashes;
  std::optional<AwsError> broken;
  const auto add = [&](const VersionRecord& version) {
    hashes.insert(version.code.sha256_hex);
    for (const auto& layer : version.layers) hashes.insert(layer.code.sha256_hex);
  };
  const Key all(Space::lambda);
  VIRGA_TRY_VOID(view.scan(all, all.range_end(), Direction::forward,
                           [&](std::string_view key, std::string_view value) {
                             storage::KeyReader reader(key);
                             reader.u8();
                             reader.text();
                             reader.text();
                             const uint8_t kind = reader.u8();
                             if (kind == kFunctions) {
                               const auto record = decode_function(value);
                               if (record) add(record->latest);
                               if (!record) broken = record.error();
                             } else if (kind == kBelow) {
                               reader.u64();
                               if (reader.u8() != kVersions) return true;
                               const auto record = decode_version(value);
                               if (record) add(*record);
                               if (!record) broken = record.error();
                             } else if (kind == kLayerVersions) {
                               const auto record = decode_layer_version(value);
                               if (record) hashes.insert(record->code.sha256_hex);
                               if (!record) broken = record.error();
                             }
                             return !broken;
                           }));
  if (broken) return fail(*broken);
  return std::vector<std::string>(hashes.begin(), hashes.end());
}

Result<std::vector<std::string>> all_runtimes(const View& view) {
  std::set<std::string> runtimes;
  const Key all(Space::lambda);
  VIRGA_TRY_VOID(view.scan(all, all.range_end(), Direction::forward,
                           [&](std::string_view key, std::string_view value) {
                             storage::KeyReader reader(key);
                             reader.u8();
                             reader.text();
                             reader.text();
                             if (reader.u8() != kFunctions) return true;
                             const auto record = decode_function(value);
                             if (record) runtimes.insert(record->latest.runtime);
                             return true;
                           }));
  return std::vector<std::string>(runtimes.begin(), runtimes.end());
}

Result<std::string> resolve_qualifier(const View& view, const FunctionName& name, uint64_t id,
                                      double chance) {
  std::string version(name.qualifier_or_latest());
  if (is_version(version)) return version;
  VIRGA_TRY(alias, find_alias(view, owner_of(name), id, version));
  if (!alias) return fail(errors::function_not_found(name.arn()));
  for (const auto& [additional, weight] : alias->weights) {
    if (chance < weight) return additional;
    chance -= weight;
  }
  return alias->version;
}

Result<Resolved> resolve(const View& view, const FunctionName& name, double chance) {
  VIRGA_TRY(function, get_function(view, name));
  const Owner owner = owner_of(name);
  VIRGA_TRY(version, resolve_qualifier(view, name, function.id, chance));
  if (version == kLatest) {
    VersionRecord latest = function.latest;
    return Resolved{.function = std::move(function), .version = std::move(latest)};
  }
  const auto number = version_number(version);
  if (!number) return fail(errors::function_not_found(name.arn()));
  VIRGA_TRY(found, find_version(view, owner, function.id, *number));
  if (!found) return fail(errors::function_not_found(name.arn()));
  return Resolved{.function = std::move(function), .version = std::move(*found)};
}

}  // namespace virga::lambda::store
