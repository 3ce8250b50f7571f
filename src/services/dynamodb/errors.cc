#include "services/dynamodb/errors.h"

#include "aws/attribute_value_json.h"
#include "base/check.h"
#include "base/document.h"
#include "base/json.h"

namespace virga::dynamodb::errors {
namespace {

AwsError make(std::string code, std::string message) {
  return AwsError{.code = std::move(code), .http_status = 400, .message = std::move(message)};
}

Document to_document(const Item& item) {
  std::string text;
  JsonWriter writer(text);
  write_json(writer, item);
  auto document = parse_json(text);
  CHECK(document.has_value());  // we wrote it
  return std::move(*document);
}

}  // namespace

AwsError validation(std::string message) {
  return make("ValidationException", std::move(message));
}
AwsError invalid_parameter(std::string_view message) {
  return validation("One or more parameter values were invalid: " + std::string(message));
}
AwsError one_violation(std::string_view message) {
  return validation("1 validation error detected: " + std::string(message));
}
AwsError serialization(std::string message) {
  return make("SerializationException", std::move(message));
}

AwsError resource_not_found() {
  return make("ResourceNotFoundException", "Requested resource not found");
}
AwsError table_not_found(std::string_view name) {
  return make("ResourceNotFoundException",
              "Requested resource not found: Table: " + std::string(name) + " not found");
}
AwsError arn_not_found(std::string_view arn) {
  // The spelling is the service's.
  return make("ResourceNotFoundException",
              "Requested resource not found: ResourcArn: " + std::string(arn) + " not found");
}
AwsError index_not_found(std::string_view name) {
  return validation("The table does not have the specified index: " + std::string(name));
}
AwsError table_exists(std::string_view name) {
  return make("ResourceInUseException", "Table already exists: " + std::string(name));
}
AwsError table_being_created(std::string_view name) {
  return make("ResourceInUseException",
              "Attempt to change a resource which is still in use: Table is being created: " +
                  std::string(name));
}
AwsError table_being_deleted(std::string_view name) {
  return make("ResourceInUseException",
              "Attempt to change a resource which is still in use: Table is being deleted: " +
                  std::string(name));
}
AwsError table_being_updated(std::string_view name) {
  return make("ResourceInUseException",
              "Attempt to change a resource which is still in use: Table is being updated: " +
                  std::string(name));
}
AwsError deletion_protected() {
  return validation(
      "Resource cannot be deleted as it is currently protected against deletion. Disable deletion "
      "protection first.");
}
AwsError policy_not_found() {
  return make("PolicyNotFoundException",
              "Resource-based policy not found for the provided ResourceArn");
}
AwsError table_index_not_found(std::string_view table, std::string_view index) {
  return make("ResourceNotFoundException",
              "Requested resource not found: Table: " + std::string(table) +
                  " Index: " + std::string(index) + " not found");
}
AwsError limit_exceeded(std::string message) {
  return make("LimitExceededException", std::move(message));
}
AwsError not_implemented(std::string_view what) {
  return AwsError{.code = "NotImplemented",
                  .http_status = 501,
                  .message = std::string(what) + " is not implemented by Virga."};
}

AwsError conditional_check_failed(const Item* item) {
  AwsError error = make("ConditionalCheckFailedException", "The conditional request failed");
  if (item && !item->empty()) {
    auto detail = std::make_shared<Document>(Document::object());
    detail->set("Item", to_document(*item));
    error.detail = std::move(detail);
  }
  return error;
}

AwsError transaction_canceled(const std::vector<CancellationReason>& reasons) {
  std::string codes;
  Document list = Document::array();
  for (const auto& reason : reasons) {
    codes += (codes.empty() ? "" : ", ") + reason.code;
    Document entry = Document::object();
    entry.set("Code", reason.code);
    if (!reason.message.empty()) entry.set("Message", reason.message);
    if (!reason.item.is_null()) entry.set("Item", reason.item);
    list.push(std::move(entry));
  }
  AwsError error =
      make("TransactionCanceledException",
           "Transaction cancelled, please refer cancellation reasons for specific reasons [" +
               codes + "]");
  auto detail = std::make_shared<Document>(Document::object());
  detail->set("CancellationReasons", std::move(list));
  error.detail = std::move(detail);
  return error;
}

AwsError idempotent_parameter_mismatch() {
  return make(
      "IdempotentParameterMismatchException",
      "The provided client token is already in use for a request with different parameters");
}

}  // namespace virga::dynamodb::errors
