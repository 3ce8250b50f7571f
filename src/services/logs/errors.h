#pragma once

#include <string>

#include "base/error.h"

// CloudWatch Logs' refusals, in the service's words. Source: CloudWatch Logs API Reference,
// "Errors" of each operation.
namespace virga::logs::errors {

AwsError no_such_group();
AwsError no_such_stream();
AwsError group_exists();
AwsError stream_exists();
AwsError invalid_parameter(std::string message);
AwsError invalid_token();
AwsError protected_group();
AwsError too_many_tags();
AwsError limit_exceeded();
AwsError no_such_metric_filter();
AwsError no_such_subscription_filter();
AwsError no_such_resource_policy(const std::string& name);
AwsError no_such_query_definition();

}  // namespace virga::logs::errors
