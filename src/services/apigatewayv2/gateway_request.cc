#include "services/apigatewayv2/gateway_request.h"

#include <array>
#include <cstdio>

#include "base/strings.h"

namespace virga::apigatewayv2 {

std::optional<std::string_view> GatewayRequest::header(std::string_view name) const {
  for (const auto& h : headers) {
    if (iequals(h.name, name)) return h.value;
  }
  return std::nullopt;
}

std::optional<std::string> GatewayRequest::joined_header(std::string_view name) const {
  std::optional<std::string> joined;
  for (const auto& h : headers) {
    if (!iequals(h.name, name)) continue;
    if (joined) {
      joined->push_back(',');
      joined->append(h.value);
    } else {
      joined.emplace(h.value);
    }
  }
  return joined;
}

std::optional<std::string> GatewayRequest::query_parameter(std::string_view name) const {
  std::optional<std::string> joined;
  for (const auto& [n, v] : parse_query(query)) {
    if (n != name) continue;
    if (joined) {
      joined->push_back(',');
      joined->append(v);
    } else {
      joined = v;
    }
  }
  return joined;
}

std::vector<std::pair<std::string, std::string>> parse_query(std::string_view query) {
  std::vector<std::pair<std::string, std::string>> out;
  if (query.empty()) return out;
  const auto decode = [](std::string_view text) {
    auto plain = percent_decode(text, PlusIsSpace::yes);
    return plain ? std::move(*plain) : std::string(text);
  };
  for (const auto pair : split(query, '&')) {
    if (pair.empty()) continue;
    const size_t equals = pair.find('=');
    if (equals == std::string_view::npos) {
      out.emplace_back(decode(pair), "");
    } else {
      out.emplace_back(decode(pair.substr(0, equals)), decode(pair.substr(equals + 1)));
    }
  }
  return out;
}

std::string Exchange::request_arn() const {
  std::string arn = "arn:" + api->partition + ":execute-api:" + api->region + ":" + api->account +
                    ":" + api->id + "/" + stage->name + "/";
  arn += request->method;
  arn += stage_path;
  return arn;
}

std::string Exchange::route_arn() const {
  std::string arn = "arn:" + api->partition + ":execute-api:" + api->region + ":" + api->account +
                    ":" + api->id + "/" + stage->name + "/";
  if (route->method.empty()) {
    arn += "$default";
    return arn;
  }
  // ANY stands in the ARN as '*'.
  arn += route->method == "ANY" ? "*" : route->method;
  arn += route->path;
  return arn;
}

std::string format_request_time(Timestamp t) {
  static constexpr std::array<const char*, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                          "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const CivilTime c = to_civil(t);
  char buffer[48];
  const int n = std::snprintf(buffer, sizeof buffer, "%02d/%s/%04d:%02d:%02d:%02d +0000", c.day,
                              kMonths[static_cast<size_t>(c.month - 1) % 12], c.year, c.hour,
                              c.minute, c.second);
  return std::string(buffer, static_cast<size_t>(n));
}

// Observed on AWS with payload 2.0: text/*, application/json, application/xml and
// application/javascript come as text, with or without parameters; all else as base64.
bool is_text_content_type(std::optional<std::string_view> content_type) {
  if (!content_type) return false;
  std::string_view type = *content_type;
  type = trim(type.substr(0, type.find(';')));
  const std::string lower = to_lower(type);
  return lower.starts_with("text/") || lower == "application/json" || lower == "application/xml" ||
         lower == "application/javascript";
}

}  // namespace virga::apigatewayv2
