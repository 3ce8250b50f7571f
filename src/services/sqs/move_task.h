#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "storage/shard.h"

namespace virga::sqs {

// A message move task, as it is kept: Space::sqs, no account, 't', source ARN, start (descending) →
// task.
struct MoveTask {
  std::string id;  // UUID
  std::string source_arn;
  std::string destination_arn;      // empty: each message's own source queue
  int32_t messages_per_second = 0;  // 0: as fast as possible
  std::string status;               // RUNNING, COMPLETED, CANCELLED, FAILED
  std::string failure;
  int64_t started_at = 0;  // milliseconds
  int64_t moved = 0;
  int64_t to_move = 0;  // when it started

  bool running() const { return status == "RUNNING"; }
  std::string handle() const;
};

// What CancelMessageMoveTask takes.
struct MoveTaskHandle {
  std::string id;
  std::string source_arn;
  static std::optional<MoveTaskHandle> parse(std::string_view text);
};

void put_move_task(storage::Txn& txn, const MoveTask& task);
void erase_move_task(storage::Txn& txn, const MoveTask& task);
// Of one source queue (empty: of all), the newest first.
Result<std::vector<MoveTask>> move_tasks(const storage::View& view, std::string_view source_arn);

}  // namespace virga::sqs
