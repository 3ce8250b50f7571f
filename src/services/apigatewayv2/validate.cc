#include "services/apigatewayv2/validate.h"

#include <algorithm>

#include "api/apigatewayv2/shapes/jwt_configuration.h"
#include "base/strings.h"
#include "services/apigatewayv2/access_log.h"
#include "services/apigatewayv2/compile.h"
#include "services/apigatewayv2/errors.h"
#include "services/apigatewayv2/reply.h"
#include "services/apigatewayv2/service_integration.h"

namespace virga::apigatewayv2 {
namespace {

bool is_origin(std::string_view text) {
  if (text == "*" || text == "http://*" || text == "https://*") return true;
  const size_t mark = text.find("://");
  if (mark == std::string_view::npos || mark == 0) return false;
  const std::string_view host = text.substr(mark + 3);
  return !host.empty() && host.find('/') == std::string_view::npos && is_header_value(text);
}

Result<void> check_names(const std::vector<std::string>& names, const char* what) {
  for (const auto& name : names) {
    if (name != "*" && !is_header_name(name))
      return fail(errors::bad_request(std::string("Invalid ") + what + ": " + name));
  }
  return {};
}

}  // namespace

Result<void> check_cors(const api::Cors& cors) {
  if (cors.allow_origins) {
    for (const auto& origin : *cors.allow_origins) {
      if (!is_origin(origin))
        return fail(errors::bad_request("Invalid format for origin: " + origin));
    }
    const bool any = std::find(cors.allow_origins->begin(), cors.allow_origins->end(), "*") !=
                     cors.allow_origins->end();
    if (any && cors.allow_credentials.value_or(false)) {
      return fail(errors::bad_request("AllowCredentials is not supported for AllowOrigins *"));
    }
  }
  if (cors.allow_methods) {
    for (const auto& method : *cors.allow_methods) {
      static constexpr std::string_view kMethods[] = {"*",   "GET",   "HEAD",   "POST",
                                                      "PUT", "PATCH", "DELETE", "OPTIONS"};
      if (std::find(std::begin(kMethods), std::end(kMethods), method) == std::end(kMethods)) {
        return fail(
            errors::bad_request("Invalid method specified in CORS configuration: " + method));
      }
    }
  }
  if (cors.allow_headers)
    VIRGA_TRY_VOID(check_names(*cors.allow_headers, "header specified in CORS configuration"));
  if (cors.expose_headers)
    VIRGA_TRY_VOID(check_names(*cors.expose_headers, "header specified in CORS configuration"));
  return {};
}

Result<void> check_integration(const api::Integration& integration) {
  const std::string type = integration.integration_type.value_or("");
  if (type != "AWS_PROXY" && type != "HTTP_PROXY") {
    return fail(errors::bad_request(
        "Currently, an API with a protocol type of HTTP may only be associated with proxy "
        "integrations (AWS_PROXY, HTTP_PROXY)"));
  }
  if (integration.connection_type.value_or("INTERNET") == "VPC_LINK") {
    return fail(errors::not_implemented("An integration with ConnectionType VPC_LINK"));
  }
  if (integration.integration_subtype) {
    VIRGA_TRY_VOID(check_service_integration(integration));
    VIRGA_TRY(compiled, compile_integration(integration));
    return {};
  }
  if (!integration.payload_format_version) {
    return fail(
        errors::bad_request("PayloadFormatVersion is a required parameter for integration"));
  }
  const std::string& version = *integration.payload_format_version;
  if (version != "1.0" && (version != "2.0" || type != "AWS_PROXY")) {
    return fail(errors::bad_request("Invalid PayloadFormatVersion specified: " + version));
  }
  if (!integration.integration_uri) {
    return fail(errors::bad_request("IntegrationUri is a required parameter for integration"));
  }
  if (type == "HTTP_PROXY") {
    const std::string& uri = *integration.integration_uri;
    if (!uri.starts_with("http://") && !uri.starts_with("https://")) {
      return fail(errors::bad_request("Invalid HTTP endpoint specified for URI"));
    }
    if (!integration.integration_method) {
      return fail(errors::bad_request("HttpMethod must be specified for HTTP_PROXY integrations"));
    }
  }
  VIRGA_TRY(compiled, compile_integration(integration));
  return {};
}

Result<void> check_authorizer(const api::Authorizer& authorizer) {
  if (authorizer.authorizer_type == "JWT") {
    if (!authorizer.jwt_configuration || !authorizer.jwt_configuration->issuer) {
      return fail(
          errors::bad_request("JwtConfiguration with an issuer is required for JWT authorizers"));
    }
    const std::string& issuer = *authorizer.jwt_configuration->issuer;
    if (!issuer.starts_with("https://") && !issuer.starts_with("http://")) {
      return fail(
          errors::bad_request("Caught exception when connecting to " + issuer +
                              "/.well-known/openid-configuration for issuer " + issuer +
                              ". Please try again later. Error: Invalid issuer: " + issuer));
    }
    if (!authorizer.identity_source || authorizer.identity_source->empty()) {
      return fail(errors::bad_request("IdentitySource is a required parameter for JWT authorizer"));
    }
  } else {
    if (!authorizer.authorizer_payload_format_version) {
      return fail(errors::bad_request(
          "AuthorizerPayloadFormatVersion is a required parameter for REQUEST authorizer"));
    }
    const std::string& version = *authorizer.authorizer_payload_format_version;
    if (version != "1.0" && version != "2.0") {
      return fail(
          errors::bad_request("Invalid AuthorizerPayloadFormatVersion specified: " + version));
    }
    if (version == "1.0" && authorizer.enable_simple_responses.value_or(false)) {
      return fail(errors::bad_request(
          "EnableSimpleResponses is only supported for AuthorizerPayloadFormatVersion 2.0"));
    }
    const bool identities = authorizer.identity_source && !authorizer.identity_source->empty();
    if (!identities && authorizer.authorizer_result_ttl_in_seconds.value_or(0) > 0) {
      return fail(
          errors::bad_request("IdentitySource is required when authorizer caching is enabled"));
    }
  }
  VIRGA_TRY(compiled, compile_authorizer(authorizer));
  return {};
}

Result<void> check_stage(const api::Stage& stage) {
  // Source: CreateStage, StageName ("alphanumeric characters, hyphens, and underscores, or
  // $default") and StageVariables.
  const auto is_word = [](std::string_view text, std::string_view more) {
    return !text.empty() && std::all_of(text.begin(), text.end(), [&](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
             more.find(c) != std::string_view::npos;
    });
  };
  if (stage.stage_name != "$default" && !is_word(stage.stage_name, "-_")) {
    return fail(errors::bad_request("Stage name only allows a-zA-Z0-9-_"));
  }
  if (stage.stage_variables) {
    for (const auto& [name, value] : *stage.stage_variables) {
      if (!is_word(name, "_"))
        return fail(errors::bad_request("Invalid stage variable name: " + name));
      if (!is_word(value, "-._~:/?#&=,"))
        return fail(
            errors::bad_request("Invalid stage variable value: " + value +
                                ". Please use values with alphanumeric characters and the symbols "
                                "' ', -', '.', '_', ':', '/', '?', '&', '=', and ','."));
    }
  }
  if (stage.access_log_settings) {
    const auto& settings = *stage.access_log_settings;
    if (settings.destination_arn && !settings.destination_arn->empty()) {
      VIRGA_TRY(rule,
                make_access_log_rule(*settings.destination_arn, settings.format.value_or("")));
      if (!settings.format)
        return fail(errors::bad_request("The access log settings have no format"));
    }
  }
  if (stage.tags) VIRGA_TRY_VOID(check_tags(*stage.tags));
  return {};
}

Result<void> check_tags(const std::map<std::string, std::string>& tags) {
  static constexpr size_t kTagsMax = 50;
  if (tags.size() > kTagsMax)
    return fail(errors::bad_request("Too many tags: at most 50 are allowed"));
  for (const auto& [key, value] : tags) {
    if (key.empty() || key.size() > 128)
      return fail(errors::bad_request("Invalid tag key: must have 1 to 128 characters"));
    if (to_lower(key).starts_with("aws:"))
      return fail(
          errors::bad_request("Invalid tag key: aws: prefixed tag key names are not allowed"));
    if (value.size() > 256)
      return fail(errors::bad_request("Invalid tag value: must have at most 256 characters"));
  }
  return {};
}

api::Stage new_stage(std::string name, Timestamp now) {
  api::Stage stage;
  stage.stage_name = std::move(name);
  stage.created_date = Timestamp::from_seconds(now.seconds());
  stage.last_updated_date = *stage.created_date;
  stage.default_route_settings.emplace().detailed_metrics_enabled = false;
  stage.route_settings.emplace();
  stage.stage_variables.emplace();
  stage.tags.emplace();
  return stage;
}

}  // namespace virga::apigatewayv2
