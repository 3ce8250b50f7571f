#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "api/dynamodb/shapes/consumed_capacity.h"
#include "api/dynamodb/shapes/item_collection_metrics.h"
#include "aws/box.h"
#include "services/dynamodb/item_writer.h"
#include "services/dynamodb/table.h"

// ConsumedCapacity and ItemCollectionMetrics as answers show them.
namespace virga::dynamodb {

// `mode` is ReturnConsumedCapacity: NONE or absent gives nothing, TOTAL the sum, INDEXES the parts.
Box<api::ConsumedCapacity> write_capacity(const std::optional<std::string>& mode,
                                          const Table& table, const WriteUnits& units,
                                          bool transactional = false);

// Read capacity in half units, of the table and of the index that was read (null: none).
struct ReadUnits {
  int64_t table = 0, index = 0;
};
Box<api::ConsumedCapacity> read_capacity(const std::optional<std::string>& mode, const Table& table,
                                         ReadUnits halves, const Index* index = nullptr,
                                         bool transactional = false);

// An answer names the table as the request did: by its name or its ARN. Source: DynamoDB API
// Reference, ConsumedCapacity.
inline void name_as_asked(Box<api::ConsumedCapacity>& used, const std::string& asked) {
  if (used) used->table_name = asked;
}

// For tables with local indexes when `mode` is SIZE.
Box<api::ItemCollectionMetrics> collection_metrics(const std::optional<std::string>& mode,
                                                   const Table& table, ItemView item);

}  // namespace virga::dynamodb
