#include "services/lambda/function_url_plane.h"

#include <algorithm>

#include "api/lambda/enums.h"
#include "base/json.h"
#include "base/log.h"
#include "base/strings.h"
#include "services/lambda/function_url_event.h"

namespace virga::lambda {
namespace {

constexpr size_t kBodyBytesMax = 6'291'456;  // Source: Lambda quotas page, invocation payload

constexpr std::string_view kStreamedHead = "application/vnd.awslambda.http-integration-response";
constexpr size_t kStreamedHeadBytesMax = 64 * 1024;
constexpr size_t kHeadEndBytes = 8;

// A body of which the beginning was read already.
class Continued final : public async::ByteSource {
 public:
  Continued(std::string first, std::unique_ptr<async::ByteSource> rest)
      : first_(std::move(first)), rest_(std::move(rest)) {}
  Task<std::string> read(size_t max) override {
    if (first_.empty()) {
      std::string piece = co_await rest_->read(max);
      co_return std::move(piece);
    }
    std::string piece = first_.substr(0, max);
    first_.erase(0, piece.size());
    co_return std::move(piece);
  }
  std::optional<uint64_t> size() const override { return std::nullopt; }

 private:
  std::string first_;
  std::unique_ptr<async::ByteSource> rest_;
};

net::HttpResponse failed_function() {
  net::HttpResponse out = function_url_message(502, "Internal Server Error");
  out.headers.set("x-amzn-ErrorType", "InternalServerErrorException");
  return out;
}

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
  std::optional<Principal> signer;
  if (target->record.auth_type == api::function_url_auth_type::kAwsIam)
    signer = co_await caller(request, &body, &*target);
  Service::UrlCall call{.address = *target, .request_id = service_.env().random.uuid()};
  call.event = function_url_event(*request, body, *address, call.request_id,
                                  service_.env().wall.now().at, signer ? &*signer : nullptr);
  const std::string request_id = call.request_id;
  const bool streams = target->record.invoke_mode == api::invoke_mode::kResponseStream;
  auto answering = streams ? streamed_answer(std::move(call)) : answer(std::move(call));
  net::HttpResponse out = co_await std::move(answering);
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

Task<Principal> FunctionUrlPlane::caller(const net::HttpRequest* request, const std::string* body,
                                         const Service::UrlAddress* target) {
  const auto& function = target->target.function;
  platform::SignedCall call{
      .request = *request, .body = *body, .arn = function.arn(), .account = function.account};
  call.conditions.set("lambda:FunctionUrlAuthType", target->record.auth_type);
  auto asking = signer_.authorize(std::move(call));
  auto who = co_await as_result(std::move(asking));
  if (!who) co_return fail("AccessDeniedException", 403, who.error().message);
  co_return std::move(*who);
}

Task<net::HttpResponse> FunctionUrlPlane::answer(Service::UrlCall call) {
  auto running = service_.invoke_for_url(std::move(call));
  const auto ran = co_await std::move(running);
  if (!ran.function_error.empty()) co_return failed_function();
  co_return function_url_reply(ran.payload);
}

// The head that HttpResponseStream.from() writes before the body: JSON, then eight zero bytes.
// Source: Lambda Developer Guide, "Response streaming for Lambda functions", HttpResponseStream.
Task<net::HttpResponse> FunctionUrlPlane::streamed_answer(Service::UrlCall call) {
  const auto run = co_await service_.stream_for_url(std::move(call));
  net::HttpResponse out;
  if (!run->answer->begun()) {  // a handler that does not stream: what it answered is the body
    auto& ran = **run->done;
    if (!ran.function_error.empty()) co_return failed_function();
    out.headers.add("Content-Type", "application/json");
    out.body = std::move(ran.payload);
    co_return std::move(out);
  }
  std::unique_ptr<async::ByteSource> body = service_.body_of(run);
  if (run->answer->content_type() != kStreamedHead) {
    out.headers.add("Content-Type", run->answer->content_type());
    out.stream = std::move(body);
    co_return std::move(out);
  }
  std::string text;
  size_t end = std::string::npos;
  while (end == std::string::npos && text.size() < kStreamedHeadBytesMax) {
    auto reading = body->read(kStreamedHeadBytesMax);
    const auto piece = co_await as_result(std::move(reading));
    if (!piece || piece->empty()) co_return failed_function();
    text += *piece;
    end = text.find(std::string(kHeadEndBytes, '\0'));
  }
  auto head = parse_json(std::string_view(text).substr(0, end));
  auto begun = head ? streamed_head(std::move(*head)) : std::nullopt;
  if (!begun) co_return failed_function();
  out = std::move(*begun);
  out.stream = std::make_unique<Continued>(text.substr(end + kHeadEndBytes), std::move(body));
  co_return std::move(out);
}

}  // namespace virga::lambda
