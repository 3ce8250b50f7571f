#include "storage/value_cache.h"

namespace virga::storage {

std::optional<ValueCache::Value> ValueCache::find(std::string_view key, Ticket& ticket) {
  const Hashed hashed(key);
  Part& part = part_of(hashed);
  const std::lock_guard guard(part.mutex);
  if (const auto it = part.young.find(hashed); it != part.young.end()) return it->second;
  if (const auto it = part.old.find(hashed); it != part.old.end()) {
    Value value = it->second;
    insert(part, part.old.extract(it));
    return value;
  }
  ticket = {part.version, part.writing == 0};
  return std::nullopt;
}

void ValueCache::put(std::string_view key, const Value& value, Ticket ticket) {
  if (!ticket.open || key.size() + (value ? value->size() : 0) > kEntryBytesMax) return;
  Part& part = part_of(Hashed(key));
  const std::lock_guard guard(part.mutex);
  if (part.writing == 0 && part.version == ticket.version) insert(part, key, value);
}

void ValueCache::make_room(Part& part, size_t bytes) {
  if (part.young_bytes + bytes > part_bytes_max_) {
    part.old = std::move(part.young);
    part.young.clear();
    part.young_bytes = 0;
  }
  part.young_bytes += bytes;
}

void ValueCache::insert(Part& part, std::string_view key, const Value& value) {
  make_room(part, bytes_of(key, value));
  const auto [at, added] = part.young.try_emplace(std::string(key), value);
  if (added) return;
  part.young_bytes -= bytes_of(key, at->second);
  at->second = value;
}

void ValueCache::insert(Part& part, Map::node_type entry) {
  make_room(part, bytes_of(entry.key(), entry.mapped()));
  part.young.insert(std::move(entry));
}

// Takes a key out of the cache; an empty handle when it is not there.
ValueCache::Map::node_type ValueCache::take(Part& part, const Hashed& key) {
  Map::node_type out;
  if (const auto it = part.young.find(key); it != part.young.end()) {
    out = part.young.extract(it);
    part.young_bytes -= bytes_of(key.key, out.mapped());
  }
  if (const auto it = part.old.find(key); it != part.old.end()) {
    if (out) {
      part.old.erase(it);
    } else {
      out = part.old.extract(it);
    }
  }
  return out;
}

void ValueCache::begin_write(const std::vector<Write>& writes) {
  taken_.clear();
  for (const Write& write : writes) {
    const Hashed key(write.key);
    Part& part = part_of(key);
    const std::lock_guard guard(part.mutex);
    ++part.writing;
    taken_.push_back(take(part, key));
  }
}

void ValueCache::end_write(const std::vector<Write>& writes) {
  for (size_t i = 0; i < writes.size(); ++i) {
    const auto& [key, value] = writes[i];
    const Hashed hashed(key);
    Part& part = part_of(hashed);
    const std::lock_guard guard(part.mutex);
    ++part.version;
    --part.writing;
    // The second operation of one key finds what the first brought back.
    Map::node_type entry = taken_[i] ? std::move(taken_[i]) : take(part, hashed);
    if (!entry || key.size() + (value ? value->size() : 0) > kEntryBytesMax) continue;
    if (Value& cached = entry.mapped(); !value) {
      cached.reset();
    } else if (cached) {
      cached->assign(*value);
    } else {
      cached.emplace(*value);
    }
    insert(part, std::move(entry));
  }
  taken_.clear();
}

void ValueCache::begin_clear() {
  for (Part& part : parts_) {
    const std::lock_guard guard(part.mutex);
    ++part.writing;
    part.young.clear();
    part.old.clear();
    part.young_bytes = 0;
  }
}

void ValueCache::end_clear() {
  for (Part& part : parts_) {
    const std::lock_guard guard(part.mutex);
    ++part.version;
    --part.writing;
  }
}

}  // namespace virga::storage
