#include <charconv>

#include "api/s3/delete_bucket_website.h"
#include "api/s3/get_bucket_website.h"
#include "api/s3/put_bucket_website.h"
#include "services/s3/configurations.h"
#include "services/s3/errors.h"
#include "services/s3/service.h"

namespace virga::s3 {
namespace {

constexpr size_t kRoutingRules = 50;

std::unexpected<AwsError> bad_website(std::string message, std::string_view name,
                                      std::string_view value) {
  return fail(errors::invalid_argument(std::move(message), name, value));
}

// A status code that has to be one of from..599. 0: it is none.
int status_code(std::string_view text) {
  int code = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), code);
  return error == std::errc() && end == text.data() + text.size() && text.size() == 3 ? code : 0;
}

Result<void> check_protocol(const std::optional<std::string>& protocol) {
  if (!protocol || *protocol == "http" || *protocol == "https") return {};
  return fail(
      errors::invalid_request("Invalid protocol, protocol can be http or https. If not defined the "
                              "protocol will be selected automatically."));
}

Result<void> check_routing_rule(const api::RoutingRule& rule) {
  const api::Redirect& to = rule.redirect;
  if (!to.host_name && !to.http_redirect_code && !to.protocol && !to.replace_key_prefix_with &&
      !to.replace_key_with) {
    return fail(errors::malformed_xml());
  }
  VIRGA_TRY_VOID(check_protocol(to.protocol));
  if (to.replace_key_prefix_with && to.replace_key_with) {
    return fail(errors::invalid_request(
        "You can only define ReplaceKeyPrefix or ReplaceKey but not both."));
  }
  if (to.http_redirect_code) {
    const int code = status_code(*to.http_redirect_code);
    if (code < 301 || code > 399) {
      return fail(errors::invalid_request("The provided HTTP redirect code (" +
                                          *to.http_redirect_code +
                                          ") is not valid. Valid codes are 3XX except 300."));
    }
  }
  if (!rule.condition) return {};
  const auto& returned = rule.condition->http_error_code_returned_equals;
  if (!returned && !rule.condition->key_prefix_equals) {
    return fail(errors::invalid_request(
        "Condition cannot be empty. To redirect all requests without a condition, the condition "
        "element shouldn't be present."));
  }
  if (!returned) return {};
  const int code = status_code(*returned);
  if (code >= 400 && code <= 599) return {};
  return fail(errors::invalid_request("The provided HTTP error code (" + *returned +
                                      ") is not valid. Valid codes are 4XX or 5XX."));
}

// Source: S3 API Reference, PutBucketWebsite; answers that users report.
Result<void> check_website(const api::WebsiteConfiguration& website) {
  if (const auto& all = website.redirect_all_requests_to) {
    VIRGA_TRY_VOID(check_protocol(all->protocol));
    if (!website.index_document && !website.error_document && !website.routing_rules) return {};
    return bad_website(
        "RedirectAllRequestsTo cannot be provided in conjunction with other Routing Rules.",
        "RedirectAllRequestsTo", "not null");
  }
  if (!website.index_document) {
    return bad_website(
        "A value for IndexDocument Suffix must be provided if RedirectAllRequestsTo is empty",
        "IndexDocument", "null");
  }
  const std::string& suffix = website.index_document->suffix;
  if (suffix.empty() || suffix.find('/') != std::string::npos)
    return bad_website("The IndexDocument Suffix is not well formed", "IndexDocument", suffix);
  if (website.error_document && website.error_document->key.empty())
    return bad_website("The ErrorDocument Key is not well formed", "ErrorDocument", "");
  if (!website.routing_rules) return {};
  const size_t count = website.routing_rules->size();
  if (count == 0) return fail(errors::malformed_xml());
  if (count > kRoutingRules) {
    return fail(errors::invalid_request(
        std::to_string(count) +
        " routing rules provided, the number of routing rules in a website configuration is "
        "limited to 50."));
  }
  for (const api::RoutingRule& rule : *website.routing_rules)
    VIRGA_TRY_VOID(check_routing_rule(rule));
  return {};
}

}  // namespace

// What it says is done by Website (website.h).
Task<api::PutBucketWebsiteOutput> Service::put_bucket_website(Ctx ctx,
                                                              api::PutBucketWebsiteInput input) {
  co_await check_website(input.website_configuration);
  co_await set_config(ctx, input.bucket, config::kWebsite,
                      encode_config(input.website_configuration));
  co_return api::PutBucketWebsiteOutput();
}

// The answer has the configuration's members.
Task<api::GetBucketWebsiteOutput> Service::get_bucket_website(Ctx,
                                                              api::GetBucketWebsiteInput input) {
  const auto bytes = co_await config_of(input.bucket, config::kWebsite);
  if (!bytes) {
    co_return fail(errors::make("NoSuchWebsiteConfiguration", 404,
                                "The specified bucket does not have a website configuration",
                                "BucketName", input.bucket));
  }
  api::GetBucketWebsiteOutput output = co_await decode_config<api::GetBucketWebsiteOutput>(*bytes);
  co_return std::move(output);
}

Task<api::DeleteBucketWebsiteOutput> Service::delete_bucket_website(
    Ctx ctx, api::DeleteBucketWebsiteInput input) {
  co_await drop_config(ctx, input.bucket, config::kWebsite);
  co_return api::DeleteBucketWebsiteOutput();
}

}  // namespace virga::s3
