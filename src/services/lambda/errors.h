#pragma once

#include <string>
#include <string_view>

#include "base/error.h"

// Named makers for the errors of Lambda. Texts are AWS's where clients match on them.
// Source: Lambda API Reference, errors of each operation; wording from recorded answers.
namespace virga::lambda::errors {

AwsError invalid_parameter(std::string message);
AwsError resource_not_found(std::string message);
AwsError resource_conflict(std::string message);
AwsError precondition_failed(std::string message);
AwsError validation(std::string_view value, std::string_view member, std::string_view constraint);
AwsError not_implemented(std::string_view what);
AwsError service_exception(std::string message);

// `arn` carries the qualifier when one was asked for.
AwsError function_not_found(std::string_view arn);
AwsError function_exists(std::string_view name);
AwsError qualifier_mismatch();
AwsError could_not_unzip();
AwsError empty_zip();
AwsError unzipped_too_large();
AwsError request_too_large(size_t bytes, std::string_view invocation_type, size_t limit);
AwsError invalid_request_content(std::string_view reason);
AwsError function_revision_mismatch();
AwsError policy_revision_mismatch();

enum class ThrottleReason { account_concurrency, reserved_concurrency };
AwsError too_many_requests(ThrottleReason reason);
AwsError function_pending(std::string_view state);
AwsError update_in_progress(std::string_view arn);

}  // namespace virga::lambda::errors
