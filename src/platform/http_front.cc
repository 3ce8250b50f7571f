#include "platform/http_front.h"

#include <algorithm>

#include "base/hashing.h"
#include "base/log.h"
#include "base/strings.h"
#include "net/gzip.h"
#include "platform/answer_compression.h"
#include "platform/endpoint_manners.h"
#include "platform/s3_form.h"
#include "platform/s3_wire.h"

namespace virga::platform {
namespace {

using net::HttpRequest;
using net::HttpResponse;

// Lambda's largest request (client contract: code packages inline); the others' own limits are far
// below. Source: Lambda Developer Guide, "Lambda quotas"; DynamoDB Developer Guide, "Quotas" (16
// MB).
constexpr size_t kLambdaBodyBytesMax = 70'167'211;
constexpr size_t kBodyBytesMax = 16 * 1024 * 1024;

// The largest unsigned form is a web identity token with a session policy.
constexpr size_t kUnsignedFormBytesMax = size_t{256} << 10;

size_t body_limit(const aws::ServiceDesc& service) {
  return service.name == "lambda" ? kLambdaBodyBytesMax : kBodyBytesMax;
}

HttpResponse text_answer(int status, std::string text) {
  HttpResponse r;
  r.status = status;
  r.headers.add("Content-Type", "application/json");
  r.body = std::move(text);
  return r;
}

std::string_view host_without_port(std::string_view authority) {
  if (authority.starts_with('[')) {
    const auto end = authority.find(']');
    return end == std::string_view::npos ? authority : authority.substr(1, end - 1);
  }
  return authority.substr(0, authority.find(':'));
}

Endpoint endpoint_of(const HttpRequest& request) {
  Endpoint e;
  if (request.secure()) e.scheme = "https";
  const std::string_view authority = request.authority();
  e.host = host_without_port(authority);
  const auto bracket = authority.find(']');
  const auto colon = authority.find(':', bracket == std::string_view::npos ? 0 : bracket);
  const auto port =
      colon == std::string_view::npos ? std::nullopt : parse_int(authority.substr(colon + 1));
  e.port = port ? static_cast<int>(*port) : request.secure() ? 443 : 80;
  if (e.host.empty()) {
    e.host = request.listener().host;
    e.port = request.listener().port;
  }
  return e;
}

// The value of one parameter of a form or query string, undecoded: Action and Version have no
// escapes.
std::string_view parameter(std::string_view text, std::string_view name) {
  while (!text.empty()) {
    const std::string_view pair = text.substr(0, text.find('&'));
    if (pair.size() > name.size() && pair[name.size()] == '=' && pair.starts_with(name))
      return pair.substr(name.size() + 1);
    text.remove_prefix(std::min(pair.size() + 1, text.size()));
  }
  return {};
}

// The service in the credential scope of a header or query signature: AWS4-HMAC-SHA256
// Credential=AKID/date/region/SERVICE/….
std::string_view signing_name_of(std::optional<std::string_view> authorization,
                                 std::string_view query) {
  // The key itself may contain slashes: count from the end (date/region/service/aws4_request).
  const auto last_but_one = [](std::string_view credential, auto separator, size_t length) {
    const auto end = credential.rfind(separator);
    if (end == std::string_view::npos || end == 0) return std::string_view();
    const auto begin = credential.rfind(separator, end - 1);
    if (begin == std::string_view::npos) return std::string_view();
    return credential.substr(begin + length, end - begin - length);
  };
  if (authorization) {
    const auto at = authorization->find("Credential=");
    if (at == std::string_view::npos) return {};
    const std::string_view rest = authorization->substr(at + 11);
    const size_t end = std::min(rest.find(','), rest.find(' '));
    return last_but_one(rest.substr(0, end), '/', 1);
  }
  const std::string_view credential = parameter(query, "X-Amz-Credential");
  if (credential.find('/') != std::string_view::npos) return last_but_one(credential, '/', 1);
  return last_but_one(credential, "%2F", 3);
}

bool is_form(std::string_view content_type) {
  return content_type.starts_with("application/x-www-form-urlencoded");
}

// A call that needs no signature (AssumeRoleWithWebIdentity) names its service in its body alone,
// which SDKs send after the head: nothing else says whose it is.
bool only_form_tells(const HttpRequest& request, const RouteQuestion& q) {
  return q.path == "/" && q.method == "POST" && route(q).kind == RouteKind::none &&
         request.head().content_length.value_or(kUnsignedFormBytesMax + 1) <= kUnsignedFormBytesMax;
}

// A name of several labels that is no form of our own; an IP address ends in a digit, a name does
// not.
bool may_be_custom_domain(const RouteQuestion& q) {
  const bool name = q.host.find('.') != std::string_view::npos && q.host.back() != '.' &&
                    (q.host.back() < '0' || q.host.back() > '9');
  if (!name || !q.bound_service.empty() || q.path.starts_with("/_virga/")) return false;
  // What is signed for a service, or names its operation, goes there whoever claims the name.
  if ((!q.signing_name.empty() && q.signing_name != "execute-api") || !q.target.empty() ||
      !q.smithy_protocol.empty() || q.older_s3_signature)
    return false;
  return q.host != "localhost.localstack.cloud" && !q.host.ends_with(".amazonaws.com") &&
         !q.host.ends_with(".amazonaws.com.cn") && !is_s3_host(q.host);
}

// Somebody opens the server's own address in a browser. Not a bucket's or an API's host, nothing
// signed, nothing asked.
bool is_visit(const HttpRequest& request, const RouteQuestion& q, std::string_view host) {
  const bool own_name = host == "localhost" || host == "localhost.localstack.cloud" ||
                        host.find(':') != std::string_view::npos ||
                        host.find_first_not_of("0123456789.") == std::string_view::npos;
  return own_name && q.path == "/" && q.query.empty() &&
         (q.method == "GET" || q.method == "HEAD") && q.signing_name.empty() && q.target.empty() &&
         q.bound_service.empty() && !request.header("Authorization");
}

}  // namespace

// One AWS call from its bytes to its answer.
struct HttpFront::Call {
  HttpRequest* request = nullptr;
  const aws::ServiceDesc* service = nullptr;
  std::optional<S3Wire> s3;
  std::unique_ptr<S3Form> form;          // of a browser's upload
  std::optional<std::string> form_body;  // the whole body, if it was read to find the service
  std::string body_storage;
  std::string_view body;  // empty when it streams
  aws::WireRequest wire;
  aws::Match match;
  aws::Protocol protocol = aws::Protocol::json;
  RequestContext context;
  InFlight in_flight;
};

HttpFront::HttpFront(Dispatcher& dispatcher, IdentityStore& identity, async::Env& env,
                     Metrics& metrics, HttpFrontOptions options)
    : dispatcher_(dispatcher),
      env_(env),
      metrics_(metrics),
      options_(std::move(options)),
      identifier_(identity, env, options_.identify) {}

bool is_loopback_origin(std::string_view origin) {
  const auto scheme = origin.find("://");
  if (scheme == std::string_view::npos) return false;
  const std::string host = to_lower(host_without_port(origin.substr(scheme + 3)));
  return host == "localhost" || host.ends_with(".localhost") || host == "::1" ||
         host.starts_with("127.") || host == "localhost.localstack.cloud" ||
         host.ends_with(".localhost.localstack.cloud");
}

// Everything but the form of a query call, which is in the body.
RouteQuestion HttpFront::question_of(const HttpRequest& request, std::string_view host) {
  RouteQuestion question;
  question.method = request.method();
  question.host = host;
  question.path = request.path();
  question.query = request.query();
  // One walk for all of them; of several lines with one name the first counts.
  std::optional<std::string_view> authorization;
  for (const net::HeaderView& header : request.head().headers) {
    const auto take = [&](std::string_view name, std::string_view& into) {
      if (into.empty() && iequals(header.name, name)) into = header.value;
    };
    switch (header.name.size()) {
      case 12:
        take("X-Amz-Target", question.target);
        take("Content-Type", question.content_type);
        break;
      case 13:
        if (!authorization && iequals(header.name, "Authorization")) authorization = header.value;
        break;
      case 15:
        take("Smithy-Protocol", question.smithy_protocol);
        break;
      default:
        break;
    }
  }
  question.signing_name = signing_name_of(authorization, question.query);
  if (request.listener().tag == "service") question.bound_service = request.listener().id;
  question.older_s3_signature = (authorization && authorization->starts_with("AWS ")) ||
                                question.query.find("AWSAccessKeyId=") != std::string_view::npos;
  return question;
}

net::HttpServer* HttpFront::elsewhere(const HttpRequest& request) {
  if (!first_server) return nullptr;
  const std::string host = to_lower(host_without_port(request.authority()));
  const Route found = route(question_of(request, host));
  return found.kind == RouteKind::service && dispatcher_.runs_anywhere(*found.service)
             ? nullptr
             : first_server;
}

Task<HttpResponse> HttpFront::handle(HttpRequest& request) {
  const std::string host = to_lower(host_without_port(request.authority()));
  RouteQuestion question = question_of(request, host);
  const net::ListenerInfo& listener = request.listener();
  const bool custom_domain =
      execute_api && may_be_custom_domain(question) && execute_api->claims(host);
  std::optional<std::string> form;
  if (is_form(question.content_type) && !custom_domain) {
    std::optional<std::string_view> body = request.buffered_body();
    if (!body && only_form_tells(request, question)) {
      form = co_await request.read_body(kUnsignedFormBytesMax);
      body = *form;
    }
    if (body) {
      question.form_action = parameter(*body, "Action");
      question.form_version = parameter(*body, "Version");
    }
  }
  if (question.form_action.empty()) {
    question.form_action = parameter(request.query(), "Action");
    question.form_version = parameter(request.query(), "Version");
  }
  const Route found = route(question);

  const bool taken =
      custom_domain && found.kind != RouteKind::function_url && found.kind != RouteKind::website;
  if ((found.kind == RouteKind::execute_api || taken) && execute_api) {
    HttpResponse answer = co_await execute_api->handle(request);
    co_return std::move(answer);
  }
  if (found.kind == RouteKind::function_url && function_url) {
    HttpResponse answer = co_await function_url->handle(request);
    co_return std::move(answer);
  }
  if (found.kind == RouteKind::website && website) {
    HttpResponse answer = co_await website->handle(request);
    co_return std::move(answer);
  }

  const bool to_s3 = found.kind == RouteKind::service && found.service->buckets;
  if (to_s3 && s3_origins && (request.header("Origin") || request.method() == "OPTIONS")) {
    std::optional<HttpResponse> ruled = co_await under_bucket_rules(&request, found.service);
    if (ruled) co_return std::move(*ruled);
  }

  // A web page must not drive the server behind its user's back.
  const auto origin = request.header("Origin");
  bool cors = false;
  if (origin && !options_.identify.strict) {
    cors = is_loopback_origin(*origin);
    for (const auto& allowed : options_.cors_origins)
      cors = cors || allowed == "*" || allowed == *origin;
    if (!cors)
      co_return text_answer(403, "{\"message\":\"this Origin is not allowed; see --cors-origin\"}");
  }
  std::optional<HttpResponse> manners;
  if (found.kind == RouteKind::service && !question.bound_service.empty()) {
    manners = endpoint_answer(*found.service, request, options_.identify.default_region);
  }
  HttpResponse answer;
  if (manners) {
    answer = std::move(*manners);
  } else if (cors && request.method() == "OPTIONS") {
    answer.status = 204;
    answer.headers.add("Access-Control-Allow-Methods",
                       "GET, HEAD, POST, PUT, DELETE, PATCH, OPTIONS");
    answer.headers.add("Access-Control-Allow-Headers",
                       request.header_or("Access-Control-Request-Headers", "*"));
    answer.headers.add("Access-Control-Max-Age", "600");
  } else if (found.kind == RouteKind::admin && admin && listener.tag != "sandbox") {
    answer = co_await admin(request);
  } else if (home && is_visit(request, question, host)) {
    answer = home(request);
  } else if (found.kind == RouteKind::service) {
    answer = co_await aws_call(&request, found.service, std::move(form));
  } else if (found.kind == RouteKind::unknown_service) {
    answer = unknown_service_answer(found.text, !question.form_action.empty());
  } else {
    answer = text_answer(404, "{\"message\":\"Not Found\"}");
    metrics_.rejected_before_routing.fetch_add(1, std::memory_order_relaxed);
  }
  if (cors) {
    answer.headers.set("Access-Control-Allow-Origin", *origin);
    answer.headers.set("Access-Control-Expose-Headers", "*");
    answer.headers.set("Vary", "Origin");
  }
  co_return std::move(answer);
}

Task<std::optional<HttpResponse>> HttpFront::under_bucket_rules(HttpRequest* request,
                                                                const aws::ServiceDesc* service) {
  const S3Wire wire(*request);
  OriginQuestion question;
  question.path = wire.path;
  question.origin = request->header_or("Origin", {});
  question.preflight = request->method() == "OPTIONS";
  question.method = question.preflight ? request->header_or("Access-Control-Request-Method", {})
                                       : request->method();
  if (question.preflight)
    question.requested_headers = request->header_or("Access-Control-Request-Headers", {});
  const bool writes_blindly = request->method() == "POST" && !request->header("Authorization");
  OriginVerdict verdict = co_await s3_origins->judge(std::move(question));
  if (!verdict.governed) co_return std::nullopt;

  HttpResponse answer;
  if (request->method() == "OPTIONS") {
    const std::string request_id = make_request_id(*service, env_.random);
    if (verdict.refusal) {
      answer = aws::encode_error(*service, nullptr, aws::Protocol::rest_xml, *verdict.refusal,
                                 request_id);
    } else {
      answer.headers.set("x-amz-request-id", request_id);
      answer.headers.set("x-amz-id-2", request_id + "/virga");
    }
  } else if (verdict.headers.empty() && writes_blindly && !options_.identify.strict &&
             !is_loopback_origin(request->header_or("Origin", {}))) {
    // What a page may send without asking, and a signature in the query of which nobody checks
    // anything.
    answer = text_answer(
        403, "{\"message\":\"this Origin is not allowed; see the bucket's CORS configuration\"}");
  } else {
    answer = co_await aws_call(request, service, std::nullopt);
  }
  for (auto& [name, value] : verdict.headers) answer.headers.set(name, std::move(value));
  co_return std::move(answer);
}

Task<HttpResponse> HttpFront::aws_call(HttpRequest* request, const aws::ServiceDesc* service,
                                       std::optional<std::string> form) {
  Call call;
  call.request = request;
  call.service = service;
  call.form_body = std::move(form);
  call.context.request_id = make_request_id(*service, env_.random);
  call.context.service = service->name;
  call.in_flight.since = env_.steady.now();
  call.in_flight.context = &call.context;
  link(call.in_flight);
  metrics_.in_flight.fetch_add(1, std::memory_order_relaxed);

  Result<aws::OutputBox> outcome = co_await as_result(run(&call));

  const aws::OperationDesc* operation = call.match.operation;
  HttpResponse answer = outcome ? aws::encode_output(*operation, call.protocol, std::move(*outcome),
                                                     call.context.request_id)
                                : aws::encode_error(*service, operation, call.protocol,
                                                    outcome.error(), call.context.request_id);
  if (call.form && outcome) call.form->finish(answer, call.context.endpoint.url());
  if (is_compressed_answer(*service, *request, answer))
    co_await compress_answer(&answer, options_.pool);
  metrics_.in_flight.fetch_sub(1, std::memory_order_relaxed);
  unlink(call.in_flight);
  if (operation) {
    Metrics::Operation*& row = metrics_of_[operation];
    if (!row) row = &metrics_.operation(service->name, operation->name);
    metrics_.finished(*row, env_.steady.now() - call.in_flight.since, call.body.size(),
                      answer.body.size());
    if (!outcome) metrics_.failed(*row, outcome.error().code);
  }
  LOG_DEBUG("request", kv("service", service->name), kv("operation", call.context.operation),
            kv("status", answer.status), kv("request_id", call.context.request_id),
            kv("code", outcome ? std::string() : outcome.error().code));
  co_return std::move(answer);
}

// The whole body, for operations whose input is small.
Task<void> HttpFront::take_body(Call* call) {
  HttpRequest& request = *call->request;
  if (call->form_body) {
    call->body = *call->form_body;
  } else if (const auto buffered = request.buffered_body()) {
    call->body = *buffered;
  } else {
    call->body_storage = co_await request.read_body(body_limit(*call->service));
    call->body = call->body_storage;
  }
  call->wire.body = call->body;
  co_return ok();
}

// The body as a source, for operations that stream theirs; nothing of it has been read.
Task<void> HttpFront::open_body(Call* call, Identified* who) {
  HttpRequest& request = *call->request;
  const bool chunked = sigv4::declared_payload(request.head()).streaming();
  // Source: S3 API Reference, "List of error codes": MissingContentLength; recorded answers for
  // chunked transfers.
  if (!chunked && request.head().chunked) {
    co_return fail(
        AwsError{.code = "NotImplemented",
                 .http_status = 501,
                 .message = "A header you provided implies functionality that is not implemented",
                 .detail = std::make_shared<const Document>(
                     Document::object().set("Header", "Transfer-Encoding"))});
  }
  if (!request.head().chunked && !request.content_length()) {
    co_return fail("MissingContentLength", 411, "You must provide the Content-Length HTTP header.");
  }
  sigv4::PayloadOptions options;
  options.family = error_family(*call->service);
  options.presigned = who->presigned;
  options.signing = std::move(who->chunk_signing);
  options.inflated_max = body_limit(*call->service);
  options.pool = options_.pool;
  call->wire.stream = co_await sigv4::open_payload(request, std::move(options));
  co_return ok();
}

// Everything up to the output; a Result, so that whatever stage refuses, one place encodes.
Task<aws::OutputBox> HttpFront::run(Call* call) {
  HttpRequest& request = *call->request;
  const bool s3 = call->service->buckets;
  call->wire.method = request.method();
  call->wire.path = request.path();
  call->wire.query = request.query();
  call->wire.headers = &request.headers();
  if (s3) {
    call->s3.emplace(request);
    call->wire.path = call->s3->path;
    call->wire.headers = &call->s3->headers;
  }
  call->protocol = aws::protocol_of(*call->service, call->wire);
  const auto address = s3 ? percent_decode(call->wire.path) : std::nullopt;
  if (s3 && (!address || !is_utf8(*address))) {
    co_return fail("InvalidURI", 400, "Couldn't parse the specified URI.");
  }
  if (s3 && is_s3_form(request)) {
    aws::OutputBox output = co_await run_form(call);
    co_return std::move(output);
  }
  // REST operations are known before their body, which may be too large to be taken whole.
  const bool rest =
      call->protocol == aws::Protocol::rest_json || call->protocol == aws::Protocol::rest_xml;
  std::optional<Result<aws::Match>> match;
  if (rest) match.emplace(aws::match_operation(*call->service, call->wire));
  const bool streams = match && *match && (**match).operation->streams_input;
  if (!streams) co_await take_body(call);
  std::string inflated;
  const bool chunked = sigv4::declared_payload(request.head()).streaming();
  if (!streams && !s3 && !chunked && iequals(request.header_or("Content-Encoding", {}), "gzip")) {
    inflated = co_await net::gunzip(call->body, body_limit(*call->service));
    call->wire.body = inflated;
  }
  if (!match) match.emplace(aws::match_operation(*call->service, call->wire));

  const bool anonymous = s3 || (*match && (**match).operation->anonymous);
  if (*match) {
    call->match = std::move(**match);
    call->protocol = call->match.protocol;
    call->context.operation = call->match.operation->name;
  }
  IdentifyQuestion question;
  question.head = &request.head();
  question.body = call->body;
  question.service = call->service;
  question.anonymous_allowed = anonymous;
  question.body_streams = streams;
  question.path = call->wire.path;
  Identified who = co_await identifier_.identify(question);
  if (!*match) co_return fail(match->error());
  if (streams) {
    co_await open_body(call, &who);
  } else if (chunked) {
    std::optional<std::string> whole = co_await sigv4::decode_whole_payload(
        request.head(), call->body, std::move(who.chunk_signing));
    call->body_storage = std::move(*whole);
    call->body = call->body_storage;
    call->wire.body = call->body;
  }
  if (s3) co_await check_s3_headers(call->s3->headers, *call->match.operation);
  if (s3 && !streams)
    co_await check_s3_body(call->s3->headers, *call->match.operation, call->wire.body);
  fill_context(*call, std::move(who));

  if (call->wire.body.empty() && call->service->body_required) {
    co_return fail("SerializationException", 400, "");
  }
  aws::DecodeNotes notes;
  aws::InputBox input = co_await aws::decode_input(call->match, call->wire, notes);
  aws::OutputBox output = co_await dispatcher_.run(*call->match.operation, call->context,
                                                   std::move(input), std::move(notes));
  co_return std::move(output);
}

// A browser's upload is a PutObject whose headers are fields of a form.
Task<aws::OutputBox> HttpFront::run_form(Call* call) {
  call->form = co_await S3Form::open(*call->request, std::string(call->wire.path));
  const S3Form& form = *call->form;
  call->wire.method = "PUT";
  call->wire.path = form.path();
  call->wire.query = {};
  call->wire.headers = &form.headers();
  call->match = co_await aws::match_operation(*call->service, call->wire);
  call->context.operation = kBrowserUpload;
  Identified who = co_await identifier_.identify_form(form.signature());
  co_await call->form->check_policy(env_.wall.now().at);
  fill_context(*call, std::move(who));
  call->wire.stream = call->form->file();
  aws::DecodeNotes notes;
  aws::InputBox input = co_await aws::decode_input(call->match, call->wire, notes);
  aws::OutputBox output = co_await dispatcher_.run(*call->match.operation, call->context,
                                                   std::move(input), std::move(notes));
  co_return std::move(output);
}

void HttpFront::fill_context(Call& call, Identified&& who) {
  RequestContext& c = call.context;
  c.env = &env_;
  c.account = std::move(who.account);
  c.region = std::move(who.region);
  c.partition = partition_of(c.region);
  c.principal = std::move(who.principal);
  c.endpoint = endpoint_of(*call.request);
  c.source_ip = call.request->peer_ip();
  if (const auto agent = call.request->header("User-Agent")) c.user_agent = *agent;
  if (const auto referer = call.request->header("Referer")) c.referer = *referer;
  c.signature_type = who.signature_type;
  c.signature_version = who.signature_version;
  c.now = env_.cloud.now();
}

void HttpFront::link(InFlight& one) {
  one.prev = newest_;
  (newest_ ? newest_->next : oldest_) = &one;
  newest_ = &one;
}

void HttpFront::unlink(InFlight& one) {
  (one.prev ? one.prev->next : oldest_) = one.next;
  (one.next ? one.next->prev : newest_) = one.prev;
}

}  // namespace virga::platform
