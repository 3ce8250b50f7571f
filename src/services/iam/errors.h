#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "services/iam/records.h"

// IAM's refusals, in the service's words. Source: IAM API Reference, "Errors" of each operation;
// the texts as clients see them.
namespace virga::iam::errors {

AwsError no_such_entity(Kind kind, std::string_view name);
AwsError no_such_entity_text(std::string message);
AwsError no_such_inline_policy(Kind kind, std::string_view policy);
AwsError no_such_instance_profile(std::string_view name);
AwsError no_such_access_key(std::string_view id);
AwsError policy_not_found(std::string_view arn);       // GetPolicy, DetachRolePolicy
AwsError policy_not_attachable(std::string_view arn);  // AttachRolePolicy
AwsError policy_version_not_found(std::string_view arn, std::string_view version);
AwsError already_exists(Kind kind, std::string_view name);
AwsError already_exists_text(std::string message);
AwsError delete_conflict(std::string message);
AwsError limit_exceeded(std::string message);
AwsError invalid_input(std::string message);
AwsError validation(std::string message);
AwsError must_specify_user_name();
AwsError invalid_marker();
AwsError unmodifiable(std::string message);

}  // namespace virga::iam::errors
