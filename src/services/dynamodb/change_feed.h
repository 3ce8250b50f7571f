#pragma once

#include <cstdint>

#include "platform/durable_timers.h"
#include "platform/stream_wakeups.h"
#include "services/dynamodb/change_record.h"
#include "services/dynamodb/stream_store.h"
#include "services/dynamodb/table.h"
#include "storage/shard.h"

namespace virga::dynamodb {

// Writes the change histories of tables and looks after them: begins and ends streams, rolls their
// shards, trims what nobody may read any more. Called inside transactions, on the owner loop.
class ChangeFeed {
 public:
  ChangeFeed(async::Env& env, platform::DurableTimers& timers, platform::StreamWakeups& wakeups);

  // The record of one write, if the table keeps a history and the write changed anything. `before`,
  // `after`: null is none.
  void add(storage::Txn& txn, const Table& table, const ItemView* before, const ItemView* after,
           bool by_service, int64_t now_micros);

  // Changes `table`, which the caller writes.
  Result<void> enable_stream(storage::Txn& txn, Table& table, std::string_view view_type,
                             Timestamp now);
  Result<void> disable_stream(storage::Txn& txn, Table& table, Timestamp now);
  // Point-in-time recovery: the table's history is kept this many days instead of one. 0: no
  // longer.
  Result<void> keep_history(storage::Txn& txn, const Table& table, int64_t days, Timestamp now);
  // The table goes: its stream is closed, its history ends with the stream.
  Result<void> close(storage::Txn& txn, const Table& table, Timestamp now);

 private:
  // Timers: of a stream (its ARN), of a kept history (its table's id).
  Result<void> roll(storage::Txn& txn, std::string_view arn);
  Result<void> look_after_history(storage::Txn& txn, std::string_view table_id);
  Result<void> trim(storage::Txn& txn, uint64_t table_id, Timestamp now);

  async::Env& env_;
  platform::DurableTimers& timers_;
  platform::StreamWakeups& wakeups_;
  platform::Sequencer sequencer_;
};

// The least sequence that a record of this transaction can have.
inline uint64_t sequence_boundary(const storage::Txn& txn) {
  return txn.lsn() << 16;
}
// Behind all records that are published.
inline uint64_t sequence_after(storage::Lsn published) {
  return (published + 1) << 16;
}

}  // namespace virga::dynamodb
