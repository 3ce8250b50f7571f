#include "services/apigatewayv2/access_log.h"

#include "base/strings.h"
#include "services/apigatewayv2/errors.h"
#include "services/apigatewayv2/mapping.h"

namespace virga::apigatewayv2 {
namespace {

constexpr std::string_view kMark = "$context.";

bool is_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '-' || c == '.';
}

std::optional<std::string> variable(const Exchange& exchange, const AccessFacts& facts,
                                    std::string_view name) {
  if (name == "status") return std::to_string(facts.status);
  if (name == "responseLength") return std::to_string(facts.response_bytes);
  if (name == "responseLatency") return std::to_string(facts.response_ms);
  if (name == "integrationLatency" || name == "integration.latency") {
    if (!facts.integration_ms) return std::nullopt;
    return std::to_string(*facts.integration_ms);
  }
  if (name == "integrationStatus" || name == "integration.status" ||
      name == "integration.integrationStatus") {
    if (!facts.integration_ms) return std::nullopt;
    return std::to_string(facts.integration_status);
  }
  if (name == "integrationErrorMessage" || name == "integration.error") {
    if (facts.integration_error.empty()) return std::nullopt;
    return facts.integration_error;
  }
  auto value = context_variable(exchange, name);
  if (value && value->empty()) value.reset();
  return value;
}

}  // namespace

Result<AccessLogRule> make_access_log_rule(std::string_view destination_arn,
                                           std::string_view format) {
  const auto parts = split(destination_arn, ':');
  const bool log_group = parts.size() >= 7 && parts[0] == "arn" && parts[2] == "logs" &&
                         parts[5] == "log-group" && !parts[6].empty();
  if (!log_group) {
    return fail(errors::bad_request(
        "Invalid ARN specified in the request. The access log destination is a log group's ARN"));
  }
  AccessLogRule rule;
  rule.region = parts[3];
  rule.account = parts[4];
  rule.group = parts[6];
  rule.format = format;
  return rule;
}

std::string access_log_line(std::string_view format, const Exchange& exchange,
                            const AccessFacts& facts) {
  std::string out;
  while (true) {
    const size_t at = format.find(kMark);
    out += format.substr(0, at);
    if (at == std::string_view::npos) return out;
    format.remove_prefix(at + kMark.size());
    size_t size = 0;
    while (size < format.size() && is_name(format[size])) ++size;
    // A full stop behind a variable ends a sentence, not a name.
    while (size > 0 && format[size - 1] == '.') --size;
    out += variable(exchange, facts, format.substr(0, size)).value_or("-");
    format.remove_prefix(size);
  }
}

}  // namespace virga::apigatewayv2
