#include "services/lambda/function_url_event.h"

#include <cstdio>
#include <map>

#include "base/json.h"
#include "base/strings.h"

namespace virga::lambda {
namespace {

using Joined = std::map<std::string, std::string>;

void add_joined(Joined& to, const std::string& name, std::string_view value) {
  const auto [at, fresh] = to.emplace(name, value);
  if (!fresh) at->second += "," + std::string(value);
}

void write_joined(JsonWriter& out, std::string_view key, const Joined& values) {
  out.key(key);
  out.begin_object();
  for (const auto& [name, value] : values) {
    out.key(name);
    out.string(value);
  }
  out.end_object();
}

Joined headers_of(const net::HttpRequest& request, size_t body_bytes) {
  Joined out;
  for (const auto& header : request.headers()) {
    const std::string name = to_lower(header.name);
    if (name == "cookie" || name == "connection" || name == "transfer-encoding" ||
        name == "keep-alive")
      continue;
    if (is_utf8(header.value)) add_joined(out, name, header.value);
  }
  add_joined(out, "x-forwarded-for", request.peer_ip());
  out["x-forwarded-port"] = std::to_string(request.listener().port);
  out["x-forwarded-proto"] = request.secure() ? "https" : "http";
  if (body_bytes > 0) out["content-length"] = std::to_string(body_bytes);
  return out;
}

Joined query_of(std::string_view query) {
  Joined out;
  for (const auto part : split(query, '&')) {
    if (part.empty()) continue;
    const size_t equals = std::min(part.find('='), part.size());
    const auto name = percent_decode(part.substr(0, equals), PlusIsSpace::yes);
    const auto value =
        percent_decode(equals < part.size() ? part.substr(equals + 1) : "", PlusIsSpace::yes);
    if (name && value && is_utf8(*name) && is_utf8(*value)) add_joined(out, *name, *value);
  }
  return out;
}

void write_cookies(JsonWriter& out, const net::HttpRequest& request) {
  std::vector<std::string_view> cookies;
  for (const auto& header : request.headers()) {
    if (!iequals(header.name, "cookie")) continue;
    for (const auto part : split(header.value, ';')) {
      if (!trim(part).empty() && is_utf8(part)) cookies.push_back(trim(part));
    }
  }
  if (cookies.empty()) return;
  out.key("cookies");
  out.begin_array();
  for (const auto cookie : cookies) out.string(cookie);
  out.end_array();
}

// Text reaches the function as it is, anything else as base64.
bool is_text(std::string_view content_type, std::string_view body) {
  const std::string type = to_lower(trim(content_type.substr(0, content_type.find(';'))));
  const bool text = type.starts_with("text/") || type == "application/json" ||
                    type == "application/javascript" || type == "application/xml" ||
                    type.ends_with("+json") || type.ends_with("+xml");
  return text && is_utf8(body);
}

std::string request_time(Timestamp at) {
  constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto t = to_civil(at);
  char text[40];
  std::snprintf(text, sizeof text, "%02d/%s/%04d:%02d:%02d:%02d +0000", t.day, kMonths[t.month - 1],
                t.year, t.hour, t.minute, t.second);
  return text;
}

void write_caller(JsonWriter& out, const Principal& caller) {
  out.key("authentication");
  out.null();
  out.key("authorizer");
  out.begin_object();
  out.key("iam");
  out.begin_object();
  const auto member = [&](std::string_view name, std::string_view value) {
    out.key(name);
    out.string(value);
  };
  member("accessKey", caller.access_key_id);
  member("accountId", caller.account);
  member("callerId", caller.user_id);
  out.key("cognitoIdentity");
  out.null();
  out.key("principalOrgId");
  out.null();
  member("userArn", caller.arn);
  member("userId", caller.user_id);
  out.end_object();
  out.end_object();
}

void write_context(JsonWriter& out, const net::HttpRequest& request,
                   const FunctionUrlAddress& address, const std::string& path,
                   const std::string& request_id, Timestamp now, const Principal* caller) {
  const auto member = [&](std::string_view name, std::string_view value) {
    out.key(name);
    out.string(value);
  };
  out.key("requestContext");
  out.begin_object();
  member("accountId", caller ? caller->account : "anonymous");
  member("apiId", address.url_id);
  if (caller) write_caller(out, *caller);
  member("domainName", address.domain_name);
  member("domainPrefix", address.url_id);
  out.key("http");
  out.begin_object();
  member("method", request.method());
  member("path", path);
  member("protocol", "HTTP/1.1");
  member("sourceIp", request.peer_ip());
  const auto agent = request.header_or("User-Agent", "");
  member("userAgent", is_utf8(agent) ? agent : "");
  out.end_object();
  member("requestId", request_id);
  member("routeKey", "$default");
  member("stage", "$default");
  member("time", request_time(now));
  out.key("timeEpoch");
  out.integer(now.millis());
  out.end_object();
}

// Lines that belong to the connection are not the function's to set.
bool is_own_header(std::string_view name) {
  return iequals(name, "connection") || iequals(name, "content-length") ||
         iequals(name, "transfer-encoding") || iequals(name, "date") ||
         iequals(name, "keep-alive") || iequals(name, "upgrade");
}

bool take_headers(const Document& answer, net::HttpResponse& out) {
  const Document* headers = answer.find("headers");
  if (!headers || headers->is_null()) return true;
  if (!headers->is_object()) return false;
  for (const auto& [name, value] : headers->as_object()) {
    if (is_own_header(name) || value.is_null()) continue;
    if (value.is_array() || value.is_object()) return false;
    out.headers.add(name, value.is_string() ? value.as_string() : to_json(value));
  }
  return true;
}

bool take_cookies(const Document& answer, net::HttpResponse& out) {
  const Document* cookies = answer.find("cookies");
  if (!cookies || cookies->is_null()) return true;
  if (!cookies->is_array()) return false;
  for (const auto& cookie : cookies->as_array()) {
    if (!cookie.is_string()) return false;
    out.headers.add("Set-Cookie", cookie.as_string());
  }
  return true;
}

bool take_body(const Document& answer, net::HttpResponse& out) {
  const Document* body = answer.find("body");
  if (!body || body->is_null()) return true;
  out.body = body->is_string() ? body->as_string() : to_json(*body);
  const Document* encoded = answer.find("isBase64Encoded");
  if (!encoded || !encoded->is_bool() || !encoded->as_bool()) return true;
  auto bytes = from_base64(out.body);
  if (!bytes) return false;
  out.body = std::move(*bytes);
  return true;
}

bool take_status(const Document& status, net::HttpResponse& out) {
  std::optional<int64_t> number;
  if (status.is_int()) number = status.as_int();
  if (status.is_string()) number = parse_int(status.as_string());
  if (!number || *number < 100 || *number > 599) return false;
  out.status = static_cast<int>(*number);
  return true;
}

}  // namespace

std::string function_url_event(const net::HttpRequest& request, std::string_view body,
                               const FunctionUrlAddress& address, const std::string& request_id,
                               Timestamp now, const Principal* caller) {
  const std::string path = percent_decode(address.path).value_or(address.path);
  std::string text;
  JsonWriter out(text);
  out.begin_object();
  const auto member = [&](std::string_view name, std::string_view value) {
    out.key(name);
    out.string(value);
  };
  member("version", "2.0");
  member("routeKey", "$default");
  member("rawPath", is_utf8(path) ? path : address.path);
  member("rawQueryString", request.query());
  write_cookies(out, request);
  write_joined(out, "headers", headers_of(request, body.size()));
  const Joined query = query_of(request.query());
  if (!query.empty()) write_joined(out, "queryStringParameters", query);
  write_context(out, request, address, is_utf8(path) ? path : address.path, request_id, now,
                caller);
  bool base64 = false;
  if (!body.empty()) {
    base64 = !is_text(request.header_or("Content-Type", ""), body);
    member("body", base64 ? to_base64(body) : std::string(body));
  }
  out.key("isBase64Encoded");
  out.boolean(base64);
  out.end_object();
  return text;
}

net::HttpResponse function_url_reply(const std::string& payload) {
  net::HttpResponse out;
  const auto answer = parse_json(payload);
  if (!answer) return function_url_message(502, "Internal Server Error");
  const Document* status = answer->find("statusCode");
  if (!status) {
    out.headers.add("Content-Type", "application/json");
    out.body = answer->is_string() ? answer->as_string() : payload;
    return out;
  }
  if (!take_status(*status, out) || !take_headers(*answer, out) || !take_cookies(*answer, out) ||
      !take_body(*answer, out)) {
    return function_url_message(502, "Internal Server Error");
  }
  if (!out.headers.find("Content-Type")) out.headers.add("Content-Type", "application/json");
  return out;
}

bool take_streamed_head(const Document& head, net::HttpResponse& out) {
  if (!head.is_object()) return false;
  const Document* status = head.find("statusCode");
  if (status && !take_status(*status, out)) return false;
  return take_headers(head, out) && take_cookies(head, out);
}

net::HttpResponse function_url_message(int status, std::string_view message) {
  net::HttpResponse out;
  out.status = status;
  out.headers.add("Content-Type", "application/json");
  out.body = "{\"Message\":";
  if (message.empty()) {
    out.body += "null";
  } else {
    append_json_string(out.body, message);
  }
  out.body += "}";
  return out;
}

}  // namespace virga::lambda
