#include "services/apigatewayv2/data_plane.h"

#include "async/wait.h"
#include "base/log.h"
#include "base/strings.h"
#include "services/apigatewayv2/cors.h"
#include "services/apigatewayv2/event.h"
#include "services/apigatewayv2/http_integration.h"
#include "services/apigatewayv2/service_integration.h"

namespace virga::apigatewayv2 {
namespace {

constexpr std::string_view kPathPrefix = "/_aws/execute-api/";
constexpr std::string_view kHostMark = ".execute-api.";

std::string_view host_without_port(std::string_view authority) {
  if (authority.starts_with('[')) {
    const size_t close = authority.find(']');
    return close == std::string_view::npos ? authority : authority.substr(1, close - 1);
  }
  return authority.substr(0, authority.find(':'));
}

bool is_api_id(std::string_view text) {
  if (text.empty() || text.size() > 64) return false;
  for (const char c : text) {
    if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-')) return false;
  }
  return true;
}

std::string decoded(std::string_view path) {
  auto plain = percent_decode(path);
  return plain && is_utf8(*plain) ? std::move(*plain) : std::string(path);
}

size_t head_bytes(const net::HttpRequest& request) {
  size_t bytes = request.method().size() + request.target().size() + 12;
  for (const auto& h : request.headers()) bytes += h.name.size() + h.value.size() + 4;
  return bytes;
}

// 15 characters and a '=', as HTTP APIs number their requests.
std::string make_request_id(async::Random& random) {
  return to_base64(random.bytes(11));
}

// Root=1-<8 hex: seconds>-<24 hex>. Source: AWS X-Ray Developer Guide, "Tracing header".
std::string make_trace_id(async::Random& random, Timestamp now) {
  std::string seconds;
  const auto s = static_cast<uint32_t>(now.seconds());
  for (int shift = 24; shift >= 0; shift -= 8) seconds += static_cast<char>(s >> shift & 0xFF);
  return "Root=1-" + to_hex(seconds) + "-" + to_hex(random.bytes(12));
}

net::HttpResponse to_response(GatewayReply reply) {
  net::HttpResponse response;
  response.status = reply.status;
  for (const auto& [name, value] : reply.headers) response.headers.add(name, value);
  response.body = std::move(reply.body);
  return response;
}

GatewayReply jwt_refusal(const JwtRefusal& refusal, const std::vector<std::string>& scopes) {
  GatewayReply reply = refusal.status == 403 ? forbidden() : unauthorized();
  const char* error = refusal.status == 403 ? "insufficient_scope" : "invalid_token";
  reply.headers.emplace_back("www-authenticate",
                             "Bearer scope=\"" + join(scopes, " ") + "\" error=\"" + error +
                                 "\" error_description=\"" + refusal.description + "\"");
  return reply;
}

}  // namespace

bool is_data_plane_host(std::string_view host) {
  const size_t mark = host.find('.');
  return mark != std::string_view::npos && to_lower(host.substr(mark)).starts_with(kHostMark);
}

std::string called_host(const net::HttpRequest& request) {
  return to_lower(host_without_port(request.authority()));
}

std::optional<DataPlaneAddress> data_plane_address(const net::HttpRequest& request) {
  const std::string_view host = host_without_port(request.authority());
  DataPlaneAddress address;
  if (is_data_plane_host(host)) {
    address.api_id = to_lower(host.substr(0, host.find('.')));
    address.domain_name = to_lower(host);
    address.path = request.path();
    return address;
  }
  std::string_view path = request.path();
  if (!path.starts_with(kPathPrefix)) return std::nullopt;
  path.remove_prefix(kPathPrefix.size());
  const size_t slash = path.find('/');
  address.api_id = path.substr(0, slash);
  path = slash == std::string_view::npos ? "/" : path.substr(slash);
  for (const std::string_view spelling : {"/$default", "/%24default"}) {
    if (!path.starts_with(spelling)) continue;
    const auto rest = path.substr(spelling.size());
    if (rest.empty() || rest.front() == '/') {
      path = rest.empty() ? "/" : rest;
      break;
    }
  }
  address.path = path;
  address.domain_name = address.api_id + ".execute-api.localhost";
  return address;
}

// One request on its way; lives in handle().
struct DataPlane::Call {
  net::HttpRequest* http = nullptr;
  DataPlaneAddress address;
  std::string body;
  GatewayRequest request;
  std::shared_ptr<const CompiledApi> api;
  std::shared_ptr<const CompiledConfig> config;
  Exchange exchange;
  async::SteadyTime begun;
  AccessFacts facts;
};

DataPlane::DataPlane(Parts parts)
    : parts_(parts), keys_(parts.upstream, parts.env.steady), throttles_(parts.env.steady) {}

Task<net::HttpResponse> DataPlane::handle(net::HttpRequest& request, DataPlaneAddress address) {
  Call call;
  call.http = &request;
  call.address = std::move(address);
  call.exchange.request = &call.request;
  call.exchange.request_id = make_request_id(parts_.env.random);
  call.exchange.now = parts_.env.wall.now().at;
  call.begun = parts_.env.steady.now();
  auto served = co_await as_result(serve(&call));
  GatewayReply reply;
  if (served) {
    reply = std::move(*served);
  } else if (served.error().http_status == 413) {
    reply = request_too_large();
  } else if (served.error().http_status == 400 || served.error().http_status == 408) {
    co_return fail(served.error());  // the request never arrived whole; the server answers and ends
                                     // the connection
  } else {
    LOG_WARN("http_api_failed", kv("api", call.address.api_id),
             kv("error", served.error().message));
    reply = internal_server_error();
  }
  if (call.api && call.api->cors && !is_preflight(call.request))
    apply_cors(*call.api->cors, call.request, reply);
  reply.headers.emplace_back("apigw-requestid", call.exchange.request_id);
  if (call.exchange.stage && call.exchange.stage->access_log && parts_.logs) {
    const auto logged = co_await as_result(log_access(&call, &reply));
    if (!logged)
      LOG_WARN("http_api_access_log_lost", kv("api", call.address.api_id),
               kv("error", logged.error().message));
  }
  co_return to_response(std::move(reply));
}

Task<void> DataPlane::log_access(Call* call, const GatewayReply* reply) {
  const AccessLogRule& rule = *call->exchange.stage->access_log;
  call->facts.status = reply->status;
  call->facts.response_bytes = reply->body.size();
  call->facts.response_ms = (parts_.env.steady.now() - call->begun) / 1'000'000;
  platform::LogAppend append{.account = rule.account, .region = rule.region, .group = rule.group};
  append.stream = call->exchange.api->id + "/" + call->exchange.stage->name;
  append.events.push_back({parts_.env.cloud.now().at.millis(),
                           access_log_line(rule.format, call->exchange, call->facts)});
  co_await parts_.logs->append(std::move(append));
  co_return ok();
}

Task<GatewayReply> DataPlane::serve(Call* call) {
  net::HttpRequest& http = *call->http;
  GatewayRequest& request = call->request;
  request.method = http.method();
  request.path = call->address.path;
  request.query = http.query();
  for (const auto& h : http.headers()) request.headers.push_back({h.name, h.value});
  request.source_ip = http.peer_ip();
  request.protocol = http.version_minor() == 0 ? "HTTP/1.0" : "HTTP/1.1";
  request.scheme = http.secure() ? "https" : "http";
  request.port = http.listener().port;
  request.domain_name = call->address.domain_name;

  const auto& mapping = call->address.mapping;
  if (mapping && call->address.api_id.empty()) co_return forbidden();
  if (!is_api_id(call->address.api_id)) co_return not_found();
  auto found = co_await parts_.apis.find_api(call->address.api_id);
  if (!found || (found->disable_execute_api_endpoint && !mapping)) co_return not_found();
  call->api = std::move(found);
  call->exchange.api = call->api.get();
  if (head_bytes(http) > kHeadBytesMax) co_return headers_too_large();
  if (call->api->cors && is_preflight(request))
    co_return preflight_reply(*call->api->cors, request);
  if (!select_stage(*call)) co_return not_found();
  if (!within_limits(*call)) co_return too_many_requests();
  if (const auto arrived = http.buffered_body()) {
    if (arrived->size() > kPayloadBytesMax) co_return request_too_large();
    request.body = *arrived;
  } else {
    call->body = co_await http.read_body(kPayloadBytesMax);
    request.body = call->body;
  }
  call->exchange.trace_id = make_trace_id(parts_.env.random, call->exchange.now);
  auto refused = co_await authorize(call);
  if (refused) co_return std::move(*refused);
  GatewayReply reply = co_await integrate(call);
  co_return std::move(reply);
}

// A mapping's stage; or one that the path names, else $default; then the route within it.
bool DataPlane::select_stage(Call& call) const {
  const CompiledApi& api = *call.api;
  std::string_view path = call.address.path;
  const auto& mapping = call.address.mapping;
  const std::string_view first =
      path.substr(1, path.find('/', 1) == std::string_view::npos ? std::string_view::npos
                                                                 : path.find('/', 1) - 1);
  const bool named = !mapping && !first.empty() && first != "$default";
  const CompiledStage* stage = mapping ? api.stage(mapping->stage)
                               : named ? api.stage(decoded(first))
                                       : nullptr;
  if (stage) {
    path.remove_prefix(mapping ? mapping->key_bytes : 1 + first.size());
    if (path.empty()) path = "/";
  } else if (!mapping) {
    stage = api.stage("$default");
  }
  if (!stage || !stage->config) return false;
  Exchange& x = call.exchange;
  call.config = stage->config;
  const int index = stage->config->table.match(call.request.method, path, &x.path_parameters);
  if (index == RouteTable::kNone) return false;
  x.stage = stage;
  x.route = &stage->config->routes[static_cast<size_t>(index)];
  x.raw_path = decoded(call.address.path);
  x.stage_path = decoded(path);
  return true;
}

// A route's own limit, else the stage's for all its other routes together.
bool DataPlane::within_limits(const Call& call) {
  const CompiledStage& stage = *call.exchange.stage;
  for (const auto& [key, limit] : stage.route_throttles) {
    if (key == call.exchange.route->key)
      return throttles_.take(call.api->id + "/" + stage.name + "/" + key, limit);
  }
  if (!stage.throttle) return true;
  return throttles_.take(call.api->id + "/" + stage.name, *stage.throttle);
}

Task<std::optional<GatewayReply>> DataPlane::authorize(Call* call) {
  std::optional<GatewayReply> refused;
  switch (call->exchange.route->auth) {
    case CompiledRoute::Auth::none:
      break;
    case CompiledRoute::Auth::jwt:
      refused = co_await authorize_jwt(call);
      break;
    case CompiledRoute::Auth::lambda:
      refused = co_await authorize_lambda(call);
      break;
    case CompiledRoute::Auth::iam:
      refused = co_await authorize_iam(call);
      break;
  }
  co_return std::move(refused);
}

Task<std::optional<GatewayReply>> DataPlane::authorize_jwt(Call* call) {
  using Answer = std::optional<GatewayReply>;
  const CompiledRoute& route = *call->exchange.route;
  const CompiledAuthorizer* authorizer = route.authorizer;
  if (!authorizer || authorizer->kind != CompiledAuthorizer::Kind::jwt)
    co_return Answer(internal_server_error());
  MappingEvaluator evaluator(call->exchange, nullptr);
  std::optional<std::string> text;
  for (const auto& source : authorizer->identity_sources) {
    text = evaluator.evaluate(source);
    if (text) break;
  }
  if (!text) {
    GatewayReply reply = unauthorized();
    reply.headers.emplace_back("www-authenticate", "Bearer");
    co_return Answer(std::move(reply));
  }
  std::string_view token_text = *text;
  if (token_text.size() > 7 && iequals(token_text.substr(0, 7), "bearer "))
    token_text = trim(token_text.substr(7));
  auto token = Jwt::parse(token_text);
  if (!token) co_return Answer(jwt_refusal({401, "the token is not a valid JWT"}, route.scopes));
  const int64_t now_s = parts_.env.wall.now().at.seconds();
  // Cheap checks first: only a token that could be good makes us ask its issuer.
  const auto refusal = check_claims(*token, *authorizer, route.scopes, now_s);
  if (refusal && refusal->status == 401) co_return Answer(jwt_refusal(*refusal, route.scopes));
  const auto keys = co_await as_result(keys_.keys(authorizer->issuer, token->key_id));
  if (!keys) co_return Answer(jwt_refusal({401, keys.error().message}, route.scopes));
  if (!(*keys)->verify(*token))
    co_return Answer(jwt_refusal({401, "signature verification failed"}, route.scopes));
  if (refusal) co_return Answer(jwt_refusal(*refusal, route.scopes));
  Authorization& a = call->exchange.authorization;
  a.kind = Authorization::Kind::jwt;
  a.claims = claims_as_text(token->claims);
  if (!route.scopes.empty()) a.scopes = token_scopes(token->claims);
  co_return Answer();
}

Task<std::optional<GatewayReply>> DataPlane::authorize_lambda(Call* call) {
  using Answer = std::optional<GatewayReply>;
  const CompiledAuthorizer* authorizer = call->exchange.route->authorizer;
  if (!authorizer || authorizer->kind != CompiledAuthorizer::Kind::lambda)
    co_return Answer(internal_server_error());
  std::vector<std::string> identities;
  MappingEvaluator evaluator(call->exchange, nullptr);
  for (const auto& source : authorizer->identity_sources) {
    auto value = evaluator.evaluate(source);
    if (!value || value->empty()) co_return Answer(unauthorized());
    identities.push_back(std::move(*value));
  }
  const bool cached = authorizer->ttl_s > 0 && !identities.empty();
  const std::string key =
      cached ? AuthorizerCache::key(call->api->id, authorizer->id, identities) : "";
  auto verdict = cached ? parts_.authorizations.find(key) : nullptr;
  if (!verdict) {
    auto asked = co_await as_result(ask_authorizer(call, std::move(identities)));
    if (!asked) {
      LOG_INFO("http_api_authorizer_failed", kv("api", call->api->id),
               kv("authorizer", authorizer->id), kv("error", asked.error().message));
      co_return Answer(internal_server_error());
    }
    verdict = std::move(*asked);
    if (cached) parts_.authorizations.put(key, verdict, authorizer->ttl_s);
  }
  if (!verdict->allows(call->exchange.request_arn())) co_return Answer(forbidden());
  Authorization& a = call->exchange.authorization;
  a.kind = Authorization::Kind::lambda;
  a.lambda_context = verdict->context;
  a.principal_id = verdict->principal_id;
  co_return Answer();
}

Task<std::shared_ptr<const AuthorizerVerdict>> DataPlane::ask_authorizer(
    Call* call, std::vector<std::string> identities) {
  const CompiledAuthorizer& authorizer = *call->exchange.route->authorizer;
  const Exchange& x = call->exchange;
  platform::InvokeCall invoke;
  invoke.account = x.api->account;
  invoke.region = x.api->region;
  invoke.function_arn = with_stage_variables(authorizer.function_arn, x);
  invoke.qualifier = with_stage_variables(authorizer.qualifier, x);
  invoke.payload = authorizer.payload_version == "1.0" ? authorizer_event_v1(x, identities)
                                                       : authorizer_event_v2(x, identities);
  invoke.principal = "apigateway.amazonaws.com";
  invoke.source_arn = "arn:" + x.api->partition + ":execute-api:" + x.api->region + ":" +
                      x.api->account + ":" + x.api->id + "/authorizers/" + authorizer.id;
  invoke.role_arn = authorizer.credentials_arn;
  const auto deadline = parts_.env.steady.now().plus_millis(kAuthorizerMs);
  auto reply = co_await async::with_deadline(parts_.functions.invoke(std::move(invoke)), deadline,
                                             async::deadline_error());
  if (!reply.function_error.empty())
    co_return fail("InternalServerError", 500, "the authorizer function failed");
  auto verdict = parse_authorizer_answer(reply.payload, authorizer.simple_responses);
  if (!verdict)
    co_return fail("InternalServerError", 500, "the authorizer's answer has not the required form");
  co_return std::make_shared<const AuthorizerVerdict>(std::move(*verdict));
}

Task<std::optional<GatewayReply>> DataPlane::authorize_iam(Call* call) {
  using Answer = std::optional<GatewayReply>;
  if (!parts_.signer) co_return Answer(forbidden());
  platform::SignedCall asked{.request = *call->http,
                             .body = call->request.body,
                             .arn = call->exchange.request_arn(),
                             .account = call->api->account};
  auto asking = parts_.signer->authorize(std::move(asked));
  auto who = co_await as_result(std::move(asking));
  if (!who) co_return Answer(forbidden());
  Authorization& a = call->exchange.authorization;
  a.kind = Authorization::Kind::iam;
  a.access_key = who->access_key_id;
  a.account_id = who->account;
  a.caller_id = who->user_id;
  a.user_id = who->user_id;
  a.user_arn = who->arn;
  co_return Answer();
}

Task<GatewayReply> DataPlane::integrate(Call* call) {
  const CompiledIntegration* integration = call->exchange.route->integration;
  if (!integration) co_return internal_server_error();
  const auto mapped = apply_request_mappings(*integration, call->exchange);
  GatewayReply reply;
  const async::SteadyTime begun = parts_.env.steady.now();
  if (integration->kind == CompiledIntegration::Kind::lambda) {
    reply = co_await integrate_lambda(integration, mapped.get(), &call->facts);
  } else if (integration->kind == CompiledIntegration::Kind::service) {
    reply = co_await integrate_service(integration, &call->exchange, &call->facts);
  } else {
    reply = co_await integrate_http(integration, mapped.get(), &call->facts);
  }
  call->facts.integration_ms = (parts_.env.steady.now() - begun) / 1'000'000;
  apply_response_mappings(*integration, call->exchange, reply);
  co_return std::move(reply);
}

Task<GatewayReply> DataPlane::integrate_lambda(const CompiledIntegration* integration,
                                               const MappedRequest* mapped, AccessFacts* facts) {
  const Exchange& x = mapped->exchange;
  platform::InvokeCall invoke;
  invoke.account = x.api->account;
  invoke.region = x.api->region;
  invoke.function_arn = with_stage_variables(integration->uri, x);
  invoke.qualifier = with_stage_variables(integration->qualifier, x);
  invoke.payload =
      integration->payload_version == "1.0" ? integration_event_v1(x) : integration_event_v2(x);
  if (invoke.payload.size() > kEventBytesMax) co_return request_too_large();
  invoke.principal = "apigateway.amazonaws.com";
  invoke.source_arn = x.route_arn();
  invoke.role_arn = integration->credentials_arn;
  const auto deadline = parts_.env.steady.now().plus_millis(integration->timeout_ms);
  auto reply = co_await as_result(async::with_deadline(parts_.functions.invoke(std::move(invoke)),
                                                       deadline, async::deadline_error()));
  if (!reply) {
    const AwsError& error = reply.error();
    facts->integration_status = error.http_status;
    facts->integration_error = error.message;
    LOG_INFO("http_api_integration_failed", kv("api", x.api->id), kv("route", x.route->key),
             kv("error", error.code), kv("message", error.message));
    // A function that does not answer in time, or has no capacity left, is an unavailable service.
    const bool unavailable = error.code == async::deadline_error().code || error.http_status == 429;
    co_return unavailable ? service_unavailable() : internal_server_error();
  }
  facts->integration_status = 200;
  if (!reply->function_error.empty()) {
    facts->integration_error =
        "The Lambda function returned the following error: " + reply->payload;
    co_return internal_server_error();
  }
  co_return reply_from_function(reply->payload, integration->payload_version);
}

Task<GatewayReply> DataPlane::integrate_service(const CompiledIntegration* integration,
                                                const Exchange* exchange, AccessFacts* facts) {
  if (!parts_.services) co_return internal_server_error();
  const auto deadline = parts_.env.steady.now().plus_millis(integration->timeout_ms);
  auto calling = parts_.services->call(integration, exchange);
  auto reply = co_await as_result(
      async::with_deadline(std::move(calling), deadline, async::deadline_error()));
  if (!reply) {
    LOG_INFO("http_api_integration_failed", kv("api", exchange->api->id),
             kv("route", exchange->route->key), kv("error", reply.error().code),
             kv("message", reply.error().message));
    facts->integration_status = reply.error().http_status;
    facts->integration_error = reply.error().message;
    const bool late = reply.error().code == async::deadline_error().code;
    co_return late ? service_unavailable() : internal_server_error();
  }
  facts->integration_status = reply->status;
  co_return std::move(*reply);
}

Task<GatewayReply> DataPlane::integrate_http(const CompiledIntegration* integration,
                                             const MappedRequest* mapped, AccessFacts* facts) {
  auto request = upstream_request(*integration, *mapped);
  if (!request) co_return internal_server_error();
  auto reply = co_await as_result(parts_.upstream.send(std::move(*request)));
  if (!reply) {
    LOG_INFO("http_api_integration_failed", kv("api", mapped->exchange.api->id),
             kv("route", mapped->exchange.route->key), kv("error", reply.error().code),
             kv("message", reply.error().message));
    facts->integration_status = reply.error().http_status;
    facts->integration_error = reply.error().message;
    co_return service_unavailable();
  }
  facts->integration_status = reply->status;
  co_return reply_from_upstream(std::move(*reply));
}

}  // namespace virga::apigatewayv2
