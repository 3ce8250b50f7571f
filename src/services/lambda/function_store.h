#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "services/lambda/function_name.h"
#include "services/lambda/records.h"
#include "storage/keys.h"
#include "storage/shard.h"

// All reading and writing of Lambda's keys: free functions over a View (a snapshot or a
// transaction) and a Txn. Keys, below Space::lambda | account | region:
//   1 | name                  → FunctionRecord, with the function's id
//   3                        → what the owner's functions reserve in all, decimal
//   2 | id | 1 | number       → VersionRecord of a published version
//   2 | id | 2 | alias        → AliasRecord
//   2 | id | 3 | qualifier    → PolicyRecord ("" for the function itself)
//   2 | id | 4 | qualifier    → EventInvokeRecord
//   2 | id | 5, and 4 to 9: layer_store.h, url_store.h, event_source.h
namespace virga::lambda::store {

struct Owner {
  std::string account;
  std::string region;
};
inline Owner owner_of(const FunctionName& name) {
  return {name.account, name.region};
}

std::string function_key(const Owner& owner, std::string_view name);
std::string version_key(const Owner& owner, uint64_t id, uint64_t number);
Result<std::optional<FunctionRecord>> find_function(const storage::View& view, const Owner& owner,
                                                    std::string_view name);
// Function not found: `name.arn()`.
Result<FunctionRecord> get_function(const storage::View& view, const FunctionName& name);
void put_function(storage::Txn& txn, const Owner& owner, const FunctionRecord& record);
// With everything below it.
void erase_function(storage::Txn& txn, const Owner& owner, const FunctionRecord& record);
// In the order of their names, after `after`; at most `limit`.
Result<std::vector<FunctionRecord>> list_functions(const storage::View& view, const Owner& owner,
                                                   std::string_view after, size_t limit);

Result<std::optional<VersionRecord>> find_version(const storage::View& view, const Owner& owner,
                                                  uint64_t id, uint64_t number);
void put_version(storage::Txn& txn, const Owner& owner, uint64_t id, uint64_t number,
                 const VersionRecord& record);
void erase_version(storage::Txn& txn, const Owner& owner, uint64_t id, uint64_t number);
// Ascending, after `after`.
Result<std::vector<VersionRecord>> list_versions(const storage::View& view, const Owner& owner,
                                                 uint64_t id, uint64_t after, size_t limit);

Result<std::optional<AliasRecord>> find_alias(const storage::View& view, const Owner& owner,
                                              uint64_t id, std::string_view name);
void put_alias(storage::Txn& txn, const Owner& owner, uint64_t id, const AliasRecord& record);
void erase_alias(storage::Txn& txn, const Owner& owner, uint64_t id, std::string_view name);
Result<std::vector<AliasRecord>> list_aliases(const storage::View& view, const Owner& owner,
                                              uint64_t id, std::string_view after, size_t limit);

Result<std::optional<PolicyRecord>> find_policy(const storage::View& view, const Owner& owner,
                                                uint64_t id, std::string_view qualifier);
// A policy without statements is removed.
void put_policy(storage::Txn& txn, const Owner& owner, uint64_t id, std::string_view qualifier,
                const PolicyRecord& record);

Result<std::optional<EventInvokeRecord>> find_event_invoke(const storage::View& view,
                                                           const Owner& owner, uint64_t id,
                                                           std::string_view qualifier);
void put_event_invoke(storage::Txn& txn, const Owner& owner, uint64_t id,
                      const EventInvokeRecord& record);
void erase_event_invoke(storage::Txn& txn, const Owner& owner, uint64_t id,
                        std::string_view qualifier);
Result<std::vector<EventInvokeRecord>> list_event_invokes(const storage::View& view,
                                                          const Owner& owner, uint64_t id,
                                                          std::string_view after, size_t limit);

// Sum of what the owner's functions reserve, from their records; and the same kept for invocations
// to read.
Result<int> reserved_total(const storage::View& view, const Owner& owner);
Result<int> account_reserved(const storage::View& view, const Owner& owner);
void put_account_reserved(storage::Txn& txn, const Owner& owner, int total);
// Hashes of all code that any version of any function or layer of any account has.
Result<std::vector<std::string>> all_code_hashes(const storage::View& view);

// Runtimes of all functions of all accounts.
Result<std::vector<std::string>> all_runtimes(const storage::View& view);

// The version that a qualifier means: $LATEST, a number, or an alias' (with its share of traffic,
// decided by `chance` in [0, 1)). Function not found when there is none.
Result<std::string> resolve_qualifier(const storage::View& view, const FunctionName& name,
                                      uint64_t id, double chance);
struct Resolved {
  FunctionRecord function;
  VersionRecord version;
};
Result<Resolved> resolve(const storage::View& view, const FunctionName& name, double chance);

}  // namespace virga::lambda::store
