#include "services/sqs/messages.h"

#include <utility>

#include "services/sqs/message_keys.h"

namespace virga::sqs {
namespace {

using storage::Txn;
using storage::View;

constexpr uint8_t kFormat = 1;
// Source: SQS Developer Guide, "Exactly-once processing": the deduplication interval.
constexpr int64_t kDeduplicationMicros = int64_t{5} * 60 * 1'000'000;
// Clean-up is done in passing: so much at a time, so seldom.
constexpr size_t kExpireMax = 256;
constexpr uint64_t kForgetEvery = 64;
constexpr size_t kForgetMax = 256;

bool less(const Place& a, const Place& b) {
  return std::pair(a.visible_at, a.sequence) < std::pair(b.visible_at, b.sequence);
}

std::string id_key(uint64_t store, std::string_view scope, std::string_view id) {
  return keys::part(store, 'd').text(scope).text(id).take();
}

}  // namespace

std::string Messages::total_key() const {
  return keys::part(store_, 'c').take();
}

Result<void> Messages::ensure_loaded(const View& view, int64_t now) {
  if (order_) return {};
  total_ = 0;
  written_mark_ = {};
  written_mark_.visible_at = fifo_ ? 0 : INT64_MIN;
  oldest_at_ = INT64_MIN;
  oldest_ = 0;
  first_id_key_ = keys::part(store_, 'e').take();
  VIRGA_TRY(bytes, view.get(total_key()));
  if (bytes) {
    storage::KeyReader reader(*bytes);
    if (reader.u8() != kFormat)
      return fail(internal_failure("a queue's total of an unknown format"));
    total_ = reader.i64();
    written_mark_.visible_at = reader.i64();
    written_mark_.sequence = reader.u64();
  }
  auto order = fifo_ ? make_fifo_order(store_) : make_standard_order(store_);
  VIRGA_TRY_VOID(order->load(view, written_mark_, now));
  order_ = std::move(order);
  return {};
}

void Messages::finish(Txn& txn, int64_t now) {
  if (!touched_) return;
  const Place mark = order_->mark(now);
  if (!total_changed_ && !less(mark, written_mark_)) return;
  written_mark_ = mark;
  storage::Key value(storage::Space{kFormat});
  txn.put(total_key(), value.i64(total_).i64(mark.visible_at).u64(mark.sequence));
}

void Messages::send(Txn& txn, uint64_t sequence, Message message, int64_t now) {
  touched_ = total_changed_ = true;
  txn.put(keys::message(store_, sequence), encode(message));
  order_->add(txn, {sequence, message.visible_at, false}, message.group, now);
  ++total_;
  if (message.sent_at < oldest_at_) oldest_at_ = message.sent_at;
  recent_.sent(sequence, std::move(message));
}

Result<std::optional<Message>> Messages::read(const View& view, uint64_t sequence) {
  if (auto known = recent_.take_message(sequence)) return known;
  VIRGA_TRY(bytes, view.get(keys::message(store_, sequence)));
  if (!bytes) return std::optional<Message>();
  VIRGA_TRY(message, decode_message(*bytes));
  return std::optional<Message>(std::move(message));
}

Result<std::optional<Delivery>> Messages::delivery(const View& view, uint64_t sequence) const {
  if (const Delivery* known = recent_.delivery(sequence)) return *known;
  VIRGA_TRY(bytes, view.get(keys::delivery(store_, sequence)));
  if (!bytes) return std::optional<Delivery>();
  VIRGA_TRY(delivery, decode_delivery(*bytes));
  return std::optional<Delivery>(delivery);
}

void Messages::deliver(Txn& txn, const Place& from, const Delivery& delivery, int64_t now) {
  touched_ = true;
  txn.put(keys::delivery(store_, from.sequence), encode(delivery));
  order_->move(txn, from, {from.sequence, delivery.visible_at, true}, now);
  recent_.delivered(from.sequence, delivery);
}

void Messages::remove(Txn& txn, const Place& place, int64_t now) {
  touched_ = total_changed_ = true;
  txn.allow_in_low_space();
  txn.erase(keys::message(store_, place.sequence));
  if (place.received) txn.erase(keys::delivery(store_, place.sequence));
  order_->remove(txn, place, now);
  recent_.removed(place.sequence);
  --total_;
}

Result<void> Messages::expire(Txn& txn, int64_t now, int64_t retention_micros) {
  if (total_ == 0 || oldest_at_ + retention_micros > now) return {};
  std::vector<std::pair<uint64_t, Message>> old;
  {
    const auto cursor =
        txn.cursor(keys::message(store_, oldest_), keys::part(store_, 'm').range_end());
    oldest_at_ = now;  // when there is none
    for (; cursor->valid(); cursor->next()) {
      oldest_ = storage::KeyReader(cursor->key().substr(keys::kPartBytes)).u64();
      VIRGA_TRY(message, decode_message(cursor->value()));
      oldest_at_ = message.sent_at;
      if (message.sent_at + retention_micros > now || old.size() == kExpireMax) break;
      old.emplace_back(oldest_, std::move(message));
    }
    VIRGA_TRY_VOID(cursor->status());
  }
  for (const auto& [sequence, message] : old) {
    VIRGA_TRY(delivery, this->delivery(txn, sequence));
    remove(txn,
           {sequence, delivery ? delivery->visible_at : message.visible_at, delivery.has_value()},
           now);
  }
  return {};
}

Result<std::optional<Sent>> Messages::find_duplicate(const View& view, std::string_view scope,
                                                     std::string_view id, int64_t now) const {
  VIRGA_TRY(bytes, view.get(id_key(store_, scope, id)));
  if (!bytes) return std::optional<Sent>();
  storage::KeyReader reader(*bytes);
  Sent sent;
  if (reader.u8() != kFormat)
    return fail(internal_failure("a deduplication id of an unknown format"));
  sent.sequence = reader.u64();
  sent.sent_at = reader.i64();
  sent.message_id = std::string(reader.rest());
  if (sent.sent_at + kDeduplicationMicros <= now) return std::optional<Sent>();
  return std::optional<Sent>(std::move(sent));
}

Result<void> Messages::remember(Txn& txn, std::string_view scope, std::string_view id,
                                const Sent& sent) {
  storage::Key value(storage::Space{kFormat});
  txn.put(id_key(store_, scope, id),
          value.u64(sent.sequence).i64(sent.sent_at).raw(sent.message_id));
  std::string expiry = keys::part(store_, 'e').i64(sent.sent_at).text(scope).text(id).take();
  if (expiry < first_id_key_) first_id_key_ = expiry;
  txn.put(expiry, "");
  if (++remembered_ < kForgetEvery) return {};
  remembered_ = 0;
  return forget_old_ids(txn, sent.sent_at);
}

Result<void> Messages::forget_old_ids(Txn& txn, int64_t now) {
  std::vector<std::string> old;
  {
    const auto cursor =
        txn.cursor(first_id_key_, keys::part(store_, 'e').i64(now - kDeduplicationMicros + 1));
    for (; cursor->valid() && old.size() < kForgetMax; cursor->next())
      old.emplace_back(cursor->key());
    VIRGA_TRY_VOID(cursor->status());
  }
  for (const std::string& expiry : old) {
    storage::KeyReader reader(std::string_view(expiry).substr(keys::kPartBytes));
    const int64_t sent_at = reader.i64();
    const std::string scope = reader.text();
    const std::string id = reader.text();
    // The id may have been used again since.
    const std::string key = id_key(store_, scope, id);
    VIRGA_TRY(bytes, txn.get(key));
    if (bytes) {
      storage::KeyReader value(*bytes);
      value.u8();
      value.u64();
      if (value.i64() == sent_at) txn.erase(key);
    }
    txn.erase(expiry);
    first_id_key_ = expiry;
  }
  return {};
}

Counts Messages::counts(int64_t now) {
  Counts out;
  out.in_flight = order_->in_flight(now);
  out.delayed = order_->delayed(now);
  out.visible = total_ - out.in_flight - out.delayed;
  if (out.visible < 0) out.visible = 0;
  return out;
}

}  // namespace virga::sqs
