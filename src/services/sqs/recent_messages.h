#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <unordered_map>
#include <utility>

#include "services/sqs/message.h"

namespace virga::sqs {

// Records of one queue that will soon be asked for: messages until they are received, deliveries
// until their messages are deleted. Copies of what the transactions wrote; without room the record
// is read from the index. Thrown away with its queue's Messages when a transaction fails. Lives on
// the shard's owner loop.
class RecentMessages {
 public:
  void sent(uint64_t sequence, Message message) {
    const size_t bytes = bytes_of(message);
    if (bytes > kMessageBytesMax || message_bytes_ + bytes > kMessagesBytesMax) return;
    if (messages_.try_emplace(sequence, std::move(message)).second) message_bytes_ += bytes;
  }
  // Takes it out: whoever reads a message is about to deliver or move it. nullopt: not here.
  std::optional<Message> take_message(uint64_t sequence) {
    const auto found = messages_.find(sequence);
    if (found == messages_.end()) return std::nullopt;
    message_bytes_ -= bytes_of(found->second);
    std::optional<Message> message(std::move(found->second));
    messages_.erase(found);
    return message;
  }

  void delivered(uint64_t sequence, const Delivery& delivery) {
    if (const auto found = deliveries_.find(sequence); found != deliveries_.end()) {
      found->second = delivery;
    } else if (deliveries_.size() < kDeliveriesMax) {
      deliveries_.emplace(sequence, delivery);
    }
  }
  const Delivery* delivery(uint64_t sequence) const {
    const auto found = deliveries_.find(sequence);
    return found == deliveries_.end() ? nullptr : &found->second;
  }

  void removed(uint64_t sequence) {
    take_message(sequence);  // of one that expired unread
    deliveries_.erase(sequence);
  }

 private:
  // A queue's share of the memory: thousands of queues may be in use at once.
  static constexpr size_t kMessagesBytesMax = 128 << 10;
  static constexpr size_t kMessageBytesMax = 16 << 10;
  static constexpr size_t kDeliveriesMax = 8192;

  static size_t bytes_of(const Message& m) {
    size_t total = sizeof(Message) + m.id.size() + m.sender.size() + m.body.size() +
                   m.trace_header.size() + m.group.size() + m.deduplication_id.size() +
                   m.dead_letter_source.size();
    for (const auto& [name, value] : m.attributes)
      total += 2 * sizeof(AttributeValue) + name.size() + value.type.size() + value.value.size();
    return total;
  }

  std::unordered_map<uint64_t, Message> messages_;
  size_t message_bytes_ = 0;
  std::unordered_map<uint64_t, Delivery> deliveries_;
};

}  // namespace virga::sqs
