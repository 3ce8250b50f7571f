#include "services/apigatewayv2/reply.h"

#include <algorithm>

#include "base/document.h"
#include "base/json.h"
#include "base/strings.h"

namespace virga::apigatewayv2 {
GatewayReply message_reply(int status, std::string_view message) {
  GatewayReply reply{
      .status = status, .headers = {{"content-type", "application/json"}}, .body = "{\"message\":"};
  append_json_string(reply.body, message);
  reply.body += '}';
  return reply;
}

GatewayReply not_found() {
  return message_reply(404, "Not Found");
}
GatewayReply unauthorized() {
  return message_reply(401, "Unauthorized");
}
GatewayReply forbidden() {
  return message_reply(403, "Forbidden");
}
GatewayReply internal_server_error() {
  return message_reply(500, "Internal Server Error");
}
GatewayReply service_unavailable() {
  return message_reply(503, "Service Unavailable");
}
GatewayReply request_too_large() {
  return message_reply(413, "Request Entity Too Large");
}
GatewayReply too_many_requests() {
  return message_reply(429, "Too Many Requests");
}
GatewayReply headers_too_large() {
  return message_reply(431, "Request Header Fields Too Large");
}

GatewayReply reply_from_function(std::string_view payload, std::string_view payload_version) {
  const auto parsed = parse_json(payload);
  if (!parsed) return internal_server_error();
  const Document& answer = *parsed;
  const Document* status = answer.find("statusCode");
  GatewayReply reply;
  if (!status || status->is_null()) {
    if (payload_version == "1.0") return internal_server_error();
    reply.headers = {{"content-type", "application/json"}};
    reply.body = answer.is_string() ? answer.as_string() : std::string(payload);
    return reply;
  }
  auto read = platform::read_proxy_reply(
      answer, payload_version == "1.0" ? platform::ProxyFormat::v1 : platform::ProxyFormat::v2);
  if (!read) return internal_server_error();
  reply = std::move(*read);
  const bool bodiless = reply.status == 204 || reply.status == 304;
  if (bodiless) reply.body.clear();
  if (!bodiless && !reply.header("content-type")) {
    reply.headers.emplace_back("content-type", "text/plain;charset=UTF-8");
  }
  return reply;
}

void apply_response_mappings(const CompiledIntegration& integration, const Exchange& exchange,
                             GatewayReply& reply) {
  for (const auto& [status, mappings] : integration.response_mappings) {
    if (status != reply.status) continue;
    const GatewayReply before = reply;
    const ResponseView view{.headers = &before.headers, .body = before.body};
    MappingEvaluator evaluator(exchange, &view);
    for (const auto& mapping : mappings) {
      if (mapping.action == ParameterMapping::Action::remove) {
        reply.remove(mapping.name);
        continue;
      }
      auto value = evaluator.evaluate(mapping.value);
      if (!value || !is_header_value(*value)) continue;
      if (mapping.target == ParameterMapping::Target::status) {
        const auto number = parse_int(*value);
        if (number && *number >= 200 && *number <= 599) reply.status = static_cast<int>(*number);
      } else if (mapping.action == ParameterMapping::Action::overwrite) {
        reply.remove(mapping.name);
        reply.headers.emplace_back(to_lower(mapping.name), std::move(*value));
      } else {
        reply.headers.emplace_back(to_lower(mapping.name), std::move(*value));
      }
    }
    return;
  }
}

}  // namespace virga::apigatewayv2
