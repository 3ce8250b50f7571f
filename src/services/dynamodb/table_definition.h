#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "api/dynamodb/create_table.h"
#include "base/error.h"
#include "services/dynamodb/table.h"
#include "storage/view.h"

namespace virga::dynamodb {

// Keys, indexes and their checks in the service's order; names, ids and settings are left to the
// caller.
Result<std::shared_ptr<Table>> define_table(const api::CreateTableInput& input);

// One index, for CreateTable and UpdateTable. `table_keys` null for global ones.
struct IndexDefinition {
  const std::string& name;
  const std::vector<api::KeySchemaElement>& key_schema;
  const api::Projection& projection;
  bool global;
};
Result<Index> define_index(const IndexDefinition& definition,
                           const std::vector<KeyAttribute>& attributes,
                           const KeySchema& table_keys);

Result<std::vector<KeyAttribute>> read_definitions(
    const std::vector<api::AttributeDefinition>& definitions);
Result<void> check_throughput(const api::ProvisionedThroughput& throughput);
Result<void> check_encryption(const api::SSESpecification& encryption);
// Source: DynamoDB Developer Guide, "Quotas", secondary indexes.
inline constexpr int kGlobalIndexesMax = 20;
// Every definition is a key of the table or of an index.
Result<void> check_definitions_used(const Table& table);

// Tables that an account may have in a region. Source: DynamoDB Developer Guide, "Quotas", tables.
inline constexpr size_t kTablesMax = 2500;
// For one table more. `view`: what holds when it is made. Error: LimitExceededException.
Result<void> check_table_quota(const storage::View& view, std::string_view account,
                               std::string_view region);

// Source: DynamoDB Developer Guide, "Tagging restrictions".
inline constexpr size_t kTagsMax = 50;
Result<void> check_tags(const std::vector<api::Tag>& tags);
Result<void> check_tag_count(size_t count);

}  // namespace virga::dynamodb
