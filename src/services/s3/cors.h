#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"

// Cross-origin rules of a bucket. Source: S3 User Guide, "Elements of a CORS configuration", "Using
// cross-origin resource sharing (CORS)"; Fetch standard, "CORS protocol".
namespace virga::s3 {

struct CorsRule {
  std::string id;
  std::vector<std::string> allowed_origins;  // one '*' at most in each
  std::vector<std::string> allowed_methods;
  std::vector<std::string> allowed_headers;  // one '*' at most in each
  std::vector<std::string> expose_headers;
  std::optional<int32_t> max_age_seconds;
};
using CorsRules = std::vector<CorsRule>;

namespace api {
struct CORSConfiguration;
}
// bucket_cors.cc
CorsRules cors_rules_of(const api::CORSConfiguration& configuration);

// GET, PUT, POST, DELETE, HEAD.
bool is_cors_method(std::string_view method);

// What PutBucketCors refuses: InvalidRequest, MalformedXML.
Result<void> check_cors_rules(const CorsRules& rules);

// A request as the rules see it.
struct CorsQuestion {
  std::string_view origin;
  std::string_view method;                // of a preflight, the method asked for
  std::vector<std::string_view> headers;  // of a preflight: Access-Control-Request-Headers
};

using HeaderList = std::vector<std::pair<std::string, std::string>>;

// The headers of the first rule that lets the request pass; nullopt when none does.
std::optional<HeaderList> cors_headers(const CorsRules& rules, const CorsQuestion& question);

// Access-Control-Request-Headers, split and trimmed.
std::vector<std::string_view> split_header_names(std::string_view list);

// AccessForbidden, 403: of a preflight that no rule lets pass, of one to a bucket without rules.
AwsError cors_not_allowed(std::string_view method, std::string_view resource_type);
AwsError cors_not_enabled(std::string_view method, std::string_view resource_type);

}  // namespace virga::s3
