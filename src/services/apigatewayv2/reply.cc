#include "services/apigatewayv2/reply.h"

#include <algorithm>

#include "base/document.h"
#include "base/json.h"
#include "base/strings.h"

namespace virga::apigatewayv2 {
namespace {

// Headers that belong to the connection or to the gateway: an integration's are dropped.
bool is_gateway_header(std::string_view name) {
  return name == "connection" || name == "content-length" || name == "transfer-encoding" ||
         name == "keep-alive" || name == "upgrade" || name == "te" || name == "trailer" ||
         name == "date" || name == "apigw-requestid";
}

std::optional<std::string> scalar_text(const Document& value) {
  if (value.is_string()) return value.as_string();
  if (value.is_bool() || value.is_number()) return to_json(value);
  return std::nullopt;
}

bool add_header(GatewayReply& reply, std::string_view name, const Document& value, bool replace) {
  if (value.is_null()) return true;
  auto text = scalar_text(value);
  if (!text || !is_header_name(name) || !is_header_value(*text)) return false;
  std::string lower = to_lower(name);
  if (is_gateway_header(lower)) return true;
  if (replace) {
    reply.set(lower, std::move(*text));
  } else {
    reply.headers.emplace_back(std::move(lower), std::move(*text));
  }
  return true;
}

bool take_headers(const Document& answer, GatewayReply& reply) {
  const Document* headers = answer.find("headers");
  if (!headers || headers->is_null()) return true;
  if (!headers->is_object()) return false;
  for (const auto& [name, value] : headers->as_object()) {
    if (!add_header(reply, name, value, true)) return false;
  }
  return true;
}

// A name in multiValueHeaders takes the place of the same name in headers.
bool take_multi_value_headers(const Document& answer, GatewayReply& reply) {
  const Document* headers = answer.find("multiValueHeaders");
  if (!headers || headers->is_null()) return true;
  if (!headers->is_object()) return false;
  for (const auto& [name, values] : headers->as_object()) {
    if (values.is_null()) continue;
    if (!values.is_array()) return false;
    reply.remove(name);
    for (const auto& value : values.as_array()) {
      if (!add_header(reply, name, value, false)) return false;
    }
  }
  return true;
}

bool take_cookies(const Document& answer, GatewayReply& reply) {
  const Document* cookies = answer.find("cookies");
  if (!cookies || cookies->is_null()) return true;
  if (!cookies->is_array()) return false;
  for (const auto& cookie : cookies->as_array()) {
    if (!cookie.is_string() || !is_header_value(cookie.as_string())) return false;
    reply.headers.emplace_back("set-cookie", cookie.as_string());
  }
  return true;
}

bool take_status(const Document& status, GatewayReply& reply) {
  std::optional<int64_t> number;
  if (status.is_int()) number = status.as_int();
  if (status.is_string()) number = parse_int(status.as_string());
  if (status.is_double() &&
      status.as_double() == static_cast<double>(static_cast<int>(status.as_double()))) {
    number = static_cast<int64_t>(status.as_double());
  }
  if (!number || *number < 200 || *number > 599) return false;
  reply.status = static_cast<int>(*number);
  return true;
}

bool take_body(const Document& answer, GatewayReply& reply) {
  const Document* encoded = answer.find("isBase64Encoded");
  const bool base64 = encoded && ((encoded->is_bool() && encoded->as_bool()) ||
                                  (encoded->is_string() && iequals(encoded->as_string(), "true")));
  const Document* body = answer.find("body");
  if (!body || body->is_null()) return true;
  auto text = scalar_text(*body);
  if (!text) return false;
  if (!base64) {
    reply.body = std::move(*text);
    return true;
  }
  auto bytes = from_base64(*text);
  if (!bytes) return false;
  reply.body = std::move(*bytes);
  return true;
}

}  // namespace

std::optional<std::string_view> GatewayReply::header(std::string_view name) const {
  for (const auto& [n, v] : headers) {
    if (iequals(n, name)) return v;
  }
  return std::nullopt;
}

void GatewayReply::set(std::string_view name, std::string value) {
  for (auto& [n, v] : headers) {
    if (iequals(n, name)) {
      v = std::move(value);
      return;
    }
  }
  headers.emplace_back(to_lower(name), std::move(value));
}

void GatewayReply::remove(std::string_view name) {
  std::erase_if(headers, [&](const auto& h) { return iequals(h.first, name); });
}

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
  const bool v1 = payload_version == "1.0";
  if (!take_status(*status, reply) || !take_headers(answer, reply) ||
      (v1 ? !take_multi_value_headers(answer, reply) : !take_cookies(answer, reply)) ||
      !take_body(answer, reply)) {
    return internal_server_error();
  }
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

bool is_header_name(std::string_view name) {
  static constexpr std::string_view kTokenMarks = "!#$%&'*+-.^_`|~";  // RFC 9110 §5.6.2
  if (name.empty()) return false;
  return std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           kTokenMarks.find(c) != std::string_view::npos;
  });
}

bool is_header_value(std::string_view value) {
  return std::none_of(value.begin(), value.end(), [](char c) {
    const auto b = static_cast<unsigned char>(c);
    return (b < 0x20 && c != '\t') || b == 0x7F;
  });
}

}  // namespace virga::apigatewayv2
