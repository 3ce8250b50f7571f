#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "base/error.h"
#include "services/sqs/queue_address.h"

namespace virga::sqs {

using AttributeMap = std::map<std::string, std::string>;

// A message may weigh this much, and so may a batch: body, attributes' names, types and values.
// Source: SQS Developer Guide, "Amazon SQS message quotas".
inline constexpr int64_t kMessageBytesMax = 1'048'576;
inline constexpr int32_t kVisibilitySecondsMax = 43'200;
inline constexpr int32_t kDelaySecondsMax = 900;
inline constexpr int32_t kWaitSecondsMax = 20;

// A queue's attributes, read: what is not set has AWS's default. Source: SQS API Reference,
// SetQueueAttributes.
struct Settings {
  int32_t visibility_seconds = 30;
  int32_t delay_seconds = 0;
  int32_t wait_seconds = 0;
  int64_t message_bytes_max = kMessageBytesMax;
  int64_t retention_seconds = 345'600;
  bool fifo = false;
  bool content_deduplication = false;
  bool deduplicate_by_group = false;
  std::string dead_letter_arn;  // empty: no redrive policy
  int32_t receives_max = 0;

  static Settings of(const AttributeMap& attributes);
};

// Attributes as a client gave them, checked and made ready to be kept. Empty Policy, RedrivePolicy,
// RedriveAllowPolicy and KmsMasterKeyId mean: remove. `fifo`: the queue's kind. What needs other
// queues (dead-letter targets) is not checked here. Errors: InvalidAttributeName,
// InvalidAttributeValue, InvalidParameterValueException.
Result<AttributeMap> check_attributes(const AttributeMap& given, bool fifo);
// Rules between attributes, over all that the queue will have.
Result<void> check_together(const AttributeMap& attributes);

// The value that GetQueueAttributes tells, defaults included; empty when the queue has no such
// attribute.
std::string effective_value(const AttributeMap& attributes, std::string_view name, bool fifo);
// Whether two values of an attribute mean the same: JSON whatever the order of its members.
bool same_value(std::string_view name, const std::string& a, const std::string& b);

struct RedrivePolicy {
  std::string dead_letter_arn;
  int32_t receives_max = 0;
};
Result<RedrivePolicy> parse_redrive_policy(const std::string& json);
// Whether the policy (empty: none) lets the queue use its owner as a dead-letter queue.
bool allows_redrive_from(const std::string& redrive_allow_policy, std::string_view source_arn);

}  // namespace virga::sqs
