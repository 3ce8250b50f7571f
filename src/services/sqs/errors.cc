#include "services/sqs/errors.h"

#include <utility>

namespace virga::sqs::errors {
namespace {

AwsError make(const char* code, std::string message) {
  return {.code = code, .http_status = 400, .message = std::move(message), .detail = nullptr};
}

}  // namespace

AwsError queue_does_not_exist() {
  return make("QueueDoesNotExist", "The specified queue does not exist.");
}
AwsError queue_name_exists(std::string_view attribute) {
  return make("QueueNameExists",
              "A queue already exists with the same name and a different value for attribute " +
                  std::string(attribute));
}
AwsError queue_deleted_recently() {
  return make("QueueDeletedRecently",
              "You must wait 60 seconds after deleting a queue before you can create another with "
              "the same name.");
}
AwsError purge_in_progress(std::string_view queue_name) {
  return make("PurgeQueueInProgress", "Only one PurgeQueue operation on " +
                                          std::string(queue_name) +
                                          " is allowed every 60 seconds.");
}
AwsError over_limit(std::string message) {
  return make("OverLimit", std::move(message));
}
AwsError unsupported(std::string message) {
  return make("UnsupportedOperation", std::move(message));
}
AwsError resource_not_found(std::string message) {
  return make("ResourceNotFoundException", std::move(message));
}

AwsError unknown_attribute(std::string_view name) {
  return make("InvalidAttributeName", "Unknown Attribute " + std::string(name) + ".");
}
AwsError invalid_attribute_value(std::string_view name) {
  return make("InvalidAttributeValue",
              "Invalid value for the parameter " + std::string(name) + ".");
}
AwsError invalid_attribute_value_because(std::string message) {
  return make("InvalidAttributeValue", std::move(message));
}

AwsError missing_parameter(std::string_view name) {
  return make("MissingRequiredParameterException",
              "The request must contain the parameter " + std::string(name) + ".");
}
AwsError invalid_parameter(std::string message) {
  return make("InvalidParameterValueException", std::move(message));
}
AwsError invalid_value(std::string_view value, std::string_view parameter,
                       std::string_view reason) {
  return invalid_parameter("Value " + std::string(value) + " for parameter " +
                           std::string(parameter) + " is invalid. Reason: " + std::string(reason));
}

AwsError invalid_message_contents() {
  return make("InvalidMessageContents",
              "Invalid characters found. Valid unicode characters are #x9 | #xA | #xD | #x20 to "
              "#xD7FF | #xE000 to #xFFFD | "
              "#x10000 to #x10FFFF.");
}
AwsError message_too_long(int64_t bytes_max) {
  return invalid_parameter(
      "One or more parameters are invalid. Reason: Message must be shorter than " +
      std::to_string(bytes_max) + " bytes.");
}
AwsError invalid_receipt_handle(std::string_view handle) {
  return make("ReceiptHandleIsInvalid", "The input receipt handle \"" + std::string(handle) +
                                            "\" is not a valid receipt handle.");
}

AwsError empty_batch(std::string_view entry) {
  return make("EmptyBatchRequest",
              "There should be at least one " + std::string(entry) + " in the request.");
}
AwsError too_many_entries(size_t count) {
  return make(
      "TooManyEntriesInBatchRequest",
      "Maximum number of entries per request are 10. You have sent " + std::to_string(count) + ".");
}
AwsError batch_ids_not_distinct(std::string_view id) {
  return make("BatchEntryIdsNotDistinct", "Id " + std::string(id) + " repeated.");
}
AwsError invalid_batch_id() {
  return make("InvalidBatchEntryId",
              "A batch entry id can only contain alphanumeric characters, hyphens and underscores. "
              "It can be at most 80 "
              "letters long.");
}
AwsError batch_too_long(int64_t bytes_max, int64_t bytes) {
  return make("BatchRequestTooLong", "Batch requests cannot be longer than " +
                                         std::to_string(bytes_max) + " bytes. You have sent " +
                                         std::to_string(bytes) + " bytes.");
}

}  // namespace virga::sqs::errors
