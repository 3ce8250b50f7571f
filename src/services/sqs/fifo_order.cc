#include <set>
#include <string>
#include <unordered_map>
#include <utility>

#include "services/sqs/message.h"
#include "services/sqs/message_keys.h"
#include "services/sqs/order.h"

namespace virga::sqs {
namespace {

using storage::Txn;
using storage::View;

// A FIFO queue looks for available groups among its first messages only.
// Source: SQS Developer Guide, "FIFO queue and message group ID terms": up to the first 120 k
// messages.
constexpr size_t kWindowMax = 120'000;
constexpr size_t kLoad = 1024;

struct Group {
  std::string name;
  std::set<uint64_t> waiting;  // its messages in the window
  size_t in_flight = 0;
  uint64_t listed_at = 0;  // its entry in ready_; 0: none
};

struct Entry {
  Group* group = nullptr;
  int64_t visible_at = 0;
  bool received = false;
  bool in_flight = false;
};

// What is in memory is the window: all messages below on_disk_from_. A message can be received from
// the window only, so whatever is in flight is in it.
class FifoOrder final : public Order {
 public:
  explicit FifoOrder(uint64_t store) : store_(store) {}

  Result<void> load(const View& view, const Place& mark, int64_t now) override {
    now_ = now;
    on_disk_from_ = mark.sequence;
    VIRGA_TRY_VOID(load_more(view));
    // The window reaches to the last message that is in flight.
    const auto deliveries = keys::part(store_, 's');
    const auto last = view.cursor(deliveries, deliveries.range_end(), storage::Direction::backward);
    VIRGA_TRY_VOID(last->status());
    if (last->valid()) {
      const uint64_t sequence = storage::KeyReader(last->key().substr(keys::kPartBytes)).u64();
      while (on_disk_from_ && *on_disk_from_ <= sequence) VIRGA_TRY_VOID(load_more(view));
    }
    return count_delayed(view, now);
  }

  void add(Txn& txn, const Place& place, std::string_view group, int64_t now) override {
    storage::Key value(storage::Space{kPlaceFormat});
    txn.put(keys::place(store_, 0, place.sequence), value.i64(place.visible_at).raw(group));
    delayed_.add(place.visible_at, now);
    if (on_disk_from_) return;
    if (window_.size() >= kWindowMax) {
      on_disk_from_ = place.sequence;
      return;
    }
    advance(now);
    insert(place.sequence, group, place.visible_at, false);
  }

  void move(Txn&, const Place& from, const Place& to, int64_t now) override {
    const auto found = window_.find(from.sequence);
    if (found == window_.end()) return;
    advance(now);
    Entry& entry = found->second;
    take_off_clock(from.sequence, entry);
    entry.visible_at = to.visible_at;
    entry.received = true;
    entry.in_flight = to.visible_at > now_;
    put_on_clock(from.sequence, entry);
    refresh(*entry.group);
  }

  void remove(Txn& txn, const Place& place, int64_t now) override {
    txn.erase(keys::place(store_, 0, place.sequence));
    if (!place.received && place.visible_at > now) delayed_.remove(place.visible_at);
    const auto found = window_.find(place.sequence);
    if (found == window_.end()) return;
    advance(now);
    take_off_clock(place.sequence, found->second);
    Group& group = *found->second.group;
    group.waiting.erase(place.sequence);
    window_.erase(found);
    refresh(group);
    if (group.waiting.empty()) groups_.erase(group.name);
  }

  Result<std::vector<Place>> next(const View& view, int64_t now, size_t max) override {
    advance(now);
    while (true) {
      std::vector<Place> out;
      // As many as possible of the first group, then of the next.
      for (const auto& [sequence, group] : ready_) {
        for (const uint64_t one : group->waiting) {
          const Entry& entry = window_.at(one);
          if (out.size() == max || entry.visible_at > now) break;
          out.push_back({one, entry.visible_at, entry.received});
        }
        if (out.size() == max) break;
      }
      if (out.size() == max || !on_disk_from_ || window_.size() >= kWindowMax) return out;
      VIRGA_TRY_VOID(load_more(view));
    }
  }

  bool has_next(int64_t now) override {
    advance(now);
    return !ready_.empty() || (on_disk_from_ && window_.size() < kWindowMax);
  }

  std::optional<int64_t> next_due(int64_t now) override {
    advance(now);
    if (clock_.empty()) return std::nullopt;
    return clock_.begin()->first;
  }

  int64_t in_flight(int64_t now) override {
    advance(now);
    return static_cast<int64_t>(in_flight_);
  }
  int64_t delayed(int64_t now) override { return delayed_.count(now); }

  Place mark(int64_t) const override {
    if (!window_.empty()) return {window_.begin()->first, 0, false};
    return {on_disk_from_.value_or(0), 0, false};
  }

 private:
  static constexpr uint8_t kPlaceFormat = 1;

  // Messages whose time has come are no longer in flight; groups become ready.
  void advance(int64_t now) {
    if (now > now_) now_ = now;
    while (!clock_.empty() && clock_.begin()->first <= now_) {
      const uint64_t sequence = clock_.begin()->second;
      Entry& entry = window_.at(sequence);
      take_off_clock(sequence, entry);
      entry.in_flight = false;
      refresh(*entry.group);
    }
  }

  void put_on_clock(uint64_t sequence, const Entry& entry) {
    if (entry.visible_at > now_) clock_.emplace(entry.visible_at, sequence);
    if (!entry.in_flight) return;
    ++entry.group->in_flight;
    ++in_flight_;
  }
  void take_off_clock(uint64_t sequence, const Entry& entry) {
    clock_.erase({entry.visible_at, sequence});
    if (!entry.in_flight) return;
    --entry.group->in_flight;
    --in_flight_;
  }

  // Lists the group under its first message when that may be received.
  void refresh(Group& group) {
    uint64_t wanted = 0;
    if (group.in_flight == 0 && !group.waiting.empty()) {
      const uint64_t first = *group.waiting.begin();
      if (window_.at(first).visible_at <= now_) wanted = first;
    }
    if (wanted == group.listed_at) return;
    if (group.listed_at) ready_.erase(group.listed_at);
    if (wanted) ready_.emplace(wanted, &group);
    group.listed_at = wanted;
  }

  void insert(uint64_t sequence, std::string_view group_name, int64_t visible_at, bool received) {
    std::unique_ptr<Group>& group = groups_[std::string(group_name)];
    if (!group) {
      group = std::make_unique<Group>();
      group->name = group_name;
    }
    group->waiting.insert(sequence);
    const auto entry = window_
                           .emplace(sequence, Entry{group.get(), visible_at, received,
                                                    received && visible_at > now_})
                           .first;
    put_on_clock(sequence, entry->second);
    refresh(*group);
  }

  Result<void> load_more(const View& view) {
    const auto places = keys::part(store_, 'r');
    const auto cursor = view.cursor(keys::place(store_, 0, *on_disk_from_), places.range_end());
    const auto deliveries =
        view.cursor(keys::delivery(store_, *on_disk_from_), keys::part(store_, 's').range_end());
    on_disk_from_.reset();
    for (size_t count = 0; cursor->valid(); cursor->next(), ++count) {
      storage::KeyReader key(cursor->key().substr(keys::kPartBytes));
      key.i64();
      const uint64_t sequence = key.u64();
      if (count == kLoad) {
        on_disk_from_ = sequence;
        break;
      }
      storage::KeyReader value(cursor->value().substr(1));
      int64_t visible_at = value.i64();
      const std::string_view group = value.rest();
      while (deliveries->valid() && sequence_of(*deliveries) < sequence) deliveries->next();
      const bool received = deliveries->valid() && sequence_of(*deliveries) == sequence;
      if (received) {
        VIRGA_TRY(delivery, decode_delivery(deliveries->value()));
        visible_at = delivery.visible_at;
      }
      insert(sequence, group, visible_at, received);
    }
    VIRGA_TRY_VOID(deliveries->status());
    return cursor->status();
  }

  static uint64_t sequence_of(const storage::Cursor& cursor) {
    return storage::KeyReader(cursor.key().substr(keys::kPartBytes)).u64();
  }

  // Delays are the queue's, so the delayed ones are the last.
  Result<void> count_delayed(const View& view, int64_t now) {
    const auto places = keys::part(store_, 'r');
    const auto cursor = view.cursor(places, places.range_end(), storage::Direction::backward);
    for (; cursor->valid(); cursor->next()) {
      const int64_t visible_at = storage::KeyReader(cursor->value().substr(1)).i64();
      if (visible_at <= now) break;
      delayed_.add(visible_at, now);
    }
    return cursor->status();
  }

  const uint64_t store_;
  int64_t now_ = 0;  // never goes back
  std::map<uint64_t, Entry> window_;
  std::optional<uint64_t> on_disk_from_;  // nullopt: all is in the window
  std::unordered_map<std::string, std::unique_ptr<Group>> groups_;
  std::map<uint64_t, Group*> ready_;  // by their first messages
  std::set<std::pair<int64_t, uint64_t>>
      clock_;  // hidden messages by the time at which they become visible
  size_t in_flight_ = 0;
  DelayedCount delayed_;
};

}  // namespace

std::unique_ptr<Order> make_fifo_order(uint64_t store) {
  return std::make_unique<FifoOrder>(store);
}

}  // namespace virga::sqs
