#pragma once

#include <cstdint>
#include <memory>

#include "async/task.h"
#include "services/dynamodb/item_writer.h"
#include "services/dynamodb/table.h"
#include "storage/shard.h"

// Copies of a table's items from one moment, made in steps between which other writes go on. The
// copy is complete and consistent because it reads a snapshot; nobody sees it until a last commit
// names it.
namespace virga::dynamodb {

struct CopiedItems {
  int64_t items = 0, bytes = 0;
};

// The items under `from_id` as `view` has them, to `to_id`.
Task<CopiedItems> copy_items(storage::Shard& shard, const storage::View* view, uint64_t from_id,
                             uint64_t to_id, storage::Generation generation);

// Takes back, on a copy made from the same view, what was written to `source` after `micros`: from
// the last change record to the first, each item becomes what it was before. `target` has the same
// key.
Task<void> undo_changes(storage::Shard& shard, const storage::View* view, TableRef source,
                        std::shared_ptr<const Table> target, int64_t micros);

}  // namespace virga::dynamodb
