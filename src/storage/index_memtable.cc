#include "storage/index_memtable.h"

#include <rocksdb/memtablerep.h>
#include <rocksdb/version.h>

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstring>
#include <new>

namespace virga::storage {
namespace {

using rocksdb::Slice;

static_assert(std::endian::native == std::endian::little);

constexpr int kHeightMax = 12;  // 4^12 entries; a memtable has some ten thousands

// What orders an entry: the user's key ascending, then the tag (sequence and kind) descending, so
// that the newest comes first. Source: RocksDB, "MemTable format".
struct Order {
  const char* user;
  size_t size;
  uint64_t tag;
};

constexpr size_t kTagBytes = 8;

Order order_of(const char* internal_key, size_t bytes) {
  Order out{.user = internal_key, .size = bytes - kTagBytes, .tag = 0};
  std::memcpy(&out.tag, internal_key + out.size, sizeof out.tag);
  return out;
}

// Of an entry as RocksDB writes it: the internal key's length as a varint, the key, and the value.
Order order_of(const char* entry) {
  size_t bytes = 0;
  for (int shift = 0;; shift += 7) {
    const auto byte = static_cast<unsigned char>(*entry++);
    bytes |= size_t{byte & 0x7fu} << shift;
    if (byte < 0x80) return order_of(entry, bytes);
  }
}

bool comes_before(const Order& a, const Order& b) {
  const int difference = std::memcmp(a.user, b.user, std::min(a.size, b.size));
  if (difference != 0) return difference < 0;
  if (a.size != b.size) return a.size < b.size;
  return a.tag > b.tag;
}

// A node lies in RocksDB's arena: a link for each level, highest first, then the entry. Each link
// is a Node of its own; the lowest one stands for all.
class Node {
 public:
  Node* next(int level) const { return (this - level)->next_.load(std::memory_order_acquire); }
  // The writer's view: nobody else changes links.
  Node* own_next(int level) const { return (this - level)->next_.load(std::memory_order_relaxed); }
  void set_next(int level, Node* node) {
    (this - level)->next_.store(node, std::memory_order_release);
  }
  char* entry() { return reinterpret_cast<char*>(this + 1); }
  const char* entry() const { return reinterpret_cast<const char*>(this + 1); }
  Order order() const { return order_of(entry()); }

 private:
  std::atomic<Node*> next_{nullptr};
};
static_assert(sizeof(Node) == sizeof(void*));

class SkipList final : public rocksdb::MemTableRep {
 public:
  SkipList(const KeyComparator& order, rocksdb::Allocator* allocator)
      : MemTableRep(allocator),
        head_(make_node(kHeightMax, 0)),
        places_(rocksdb::SkipListFactory(1).CreateMemTableRep(order, allocator, nullptr, nullptr)) {
    std::fill_n(before_, kHeightMax, head_);
  }

  rocksdb::KeyHandle Allocate(const size_t bytes, char** entry) override {
    new_height_ = random_height();
    Node* const node = make_node(new_height_, bytes);
    *entry = node->entry();
    return node;
  }

  // The entry that was allocated last is complete.
  void Insert(rocksdb::KeyHandle handle) override {
    Node* const node = static_cast<Node*>(handle);
    const int height = new_height_;
    const Order order = node->order();
    if (!belongs_after_last(order)) find_place(order);
    if (height > height_.load(std::memory_order_relaxed))
      height_.store(height, std::memory_order_relaxed);  // readers see the old one, or empty links
    for (int level = 0; level < height; ++level) {
      node->set_next(level, before_[level]->own_next(level));
      before_[level]->set_next(level, node);
      before_[level] = node;
    }
  }

  bool Contains(const char* entry) const override {
    const Order order = order_of(entry);
    const Node* const found = first_from(order);
    return found && !comes_before(order, found->order());
  }

  size_t ApproximateMemoryUsage() override { return 0; }  // all of it is in the arena

  Iterator* GetIterator(rocksdb::Arena* arena) override;
  Iterator* GetDynamicPrefixIterator(rocksdb::Arena* arena) override;

  const Node* first() const { return head_->next(0); }

  // The first that does not come before `wanted`; null: none.
  // The one that was compared: by now the writer may have put another before it.
  const Node* first_from(const Order& wanted) const { return split_at(wanted).after; }

  // The last that comes before `wanted`; the head when there is none.
  const Node* last_before(const Order& wanted) const { return split_at(wanted).before; }
  const Node* last() const {
    const Node* const node = descend([](const Node&) { return true; }).before;
    return node == head_ ? nullptr : node;
  }
  bool is_head(const Node* node) const { return node == head_; }

 private:
  Node* make_node(int height, size_t entry_bytes) {
    constexpr size_t kAlign = alignof(Node);
    char* at = nullptr;
    MemTableRep::Allocate(kAlign - 1 + static_cast<size_t>(height) * sizeof(Node) + entry_bytes,
                          &at);
    const auto address = reinterpret_cast<uintptr_t>(at);
    at += (kAlign - address % kAlign) % kAlign;
    for (int i = 0; i < height; ++i) ::new (at + static_cast<size_t>(i) * sizeof(Node)) Node;
    return std::launder(reinterpret_cast<Node*>(at) + (height - 1));
  }

  // One in four goes a level higher. The sequence of a list is always the same, so that simulations
  // replay.
  int random_height() {
    random_ ^= random_ << 13;
    random_ ^= random_ >> 7;
    random_ ^= random_ << 17;
    const int height = 1 + std::countr_zero(random_ | uint64_t{1} << 62) / 2;
    return std::min(height, kHeightMax);
  }

  // Where it goes behind the entry inserted last, as neighbouring keys do, nothing is searched:
  // before_ is right on all levels.
  bool belongs_after_last(const Order& order) const {
    if (before_[0] == head_ || !comes_before(before_[0]->order(), order)) return false;
    const Node* const next = before_[0]->own_next(0);
    return !next || comes_before(order, next->order());
  }

  void find_place(const Order& order) {
    Node* node = head_;
    const Node* compared = nullptr;  // comes after; met again on the levels below
    const int height = height_.load(std::memory_order_relaxed);
    for (int level = kHeightMax - 1; level >= height; --level) before_[level] = head_;
    for (int level = height - 1; level >= 0; --level) {
      for (;;) {
        Node* const next = node->own_next(level);
        if (level > 0)
          __builtin_prefetch(node->own_next(level - 1));  // the one after `next` failed
        if (!next || next == compared || !comes_before(next->order(), order)) {
          compared = next;
          break;
        }
        node = next;
      }
      before_[level] = node;
    }
  }

  // The last node of those for which `passes` holds (they are the list's first; the head: none),
  // and the first for which it does not (null: none).
  struct Split {
    const Node* before;
    const Node* after;
  };
  Split split_at(const Order& wanted) const {
    return descend([&](const Node& node) { return comes_before(node.order(), wanted); });
  }
  template <class F>
  Split descend(F passes) const {
    const Node* node = head_;
    const Node* compared = nullptr;
    for (int level = height_.load(std::memory_order_relaxed) - 1; level >= 0; --level) {
      for (;;) {
        const Node* const next = node->next(level);
        if (!next || next == compared || !passes(*next)) {
          compared = next;
          break;
        }
        node = next;
      }
    }
    return {node, compared};
  }

  Node* const head_;
  std::atomic<int> height_{1};  // of the highest node
  // The writer's.
  Node* before_[kHeightMax];  // what the entry inserted last has before it, itself included
  int new_height_ = 0;
  uint64_t random_ = 0x9e3779b97f4a7c15;
  const std::unique_ptr<MemTableRep> places_;  // see GetIterator
};

class SkipListIterator final : public rocksdb::MemTableRep::Iterator {
 public:
  explicit SkipListIterator(const SkipList* list) : list_(list) {}
  bool Valid() const override { return node_ != nullptr; }
  const char* key() const override { return node_->entry(); }
  void Next() override { node_ = node_->next(0); }
  void Prev() override { set(list_->last_before(node_->order())); }
  void Seek(const Slice& internal_key, const char* entry) override {
    node_ = list_->first_from(wanted(internal_key, entry));
  }
  void SeekForPrev(const Slice& internal_key, const char* entry) override {
    const Order order = wanted(internal_key, entry);
    const Node* const found = list_->first_from(order);
    if (found && !comes_before(order, found->order())) {
      node_ = found;  // this very one
    } else {
      set(list_->last_before(order));
    }
  }
  void SeekToFirst() override { node_ = list_->first(); }
  void SeekToLast() override { node_ = list_->last(); }

 private:
  static Order wanted(const Slice& internal_key, const char* entry) {
    return entry ? order_of(entry) : order_of(internal_key.data(), internal_key.size());
  }
  void set(const Node* node) { node_ = list_->is_head(node) ? nullptr : node; }

  const SkipList* list_;
  const Node* node_ = nullptr;
};

// RocksDB wants iterators in an arena whose class is not public. Its own list can make one there,
// and ours takes that one's place: the kind that looks ahead has the same two pointers and more.
rocksdb::MemTableRep::Iterator* SkipList::GetIterator(rocksdb::Arena* arena) {
  if (!arena) return new SkipListIterator(this);
  static_assert(sizeof(SkipListIterator) == 3 * sizeof(void*));
  Iterator* const place = places_->GetIterator(arena);
  place->~Iterator();
  return ::new (static_cast<void*>(place)) SkipListIterator(this);
}

// Of the base's Get alone when there is no arena. It never gives the iterator back (RocksDB 7.8,
// MemTableRep::Get), so each thread has one for all its reads.
rocksdb::MemTableRep::Iterator* SkipList::GetDynamicPrefixIterator(rocksdb::Arena* arena) {
  if (arena) return GetIterator(arena);
  thread_local SkipListIterator iterator(nullptr);
  iterator = SkipListIterator(this);
  return &iterator;
}

class IndexMemTable final : public rocksdb::MemTableRepFactory {
 public:
  using MemTableRepFactory::CreateMemTableRep;
  rocksdb::MemTableRep* CreateMemTableRep(const rocksdb::MemTableRep::KeyComparator& order,
                                          rocksdb::Allocator* allocator,
                                          const rocksdb::SliceTransform*,
                                          rocksdb::Logger*) override {
    return new SkipList(order, allocator);
  }
  const char* Name() const override { return "VirgaIndexMemTable"; }
};

}  // namespace

std::shared_ptr<rocksdb::MemTableRepFactory> make_index_memtable() {
  // What is said of iterators above was read and tested with RocksDB 7.8.
  if constexpr (ROCKSDB_MAJOR == 7 && ROCKSDB_MINOR == 8) {
    return std::make_shared<IndexMemTable>();
  } else {
    return std::make_shared<rocksdb::SkipListFactory>();
  }
}

}  // namespace virga::storage
