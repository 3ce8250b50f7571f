#pragma once

#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "async/loop.h"
#include "storage/types.h"
#include "storage/view.h"

namespace virga::storage {

struct OverlayEntry;
using OverlayMap = std::map<std::string, OverlayEntry, std::less<>>;

// A committed, not yet published batch. Owned by the shard's owner loop; the log worker reads
// `payload` meanwhile.
struct InFlightBatch {
  Lsn lsn = 0;
  CommitClass commit_class = CommitClass::durable;
  Generation generation = 1;  // the shard's after this batch
  std::string payload;
  std::vector<OverlayMap::iterator> touched;  // each key once
  size_t ranges = 0;                          // erased ranges, among the overlay's newest
  std::vector<async::Callback> on_published;
};

// The latest value of a key among the batches in flight: bytes of its batch's payload.
struct OverlayEntry {
  const InFlightBatch* batch = nullptr;
  uint64_t order = 0;  // of the operation among all operations
  uint32_t offset = 0;
  uint32_t size = 0;
  bool erased = false;
  std::string_view value() const { return std::string_view(batch->payload).substr(offset, size); }
};

// What batches in flight do to the published state, ordered by key. Lives on the owner loop. Writes
// of the transaction that is running go straight in; rollback() takes them out again.
class Overlay {
 public:
  struct Found {
    const InFlightBatch* batch;             // who wrote or erased it
    std::optional<std::string_view> value;  // nullopt: erased
  };
  // What the overlay says about a key; nullopt: nothing, ask the index.
  std::optional<Found> find(std::string_view key) const;
  bool empty() const { return entries_.empty() && ranges_.empty(); }

  // Stages one operation of `batch` and appends it to the payload.
  void put(InFlightBatch& batch, std::string_view key, std::string_view value);
  void erase(InFlightBatch& batch, std::string_view key);
  void erase_range(InFlightBatch& batch, std::string_view begin, std::string_view end);

  // The running transaction ends: its writes stay, or go.
  void keep() { undo_.clear(); }
  void rollback(InFlightBatch& batch);
  // The batch is published: the index has it.
  void retire(InFlightBatch& batch);

  // The overlay over `base` (which covers the same range); raises `depends_on` to the LSNs of what
  // it passes.
  std::unique_ptr<Cursor> cursor(std::unique_ptr<Cursor> base, std::string_view begin,
                                 std::string_view end, Direction direction, Lsn& depends_on) const;

 private:
  friend class OverlayCursor;
  struct ErasedRange {
    std::string begin, end;
    const InFlightBatch* batch;
    uint64_t order;
  };
  // The newest erased range over the key, newer than `order`; null: none.
  const ErasedRange* erased_after(std::string_view key, uint64_t order) const;
  void set(InFlightBatch& batch, std::string_view key, OverlayEntry entry);

  OverlayMap entries_;
  std::deque<ErasedRange> ranges_;  // oldest first
  uint64_t next_order_ = 1;
  struct Undo {
    OverlayMap::iterator at;
    OverlayEntry before;  // batch null: there was none
  };
  std::vector<Undo> undo_;
};

}  // namespace virga::storage
