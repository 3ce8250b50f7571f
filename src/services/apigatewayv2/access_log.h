#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"

namespace virga::apigatewayv2 {

struct Exchange;

// A stage's access log: where its lines go and how they look.
struct AccessLogRule {
  std::string account;
  std::string region;
  std::string group;
  std::string format;
};

// The rule of a stage's AccessLogSettings. BadRequestException when the destination is no log
// group's ARN.
Result<AccessLogRule> make_access_log_rule(std::string_view destination_arn,
                                           std::string_view format);

// What is known of a request once its answer is made.
struct AccessFacts {
  int status = 0;
  size_t response_bytes = 0;
  int64_t response_ms = 0;
  std::optional<int64_t> integration_ms;  // absent: no integration was asked
  int integration_status = 0;
  std::string integration_error;
};

// One line: the format with each $context.name replaced, '-' for what is absent. Source: API
// Gateway Developer Guide, "Customize HTTP API access logs", variables.
std::string access_log_line(std::string_view format, const Exchange& exchange,
                            const AccessFacts& facts);

}  // namespace virga::apigatewayv2
