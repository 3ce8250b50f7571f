#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "async/loop.h"
#include "async/wait.h"
#include "platform/policy.h"
#include "services/sqs/messages.h"
#include "services/sqs/queue_address.h"
#include "services/sqs/settings.h"
#include "storage/shard.h"

namespace virga::sqs {

// What is kept of a queue beside its messages.
struct QueueRecord {
  uint64_t id = 0;          // object id: part of receipt handles
  uint64_t store = 0;       // object id of its messages; a purge takes a new one
  int64_t created_at = 0;   // seconds
  int64_t modified_at = 0;  // seconds
  int64_t purged_at = 0;    // microseconds; 0: never
  AttributeMap attributes;  // those that were set
  std::map<std::string, std::string> tags;
};

// The answer to a ReceiveMessage, for the client that did not get it and asks again.
struct ReceiveAttempt {
  int64_t at = 0;                                       // microseconds
  std::vector<std::pair<uint64_t, uint32_t>> messages;  // sequence, receives

  bool has(uint64_t sequence) const {
    return std::any_of(messages.begin(), messages.end(),
                       [&](const auto& m) { return m.first == sequence; });
  }
};

// A queue in memory, for as long as it is in use. Lives on the shard's owner loop.
struct Queue {
  Queue(QueueAddress where, QueueRecord what);

  const QueueAddress address;
  const std::string arn;
  QueueRecord record;
  Settings settings;           // of record.attributes
  platform::PolicyRef policy;  // likewise; null: none
  std::unique_ptr<Messages> messages;
  bool deleted = false;         // or of before a reset
  bool changed = false;         // by the transaction that runs: the record
  storage::Lsn changed_at = 0;  // last transaction

  std::list<async::Event*> pollers;  // who waits for a message, oldest first
  async::TimerId timer =
      async::TimerId::none;  // while there are pollers: for the next hidden message
  std::unordered_map<std::string, ReceiveAttempt> attempts;  // of FIFO queues

  void use(QueueRecord changed);
};
using QueueRef = std::shared_ptr<Queue>;

// All queues' records, and those in memory. Lives on the shard's owner loop.
class Queues {
 public:
  // Null when there is none.
  Result<QueueRef> find(const storage::View& view, const QueueAddress& address);
  QueueRef in_memory(const QueueAddress& address) const;
  QueueRef create(storage::Txn& txn, const QueueAddress& address, QueueRecord record);
  // Writes the record and uses it from now on.
  void change(storage::Txn& txn, Queue& queue, QueueRecord record);
  // With its messages.
  void erase(storage::Txn& txn, Queue& queue);
  // New messages go to a new store, the old one is dropped.
  void purge(storage::Txn& txn, Queue& queue, int64_t now);
  // A failed transaction may have left something here that is not on disk.
  void forget(const QueueRef& queue);
  void forget_all();

  // Names from `from` on, in order; `visit` returns false to stop.
  static Result<void> each(
      const storage::View& view, std::string_view account, std::string_view region,
      std::string_view from,
      const std::function<bool(const std::string& name, const QueueRecord& record)>& visit);

  // When a queue of this name was deleted, in microseconds.
  static Result<std::optional<int64_t>> deleted_at(const storage::View& view,
                                                   const QueueAddress& address);
  static void note_deleted(storage::Txn& txn, const QueueAddress& address, int64_t now);

  const std::unordered_map<std::string, QueueRef>& loaded() const { return loaded_; }

 private:
  void keep(const QueueRef& queue);
  std::unordered_map<std::string, QueueRef> loaded_;  // by key
};

}  // namespace virga::sqs
