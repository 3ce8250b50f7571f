#include "services/lambda/function_url_event.h"

#include <map>

#include "base/json.h"
#include "base/strings.h"
#include "platform/proxy_payload.h"

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
    add_joined(out, name, platform::text_of(header.value));
  }
  add_joined(out, "x-forwarded-for", request.peer_ip());
  out["x-forwarded-port"] = std::to_string(request.listener().port);
  out["x-forwarded-proto"] = request.secure() ? "https" : "http";
  if (body_bytes > 0) out["content-length"] = std::to_string(body_bytes);
  return out;
}

Joined query_of(std::string_view query) {
  Joined out;
  for (const auto& [name, value] : platform::parse_query(query))
    add_joined(out, platform::text_of(name), platform::text_of(value));
  return out;
}

// Text reaches the function as it is, anything else as base64.
bool is_text(std::string_view content_type, std::string_view body) {
  const std::string type = to_lower(trim(content_type.substr(0, content_type.find(';'))));
  const bool text =
      platform::is_text_content_type(type) || type.ends_with("+json") || type.ends_with("+xml");
  return text && is_utf8(body);
}

void write_caller(JsonWriter& out, const Principal& caller) {
  out.key("authentication");
  out.null();
  out.key("authorizer");
  out.begin_object();
  platform::write_iam_caller(out, caller);
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
  member("time", platform::format_request_time(now));
  out.key("timeEpoch");
  out.integer(now.millis());
  out.end_object();
}

net::HttpResponse response_of(platform::ProxyReply reply) {
  net::HttpResponse out;
  out.status = reply.status;
  for (const auto& [name, value] : reply.headers) out.headers.add(name, value);
  out.body = std::move(reply.body);
  return out;
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
  platform::write_cookies(out, request.headers());
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
  if (!answer->find("statusCode")) {
    out.headers.add("Content-Type", "application/json");
    out.body = answer->is_string() ? answer->as_string() : payload;
    return out;
  }
  auto reply = platform::read_proxy_reply(*answer, platform::ProxyFormat::v2);
  if (!reply) return function_url_message(502, "Internal Server Error");
  out = response_of(std::move(*reply));
  if (!out.headers.find("Content-Type")) out.headers.add("Content-Type", "application/json");
  return out;
}

std::optional<net::HttpResponse> streamed_head(Document head) {
  if (!head.is_object()) return std::nullopt;
  if (!head.find("statusCode")) head.set("statusCode", 200);
  auto reply = platform::read_proxy_reply(head, platform::ProxyFormat::v2);
  if (!reply) return std::nullopt;
  net::HttpResponse out = response_of(std::move(*reply));
  if (!out.headers.find("Content-Type"))
    out.headers.add("Content-Type", "application/octet-stream");
  return out;
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
