#include "services/s3/cross_origin.h"

#include "api/s3/shapes/cors_configuration.h"
#include "base/strings.h"
#include "services/s3/configurations.h"
#include "services/s3/cors.h"
#include "services/s3/errors.h"
#include "services/s3/s3_store.h"

namespace virga::s3 {
namespace {

struct Target {
  std::string bucket;
  bool object = false;
};

Target target_of(std::string_view path) {
  if (path.starts_with('/')) path.remove_prefix(1);
  const size_t slash = path.find('/');
  return {percent_decode(path.substr(0, slash)).value_or(""),
          slash != std::string_view::npos && slash + 1 < path.size()};
}

}  // namespace

// Source: S3 User Guide, "How does Amazon S3 evaluate the CORS configuration on a bucket?";
// recorded answers.
Task<platform::OriginVerdict> CrossOrigin::judge(platform::OriginQuestion question) {
  platform::OriginVerdict verdict;
  const Target target = target_of(question.path);
  const auto view = shard_.snapshot();
  const S3Reader reader(*view);
  const auto bucket = co_await reader.find_bucket(target.bucket);
  verdict.governed = bucket.has_value();
  if (!bucket) co_return std::move(verdict);
  const std::string_view type = target.object ? "OBJECT" : "BUCKET";
  if (question.preflight && question.origin.empty()) {
    verdict.refusal =
        errors::make("BadRequest", 400, "Insufficient information. Origin request header needed.");
    co_return std::move(verdict);
  }
  if (question.preflight && !is_cors_method(question.method)) {
    verdict.refusal =
        errors::make("BadRequest", 400,
                     "Invalid Access-Control-Request-Method: " +
                         (question.method.empty() ? "null" : std::string(question.method)));
    co_return std::move(verdict);
  }
  const auto stored = co_await reader.config(*bucket, config::kCors);
  if (!stored) {
    if (question.preflight) verdict.refusal = cors_not_enabled(question.method, type);
    co_return std::move(verdict);
  }
  const auto configuration = co_await decode_config<api::CORSConfiguration>(*stored);
  const auto headers = cors_headers(cors_rules_of(configuration),
                                    {.origin = question.origin,
                                     .method = question.method,
                                     .headers = split_header_names(question.requested_headers)});
  if (headers) verdict.headers = *headers;
  if (!headers && question.preflight) verdict.refusal = cors_not_allowed(question.method, type);
  co_return std::move(verdict);
}

}  // namespace virga::s3
