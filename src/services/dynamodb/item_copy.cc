#include "services/dynamodb/item_copy.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "services/dynamodb/bulk_pace.h"
#include "services/dynamodb/change_record.h"
#include "services/dynamodb/item_key.h"
#include "services/dynamodb/item_size.h"
#include "storage/keys.h"

namespace virga::dynamodb {
namespace {

// One commit of a copy: about a millisecond of the owner loop.
constexpr size_t kStepRows = 100;
constexpr size_t kStepBytes = 256 << 10;

// A key and its new record; none: the item goes.
using Step = std::vector<std::pair<std::string, std::optional<std::string>>>;

Task<void> write_step(storage::Shard& shard, const Step* step, storage::Generation generation,
                      BulkPace* pace) {
  const storage::TransactOptions options{.generation = generation};
  auto done = co_await shard.transact(options, [&](storage::Txn& txn) -> Result<bool> {
    for (const auto& [key, record] : *step) {
      if (record) {
        txn.put(key, *record);
      } else {
        txn.erase(key);
      }
    }
    return true;
  });
  const bool written = co_await std::move(done.result);
  ignore(written, "always true");
  co_await pace->committed(done.lsn);
  co_return ok();
}

}  // namespace

Task<CopiedItems> copy_items(storage::Shard& shard, const storage::View* view, uint64_t from_id,
                             uint64_t to_id, storage::Generation generation) {
  const std::string from = items_prefix(from_id), to = items_prefix(to_id);
  const auto cursor = view->cursor(from, storage::prefix_end(from));
  CopiedItems out;
  BulkPace pace(shard);
  while (cursor->valid()) {
    Step step;
    for (size_t bytes = 0; cursor->valid() && step.size() < kStepRows && bytes < kStepBytes;
         cursor->next()) {
      const std::string_view record = cursor->value();
      const ItemView item = co_await item_of_record(record);
      ++out.items;
      out.bytes += static_cast<int64_t>(item_bytes(item));
      bytes += record.size();
      step.emplace_back(to + std::string(cursor->key().substr(from.size())), std::string(record));
    }
    co_await write_step(shard, &step, generation, &pace);
  }
  co_await cursor->status();
  co_return out;
}

Task<void> undo_changes(storage::Shard& shard, const storage::View* view, TableRef source,
                        std::shared_ptr<const Table> target, int64_t micros) {
  const uint64_t first = co_await first_change_at(*view, source->id, 0, UINT64_MAX, micros + 1);
  const auto cursor =
      view->cursor(change_key(source->id, first), change_key(source->id, UINT64_MAX),
                   storage::Direction::backward);
  BulkPace pace(shard);
  while (cursor->valid()) {
    Step step;
    for (size_t bytes = 0; cursor->valid() && step.size() < kStepRows && bytes < kStepBytes;
         cursor->next()) {
      const ChangeRecord change = co_await decode_change(cursor->value());
      std::optional<std::string> record;
      if (change.had_old) {
        if (!change.old_image) co_return fail(internal_failure("a table's history lacks an image"));
        record = encode_record(0, change.micros, *change.old_image);
      }
      bytes += cursor->value().size();
      step.emplace_back(item_key(*target, change.keys), std::move(record));
    }
    co_await write_step(shard, &step, source->generation, &pace);
  }
  co_await cursor->status();
  co_return ok();
}

}  // namespace virga::dynamodb
