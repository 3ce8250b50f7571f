#include "services/lambda/errors.h"

#include "base/document.h"

namespace virga::lambda::errors {
namespace {

// Most of Lambda's errors carry Type: "User" for the caller's mistakes, "Service" for ours.
std::shared_ptr<const Document> user_type() {
  static const auto detail = std::make_shared<const Document>(
      Document::Object{Document::Member{"Type", Document("User")}});
  return detail;
}

AwsError user_error(std::string code, int status, std::string message) {
  return AwsError{.code = std::move(code),
                  .http_status = status,
                  .message = std::move(message),
                  .detail = user_type()};
}

}  // namespace

AwsError invalid_parameter(std::string message) {
  return user_error("InvalidParameterValueException", 400, std::move(message));
}
AwsError resource_not_found(std::string message) {
  return user_error("ResourceNotFoundException", 404, std::move(message));
}
AwsError resource_conflict(std::string message) {
  return user_error("ResourceConflictException", 409, std::move(message));
}
AwsError precondition_failed(std::string message) {
  return user_error("PreconditionFailedException", 412, std::move(message));
}
AwsError validation(std::string_view value, std::string_view member, std::string_view constraint) {
  return AwsError{.code = "ValidationException",
                  .http_status = 400,
                  .message = "1 validation error detected: Value '" + std::string(value) +
                             "' at '" + std::string(member) +
                             "' failed to satisfy constraint: " + std::string(constraint)};
}
AwsError not_implemented(std::string_view what) {
  return AwsError{.code = "NotImplemented",
                  .http_status = 501,
                  .message = std::string(what) + " is not implemented in Virga yet"};
}
AwsError service_exception(std::string message) {
  return AwsError{.code = "ServiceException",
                  .http_status = 500,
                  .message = std::move(message),
                  .detail = std::make_shared<const Document>(
                      Document::Object{Document::Member{"Type", Document("Service")}})};
}

AwsError function_not_found(std::string_view arn) {
  return resource_not_found("Function not found: " + std::string(arn));
}
AwsError function_exists(std::string_view name) {
  return resource_conflict("Function already exist: " + std::string(name));
}
AwsError qualifier_mismatch() {
  return invalid_parameter(
      "The derived qualifier from the function name does not match the specified qualifier.");
}
AwsError could_not_unzip() {
  return invalid_parameter(
      "Could not unzip uploaded file. Please check your file, then try to upload again.");
}
AwsError empty_zip() {
  return invalid_parameter("Uploaded file must be a non-empty zip");
}
AwsError unzipped_too_large() {
  return invalid_parameter("Unzipped size must be smaller than 262144000 bytes");
}
AwsError request_too_large(size_t bytes, std::string_view invocation_type, size_t limit) {
  return user_error("RequestTooLargeException", 413,
                    std::to_string(bytes) + " byte payload is too large for the " +
                        std::string(invocation_type) + " invocation type (limit " +
                        std::to_string(limit) + " bytes)");
}
AwsError invalid_request_content(std::string_view reason) {
  return user_error("InvalidRequestContentException", 400,
                    "Could not parse request body into json: " + std::string(reason));
}
AwsError function_revision_mismatch() {
  return precondition_failed(
      "The Revision Id provided does not match the latest Revision Id. Call the "
      "GetFunction/GetAlias API to "
      "retrieve the latest Revision Id");
}
AwsError policy_revision_mismatch() {
  return precondition_failed(
      "The Revision Id provided does not match the latest Revision Id. Call the GetPolicy API to "
      "retrieve the "
      "latest Revision Id");
}

AwsError too_many_requests(ThrottleReason reason) {
  Document detail = Document::object();
  detail.set("Reason", reason == ThrottleReason::account_concurrency
                           ? "ConcurrentInvocationLimitExceeded"
                           : "ReservedFunctionConcurrentInvocationLimitExceeded");
  detail.set("Type", "User");
  return AwsError{.code = "TooManyRequestsException",
                  .http_status = 429,
                  .message = "Rate Exceeded.",
                  .detail = std::make_shared<const Document>(std::move(detail))};
}
AwsError function_pending(std::string_view state) {
  return resource_conflict(
      "The operation cannot be performed at this time. The function is currently in the following "
      "state: " +
      std::string(state));
}
AwsError update_in_progress(std::string_view arn) {
  return resource_conflict(
      "The operation cannot be performed at this time. An update is in progress for resource: " +
      std::string(arn));
}

}  // namespace virga::lambda::errors
