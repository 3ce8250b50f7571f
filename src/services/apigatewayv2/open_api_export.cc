#include "services/apigatewayv2/open_api_export.h"

#include "api/apigatewayv2/shapes/cors.h"
#include "api/apigatewayv2/shapes/jwt_configuration.h"
#include "base/json.h"
#include "base/strings.h"
#include "services/apigatewayv2/validate.h"

namespace virga::apigatewayv2 {
namespace {

void set_present(Document& out, std::string_view name, const std::optional<std::string>& value) {
  if (value) out.set(name, *value);
}

Document texts(const std::vector<std::string>& values) {
  Document out = Document::array();
  for (const auto& value : values) out.push(value);
  return out;
}

Document text_map(const std::map<std::string, std::string>& values) {
  Document out = Document::object();
  for (const auto& [name, value] : values) out.set(name, value);
  return out;
}

Document integration_document(const api::Integration& record) {
  Document out = Document::object();
  set_present(out, "payloadFormatVersion", record.payload_format_version);
  out.set("type", to_lower(record.integration_type.value_or("")));
  set_present(out, "httpMethod", record.integration_method);
  set_present(out, "uri", record.integration_uri);
  set_present(out, "connectionType", record.connection_type);
  set_present(out, "credentials", record.credentials_arn);
  set_present(out, "description", record.description);
  const int timeout = record.timeout_in_millis.value_or(kTimeoutMsDefault);
  if (timeout != kTimeoutMsDefault) out.set("timeoutInMillis", timeout);
  if (record.request_parameters) out.set("requestParameters", text_map(*record.request_parameters));
  if (record.response_parameters) {
    Document statuses = Document::object();
    for (const auto& [status, parameters] : *record.response_parameters)
      statuses.set(status, text_map(parameters));
    out.set("responseParameters", std::move(statuses));
  }
  return out;
}

Document authorizer_document(const api::Authorizer& record) {
  Document out = Document::object();
  const std::string sources = join(record.identity_source.value_or({}), ",");
  if (!sources.empty()) out.set("identitySource", sources);
  if (record.authorizer_type == "JWT") {
    out.set("type", "jwt");
    if (record.jwt_configuration) {
      Document configuration = Document::object();
      configuration.set("audience", texts(record.jwt_configuration->audience.value_or({})));
      set_present(configuration, "issuer", record.jwt_configuration->issuer);
      out.set("jwtConfiguration", std::move(configuration));
    }
    return out;
  }
  out.set("type", "request");
  set_present(out, "authorizerUri", record.authorizer_uri);
  set_present(out, "authorizerCredentials", record.authorizer_credentials_arn);
  set_present(out, "authorizerPayloadFormatVersion", record.authorizer_payload_format_version);
  if (record.authorizer_result_ttl_in_seconds)
    out.set("authorizerResultTtlInSeconds", *record.authorizer_result_ttl_in_seconds);
  if (record.enable_simple_responses)
    out.set("enableSimpleResponses", *record.enable_simple_responses);
  return out;
}

// A security scheme has to be of one of OpenAPI's types; the authorizer is in the extension.
Document security_scheme(const api::Authorizer& record) {
  Document out = Document::object();
  if (record.authorizer_type == "JWT") {
    out.set("type", "oauth2");
    out.set("flows", Document::object());
  } else {
    out.set("type", "apiKey");
    out.set("name", "Authorization");
    out.set("in", "header");
  }
  out.set("x-amazon-apigateway-authorizer", authorizer_document(record));
  return out;
}

Document cors_document(const api::Cors& cors) {
  Document out = Document::object();
  if (cors.allow_origins) out.set("allowOrigins", texts(*cors.allow_origins));
  if (cors.allow_methods) out.set("allowMethods", texts(*cors.allow_methods));
  if (cors.allow_headers) out.set("allowHeaders", texts(*cors.allow_headers));
  if (cors.expose_headers) out.set("exposeHeaders", texts(*cors.expose_headers));
  if (cors.max_age) out.set("maxAge", *cors.max_age);
  if (cors.allow_credentials) out.set("allowCredentials", *cors.allow_credentials);
  return out;
}

// {id} and {rest+} of a path.
Document path_parameters(std::string_view path) {
  Document out = Document::array();
  for (const auto segment : split(path, '/')) {
    if (segment.size() < 3 || segment.front() != '{' || segment.back() != '}') continue;
    const std::string name(segment.substr(1, segment.size() - 2));
    Document parameter = Document::object();
    parameter.set("name", name);
    parameter.set("in", "path");
    parameter.set("description", "Generated path parameter for " + name);
    parameter.set("required", true);
    parameter.set("schema", Document::object().set("type", "string"));
    out.push(std::move(parameter));
  }
  return out;
}

const api::Integration* integration_of(const ConfigRecords& config, const api::Route& route) {
  const std::string_view target = *route.target;
  for (const auto& record : config.integrations) {
    if (target == "integrations/" + *record.integration_id) return &record;
  }
  return nullptr;
}

Document operation_document(const ConfigRecords& config, const api::Route& route,
                            const ExportOptions& options) {
  Document out = Document::object();
  set_present(out, "operationId", route.operation_name);
  Document by_default = Document::object();
  by_default.set("description", "Default response for " + route.route_key);
  out.set("responses", Document::object().set("default", std::move(by_default)));
  if (!options.extensions) return out;
  for (const auto& authorizer : config.authorizers) {
    if (!route.authorizer_id || authorizer.authorizer_id != route.authorizer_id) continue;
    Document requirement = Document::object();
    requirement.set(authorizer.name, texts(route.authorization_scopes.value_or({})));
    out.set("security", Document::array().push(std::move(requirement)));
  }
  if (route.authorization_type == "AWS_IAM")
    out.set("x-amazon-apigateway-auth", Document::object().set("type", "AWS_IAM"));
  if (const auto* integration = route.target ? integration_of(config, route) : nullptr)
    out.set("x-amazon-apigateway-integration", integration_document(*integration));
  if (route.route_key == "$default") out.set("isDefaultRoute", true);
  return out;
}

Document paths_document(const ConfigRecords& config, const ExportOptions& options) {
  Document paths = Document::object();
  for (const auto& route : config.routes) {
    const size_t space = route.route_key.find(' ');
    const bool is_default = space == std::string::npos;
    const std::string path = is_default ? "/$default" : route.route_key.substr(space + 1);
    const std::string method = is_default ? "ANY" : route.route_key.substr(0, space);
    // OpenAPI has no word for any method.
    const std::string name = method == "ANY" ? "x-amazon-apigateway-any-method" : to_lower(method);
    Document item = paths.find(path) ? *paths.find(path) : Document::object();
    item.set(name, operation_document(config, route, options));
    Document parameters = path_parameters(path);
    if (!parameters.as_array().empty()) item.set("parameters", std::move(parameters));
    paths.set(path, std::move(item));
  }
  return paths;
}

Document tags_document(const std::map<std::string, std::string>& tags, bool extensions) {
  Document out = Document::array();
  for (const auto& [name, value] : tags) {
    Document tag = Document::object();
    tag.set("name", name);
    if (extensions) tag.set("x-amazon-apigateway-tag-value", value);
    out.push(std::move(tag));
  }
  return out;
}

bool is_plain_key(std::string_view key) {
  if (key.empty()) return false;
  for (const char c : key) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '_';
    if (!plain) return false;
  }
  return key.front() != '-';
}

bool is_leaf(const Document& d) {
  return (d.is_object() && d.as_object().empty()) || (d.is_array() && d.as_array().empty()) ||
         (!d.is_object() && !d.is_array());
}

// `depth` is the indentation of the lines; the first line's stands there already when `begun`.
void write_yaml(const Document& d, size_t depth, bool begun, std::string& out) {
  const std::string indent(2 * depth, ' ');
  const auto child = [&](const Document& value, bool item) {
    if (is_leaf(value)) {
      out += " " + to_json(value) + "\n";
    } else if (item) {
      out += " ";
      write_yaml(value, depth + 1, true, out);
    } else {
      out += "\n";
      write_yaml(value, depth + 1, false, out);
    }
  };
  if (d.is_array()) {
    for (const Document& value : d.as_array()) {
      out += (begun ? std::string() : indent) + "-";
      begun = false;
      child(value, true);
    }
    return;
  }
  for (const auto& [key, value] : d.as_object()) {
    out += begun ? std::string() : indent;
    begun = false;
    out += (is_plain_key(key) ? key : to_json(Document(key))) + ":";
    child(value, false);
  }
}

}  // namespace

Document export_open_api(const api::Api& api, const ConfigRecords& config,
                         const ExportOptions& options) {
  Document out = Document::object();
  out.set("openapi", "3.0.1");
  Document info = Document::object();
  info.set("title", api.name);
  set_present(info, "description", api.description);
  info.set("version", api.version.value_or(options.version));
  out.set("info", std::move(info));
  Document server = Document::object();
  server.set("url", options.server + "/{basePath}");
  server.set("variables",
             Document::object().set("basePath", Document::object().set("default", options.stage)));
  out.set("servers", Document::array().push(std::move(server)));
  if (const auto tags = api.tags.value_or({}); !tags.empty())
    out.set("tags", tags_document(tags, options.extensions));
  out.set("paths", paths_document(config, options));
  if (!options.extensions) return out;
  if (!config.authorizers.empty()) {
    Document schemes = Document::object();
    for (const auto& record : config.authorizers) schemes.set(record.name, security_scheme(record));
    out.set("components", Document::object().set("securitySchemes", std::move(schemes)));
  }
  if (api.cors_configuration)
    out.set("x-amazon-apigateway-cors", cors_document(*api.cors_configuration));
  out.set("x-amazon-apigateway-importexport-version", "1.0");
  return out;
}

std::string to_yaml(const Document& document) {
  std::string out = "---\n";
  write_yaml(document, 0, false, out);
  return out;
}

}  // namespace virga::apigatewayv2
