#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"

namespace virga::sqs {

// A message attribute's value: text (types String and Number, with their labels) or bytes (Binary).
struct AttributeValue {
  std::string type;  // "String", "Number.int", "Binary.png"
  std::string value;
  bool is_binary() const { return type.starts_with("Binary"); }
};
using MessageAttributes = std::map<std::string, AttributeValue>;

// A message as it was sent: written once. What happens to it later is its Delivery.
struct Message {
  std::string id;       // UUID
  int64_t sent_at = 0;  // microseconds
  int64_t visible_at = 0;
  std::string sender;
  std::string body;
  MessageAttributes attributes;
  std::string trace_header;        // AWSTraceHeader; empty: none
  std::string group;               // MessageGroupId; empty: none
  std::string deduplication_id;    // FIFO queues
  std::string dead_letter_source;  // ARN of the queue that gave it up
  uint32_t earlier_receives = 0;   // in that queue and before
};

// What became of a message that was received at least once.
struct Delivery {
  int64_t visible_at = 0;         // microseconds
  uint32_t receives = 0;          // in this queue; tells one receipt from the next
  int64_t first_received_at = 0;  // microseconds
  int64_t received_at = 0;        // last time
};

std::string encode(const Message& message);
Result<Message> decode_message(std::string_view bytes);
std::string encode(const Delivery& delivery);
Result<Delivery> decode_delivery(std::string_view bytes);

// Lower-case hexadecimal. Source: SQS Developer Guide, "Calculating the MD5 message digest for
// message attributes".
std::string md5_hex(std::string_view text);
std::string md5_of(const MessageAttributes& attributes);

// Names one receipt of one message. Opaque to clients; a text that was not made here is refused.
struct ReceiptHandle {
  uint64_t queue = 0;  // object id
  uint64_t store = 0;  // of the queue's messages: changes when the queue is purged
  uint64_t sequence = 0;
  uint32_t receives = 0;

  std::string text() const;
  static std::optional<ReceiptHandle> parse(std::string_view text);
};

}  // namespace virga::sqs
