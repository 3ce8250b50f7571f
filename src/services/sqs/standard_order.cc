#include <set>
#include <utility>

#include "services/sqs/message_keys.h"
#include "services/sqs/order.h"

namespace virga::sqs {
namespace {

using storage::Txn;
using storage::View;

constexpr size_t kHeadMax = 8192;  // places in memory
constexpr size_t kLoad = 1024;     // read from disk at a time
constexpr int64_t kBucketMicros = 10'000;

int64_t bucket_of(int64_t visible_at) {
  return (visible_at + kBucketMicros - 1) / kBucketMicros;
}

// (visible_at, sequence): the order of the keys.
using At = std::pair<int64_t, uint64_t>;
At at(const Place& place) {
  return {place.visible_at, place.sequence};
}

// What is in memory are the least keys: everything below on_disk_from_ is in head_, everything else
// on disk only. Messages are taken from the low end and come in at the high end, so the remains of
// consumed ones stay below.
class StandardOrder final : public Order {
 public:
  explicit StandardOrder(uint64_t store) : store_(store) {}

  Result<void> load(const View& view, const Place& mark, int64_t now) override {
    on_disk_from_ = at(mark);
    VIRGA_TRY_VOID(load_more(view));
    // Who is hidden: messages in flight and delayed ones.
    const auto cursor =
        view.cursor(keys::place(store_, now + 1, 0), keys::part(store_, 'r').range_end());
    for (; cursor->valid(); cursor->next()) {
      const Place place = read(cursor->key(), cursor->value());
      if (place.received) {
        in_flight_.insert(at(place));
      } else {
        delayed_.add(place.visible_at, now);
      }
    }
    return cursor->status();
  }

  void add(Txn& txn, const Place& place, std::string_view, int64_t now) override {
    txn.put(keys::place(store_, place.visible_at, place.sequence), place.received ? "1" : "");
    insert(place);
    if (place.visible_at <= now) return;
    if (place.received) {
      in_flight_.insert(at(place));
    } else {
      delayed_.add(place.visible_at, now);
    }
  }

  void move(Txn& txn, const Place& from, const Place& to, int64_t now) override {
    remove(txn, from, now);
    add(txn, to, {}, now);
  }

  void remove(Txn& txn, const Place& place, int64_t now) override {
    txn.erase(keys::place(store_, place.visible_at, place.sequence));
    head_.erase(at(place));
    if (place.received) {
      in_flight_.erase(at(place));
    } else if (place.visible_at > now) {
      delayed_.remove(place.visible_at);
    }
  }

  Result<std::vector<Place>> next(const View& view, int64_t now, size_t max) override {
    std::vector<Place> out;
    auto entry = head_.begin();
    while (out.size() < max) {
      if (entry == head_.end()) {
        if (!on_disk_from_ || on_disk_from_->first > now) break;
        const At from = *on_disk_from_;
        VIRGA_TRY_VOID(load_more(view));
        entry = head_.lower_bound(from);
        continue;
      }
      if (entry->first.first > now) break;
      out.push_back({entry->first.second, entry->first.first, entry->second});
      ++entry;
    }
    return out;
  }

  bool has_next(int64_t now) override {
    return (!head_.empty() && head_.begin()->first.first <= now) ||
           (on_disk_from_ && on_disk_from_->first <= now);
  }

  std::optional<int64_t> next_due(int64_t now) override {
    const auto hidden = head_.lower_bound({now + 1, 0});
    if (hidden != head_.end()) return hidden->first.first;
    if (on_disk_from_) return on_disk_from_->first;
    return std::nullopt;
  }

  int64_t in_flight(int64_t now) override {
    while (!in_flight_.empty() && in_flight_.begin()->first <= now)
      in_flight_.erase(in_flight_.begin());
    return static_cast<int64_t>(in_flight_.size());
  }
  int64_t delayed(int64_t now) override { return delayed_.count(now); }

  Place mark(int64_t now) const override {
    if (!head_.empty()) return {head_.begin()->first.second, head_.begin()->first.first, false};
    if (on_disk_from_) return {on_disk_from_->second, on_disk_from_->first, false};
    return {0, now, false};
  }

 private:
  Place read(std::string_view key, std::string_view value) const {
    storage::KeyReader reader(key.substr(keys::kPartBytes));
    Place place;
    place.visible_at = reader.i64();
    place.sequence = reader.u64();
    place.received = !value.empty();
    return place;
  }

  void insert(const Place& place) {
    if (on_disk_from_ && at(place) >= *on_disk_from_) return;
    head_.emplace(at(place), place.received);
    if (head_.size() <= kHeadMax) return;
    const auto last = std::prev(head_.end());
    on_disk_from_ = last->first;
    head_.erase(last);
  }

  Result<void> load_more(const View& view) {
    const auto cursor =
        view.cursor(keys::place(store_, on_disk_from_->first, on_disk_from_->second),
                    keys::part(store_, 'r').range_end());
    on_disk_from_.reset();
    for (size_t count = 0; cursor->valid(); cursor->next(), ++count) {
      const Place place = read(cursor->key(), cursor->value());
      if (count == kLoad) {
        on_disk_from_ = at(place);
        break;
      }
      head_.emplace_hint(head_.end(), at(place), place.received);
    }
    return cursor->status();
  }

  const uint64_t store_;
  std::map<At, bool> head_;         // → received
  std::optional<At> on_disk_from_;  // nullopt: all is in memory
  std::set<At> in_flight_;          // those whose time is over are dropped when counted
  DelayedCount delayed_;
};

}  // namespace

void DelayedCount::add(int64_t visible_at, int64_t now) {
  if (visible_at <= now) return;
  ++buckets_[bucket_of(visible_at)];
  ++total_;
}

void DelayedCount::remove(int64_t visible_at) {
  const auto found = buckets_.find(bucket_of(visible_at));
  if (found == buckets_.end()) return;
  --total_;
  if (--found->second == 0) buckets_.erase(found);
}

int64_t DelayedCount::count(int64_t now) {
  expire(now);
  return total_;
}

void DelayedCount::clear() {
  buckets_.clear();
  total_ = 0;
}

void DelayedCount::expire(int64_t now) {
  while (!buckets_.empty() && buckets_.begin()->first * kBucketMicros <= now) {
    total_ -= buckets_.begin()->second;
    buckets_.erase(buckets_.begin());
  }
}

std::unique_ptr<Order> make_standard_order(uint64_t store) {
  return std::make_unique<StandardOrder>(store);
}

}  // namespace virga::sqs
