#include "services/iam/errors.h"

#include <utility>

namespace virga::iam::errors {
namespace {

AwsError make(const char* code, int status, std::string message) {
  return {.code = code, .http_status = status, .message = std::move(message), .detail = nullptr};
}

const char* lower_name(Kind kind) {
  return kind == Kind::user ? "user" : kind == Kind::role ? "role" : "group";
}
const char* upper_name(Kind kind) {
  return kind == Kind::user ? "User" : kind == Kind::role ? "Role" : "Group";
}

}  // namespace

AwsError no_such_entity_text(std::string message) {
  return make("NoSuchEntityException", 404, std::move(message));
}

AwsError no_such_entity(Kind kind, std::string_view name) {
  return no_such_entity_text(std::string("The ") + lower_name(kind) + " with name " +
                             std::string(name) + " cannot be found.");
}

AwsError no_such_inline_policy(Kind kind, std::string_view policy) {
  return no_such_entity_text(std::string("The ") + lower_name(kind) + " policy with name " +
                             std::string(policy) + " cannot be found.");
}

AwsError no_such_instance_profile(std::string_view name) {
  return no_such_entity_text("Instance Profile " + std::string(name) + " cannot be found.");
}

AwsError no_such_access_key(std::string_view id) {
  return no_such_entity_text("The Access Key with id " + std::string(id) + " cannot be found.");
}

AwsError policy_not_found(std::string_view arn) {
  return no_such_entity_text("Policy " + std::string(arn) + " was not found.");
}

AwsError policy_not_attachable(std::string_view arn) {
  return no_such_entity_text("Policy " + std::string(arn) +
                             " does not exist or is not attachable.");
}

AwsError policy_version_not_found(std::string_view arn, std::string_view version) {
  return no_such_entity_text("Policy " + std::string(arn) + " version " + std::string(version) +
                             " does not exist or is not attachable.");
}

AwsError already_exists_text(std::string message) {
  return make("EntityAlreadyExistsException", 409, std::move(message));
}

AwsError already_exists(Kind kind, std::string_view name) {
  return already_exists_text(std::string(upper_name(kind)) + " with name " + std::string(name) +
                             " already exists.");
}

AwsError delete_conflict(std::string message) {
  return make("DeleteConflictException", 409, std::move(message));
}
AwsError limit_exceeded(std::string message) {
  return make("LimitExceededException", 409, std::move(message));
}
AwsError invalid_input(std::string message) {
  return make("InvalidInputException", 400, std::move(message));
}
AwsError validation(std::string message) {
  return make("ValidationError", 400, std::move(message));
}
AwsError must_specify_user_name() {
  return validation("Must specify userName when calling with non-User credentials");
}
AwsError invalid_marker() {
  return validation("Invalid Marker.");
}
AwsError unmodifiable(std::string message) {
  return make("UnmodifiableEntityException", 400, std::move(message));
}

}  // namespace virga::iam::errors
