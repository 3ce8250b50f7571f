#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "services/lambda/function_store.h"

// Layers as they are kept. Keys, below Space::lambda | account | region:
//   4 | layer              → LayerRecord
//   5 | layer | number     → LayerVersionRecord
//   6 | layer | number     → PolicyRecord
namespace virga::lambda {

// arn:aws:lambda:REGION:ACCOUNT:layer:NAME, with or without a version.
struct LayerName {
  std::string account;
  std::string region;
  std::string partition;
  std::string name;

  // A name, or an ARN without version.
  static Result<LayerName> parse(std::string_view text, std::string_view account,
                                 std::string_view region, std::string_view partition);
  std::string arn() const;
  std::string version_arn(uint64_t version) const;
};
struct LayerVersionName {
  LayerName layer;
  uint64_t version = 0;
  // nullopt for what is no ARN of a layer version.
  static std::optional<LayerVersionName> parse_arn(std::string_view arn);
};

struct LayerRecord {
  std::string name;
  uint64_t last_version = 0;  // ever published: numbers are not used again
};

struct LayerVersionRecord {
  std::string layer;
  uint64_t version = 0;
  std::string description;
  std::string license;
  std::vector<std::string> runtimes;
  std::vector<std::string> architectures;
  Timestamp created;
  CodeRecord code;
};

namespace store {

inline Owner owner_of(const LayerName& name) {
  return {name.account, name.region};
}

Result<std::optional<LayerRecord>> find_layer(const storage::View& view, const Owner& owner,
                                              std::string_view layer);
void put_layer(storage::Txn& txn, const Owner& owner, const LayerRecord& record);
Result<std::vector<LayerRecord>> list_layers(const storage::View& view, const Owner& owner,
                                             std::string_view after, size_t limit);

Result<std::optional<LayerVersionRecord>> find_layer_version(const storage::View& view,
                                                             const Owner& owner,
                                                             std::string_view layer,
                                                             uint64_t version);
void put_layer_version(storage::Txn& txn, const Owner& owner, const LayerVersionRecord& record);
// With its policy.
void erase_layer_version(storage::Txn& txn, const Owner& owner, std::string_view layer,
                         uint64_t version);
// The newest first, below `before`.
Result<std::vector<LayerVersionRecord>> list_layer_versions(const storage::View& view,
                                                            const Owner& owner,
                                                            std::string_view layer, uint64_t before,
                                                            size_t limit);

Result<std::optional<PolicyRecord>> find_layer_policy(const storage::View& view, const Owner& owner,
                                                      std::string_view layer, uint64_t version);
// A policy without statements is removed.
void put_layer_policy(storage::Txn& txn, const Owner& owner, std::string_view layer,
                      uint64_t version, const PolicyRecord& record);

Result<LayerVersionRecord> decode_layer_version(std::string_view bytes);

}  // namespace store
}  // namespace virga::lambda
