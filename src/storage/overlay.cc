#include "storage/overlay.h"

#include <algorithm>

#include "base/check.h"
#include "storage/batch.h"

namespace virga::storage {

const Overlay::ErasedRange* Overlay::erased_after(std::string_view key, uint64_t order) const {
  for (auto range = ranges_.rbegin(); range != ranges_.rend() && range->order > order; ++range) {
    if (key >= range->begin && key < range->end) return &*range;
  }
  return nullptr;
}

std::optional<Overlay::Found> Overlay::find(std::string_view key) const {
  const auto entry = entries_.empty() ? entries_.end() : entries_.find(key);
  const bool known = entry != entries_.end();
  if (!ranges_.empty()) {
    if (const ErasedRange* range = erased_after(key, known ? entry->second.order : 0)) {
      return Found{range->batch, std::nullopt};
    }
  }
  if (!known) return std::nullopt;
  if (entry->second.erased) return Found{entry->second.batch, std::nullopt};
  return Found{entry->second.batch, entry->second.value()};
}

void Overlay::set(InFlightBatch& batch, std::string_view key, OverlayEntry entry) {
  entry.batch = &batch;
  entry.order = next_order_++;
  const auto at = entries_.lower_bound(key);
  if (at != entries_.end() && at->first == key) {
    if (at->second.batch != &batch) {
      undo_.push_back({at, at->second});
      batch.touched.push_back(at);
    }
    at->second = entry;
    return;
  }
  const auto added = entries_.emplace_hint(at, std::string(key), entry);
  undo_.push_back({added, OverlayEntry{}});
  batch.touched.push_back(added);
}

void Overlay::put(InFlightBatch& batch, std::string_view key, std::string_view value) {
  append_op(batch.payload, OpKind::put, key, value);
  const size_t offset = batch.payload.size() - value.size();
  set(batch, key,
      {.offset = static_cast<uint32_t>(offset), .size = static_cast<uint32_t>(value.size())});
}

void Overlay::erase(InFlightBatch& batch, std::string_view key) {
  append_op(batch.payload, OpKind::erase, key);
  set(batch, key, {.erased = true});
}

void Overlay::erase_range(InFlightBatch& batch, std::string_view begin, std::string_view end) {
  append_op(batch.payload, OpKind::erase_range, begin, end);
  ranges_.push_back({std::string(begin), std::string(end), &batch, next_order_++});
  ++batch.ranges;
}

void Overlay::rollback(InFlightBatch& batch) {
  for (auto undo = undo_.rbegin(); undo != undo_.rend(); ++undo) {
    if (undo->before.batch) {
      undo->at->second = undo->before;
    } else {
      entries_.erase(undo->at);
    }
  }
  undo_.clear();
  for (; batch.ranges > 0; --batch.ranges) ranges_.pop_back();
}

void Overlay::retire(InFlightBatch& batch) {
  for (const auto at : batch.touched) {
    if (at->second.batch == &batch) entries_.erase(at);
  }
  for (; batch.ranges > 0; --batch.ranges) {
    CHECK(ranges_.front().batch == &batch);
    ranges_.pop_front();
  }
}

// Merges the overlay's entries of a range over a base cursor. Entries do not change under it:
// transactions do not write while scanning.
class OverlayCursor final : public Cursor {
 public:
  OverlayCursor(const Overlay& overlay, std::unique_ptr<Cursor> base, std::string_view begin,
                std::string_view end, Direction direction, Lsn& depends_on)
      : overlay_(overlay),
        base_(std::move(base)),
        forward_(direction == Direction::forward),
        depends_on_(depends_on) {
    first_ = overlay.entries_.lower_bound(begin);
    last_ = end.empty() ? overlay.entries_.end() : overlay.entries_.lower_bound(end);
    for (const auto& range : overlay.ranges_) {
      if ((end.empty() || range.begin < end) && begin < range.end) depend(range.batch->lsn);
    }
    settle();
  }

  bool valid() const override { return source_ != Source::none; }
  std::string_view key() const override {
    return source_ == Source::base ? base_->key() : std::string_view(entry()->first);
  }
  std::string_view value() const override {
    return source_ == Source::base ? base_->value() : entry()->second.value();
  }
  void next() override {
    if (source_ == Source::base) {
      base_->next();
    } else {
      step_entry();
    }
    settle();
  }
  Result<void> status() const override { return base_->status(); }

 private:
  enum class Source { none, base, overlay };

  bool entry_valid() const { return first_ != last_; }
  OverlayMap::const_iterator entry() const { return forward_ ? first_ : std::prev(last_); }
  void step_entry() {
    if (forward_) {
      ++first_;
    } else {
      --last_;
    }
  }
  void depend(Lsn lsn) { depends_on_ = std::max(depends_on_, lsn); }

  // Finds the next key that exists.
  void settle() {
    for (;;) {
      const bool has_base = base_->valid();
      if (!entry_valid()) {
        source_ = has_base ? Source::base : Source::none;
        if (!has_base || !overlay_.erased_after(base_->key(), 0)) return;
        base_->next();
        continue;
      }
      const auto at = entry();
      int order = -1;  // the entry comes first
      if (has_base) {
        order = at->first.compare(base_->key());
        if (!forward_) order = -order;
      }
      if (order > 0) {
        source_ = Source::base;
        if (!overlay_.erased_after(base_->key(), 0)) return;
        base_->next();
        continue;
      }
      if (order == 0) base_->next();  // hidden by the entry
      depend(at->second.batch->lsn);
      source_ = Source::overlay;
      if (!at->second.erased && !overlay_.erased_after(at->first, at->second.order)) return;
      step_entry();
    }
  }

  const Overlay& overlay_;
  std::unique_ptr<Cursor> base_;
  bool forward_;
  Lsn& depends_on_;
  OverlayMap::const_iterator first_, last_;  // entries still ahead: [first_, last_)
  Source source_ = Source::none;
};

std::unique_ptr<Cursor> Overlay::cursor(std::unique_ptr<Cursor> base, std::string_view begin,
                                        std::string_view end, Direction direction,
                                        Lsn& depends_on) const {
  return std::make_unique<OverlayCursor>(*this, std::move(base), begin, end, direction, depends_on);
}

}  // namespace virga::storage
