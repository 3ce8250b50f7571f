#include "storage/value_cache.h"

namespace virga::storage {

std::optional<ValueCache::Value> ValueCache::find(std::string_view key, Ticket& ticket) {
  Part& part = part_of(key);
  const std::lock_guard guard(part.mutex);
  if (const auto it = part.young.find(key); it != part.young.end()) return it->second;
  if (const auto it = part.old.find(key); it != part.old.end()) {
    Value value = it->second;
    insert(part, key, value);
    return value;
  }
  ticket = {part.version, part.writing == 0};
  return std::nullopt;
}

void ValueCache::put(std::string_view key, const Value& value, Ticket ticket) {
  if (!ticket.open || key.size() + (value ? value->size() : 0) > kEntryBytesMax) return;
  Part& part = part_of(key);
  const std::lock_guard guard(part.mutex);
  if (part.writing == 0 && part.version == ticket.version) insert(part, key, value);
}

void ValueCache::insert(Part& part, std::string_view key, const Value& value) {
  const size_t bytes = key.size() + (value ? value->size() : 0) + kEntryOverhead;
  if (part.young_bytes + bytes > part_bytes_max_) {
    part.old = std::move(part.young);
    part.young.clear();
    part.young_bytes = 0;
  }
  if (part.young.insert_or_assign(std::string(key), value).second) part.young_bytes += bytes;
}

void ValueCache::begin_write(const std::vector<std::string_view>& keys) {
  for (const std::string_view key : keys) {
    Part& part = part_of(key);
    const std::lock_guard guard(part.mutex);
    ++part.writing;
    if (const auto it = part.young.find(key); it != part.young.end()) part.young.erase(it);
    if (const auto it = part.old.find(key); it != part.old.end()) part.old.erase(it);
  }
}

void ValueCache::end_write(const std::vector<std::string_view>& keys) {
  for (const std::string_view key : keys) {
    Part& part = part_of(key);
    const std::lock_guard guard(part.mutex);
    ++part.version;
    --part.writing;
  }
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
