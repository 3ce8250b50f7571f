#pragma once

#include <string_view>

#include "services/sqs/order.h"
#include "storage/keys.h"

// Keys of messages. Below Space::sqs_messages and the queue's store id:
//   'c' → total of messages, mark of the order      'm' sequence → message
//   'r' visible_at | sequence → received once?       's' sequence → delivery (received at least
//   once) 'r' 0 | sequence → visible_at, group (FIFO)      'd' scope | deduplication id → who has
//   it 'e' sent at | scope | deduplication id → (when to forget it)
// docs/formats/sqs.md has the bytes.
namespace virga::sqs::keys {

inline storage::Key store(uint64_t id) {
  storage::Key key(storage::Space::sqs_messages);
  key.u64(id);
  return key;
}
inline storage::Key part(uint64_t id, char kind) {
  storage::Key key = store(id);
  key.u8(static_cast<uint8_t>(kind));
  return key;
}
inline storage::Key message(uint64_t id, uint64_t sequence) {
  return std::move(part(id, 'm').u64(sequence));
}
inline storage::Key delivery(uint64_t id, uint64_t sequence) {
  return std::move(part(id, 's').u64(sequence));
}
inline storage::Key place(uint64_t id, int64_t visible_at, uint64_t sequence) {
  return std::move(part(id, 'r').i64(visible_at).u64(sequence));
}
inline constexpr size_t kPartBytes = 1 + 8 + 1;  // space, store, kind

}  // namespace virga::sqs::keys
