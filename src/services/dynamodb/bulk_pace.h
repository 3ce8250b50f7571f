#pragma once

#include <utility>

#include "async/wait.h"
#include "storage/shard.h"

namespace virga::dynamodb {

// The pace of work that is many commits, one after the other: at most two of them wait to be
// durable, and whoever waits for the loop has a turn after each. What a client commits meanwhile
// finds a short queue. Belongs to one piece of work, on the owner loop.
class BulkPace {
 public:
  explicit BulkPace(storage::Shard& shard) : shard_(shard) {}

  // After each commit, with its LSN. Errors are the log's.
  Task<void> committed(storage::Lsn lsn) {
    const storage::Lsn before = std::exchange(last_, lsn);
    co_await shard_.wait_durable(before);
    co_await async::yield();
    co_return ok();
  }

 private:
  storage::Shard& shard_;
  storage::Lsn last_ = 0;
};

}  // namespace virga::dynamodb
