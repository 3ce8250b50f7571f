#pragma once

#include <string>

#include "base/error.h"

// CloudWatch Logs' refusals, in the service's words. Source: CloudWatch Logs API Reference, "Errors" of each operation.
namespace virga::logs::errors {

AwsError no_such_group();
AwsError no_such_stream();
AwsError group_exists();
AwsError stream_exists();
AwsError invalid_parameter(std::string message);
AwsError invalid_token();
AwsError protected_group();
AwsError too_many_tags();

}  // namespace virga::logs::errors
