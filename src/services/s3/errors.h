#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"

// S3's refusals, in the service's words and with the members that AWS adds to each. Source: S3 API
// Reference, "Error Responses", "List of error codes"; recorded answers.
namespace virga::s3::errors {

// Any error; `name` and `value` are one extra member of the answer.
AwsError make(std::string code, int status, std::string message);
AwsError make(std::string code, int status, std::string message, std::string_view name,
              std::string_view value);

AwsError no_such_bucket(std::string_view bucket);
AwsError bucket_already_exists(std::string_view bucket);
AwsError bucket_already_owned(std::string_view bucket);
AwsError bucket_not_empty(std::string_view bucket);
AwsError invalid_bucket_name(std::string_view bucket);
AwsError access_denied();
AwsError no_such_key(std::string_view key);
AwsError no_such_version(std::string_view key, std::string_view version_id);
AwsError no_such_upload(std::string_view upload_id);
// InvalidArgument with ArgumentName and ArgumentValue.
AwsError invalid_argument(std::string message, std::string_view name, std::string_view value);
AwsError invalid_request(std::string message);
AwsError malformed_xml();
AwsError method_not_allowed(std::string_view method, std::string_view resource_type);
AwsError not_implemented_header(std::string_view header);

}  // namespace virga::s3::errors
