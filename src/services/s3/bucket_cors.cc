#include "api/s3/delete_bucket_cors.h"
#include "api/s3/get_bucket_cors.h"
#include "api/s3/put_bucket_cors.h"
#include "services/s3/configurations.h"
#include "services/s3/cors.h"
#include "services/s3/errors.h"
#include "services/s3/service.h"

namespace virga::s3 {

CorsRules cors_rules_of(const api::CORSConfiguration& configuration) {
  CorsRules out;
  for (const api::CORSRule& rule : configuration.cors_rules) {
    CorsRule& one = out.emplace_back();
    one.id = rule.id.value_or("");
    one.allowed_origins = rule.allowed_origins;
    one.allowed_methods = rule.allowed_methods;
    if (rule.allowed_headers) one.allowed_headers = *rule.allowed_headers;
    if (rule.expose_headers) one.expose_headers = *rule.expose_headers;
    one.max_age_seconds = rule.max_age_seconds;
  }
  return out;
}

Task<api::PutBucketCorsOutput> Service::put_bucket_cors(Ctx ctx, api::PutBucketCorsInput input) {
  co_await check_cors_rules(cors_rules_of(input.cors_configuration));
  co_await set_config(ctx, input.bucket, config::kCors, encode_config(input.cors_configuration));
  co_return api::PutBucketCorsOutput{};
}

Task<api::GetBucketCorsOutput> Service::get_bucket_cors(Ctx ctx, api::GetBucketCorsInput input) {
  const auto bytes = co_await config_of(input.bucket, config::kCors);
  if (!bytes) {
    co_return fail(errors::make("NoSuchCORSConfiguration", 404,
                                "The CORS configuration does not exist", "BucketName",
                                input.bucket));
  }
  const auto configuration = co_await decode_config<api::CORSConfiguration>(*bytes);
  api::GetBucketCorsOutput output;
  output.cors_rules = configuration.cors_rules;
  co_return std::move(output);
}

Task<api::DeleteBucketCorsOutput> Service::delete_bucket_cors(Ctx ctx,
                                                              api::DeleteBucketCorsInput input) {
  co_await drop_config(ctx, input.bucket, config::kCors);
  co_return api::DeleteBucketCorsOutput{};
}

}  // namespace virga::s3
