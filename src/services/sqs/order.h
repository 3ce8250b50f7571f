#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "storage/shard.h"

namespace virga::sqs {

// Where a message stands: hidden until `visible_at` (microseconds), by its delay or since it was
// received.
struct Place {
  uint64_t sequence = 0;
  int64_t visible_at = 0;
  bool received = false;
};

// How many messages wait for their delay to end: counted by time, so that it takes no memory for
// each.
class DelayedCount {
 public:
  void add(int64_t visible_at, int64_t now);
  void remove(int64_t visible_at);  // of one that is gone before its time
  int64_t count(int64_t now);
  void clear();

 private:
  void expire(int64_t now);
  std::map<int64_t, int64_t> buckets_;  // end of each 10 ms → messages
  int64_t total_ = 0;
};

// Which message of a queue comes next: the queue's 'r' records and the part of them that is in
// memory, always the first ones, and only so many. Every change is part of a transaction and seen
// in memory at once; when the transaction fails, the order is thrown away and loaded again. Lives
// on the shard's owner loop.
class Order {
 public:
  virtual ~Order() = default;

  // `mark`: no 'r' key of the queue is less.
  virtual Result<void> load(const storage::View& view, const Place& mark, int64_t now) = 0;
  virtual void add(storage::Txn& txn, const Place& place, std::string_view group, int64_t now) = 0;
  virtual void move(storage::Txn& txn, const Place& from, const Place& to, int64_t now) = 0;
  virtual void remove(storage::Txn& txn, const Place& place, int64_t now) = 0;

  // Up to `max` messages that may be handed out now, in order. They stay until they are moved or
  // removed.
  virtual Result<std::vector<Place>> next(const storage::View& view, int64_t now, size_t max) = 0;
  virtual bool has_next(int64_t now) = 0;
  // When the next hidden message may become visible; nullopt: none is hidden.
  virtual std::optional<int64_t> next_due(int64_t now) = 0;

  virtual int64_t in_flight(int64_t now) = 0;
  virtual int64_t delayed(int64_t now) = 0;
  // No 'r' key is less.
  virtual Place mark(int64_t now) const = 0;
};

// By the time at which messages are (or become) visible.
std::unique_ptr<Order> make_standard_order(uint64_t store);
// By sequence, one message group at a time: while one of its messages is in flight, a group waits.
std::unique_ptr<Order> make_fifo_order(uint64_t store);

}  // namespace virga::sqs
