#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "services/sqs/message.h"
#include "services/sqs/order.h"
#include "services/sqs/recent_messages.h"
#include "storage/shard.h"

namespace virga::sqs {

struct Counts {
  int64_t visible = 0;
  int64_t in_flight = 0;
  int64_t delayed = 0;
};

// A sent message that a FIFO queue remembers for its deduplication interval.
struct Sent {
  uint64_t sequence = 0;
  int64_t sent_at = 0;
  std::string message_id;
};

// One queue's messages: on disk, and in memory as much as its Order keeps. Everything that changes
// them is part of a transaction, which starts with begin() and ends with finish(). When it fails,
// this object is thrown away. Lives on the shard's owner loop.
class Messages {
 public:
  Messages(uint64_t store, bool fifo) : store_(store), fifo_(fifo) {}

  uint64_t store() const { return store_; }
  void begin() { touched_ = total_changed_ = false; }
  Result<void> ensure_loaded(const storage::View& view, int64_t now);
  // Before the transaction's end: writes what is kept of the whole.
  void finish(storage::Txn& txn, int64_t now);
  bool touched() const { return touched_; }

  void send(storage::Txn& txn, uint64_t sequence, Message message, int64_t now);

  // The next ones that may be received; each has to be delivered, moved or removed before more are
  // asked for.
  Result<std::vector<Place>> next(storage::Txn& txn, int64_t now, size_t max) {
    return order_->next(txn, now, max);
  }
  Result<std::optional<Message>> read(const storage::View& view, uint64_t sequence);
  Result<std::optional<Delivery>> delivery(const storage::View& view, uint64_t sequence) const;
  // Hidden until delivery.visible_at.
  void deliver(storage::Txn& txn, const Place& from, const Delivery& delivery, int64_t now);
  void remove(storage::Txn& txn, const Place& place, int64_t now);

  // Removes some of the messages that are too old, if there are any; a few each time.
  Result<void> expire(storage::Txn& txn, int64_t now, int64_t retention_micros);

  // What a FIFO queue remembers of the last five minutes.
  Result<std::optional<Sent>> find_duplicate(const storage::View& view, std::string_view scope,
                                             std::string_view id, int64_t now) const;
  Result<void> remember(storage::Txn& txn, std::string_view scope, std::string_view id,
                        const Sent& sent);

  Counts counts(int64_t now);
  bool has_next(int64_t now) { return order_ && order_->has_next(now); }
  std::optional<int64_t> next_due(int64_t now) {
    return order_ ? order_->next_due(now) : std::nullopt;
  }

 private:
  std::string total_key() const;
  Result<void> forget_old_ids(storage::Txn& txn, int64_t now);

  const uint64_t store_;
  const bool fifo_;
  std::unique_ptr<Order> order_;  // null: not in memory
  RecentMessages recent_;
  int64_t total_ = 0;
  Place written_mark_;  // the last one on disk
  bool total_changed_ = false;
  bool touched_ = false;
  int64_t oldest_at_ = 0;     // no message was sent before
  uint64_t oldest_ = 0;       // no sequence is less
  uint64_t remembered_ = 0;   // since old ids were last forgotten
  std::string first_id_key_;  // no key of an id to forget is less
};

}  // namespace virga::sqs
