#include "services/apigatewayv2/cors.h"

#include "base/strings.h"

namespace virga::apigatewayv2 {
namespace {

// What Access-Control-Allow-Origin says to this origin; empty when it is not allowed.
std::string allowed_origin(const CorsRules& rules, std::string_view origin) {
  for (const auto& allowed : rules.allow_origins) {
    if (allowed == "*") return "*";
  }
  for (const auto& allowed : rules.allow_origins) {
    const bool scheme = (allowed == "http://*" && to_lower(origin).starts_with("http://")) ||
                        (allowed == "https://*" && to_lower(origin).starts_with("https://"));
    if (scheme || iequals(allowed, origin)) return std::string(origin);
  }
  return "";
}

// Adds the headers that preflights and answers share; false when the origin is not allowed.
bool add_common(const CorsRules& rules, std::string_view origin, GatewayReply& reply) {
  std::string allowed = allowed_origin(rules, origin);
  if (allowed.empty()) return false;
  // A cache must not hand one origin's answer to another (Fetch standard, "CORS protocol and HTTP
  // caches").
  if (allowed != "*") reply.headers.emplace_back("vary", "origin");
  reply.headers.emplace_back("access-control-allow-origin", std::move(allowed));
  if (rules.allow_credentials)
    reply.headers.emplace_back("access-control-allow-credentials", "true");
  if (!rules.expose_headers.empty()) {
    reply.headers.emplace_back("access-control-expose-headers", join(rules.expose_headers, ","));
  }
  return true;
}

}  // namespace

bool is_preflight(const GatewayRequest& request) {
  return request.method == "OPTIONS" && request.header("origin") &&
         request.header("access-control-request-method");
}

GatewayReply preflight_reply(const CorsRules& rules, const GatewayRequest& request) {
  GatewayReply reply{.status = 204, .headers = {}, .body = {}};
  if (!add_common(rules, request.header("origin").value_or(""), reply)) return reply;
  if (!rules.allow_methods.empty()) {
    reply.headers.emplace_back("access-control-allow-methods", join(rules.allow_methods, ","));
  }
  if (!rules.allow_headers.empty()) {
    reply.headers.emplace_back("access-control-allow-headers", join(rules.allow_headers, ","));
  }
  if (rules.max_age)
    reply.headers.emplace_back("access-control-max-age", std::to_string(*rules.max_age));
  return reply;
}

void apply_cors(const CorsRules& rules, const GatewayRequest& request, GatewayReply& reply) {
  std::erase_if(reply.headers,
                [](const auto& h) { return h.first.starts_with("access-control-"); });
  const auto origin = request.header("origin");
  if (origin) add_common(rules, *origin, reply);
}

}  // namespace virga::apigatewayv2
