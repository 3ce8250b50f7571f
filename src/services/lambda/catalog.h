#pragma once

#include "platform/resource_catalog.h"
#include "storage/shard.h"

namespace virga::lambda {

// Functions as the door sees them: the policy of the function, version or alias that an ARN names,
// and the function's tags. The policy of the function does not count for its versions and aliases,
// nor theirs for it. Source: Lambda Developer Guide, "Viewing resource-based IAM policies in
// Lambda".
class Catalog final : public platform::ResourceCatalog {
 public:
  explicit Catalog(storage::Shard& shard) : shard_(shard) {}
  Task<platform::ResourceFacts> facts_of(std::string arn) override;

 private:
  Result<platform::ResourceFacts> read(const std::string& arn) const;

  storage::Shard& shard_;
};

}  // namespace virga::lambda
