#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "services/sqs/errors.h"
#include "services/sqs/message.h"
#include "services/sqs/settings.h"

namespace virga::sqs {

// A message as a client gave it: of SendMessage or of one entry of SendMessageBatch.
struct NewMessage {
  std::string body;
  std::optional<int32_t> delay_seconds;
  MessageAttributes attributes;
  MessageAttributes system_attributes;  // AWSTraceHeader
  std::optional<std::string> group;
  std::optional<std::string> deduplication_id;

  // Names, types and values of attributes count as well as the body; system attributes do not.
  int64_t bytes() const;
};

// What holds of every message, then what the queue asks of it. Errors: InvalidMessageContents,
// InvalidParameterValueException, MissingRequiredParameterException.
Result<void> check_new_message(const NewMessage& message, const Settings& queue);

// Attributes of the generated shapes. Errors: InvalidParameterValueException.
template <class ApiAttributes>
Result<MessageAttributes> read_attributes(const ApiAttributes& given, bool system);

// Ids that clients choose: letters, digits and punctuation, 1 to 128. Errors:
// InvalidParameterValueException.
Result<void> check_client_id(const std::string& value, std::string_view parameter);

Result<void> check_attribute_name(const std::string& name, bool system);
Result<AttributeValue> check_attribute(const std::string& name,
                                       const std::optional<std::string>& type,
                                       const std::optional<std::string>& text,
                                       const std::optional<std::string>& bytes, bool system);
inline constexpr size_t kAttributesMax = 10;

template <class ApiAttributes>
Result<MessageAttributes> read_attributes(const ApiAttributes& given, bool system) {
  MessageAttributes out;
  if (!given) return out;
  if (!system && given->size() > kAttributesMax) {
    return fail(errors::invalid_parameter("Number of message attributes [" +
                                          std::to_string(given->size()) +
                                          "] exceeds the allowed maximum [10]."));
  }
  for (const auto& [name, value] : *given) {
    if ((value.string_list_values && !value.string_list_values->empty()) ||
        (value.binary_list_values && !value.binary_list_values->empty())) {
      return fail(errors::unsupported(
          "Message attribute list values in SendMessage operation are not supported."));
    }
    VIRGA_TRY_VOID(check_attribute_name(name, system));
    VIRGA_TRY(kept, check_attribute(name, value.data_type, value.string_value, value.binary_value,
                                    system));
    out[name] = std::move(kept);
  }
  return out;
}

}  // namespace virga::sqs
