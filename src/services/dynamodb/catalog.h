#pragma once

#include "platform/resource_catalog.h"
#include "services/dynamodb/table_store.h"

namespace virga::dynamodb {

// Tables as the door sees them: their resource policies, which count for their indexes too, and
// their tags. Source: DynamoDB Developer Guide, "Using resource-based policies for DynamoDB".
class Catalog final : public platform::ResourceCatalog {
 public:
  explicit Catalog(storage::Shard& shard) : shard_(shard), tables_(shard) {}
  Task<platform::ResourceFacts> facts_of(std::string arn) override;

 private:
  Result<platform::ResourceFacts> read(const std::string& arn) const;

  storage::Shard& shard_;
  TableStore tables_;
};

}  // namespace virga::dynamodb
