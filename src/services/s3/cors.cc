#include "services/s3/cors.h"

#include <algorithm>
#include <array>

#include "base/document.h"
#include "base/strings.h"
#include "services/s3/errors.h"

namespace virga::s3 {
namespace {

constexpr size_t kRulesMax = 100;
std::unexpected<AwsError> refuse(std::string message) {
  return fail(errors::invalid_request(std::move(message)));
}

constexpr std::string_view kVary =
    "Origin, Access-Control-Request-Headers, Access-Control-Request-Method";

// `pattern` has one '*' at most; unlike in IAM's patterns '?' is a character like any other.
bool matches(std::string_view pattern, std::string_view text) {
  const size_t star = pattern.find('*');
  if (star == std::string_view::npos) return pattern == text;
  const auto before = pattern.substr(0, star);
  const auto after = pattern.substr(star + 1);
  return text.size() >= before.size() + after.size() && text.starts_with(before) &&
         text.ends_with(after);
}

const std::string* matching_origin(const CorsRule& rule, std::string_view origin) {
  for (const std::string& allowed : rule.allowed_origins) {
    if (matches(allowed, origin)) return &allowed;
  }
  return nullptr;
}

bool allows_header(const CorsRule& rule, std::string_view name) {
  const std::string lower = to_lower(name);
  return std::any_of(rule.allowed_headers.begin(), rule.allowed_headers.end(),
                     [&](const std::string& allowed) { return matches(to_lower(allowed), lower); });
}

bool has(const std::vector<std::string>& list, std::string_view value) {
  return std::find(list.begin(), list.end(), value) != list.end();
}

AwsError forbidden(std::string message, std::string_view method, std::string_view resource_type) {
  return {.code = "AccessForbidden",
          .http_status = 403,
          .message = std::move(message),
          .detail = std::make_shared<const Document>(
              Document::object().set("Method", method).set("ResourceType", resource_type))};
}

}  // namespace

bool is_cors_method(std::string_view method) {
  static constexpr std::array<std::string_view, 5> kMethods{"GET", "PUT", "POST", "DELETE", "HEAD"};
  return std::find(kMethods.begin(), kMethods.end(), method) != kMethods.end();
}

Result<void> check_cors_rules(const CorsRules& rules) {
  if (rules.empty()) {
    return fail(errors::malformed_xml());
  }
  if (rules.size() > kRulesMax)
    return refuse("The number of CORS rules should not exceed allowed limit of 100 rules.");
  for (const CorsRule& rule : rules) {
    if (rule.allowed_methods.empty() || rule.allowed_origins.empty()) {
      return fail(errors::malformed_xml());
    }
    for (const std::string& method : rule.allowed_methods) {
      if (!is_cors_method(method)) {
        return refuse("Found unsupported HTTP method in CORS config. Unsupported method is " +
                      method);
      }
    }
    for (const std::string& origin : rule.allowed_origins) {
      if (std::count(origin.begin(), origin.end(), '*') > 1) {
        return refuse("AllowedOrigin \"" + origin + "\" can not have more than one wildcard.");
      }
    }
    for (const std::string& header : rule.allowed_headers) {
      if (std::count(header.begin(), header.end(), '*') > 1) {
        return refuse("AllowedHeader \"" + header + "\" can not have more than one wildcard.");
      }
    }
    for (const std::string& header : rule.expose_headers) {
      if (header.find('*') != std::string::npos) {
        return refuse(
            "ExposeHeader \"" + header +
            "\" contains wildcard. We currently do not support wildcard for ExposeHeader.");
      }
    }
  }
  return {};
}

std::optional<HeaderList> cors_headers(const CorsRules& rules, const CorsQuestion& question) {
  for (const CorsRule& rule : rules) {
    const std::string* origin = matching_origin(rule, question.origin);
    if (!origin || !has(rule.allowed_methods, question.method)) continue;
    const bool headers_allowed =
        std::all_of(question.headers.begin(), question.headers.end(),
                    [&](std::string_view name) { return allows_header(rule, name); });
    if (!headers_allowed) continue;
    const bool anyone = *origin == "*";
    HeaderList out;
    out.emplace_back("Access-Control-Allow-Origin", anyone ? "*" : std::string(question.origin));
    out.emplace_back("Access-Control-Allow-Methods", join(rule.allowed_methods, ", "));
    if (!question.headers.empty()) {
      std::vector<std::string> names;
      for (const auto name : question.headers) names.push_back(to_lower(name));
      out.emplace_back("Access-Control-Allow-Headers", join(names, ", "));
    }
    if (!rule.expose_headers.empty())
      out.emplace_back("Access-Control-Expose-Headers", join(rule.expose_headers, ", "));
    if (rule.max_age_seconds)
      out.emplace_back("Access-Control-Max-Age", std::to_string(*rule.max_age_seconds));
    if (!anyone) out.emplace_back("Access-Control-Allow-Credentials", "true");
    out.emplace_back("Vary", kVary);
    return out;
  }
  return std::nullopt;
}

std::vector<std::string_view> split_header_names(std::string_view list) {
  std::vector<std::string_view> out;
  for (const auto part : split(list, ',')) {
    const auto name = trim(part);
    if (!name.empty()) out.push_back(name);
  }
  return out;
}

AwsError cors_not_allowed(std::string_view method, std::string_view resource_type) {
  // "evalution" is how S3 spells it.
  return forbidden(
      "CORSResponse: This CORS request is not allowed. This is usually because the evalution of "
      "Origin, request method / "
      "Access-Control-Request-Method or Access-Control-Request-Headers are not whitelisted by the "
      "resource's CORS spec.",
      method, resource_type);
}

AwsError cors_not_enabled(std::string_view method, std::string_view resource_type) {
  return forbidden("CORSResponse: CORS is not enabled for this bucket.", method, resource_type);
}

}  // namespace virga::s3
