#pragma once

#include <string>
#include <string_view>

#include "base/error.h"

// SQS's refusals, in the service's words. Codes are the JSON protocol's; the query protocol's
// spelling of each stands in models/overlays/sqs.json. Source: SQS API Reference, "Errors" of each
// operation and "Common Errors"; recorded answers.
namespace virga::sqs::errors {

AwsError queue_does_not_exist();
AwsError queue_name_exists(std::string_view attribute);
AwsError queue_deleted_recently();
AwsError purge_in_progress(std::string_view queue_name);
AwsError over_limit(std::string message);
AwsError unsupported(std::string message);
AwsError resource_not_found(std::string message);

AwsError unknown_attribute(std::string_view name);
AwsError invalid_attribute_value(std::string_view name);
AwsError invalid_attribute_value_because(std::string message);

AwsError missing_parameter(std::string_view name);
// "InvalidParameterValueException" with the whole message.
AwsError invalid_parameter(std::string message);
// "Value V for parameter P is invalid. Reason: R"
AwsError invalid_value(std::string_view value, std::string_view parameter, std::string_view reason);

AwsError invalid_message_contents();
AwsError message_too_long(int64_t bytes_max);
AwsError invalid_receipt_handle(std::string_view handle);

// Of whole batches. `entry` is the entry's shape: "SendMessageBatchRequestEntry".
AwsError empty_batch(std::string_view entry);
AwsError too_many_entries(size_t count);
AwsError batch_ids_not_distinct(std::string_view id);
AwsError invalid_batch_id();
AwsError batch_too_long(int64_t bytes_max, int64_t bytes);

}  // namespace virga::sqs::errors
