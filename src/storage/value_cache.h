#pragma once

#include <array>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace virga::storage {

// The index's latest values of keys that were read lately, absences included: a point read of a hot
// key costs one hash lookup instead of a walk through the memtable. Any thread reads; one applies.
//
// Never older than the index: the keys of a batch leave the cache before the index has it, and
// nothing enters their parts of the cache until it has. So whoever saw one key of a batch in the
// index finds no other key's older value here. Keys that were here come back with what the batch
// wrote: who reads a key, changes it and reads it again walks once.
class ValueCache {
 public:
  using Value = std::optional<std::string>;  // nullopt: there is no such key

  explicit ValueCache(size_t bytes_max) : part_bytes_max_(bytes_max / kParts / 2) {}

  // A value, or nullopt and a ticket for put(), to be taken before the index is read.
  struct Ticket {
    uint64_t version = 0;
    bool open = false;
  };
  std::optional<Value> find(std::string_view key, Ticket& ticket);
  // What the index had, unless a write has come between.
  void put(std::string_view key, const Value& value, Ticket ticket);

  // Around the index's write of a batch, operation by operation; both with the same.
  struct Write {
    std::string_view key;
    std::optional<std::string_view> value;  // nullopt: erased
  };
  void begin_write(const std::vector<Write>& writes);
  void end_write(const std::vector<Write>& writes);
  // Around the write of ranges: nothing is kept and nothing enters until end_clear.
  void begin_clear();
  void end_clear();

 private:
  static constexpr size_t kParts = 16;
  // Larger ones are worth their walk. Objects of S3 that lie in their records fit.
  static constexpr size_t kEntryBytesMax = 5 << 10;
  static constexpr size_t kEntryOverhead = 96;

  // A key with its hash, which picks the part and is good for both maps of it.
  struct Hashed {
    explicit Hashed(std::string_view k) : key(k), hash(std::hash<std::string_view>()(k)) {}
    std::string_view key;
    size_t hash;
  };
  struct Hash {
    using is_transparent = void;
    size_t operator()(const std::string& key) const { return std::hash<std::string_view>()(key); }
    size_t operator()(const Hashed& key) const { return key.hash; }
  };
  struct Equal {
    using is_transparent = void;
    bool operator()(const std::string& a, const std::string& b) const { return a == b; }
    bool operator()(const Hashed& a, const std::string& b) const { return a.key == b; }
    bool operator()(const std::string& a, const Hashed& b) const { return a == b.key; }
  };
  using Map = std::unordered_map<std::string, Value, Hash, Equal>;
  // Two generations: when the young one is full it becomes the old one, and the old one goes.
  struct Part {
    std::mutex mutex;
    uint64_t version = 0;  // of the keys of this part
    int writing = 0;
    size_t young_bytes = 0;
    Map young, old;
  };
  Part& part_of(const Hashed& key) { return parts_[key.hash >> 32 & (kParts - 1)]; }
  static size_t bytes_of(std::string_view key, const Value& value) {
    return key.size() + (value ? value->size() : 0) + kEntryOverhead;
  }
  void make_room(Part& part, size_t bytes);
  void insert(Part& part, std::string_view key, const Value& value);
  void insert(Part& part, Map::node_type entry);
  Map::node_type take(Part& part, const Hashed& key);

  const size_t part_bytes_max_;
  std::array<Part, kParts> parts_;
  std::vector<Map::node_type> taken_;  // by begin_write, one for each operation; some are empty
};

}  // namespace virga::storage
