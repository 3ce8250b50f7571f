#pragma once

#include "platform/resource_catalog.h"
#include "storage/shard.h"

namespace virga::iam {

// IAM's own objects as the door sees them. Calls name them without their path; policies name them
// with it. A new object's path comes with the call. Roles' trust policies are evaluated by STS:
// nothing else is decided by them. Source: IAM User Guide, "IAM identifiers"; Service Authorization
// Reference, "AWS Identity and Access Management".
class Catalog final : public platform::ResourceCatalog {
 public:
  explicit Catalog(storage::Shard& shard) : shard_(shard) {}
  Task<platform::ResourceFacts> facts_of(std::string arn) override;

 private:
  Result<platform::ResourceFacts> read(const std::string& arn) const;

  storage::Shard& shard_;
};

}  // namespace virga::iam
