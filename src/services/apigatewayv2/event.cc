#include "services/apigatewayv2/event.h"

#include <algorithm>
#include <map>

#include "base/json.h"
#include "base/strings.h"
#include "platform/proxy_payload.h"

namespace virga::apigatewayv2 {
namespace {

using Multi = std::map<std::string, std::vector<std::string>, std::less<>>;

using platform::write_member;

void write_null(JsonWriter& w, std::string_view name) {
  w.key(name);
  w.null();
}

void write_pairs(JsonWriter& w, std::string_view name,
                 const std::vector<std::pair<std::string, std::string>>& pairs) {
  w.key(name);
  w.begin_object();
  for (const auto& [n, v] : pairs) write_member(w, n, v);
  w.end_object();
}

// Adds what API Gateway adds on the way: where the request came from and under which trace.
void add_forwarding(Multi& headers, const Exchange& x, bool lower) {
  const auto name = [&](const char* lower_name, const char* title) {
    return std::string(lower ? lower_name : title);
  };
  const auto find = [&](std::string_view n) {
    return std::find_if(headers.begin(), headers.end(),
                        [&](const auto& h) { return iequals(h.first, n); });
  };
  if (const auto it = find("x-forwarded-for"); it != headers.end()) {
    it->second = {join(it->second, ",") + ", " + x.request->source_ip};
  } else {
    headers[name("x-forwarded-for", "X-Forwarded-For")] = {x.request->source_ip};
  }
  for (const char* n : {"x-forwarded-port", "x-forwarded-proto"}) {
    if (const auto it = find(n); it != headers.end()) headers.erase(it);
  }
  headers[name("x-forwarded-port", "X-Forwarded-Port")] = {std::to_string(x.request->port)};
  headers[name("x-forwarded-proto", "X-Forwarded-Proto")] = {x.request->scheme};
  if (find("x-amzn-trace-id") == headers.end())
    headers[name("x-amzn-trace-id", "X-Amzn-Trace-Id")] = {x.trace_id};
  if (find("content-length") == headers.end()) {
    headers[name("content-length", "Content-Length")] = {std::to_string(x.request->body.size())};
  }
}

bool is_hop_header(std::string_view name) {
  return iequals(name, "connection") || iequals(name, "transfer-encoding") ||
         iequals(name, "keep-alive") || iequals(name, "te") || iequals(name, "upgrade") ||
         iequals(name, "proxy-connection");
}

// Lower-case names; cookies are a field of their own in format 2.0.
Multi headers_v2(const Exchange& x) {
  Multi headers;
  for (const auto& h : x.request->headers) {
    if (is_hop_header(h.name) || iequals(h.name, "cookie")) continue;
    headers[to_lower(h.name)].emplace_back(h.value);
  }
  add_forwarding(headers, x, true);
  return headers;
}

// Names as the client wrote them; lines that differ in case only are one header.
Multi headers_v1(const Exchange& x) {
  Multi headers;
  for (const auto& h : x.request->headers) {
    if (is_hop_header(h.name)) continue;
    const auto it = std::find_if(headers.begin(), headers.end(),
                                 [&](const auto& e) { return iequals(e.first, h.name); });
    if (it != headers.end()) {
      it->second.emplace_back(h.value);
    } else {
      headers[std::string(h.name)].emplace_back(h.value);
    }
  }
  add_forwarding(headers, x, false);
  return headers;
}

Multi query_values(const Exchange& x) {
  Multi values;
  for (auto& [n, v] : parse_query(x.request->query)) values[n].push_back(std::move(v));
  return values;
}

void write_joined(JsonWriter& w, std::string_view name, const Multi& values) {
  w.key(name);
  w.begin_object();
  for (const auto& [n, list] : values)
    write_member(w, n, list.size() == 1 ? list[0] : join(list, ","));
  w.end_object();
}

void write_lists(JsonWriter& w, std::string_view name, const Multi& values) {
  w.key(name);
  w.begin_object();
  for (const auto& [n, list] : values) {
    w.key(platform::text_of(n));
    w.begin_array();
    for (const auto& v : list) w.string(platform::text_of(v));
    w.end_array();
  }
  w.end_object();
}

std::string_view domain_prefix(const Exchange& x) {
  const std::string_view name = x.request->domain_name;
  return name.substr(0, name.find('.'));
}

std::string_view user_agent(const Exchange& x) {
  return x.request->header("user-agent").value_or("");
}

void write_scopes(JsonWriter& w, const Authorization& a) {
  w.key("scopes");
  if (a.scopes.empty()) {
    w.null();
    return;
  }
  w.begin_array();
  for (const auto& s : a.scopes) w.string(s);
  w.end_array();
}

void write_authorizer_v2(JsonWriter& w, const Authorization& a) {
  if (a.kind == Authorization::Kind::none) return;
  w.key("authorizer");
  w.begin_object();
  if (a.kind == Authorization::Kind::jwt) {
    w.key("jwt");
    w.begin_object();
    write_pairs(w, "claims", a.claims);
    write_scopes(w, a);
    w.end_object();
  } else if (a.kind == Authorization::Kind::lambda) {
    w.key("lambda");
    w.raw(a.lambda_context.empty() ? "{}" : a.lambda_context);
  } else {
    Principal caller;
    caller.access_key_id = a.access_key;
    caller.account = a.account_id;
    caller.user_id = a.user_id;
    caller.arn = a.user_arn;
    platform::write_iam_caller(w, caller);
  }
  w.end_object();
}

void write_context_v2(JsonWriter& w, const Exchange& x, bool with_authorizer) {
  w.key("requestContext");
  w.begin_object();
  write_member(w, "accountId", x.api->account);
  write_member(w, "apiId", x.api->id);
  if (with_authorizer) write_authorizer_v2(w, x.authorization);
  write_member(w, "domainName", x.request->domain_name);
  write_member(w, "domainPrefix", domain_prefix(x));
  w.key("http");
  w.begin_object();
  write_member(w, "method", x.request->method);
  write_member(w, "path", x.raw_path);
  write_member(w, "protocol", x.request->protocol);
  write_member(w, "sourceIp", x.request->source_ip);
  write_member(w, "userAgent", user_agent(x));
  w.end_object();
  write_member(w, "requestId", x.request_id);
  write_member(w, "routeKey", x.route->key);
  write_member(w, "stage", x.stage->name);
  write_member(w, "time", format_request_time(x.now));
  w.key("timeEpoch");
  w.integer(x.now.millis());
  w.end_object();
}

void write_head_v2(JsonWriter& w, const Exchange& x) {
  write_member(w, "routeKey", x.route->key);
  write_member(w, "rawPath", x.raw_path);
  write_member(w, "rawQueryString", x.request->query);
  platform::write_cookies(w, x.request->headers);
  write_joined(w, "headers", headers_v2(x));
  if (const auto query = query_values(x); !query.empty())
    write_joined(w, "queryStringParameters", query);
}

void write_identity_v1(JsonWriter& w, const Exchange& x) {
  const Authorization& a = x.authorization;
  const bool iam = a.kind == Authorization::Kind::iam;
  const auto maybe = [&](std::string_view name, const std::string& value) {
    if (iam) {
      write_member(w, name, value);
    } else {
      write_null(w, name);
    }
  };
  w.key("identity");
  w.begin_object();
  maybe("accessKey", a.access_key);
  maybe("accountId", a.account_id);
  maybe("caller", a.caller_id);
  write_null(w, "cognitoAmr");
  write_null(w, "cognitoAuthenticationProvider");
  write_null(w, "cognitoAuthenticationType");
  write_null(w, "cognitoIdentityId");
  write_null(w, "cognitoIdentityPoolId");
  write_null(w, "principalOrgId");
  write_member(w, "sourceIp", x.request->source_ip);
  maybe("user", a.user_id);
  write_member(w, "userAgent", user_agent(x));
  maybe("userArn", a.user_arn);
  w.end_object();
}

// In format 1.0 a Lambda authorizer's context stands flat beside its principalId.
void write_authorizer_v1(JsonWriter& w, const Authorization& a) {
  if (a.kind == Authorization::Kind::jwt) {
    w.key("authorizer");
    w.begin_object();
    write_pairs(w, "claims", a.claims);
    write_scopes(w, a);
    w.end_object();
  } else if (a.kind == Authorization::Kind::lambda) {
    w.key("authorizer");
    w.begin_object();
    if (const auto context = parse_json(a.lambda_context.empty() ? "{}" : a.lambda_context);
        context && context->is_object()) {
      for (const auto& [n, v] : context->as_object()) {
        w.key(n);
        w.raw(to_json(v));
      }
    }
    if (!a.principal_id.empty()) write_member(w, "principalId", a.principal_id);
    w.end_object();
  }
}

void write_context_v1(JsonWriter& w, const Exchange& x, bool with_authorizer) {
  w.key("requestContext");
  w.begin_object();
  write_member(w, "accountId", x.api->account);
  write_member(w, "apiId", x.api->id);
  if (with_authorizer) write_authorizer_v1(w, x.authorization);
  write_member(w, "domainName", x.request->domain_name);
  write_member(w, "domainPrefix", domain_prefix(x));
  write_member(w, "extendedRequestId", x.request_id);
  write_member(w, "httpMethod", x.request->method);
  write_identity_v1(w, x);
  write_member(w, "path", x.raw_path);
  write_member(w, "protocol", x.request->protocol);
  write_member(w, "requestId", x.request_id);
  write_member(w, "requestTime", format_request_time(x.now));
  w.key("requestTimeEpoch");
  w.integer(x.now.millis());
  write_member(w, "resourceId", x.route->key);
  write_member(w, "resourcePath", x.route->path);
  write_member(w, "stage", x.stage->name);
  w.end_object();
}

void write_body(JsonWriter& w, const Exchange& x, bool null_when_empty) {
  const std::string_view body = x.request->body;
  if (body.empty()) {
    if (null_when_empty) write_null(w, "body");
    w.key("isBase64Encoded");
    w.boolean(false);
    return;
  }
  const bool text = is_text_content_type(x.request->header("content-type")) &&
                    !x.request->header("content-encoding") && is_utf8(body);
  write_member(w, "body", text ? std::string(body) : to_base64(body));
  w.key("isBase64Encoded");
  w.boolean(!text);
}

// The headers and query string of format 1.0: single values beside lists.
void write_singles(JsonWriter& w, std::string_view name, const Multi& values, bool first) {
  w.key(name);
  w.begin_object();
  for (const auto& [n, list] : values) write_member(w, n, first ? list.front() : list.back());
  w.end_object();
}

void write_pairs_or_null(JsonWriter& w, std::string_view name,
                         const std::vector<std::pair<std::string, std::string>>& pairs) {
  if (pairs.empty()) {
    write_null(w, name);
  } else {
    write_pairs(w, name, pairs);
  }
}

void write_head_v1(JsonWriter& w, const Exchange& x) {
  write_member(w, "resource", x.route->path);
  write_member(w, "path", x.raw_path);
  write_member(w, "httpMethod", x.request->method);
}

}  // namespace

std::string integration_event_v2(const Exchange& x) {
  std::string out;
  out.reserve(1536 + x.request->body.size() * 4 / 3);
  JsonWriter w(out);
  w.begin_object();
  write_member(w, "version", "2.0");
  write_head_v2(w, x);
  write_context_v2(w, x, true);
  write_body(w, x, false);
  if (!x.path_parameters.empty()) write_pairs(w, "pathParameters", x.path_parameters);
  if (!x.stage->variables.empty()) write_pairs(w, "stageVariables", x.stage->variables);
  w.end_object();
  return out;
}

std::string integration_event_v1(const Exchange& x) {
  std::string out;
  out.reserve(2560 + x.request->body.size() * 4 / 3);
  JsonWriter w(out);
  w.begin_object();
  write_member(w, "version", "1.0");
  write_head_v1(w, x);
  const Multi headers = headers_v1(x);
  write_singles(w, "headers", headers, false);
  write_lists(w, "multiValueHeaders", headers);
  const Multi query = query_values(x);
  if (query.empty()) {
    write_null(w, "queryStringParameters");
    write_null(w, "multiValueQueryStringParameters");
  } else {
    write_singles(w, "queryStringParameters", query, true);
    write_lists(w, "multiValueQueryStringParameters", query);
  }
  write_context_v1(w, x, true);
  write_pairs_or_null(w, "pathParameters", x.path_parameters);
  write_pairs_or_null(w, "stageVariables", x.stage->variables);
  write_body(w, x, true);
  w.end_object();
  return out;
}

std::string authorizer_event_v2(const Exchange& x, const std::vector<std::string>& identities) {
  std::string out;
  JsonWriter w(out);
  w.begin_object();
  write_member(w, "version", "2.0");
  write_member(w, "type", "REQUEST");
  write_member(w, "routeArn", x.request_arn());
  w.key("identitySource");
  if (identities.empty()) {
    w.null();
  } else {
    w.begin_array();
    for (const auto& i : identities) w.string(platform::text_of(i));
    w.end_array();
  }
  write_head_v2(w, x);
  write_context_v2(w, x, false);
  if (!x.path_parameters.empty()) write_pairs(w, "pathParameters", x.path_parameters);
  if (!x.stage->variables.empty()) write_pairs(w, "stageVariables", x.stage->variables);
  w.end_object();
  return out;
}

std::string authorizer_event_v1(const Exchange& x, const std::vector<std::string>& identities) {
  std::string out;
  JsonWriter w(out);
  w.begin_object();
  write_member(w, "version", "1.0");
  write_member(w, "type", "REQUEST");
  write_member(w, "methodArn", x.request_arn());
  const std::string identity = join(identities, ",");
  write_member(w, "identitySource", identity);
  write_member(w, "authorizationToken", identity);
  write_head_v1(w, x);
  const Multi headers = headers_v1(x);
  write_singles(w, "headers", headers, false);
  w.key("queryStringParameters");
  w.begin_object();
  for (const auto& [n, list] : query_values(x)) write_member(w, n, list.front());
  w.end_object();
  write_pairs(w, "pathParameters", x.path_parameters);
  write_pairs(w, "stageVariables", x.stage->variables);
  write_context_v1(w, x, false);
  w.end_object();
  return out;
}

}  // namespace virga::apigatewayv2
