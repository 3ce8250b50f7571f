#include "services/apigatewayv2/open_api.h"

#include <array>

#include "api/apigatewayv2/shapes/jwt_configuration.h"
#include "base/json.h"
#include "base/strings.h"
#include "services/apigatewayv2/errors.h"
#include "services/apigatewayv2/validate.h"

namespace virga::apigatewayv2 {
namespace {

constexpr std::string_view kSharedIntegration = "#/components/x-amazon-apigateway-integrations/";
constexpr std::string_view kAnyMethod = "x-amazon-apigateway-any-method";

std::optional<std::string> text(const Document& d, std::string_view name) {
  const Document* found = d.find(name);
  if (!found) return std::nullopt;
  if (found->is_string()) return found->as_string();
  if (found->is_int()) return std::to_string(found->as_int());
  return std::nullopt;
}

std::optional<bool> flag(const Document& d, std::string_view name) {
  const Document* found = d.find(name);
  if (!found) return std::nullopt;
  if (found->is_bool()) return found->as_bool();
  if (found->is_string()) return iequals(found->as_string(), "true");
  return std::nullopt;
}

std::optional<int32_t> number(const Document& d, std::string_view name) {
  const Document* found = d.find(name);
  if (found && found->is_int()) return static_cast<int32_t>(found->as_int());
  const auto parsed = found && found->is_string() ? parse_int(found->as_string()) : std::nullopt;
  if (parsed) return static_cast<int32_t>(*parsed);
  return std::nullopt;
}

std::vector<std::string> texts(const Document* list) {
  std::vector<std::string> out;
  if (!list || !list->is_array()) return out;
  for (const Document& d : list->as_array()) {
    if (d.is_string()) out.push_back(d.as_string());
  }
  return out;
}

const Document& member(const Document& d, std::string_view name) {
  static const Document kNothing = Document::object();
  const Document* found = d.find(name);
  return found && found->is_object() ? *found : kNothing;
}

std::map<std::string, std::string> text_map(const Document& d) {
  std::map<std::string, std::string> out;
  for (const auto& [name, value] : d.as_object()) {
    if (value.is_string()) out[name] = value.as_string();
  }
  return out;
}

std::string upper(std::string text) {
  for (char& c : text) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return text;
}

// x-amazon-apigateway-integration.
api::Integration integration_of(const Document& d) {
  api::Integration out;
  out.integration_type = upper(text(d, "type").value_or(""));
  if (out.integration_type == "AWS_PROXY" || text(d, "httpMethod")) {
    out.integration_method = upper(text(d, "httpMethod").value_or("POST"));
  }
  out.integration_uri = text(d, "uri");
  out.payload_format_version = text(d, "payloadFormatVersion").value_or("1.0");
  out.connection_type = upper(text(d, "connectionType").value_or("INTERNET"));
  out.connection_id = text(d, "connectionId");
  out.credentials_arn = text(d, "credentials");
  out.description = text(d, "description");
  out.integration_subtype = text(d, "integrationSubtype");
  out.timeout_in_millis = number(d, "timeoutInMillis").value_or(kTimeoutMsDefault);
  if (const Document& parameters = member(d, "requestParameters");
      !parameters.as_object().empty()) {
    out.request_parameters = text_map(parameters);
  }
  if (const Document& statuses = member(d, "responseParameters"); !statuses.as_object().empty()) {
    auto& responses = out.response_parameters.emplace();
    for (const auto& [status, parameters] : statuses.as_object()) {
      if (parameters.is_object()) responses[status] = text_map(parameters);
    }
  }
  return out;
}

// x-amazon-apigateway-authorizer of a security scheme.
api::Authorizer authorizer_of(const std::string& name, const Document& scheme) {
  const Document& d = member(scheme, "x-amazon-apigateway-authorizer");
  api::Authorizer out;
  out.name = name;
  const bool jwt = iequals(text(d, "type").value_or(""), "jwt");
  out.authorizer_type = jwt ? "JWT" : "REQUEST";
  std::vector<std::string> sources = texts(d.find("identitySource"));
  if (sources.empty()) {
    for (const auto source : split(text(d, "identitySource").value_or(""), ',')) {
      if (!trim(source).empty()) sources.emplace_back(trim(source));
    }
  }
  if (!sources.empty()) out.identity_source = std::move(sources);
  if (jwt) {
    const Document& given = member(d, "jwtConfiguration");
    auto& configuration = out.jwt_configuration.emplace();
    configuration.issuer = text(given, "issuer");
    configuration.audience = texts(given.find("audience"));
    return out;
  }
  out.authorizer_uri = text(d, "authorizerUri");
  out.authorizer_credentials_arn = text(d, "authorizerCredentials");
  out.authorizer_payload_format_version = text(d, "authorizerPayloadFormatVersion").value_or("1.0");
  out.authorizer_result_ttl_in_seconds = number(d, "authorizerResultTtlInSeconds");
  out.enable_simple_responses = flag(d, "enableSimpleResponses");
  return out;
}

api::Cors cors_of(const Document& d) {
  api::Cors out;
  out.allow_credentials = flag(d, "allowCredentials");
  out.max_age = number(d, "maxAge");
  if (d.find("allowOrigins")) out.allow_origins = texts(d.find("allowOrigins"));
  if (d.find("allowMethods")) out.allow_methods = texts(d.find("allowMethods"));
  if (d.find("allowHeaders")) out.allow_headers = texts(d.find("allowHeaders"));
  if (d.find("exposeHeaders")) out.expose_headers = texts(d.find("exposeHeaders"));
  return out;
}

// The first requirement that names a scheme with an authorizer; an operation's own list, an empty
// one too, counts before the definition's.
void settle_security(const ApiDefinition& api, const Document& document, const Document& operation,
                     ApiDefinition::Route& route) {
  if (iequals(text(member(operation, "x-amazon-apigateway-auth"), "type").value_or(""),
              "AWS_IAM")) {
    route.authorization_type = "AWS_IAM";
    return;
  }
  const Document* security = operation.find("security");
  if (!security) security = document.find("security");
  if (!security || !security->is_array()) return;
  for (const Document& requirement : security->as_array()) {
    if (!requirement.is_object()) continue;
    for (const auto& [name, scopes] : requirement.as_object()) {
      const auto found = api.authorizers.find(name);
      if (found == api.authorizers.end()) continue;
      route.authorizer = name;
      route.authorization_type = found->second.authorizer_type == "JWT" ? "JWT" : "CUSTOM";
      route.scopes = texts(&scopes);
      return;
    }
  }
}

void add_route(ApiDefinition& api, const Document& document, const std::string& path,
               const std::string& method, const Document& operation) {
  ApiDefinition::Route route;
  const bool any = method == kAnyMethod;
  route.key = path == "/$default" || path == "$default"
                  ? "$default"
                  : (any ? "ANY" : upper(method)) + " " + path;
  route.operation_name = text(operation, "operationId").value_or("");
  const Document& integration = member(operation, "x-amazon-apigateway-integration");
  if (const auto shared = text(integration, "$ref");
      shared && shared->starts_with(kSharedIntegration)) {
    route.shared_integration = shared->substr(kSharedIntegration.size());
  } else if (!integration.as_object().empty()) {
    route.integration = integration_of(integration);
  } else {
    api.warnings.push_back("Route " + route.key + " has no integration");
  }
  settle_security(api, document, operation, route);
  api.routes.push_back(std::move(route));
}

void add_routes(ApiDefinition& api, const Document& document) {
  static constexpr std::array<std::string_view, 8> kMethods{"get",     "put",  "post",  "delete",
                                                            "options", "head", "patch", kAnyMethod};
  for (const auto& [path, item] : member(document, "paths").as_object()) {
    if (!item.is_object()) continue;
    for (const std::string_view method : kMethods) {
      const Document* operation = item.find(method);
      if (operation && operation->is_object())
        add_route(api, document, path, std::string(method), *operation);
    }
  }
}

}  // namespace

Result<ApiDefinition> parse_open_api(std::string_view definition) {
  const auto document = parse_json(definition);
  if (!document || !document->is_object()) {
    return fail(errors::bad_request(
        "Unable to parse API definition because of a malformed document: it is no JSON object"));
  }
  if (!text(*document, "openapi").value_or("").starts_with("3.")) {
    return fail(
        errors::bad_request("Invalid OpenAPI input: only OpenAPI 3.0 definitions are supported"));
  }
  ApiDefinition api;
  const Document& info = member(*document, "info");
  api.name = text(info, "title").value_or("");
  if (api.name.empty())
    return fail(errors::bad_request("Invalid OpenAPI input: info.title is missing"));
  api.version = text(info, "version").value_or("");
  api.description = text(info, "description").value_or("");
  if (document->find("x-amazon-apigateway-cors"))
    api.cors = cors_of(member(*document, "x-amazon-apigateway-cors"));
  if (const Document* tags = document->find("tags"); tags && tags->is_array()) {
    for (const Document& tag : tags->as_array()) {
      const auto value = text(tag, "x-amazon-apigateway-tag-value");
      if (value) api.tags[text(tag, "name").value_or("")] = *value;
    }
  }
  const Document& components = member(*document, "components");
  for (const auto& [name, integration] :
       member(components, "x-amazon-apigateway-integrations").as_object()) {
    if (integration.is_object()) api.integrations[name] = integration_of(integration);
  }
  for (const auto& [name, scheme] : member(components, "securitySchemes").as_object()) {
    if (scheme.is_object() && scheme.find("x-amazon-apigateway-authorizer"))
      api.authorizers[name] = authorizer_of(name, scheme);
  }
  add_routes(api, *document);
  return api;
}

}  // namespace virga::apigatewayv2
