#include "services/lambda/function_url_plane.h"

#include <algorithm>

#include "base/log.h"
#include "base/strings.h"
#include "services/lambda/function_url_event.h"

namespace virga::lambda {
namespace {

constexpr size_t kBodyBytesMax = 6'291'456;  // Source: Lambda quotas page, invocation payload

bool lists(const std::vector<std::string>& list, std::string_view value) {
  return std::any_of(list.begin(), list.end(),
                     [&](const auto& one) { return one == "*" || iequals(one, value); });
}

// Headers that preflights and answers share; false when the origin is not allowed.
bool add_origin(const UrlCors& cors, std::string_view origin, net::HttpResponse& out) {
  if (!lists(cors.allow_origins, origin)) return false;
  const bool any = std::find(cors.allow_origins.begin(), cors.allow_origins.end(), "*") !=
                   cors.allow_origins.end();
  out.headers.set("Access-Control-Allow-Origin", any && !cors.allow_credentials ? "*" : origin);
  out.headers.set("Vary", "Origin");
  if (cors.allow_credentials) out.headers.set("Access-Control-Allow-Credentials", "true");
  if (!cors.expose_headers.empty())
    out.headers.set("Access-Control-Expose-Headers", join(cors.expose_headers, ","));
  return true;
}

net::HttpResponse preflight(const UrlCors& cors, std::string_view origin) {
  net::HttpResponse out;
  if (!add_origin(cors, origin, out)) return out;
  if (!cors.allow_methods.empty())
    out.headers.add("Access-Control-Allow-Methods", join(cors.allow_methods, ","));
  if (!cors.allow_headers.empty())
    out.headers.add("Access-Control-Allow-Headers", join(cors.allow_headers, ","));
  if (cors.max_age) out.headers.add("Access-Control-Max-Age", std::to_string(*cors.max_age));
  return out;
}

}  // namespace

Task<net::HttpResponse> FunctionUrlPlane::handle(net::HttpRequest& request) {
  auto serving = serve(&request);
  auto answer = co_await as_result(std::move(serving));
  if (answer) co_return std::move(*answer);
  const AwsError& error = answer.error();
  if (error.code == "TooManyRequestsException")
    co_return function_url_message(429, "Rate Exceeded.");
  if (error.http_status == 413)
    co_return function_url_message(
        413, "Request must be smaller than 6291456 bytes for the InvokeFunction operation");
  if (error.http_status == 403) co_return function_url_message(403, "Forbidden");
  if (error.http_status == 404) co_return function_url_message(404, "");
  LOG_WARN("function_url_failed", kv("code", error.code), kv("message", error.message));
  co_return function_url_message(502, "Internal Server Error");
}

Task<net::HttpResponse> FunctionUrlPlane::serve(net::HttpRequest* request) {
  const auto address = function_url_address(*request);
  if (!address) co_return function_url_message(404, "");
  const auto target = co_await service_.url_address(address->url_id);
  if (!target) co_return function_url_message(404, "");
  const auto& cors = target->record.cors;
  const auto origin = request->header("Origin");
  if (cors && origin && request->method() == "OPTIONS" &&
      request->header("Access-Control-Request-Method")) {
    co_return preflight(*cors, *origin);
  }
  std::string body = co_await request->read_body(kBodyBytesMax);
  Service::UrlCall call{.address = *target, .request_id = service_.env().random.uuid()};
  call.event =
      function_url_event(*request, body, *address, call.request_id, service_.env().wall.now().at);
  const std::string request_id = call.request_id;
  auto running = service_.invoke_for_url(std::move(call));
  const auto ran = co_await std::move(running);
  net::HttpResponse out = ran.function_error.empty()
                              ? function_url_reply(ran.payload)
                              : function_url_message(502, "Internal Server Error");
  if (!ran.function_error.empty())
    out.headers.set("x-amzn-ErrorType", "InternalServerErrorException");
  if (cors && origin) {
    for (const char* name : {"Access-Control-Allow-Origin", "Access-Control-Allow-Credentials",
                             "Access-Control-Expose-Headers"}) {
      out.headers.remove(name);
    }
    add_origin(*cors, *origin, out);
  }
  out.headers.set("x-amzn-RequestId", request_id);
  co_return std::move(out);
}

}  // namespace virga::lambda
