#include "services/logs/errors.h"

#include <utility>

namespace virga::logs::errors {
namespace {

AwsError make(const char* code, std::string message) {
  return {.code = code, .http_status = 400, .message = std::move(message), .detail = nullptr};
}

}  // namespace

AwsError no_such_group() {
  return make("ResourceNotFoundException", "The specified log group does not exist.");
}
AwsError no_such_stream() {
  return make("ResourceNotFoundException", "The specified log stream does not exist.");
}
AwsError group_exists() {
  return make("ResourceAlreadyExistsException", "The specified log group already exists");
}
AwsError stream_exists() {
  return make("ResourceAlreadyExistsException", "The specified log stream already exists");
}
AwsError invalid_parameter(std::string message) {
  return make("InvalidParameterException", std::move(message));
}
AwsError invalid_token() {
  return invalid_parameter("The specified nextToken is invalid.");
}
AwsError protected_group() {
  return make("ValidationException",
              "The log group cannot be deleted because deletion protection is enabled for it.");
}
AwsError too_many_tags() {
  return make("TooManyTagsException", "A resource can have no more than 50 tags.");
}
AwsError limit_exceeded() {
  return make("LimitExceededException", "Resource limit exceeded.");
}
AwsError no_such_metric_filter() {
  return make("ResourceNotFoundException", "The specified metric filter does not exist.");
}
AwsError no_such_subscription_filter() {
  return make("ResourceNotFoundException", "The specified subscription filter does not exist.");
}
AwsError no_such_resource_policy(const std::string& name) {
  return make("ResourceNotFoundException", "Policy with name [" + name + "] does not exist");
}
AwsError no_such_query_definition() {
  return make("ResourceNotFoundException", "The specified query definition does not exist.");
}

}  // namespace virga::logs::errors
