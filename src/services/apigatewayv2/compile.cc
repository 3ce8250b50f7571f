#include "services/apigatewayv2/compile.h"

#include "api/apigatewayv2/shapes/cors.h"
#include "api/apigatewayv2/shapes/jwt_configuration.h"
#include "api/apigatewayv2/shapes/route_settings.h"
#include "base/document.h"
#include "base/json.h"
#include "base/strings.h"
#include "services/apigatewayv2/errors.h"

namespace virga::apigatewayv2 {
namespace {

constexpr char kFormat = 1;

template <class T>
void add_documents(Document& to, const char* name, const std::vector<T>& records) {
  Document list = Document::array();
  for (const auto& record : records) list.push(to_document(T::descriptor(), &record));
  to.set(name, std::move(list));
}

template <class T>
Result<void> take_documents(const Document& from, const char* name, std::vector<T>& records) {
  const Document* list = from.find(name);
  if (!list || !list->is_array())
    return fail(internal_failure("a deployment's snapshot lacks its lists"));
  for (const auto& document : list->as_array()) {
    T record;
    VIRGA_TRY_VOID(from_document(document, T::descriptor(), &record));
    records.push_back(std::move(record));
  }
  return {};
}

CompiledRoute::Auth auth_of(const api::Route& record) {
  const std::string type = record.authorization_type.value_or("NONE");
  if (type == "AWS_IAM") return CompiledRoute::Auth::iam;
  if (type == "JWT") return CompiledRoute::Auth::jwt;
  if (type == "CUSTOM") return CompiledRoute::Auth::lambda;
  return CompiledRoute::Auth::none;
}

Result<CompiledRoute> compile_route(const api::Route& record, const RouteKey& key,
                                    const CompiledConfig& config) {
  CompiledRoute route;
  route.id = record.route_id.value_or("");
  route.key = record.route_key;
  route.path = key.is_default ? "$default" : key.path;
  route.method = key.method;
  route.operation_name = record.operation_name.value_or("");
  route.auth = auth_of(record);
  route.scopes = record.authorization_scopes.value_or({});
  if (record.authorizer_id) {
    for (const auto& a : config.authorizers) {
      if (a->id == *record.authorizer_id) route.authorizer = a.get();
    }
  }
  const std::string_view target =
      record.target ? std::string_view(*record.target) : std::string_view();
  for (const auto& i : config.integrations) {
    if (target.starts_with("integrations/") && target.substr(13) == i->id)
      route.integration = i.get();
  }
  return route;
}

Result<std::shared_ptr<const CompiledConfig>> compile_config(const ConfigRecords& records) {
  auto config = std::make_shared<CompiledConfig>();
  for (const auto& record : records.integrations) {
    VIRGA_TRY(integration, compile_integration(record));
    config->integrations.push_back(std::move(integration));
  }
  for (const auto& record : records.authorizers) {
    VIRGA_TRY(authorizer, compile_authorizer(record));
    config->authorizers.push_back(std::move(authorizer));
  }
  for (const auto& record : records.routes) {
    VIRGA_TRY(key, RouteKey::parse(record.route_key));
    VIRGA_TRY(route, compile_route(record, key, *config));
    config->table.add(key, static_cast<int>(config->routes.size()));
    config->routes.push_back(std::move(route));
  }
  return std::shared_ptr<const CompiledConfig>(std::move(config));
}

// A limit counts when both of its numbers are set; the account's own limits are not counted here.
std::optional<Throttle> compile_throttle(const api::RouteSettings& settings) {
  if (!settings.throttling_rate_limit || !settings.throttling_burst_limit) return std::nullopt;
  return Throttle{*settings.throttling_rate_limit,
                  static_cast<double>(*settings.throttling_burst_limit)};
}

std::optional<CorsRules> compile_cors(const api::Api& api) {
  if (!api.cors_configuration) return std::nullopt;
  const api::Cors& cors = *api.cors_configuration;
  CorsRules rules;
  rules.allow_origins = cors.allow_origins.value_or({});
  rules.allow_methods = cors.allow_methods.value_or({});
  rules.allow_headers = cors.allow_headers.value_or({});
  rules.expose_headers = cors.expose_headers.value_or({});
  if (cors.max_age) rules.max_age = *cors.max_age;
  rules.allow_credentials = cors.allow_credentials.value_or(false);
  return rules;
}

}  // namespace

ConfigRecords current_config(const ApiState& state) {
  ConfigRecords config;
  for (const auto& [id, record] : state.routes) config.routes.push_back(record);
  for (const auto& [id, record] : state.integrations) config.integrations.push_back(record);
  for (const auto& [id, record] : state.authorizers) config.authorizers.push_back(record);
  return config;
}

std::string encode_snapshot(const ConfigRecords& config) {
  Document document = Document::object();
  add_documents(document, "routes", config.routes);
  add_documents(document, "integrations", config.integrations);
  add_documents(document, "authorizers", config.authorizers);
  std::string bytes(1, kFormat);
  append_json(bytes, document);
  return bytes;
}

Result<ConfigRecords> decode_snapshot(std::string_view bytes) {
  if (bytes.empty() || bytes.front() != kFormat)
    return fail(internal_failure("a deployment's snapshot has an unknown format"));
  VIRGA_TRY(document, parse_json(bytes.substr(1)));
  ConfigRecords config;
  VIRGA_TRY_VOID(take_documents(document, "routes", config.routes));
  VIRGA_TRY_VOID(take_documents(document, "integrations", config.integrations));
  VIRGA_TRY_VOID(take_documents(document, "authorizers", config.authorizers));
  return config;
}

std::optional<FunctionName> parse_function_uri(std::string_view uri) {
  static constexpr std::string_view kPath = ":lambda:path/2015-03-31/functions/";
  static constexpr std::string_view kEnd = "/invocations";
  if (!uri.starts_with("arn:")) return std::nullopt;
  if (const size_t at = uri.find(kPath); at != std::string_view::npos) {
    uri.remove_prefix(at + kPath.size());
    if (!uri.ends_with(kEnd)) return std::nullopt;
    uri.remove_suffix(kEnd.size());
  }
  // arn:partition:lambda:region:account:function:name[:qualifier]
  const auto parts = split(uri, ':');
  if (parts.size() < 7 || parts.size() > 8 || parts[0] != "arn" || parts[2] != "lambda" ||
      parts[5] != "function" || parts[3].empty() || parts[6].empty() ||
      (parts.size() == 8 && parts[7].empty())) {
    return std::nullopt;
  }
  FunctionName name;
  if (parts.size() == 8) name.qualifier = parts[7];
  const size_t qualifier_bytes = name.qualifier.empty() ? 0 : name.qualifier.size() + 1;
  name.arn = uri.substr(0, uri.size() - qualifier_bytes);
  return name;
}

Result<std::unique_ptr<CompiledIntegration>> compile_integration(const api::Integration& record) {
  auto out = std::make_unique<CompiledIntegration>();
  out->id = record.integration_id.value_or("");
  out->payload_version = record.payload_format_version.value_or("1.0");
  out->credentials_arn = record.credentials_arn.value_or("");
  out->timeout_ms = record.timeout_in_millis.value_or(30'000);
  out->method = record.integration_method.value_or("ANY");
  const std::string uri = record.integration_uri.value_or("");
  if (record.integration_subtype) {
    out->kind = CompiledIntegration::Kind::service;
    out->subtype = *record.integration_subtype;
    for (const auto& [name, text] : record.request_parameters.value_or({})) {
      VIRGA_TRY(value, parse_mapping_value(text, MappingSide::request));
      out->service_parameters.emplace_back(name, std::move(value));
    }
  } else if (record.integration_type == "AWS_PROXY") {
    const auto function = parse_function_uri(uri);
    if (!function) return fail(errors::bad_request("Invalid function ARN or invalid URI"));
    out->kind = CompiledIntegration::Kind::lambda;
    out->uri = function->arn;
    out->qualifier = function->qualifier;
  } else {
    out->kind = CompiledIntegration::Kind::http;
    out->uri = uri;
  }
  if (record.request_parameters && !record.integration_subtype) {
    for (const auto& [key, value] : *record.request_parameters) {
      VIRGA_TRY(mapping, parse_parameter_mapping(key, value, MappingSide::request));
      out->request_mappings.push_back(std::move(mapping));
    }
  }
  if (record.response_parameters) {
    for (const auto& [status, parameters] : *record.response_parameters) {
      const auto number = parse_int(status);
      if (!number || *number < 100 || *number > 599) {
        return fail(errors::bad_request("Invalid response parameters specified: " + status +
                                        " is not a valid status code"));
      }
      std::vector<ParameterMapping> mappings;
      for (const auto& [key, value] : parameters) {
        VIRGA_TRY(mapping, parse_parameter_mapping(key, value, MappingSide::response));
        mappings.push_back(std::move(mapping));
      }
      out->response_mappings.emplace_back(static_cast<int>(*number), std::move(mappings));
    }
  }
  return out;
}

Result<std::unique_ptr<CompiledAuthorizer>> compile_authorizer(const api::Authorizer& record) {
  auto out = std::make_unique<CompiledAuthorizer>();
  out->id = record.authorizer_id.value_or("");
  if (record.identity_source) {
    for (const auto& text : *record.identity_source) {
      auto value = parse_mapping_value(text, MappingSide::request);
      if (!value || value->parts.size() != 1 || value->parts[0].kind == MappingPart::Kind::text) {
        return fail(errors::bad_request("Invalid identity source expression specified: " + text));
      }
      out->identity_sources.push_back(std::move(*value));
      out->identity_names.push_back(text);
    }
  }
  if (record.authorizer_type == "JWT") {
    out->kind = CompiledAuthorizer::Kind::jwt;
    if (record.jwt_configuration) {
      out->issuer = record.jwt_configuration->issuer.value_or("");
      out->audience = record.jwt_configuration->audience.value_or({});
    }
    return out;
  }
  const auto function = parse_function_uri(record.authorizer_uri.value_or(""));
  if (!function)
    return fail(
        errors::bad_request("Invalid Authorizer URI: " + record.authorizer_uri.value_or("") +
                            ". Authorizer URI should be a valid API Gateway ARN that represents a "
                            "Lambda function invocation."));
  out->kind = CompiledAuthorizer::Kind::lambda;
  out->function_arn = function->arn;
  out->qualifier = function->qualifier;
  out->credentials_arn = record.authorizer_credentials_arn.value_or("");
  out->payload_version = record.authorizer_payload_format_version.value_or("2.0");
  out->simple_responses = record.enable_simple_responses.value_or(false);
  out->ttl_s = record.authorizer_result_ttl_in_seconds.value_or(0);
  return out;
}

Result<std::shared_ptr<const CompiledApi>> compile_api(const ApiState& state) {
  auto out = std::make_shared<CompiledApi>();
  out->account = state.owner.account;
  out->region = state.owner.region;
  out->partition = state.owner.partition;
  out->id = state.api.api_id.value_or("");
  out->cors = compile_cors(state.api);
  out->disable_execute_api_endpoint = state.api.disable_execute_api_endpoint.value_or(false);
  std::shared_ptr<const CompiledConfig> current;
  for (const auto& [name, record] : state.stages) {
    CompiledStage stage;
    stage.name = name;
    if (record.stage_variables)
      stage.variables.assign(record.stage_variables->begin(), record.stage_variables->end());
    if (record.default_route_settings)
      stage.throttle = compile_throttle(*record.default_route_settings);
    if (record.route_settings) {
      for (const auto& [key, settings] : *record.route_settings) {
        if (const auto throttle = compile_throttle(settings))
          stage.route_throttles.emplace_back(key, *throttle);
      }
    }
    if (record.access_log_settings && record.access_log_settings->destination_arn &&
        record.access_log_settings->format) {
      VIRGA_TRY(rule, make_access_log_rule(*record.access_log_settings->destination_arn,
                                           *record.access_log_settings->format));
      stage.access_log = std::move(rule);
    }
    if (record.auto_deploy.value_or(false)) {
      if (!current) {
        VIRGA_TRY(compiled, compile_config(current_config(state)));
        current = std::move(compiled);
      }
      stage.config = current;
    } else if (record.deployment_id) {
      const auto snapshot = state.snapshots.find(*record.deployment_id);
      if (snapshot != state.snapshots.end()) {
        VIRGA_TRY(config, decode_snapshot(snapshot->second));
        VIRGA_TRY(compiled, compile_config(config));
        stage.config = std::move(compiled);
      }
    }
    out->stages.push_back(std::move(stage));
  }
  return std::shared_ptr<const CompiledApi>(std::move(out));
}

}  // namespace virga::apigatewayv2
