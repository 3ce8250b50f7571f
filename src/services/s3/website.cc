#include "services/s3/website.h"

#include "api/s3/get_object.h"
#include "api/s3/service.h"
#include "aws/wire.h"
#include "base/strings.h"
#include "platform/dispatcher.h"
#include "platform/s3_wire.h"
#include "services/s3/configurations.h"
#include "services/s3/errors.h"

namespace virga::s3 {
namespace {

std::string website_host(const net::HttpRequest& request) {
  std::string host = to_lower(request.authority());
  return host.substr(0, host.rfind(':'));
}

std::string html_text(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '<') {
      out += "&lt;";
    } else if (c == '>') {
      out += "&gt;";
    } else if (c == '&') {
      out += "&amp;";
    } else {
      out += c;
    }
  }
  return out;
}

std::string detail_text(const Document& value) {
  return value.is_int()      ? std::to_string(value.as_int())
         : value.is_string() ? value.as_string()
                             : "";
}

void append_facts(std::string& page, const AwsError& error) {
  page += "<li>Code: " + html_text(error.code) + "</li>\n<li>Message: " + html_text(error.message) +
          "</li>\n";
  if (!error.detail) return;
  for (const auto& [name, value] : error.detail->as_object())
    page += "<li>" + name + ": " + html_text(detail_text(value)) + "</li>\n";
}

// The page of an error without an error document, or with one (`document`) that could not be had.
std::string error_page(const AwsError& error, const AwsError* document,
                       std::string_view request_id) {
  const std::string title =
      std::to_string(error.http_status) + " " + std::string(net::status_phrase(error.http_status));
  std::string page =
      "<html>\n<head><title>" + title + "</title></head>\n<body>\n<h1>" + title + "</h1>\n<ul>\n";
  append_facts(page, error);
  page.append("<li>RequestId: ").append(request_id).append("</li>\n");
  page.append("<li>HostId: ").append(request_id).append("/virga</li>\n</ul>\n");
  if (document) {
    page +=
        "<h3>An Error Occurred While Attempting to Retrieve a Custom Error Document</h3>\n<ul>\n";
    append_facts(page, *document);
    page += "</ul>\n";
  }
  return page + "<hr/>\n</body>\n</html>\n";
}

// What scripts can see of an error whatever page shows it.
void add_error_headers(const AwsError& error, net::HttpResponse& out) {
  out.headers.set("x-amz-error-code", error.code);
  out.headers.set("x-amz-error-message", error.message);
  if (!error.detail) return;
  for (const auto& [name, value] : error.detail->as_object())
    out.headers.set("x-amz-error-detail-" + name,
                    percent_encode(detail_text(value), KeepSlash::yes));
}

net::HttpResponse redirect_answer(const WebsiteRedirect& to) {
  net::HttpResponse out;
  out.status = to.status;
  out.headers.set("Location", to.location);
  return out;
}

std::optional<Timestamp> date_of(const net::HttpRequest& request, std::string_view name) {
  const auto text = request.header(name);
  return text ? parse_http_date(*text) : std::nullopt;
}

std::optional<std::string> text_header(const net::HttpRequest& request, std::string_view name) {
  const auto text = request.header(name);
  return text ? std::optional<std::string>(*text) : std::nullopt;
}

}  // namespace

struct Website::Visit {
  const net::HttpRequest* request = nullptr;
  RequestContext context;
  std::string bucket;
  WebsiteVisit of;
  std::optional<api::WebsiteConfiguration> website;
};

Task<net::HttpResponse> Website::handle(net::HttpRequest& request) {
  Visit visit;
  visit.request = &request;
  visit.bucket = std::string(platform::website_bucket_of_host(website_host(request)));
  visit.of.scheme = request.secure() ? "https" : "http";
  visit.of.host = std::string(request.authority());
  visit.of.query = std::string(request.query());
  RequestContext& context = visit.context;
  context.env = &env_;
  context.region = region_;
  context.partition = partition_of(region_);
  context.service = "s3";
  context.operation = "GetObject";
  context.request_id = platform::make_request_id(api::service_desc(), env_.random);
  context.source_ip = request.peer_ip();
  context.user_agent = std::string(request.header_or("User-Agent", {}));
  context.referer = std::string(request.header_or("Referer", {}));
  context.endpoint.scheme = visit.of.scheme;
  context.now = env_.cloud.now();

  auto serving = serve(&visit);
  auto served = co_await as_result(std::move(serving));
  net::HttpResponse answer;
  if (served) {
    answer = std::move(*served);
  } else {
    answer = co_await answer_to_error(&visit, std::move(served.error()));
  }
  if (!answer.headers.find("x-amz-request-id")) {
    answer.headers.set("x-amz-request-id", context.request_id);
    answer.headers.set("x-amz-id-2", context.request_id + "/virga");
    answer.headers.set("Server", "AmazonS3");
  }
  if (const auto origin = request.header("Origin"); origin && request.method() != "OPTIONS") {
    platform::OriginQuestion question{.path = "/" + visit.bucket + std::string(request.path()),
                                      .origin = std::string(*origin),
                                      .method = std::string(request.method())};
    auto judging = origins_.judge(std::move(question));
    auto verdict = co_await as_result(std::move(judging));
    if (verdict) {
      for (auto& [name, value] : verdict->headers) answer.headers.set(name, std::move(value));
    }
  }
  co_return std::move(answer);
}

Task<net::HttpResponse> Website::serve(Visit* visit) {
  const net::HttpRequest& request = *visit->request;
  if (request.method() == "OPTIONS") {
    platform::OriginQuestion question{
        .path = "/" + visit->bucket + std::string(request.path()),
        .origin = std::string(request.header_or("Origin", {})),
        .method = std::string(request.header_or("Access-Control-Request-Method", {})),
        .requested_headers = std::string(request.header_or("Access-Control-Request-Headers", {})),
        .preflight = true};
    platform::OriginVerdict verdict = co_await origins_.judge(std::move(question));
    if (verdict.refusal) co_return fail(std::move(*verdict.refusal));
    net::HttpResponse answer;
    for (auto& [name, value] : verdict.headers) answer.headers.set(name, std::move(value));
    co_return std::move(answer);
  }
  if (request.method() != "GET" && request.method() != "HEAD") {
    co_return fail(AwsError{
        .code = "MethodNotAllowed",
        .http_status = 405,
        .message = "The specified method is not allowed against this resource.",
        .detail = std::make_shared<const Document>(
            Document::object().set("Method", request.method()).set("ResourceType", "OBJECT"))});
  }
  const auto path = percent_decode(request.path());
  if (!path || !is_utf8(*path))
    co_return fail("InvalidURI", 400, "Couldn't parse the specified URI.");
  visit->of.key = path->starts_with('/') ? path->substr(1) : *path;
  visit->website = co_await configuration(visit);
  const api::WebsiteConfiguration& website = *visit->website;
  if (website.redirect_all_requests_to)
    co_return redirect_answer(redirect_of_all(*website.redirect_all_requests_to, visit->of));
  if (const auto to = redirect_by_rules(website, visit->of, 0)) co_return redirect_answer(*to);

  std::string key = website_key(website, visit->of.key);
  const bool folder = key != visit->of.key;
  auto reading = read(visit, std::move(key), Conditions::of_request);
  auto answer = co_await as_result(std::move(reading));
  const int status = answer ? 200 : answer.error().http_status;
  if (!folder && (status == 404 || status == 403)) {
    // A folder named without its slash, if it has an index document.
    std::string index = website_key(website, visit->of.key + "/");
    auto looking = read(visit, std::move(index), Conditions::none);
    const auto found = co_await as_result(std::move(looking));
    const std::string& query = visit->of.query;
    if (found) {
      co_return redirect_answer({302, "/" + percent_encode(visit->of.key, KeepSlash::yes) + "/" +
                                          (query.empty() ? "" : "?" + query)});
    }
  }
  co_return std::move(answer);
}

Task<api::WebsiteConfiguration> Website::configuration(const Visit* visit) {
  const auto view = shard_.snapshot();
  const S3Reader reader(*view);
  const Bucket bucket = co_await reader.bucket(visit->bucket);
  const auto stored = co_await reader.config(bucket, config::kWebsite);
  if (!stored) {
    co_return fail(errors::make("NoSuchWebsiteConfiguration", 404,
                                "The specified bucket does not have a website configuration",
                                "BucketName", visit->bucket));
  }
  auto website = co_await decode_config<api::WebsiteConfiguration>(*stored);
  co_return std::move(website);
}

Task<net::HttpResponse> Website::read(Visit* visit, std::string key, Conditions conditions) {
  api::GetObjectInput input;
  input.bucket = visit->bucket;
  input.key = std::move(key);
  if (conditions == Conditions::of_request) {
    const net::HttpRequest& request = *visit->request;
    input.range = text_header(request, "Range");
    input.if_match = text_header(request, "If-Match");
    input.if_none_match = text_header(request, "If-None-Match");
    input.if_modified_since = date_of(request, "If-Modified-Since");
    input.if_unmodified_since = date_of(request, "If-Unmodified-Since");
  }
  const aws::OperationDesc& operation = api::op::get_object();
  aws::InputBox box = aws::InputBox::hold<api::GetObjectInput>(std::move(input));
  const Ctx ctx(visit->context);
  co_await access_.authorize(operation, ctx, box);
  auto reading = service_.get_object(ctx, std::move(box.as<api::GetObjectInput>()));
  api::GetObjectOutput output = co_await std::move(reading);
  if (const auto& location = output.website_redirect_location)
    co_return redirect_answer({301, *location});
  auto answer =
      aws::encode_output(operation, aws::Protocol::rest_xml,
                         aws::OutputBox::hold(std::move(output)), visit->context.request_id);
  co_return std::move(answer);
}

Task<net::HttpResponse> Website::answer_to_error(Visit* visit, AwsError error) {
  net::HttpResponse page = aws::encode_error(api::service_desc(), nullptr, aws::Protocol::rest_xml,
                                             error, visit->context.request_id);
  if (error.http_status < 400) co_return std::move(page);
  std::optional<AwsError> document_error;
  if (visit->website && error.http_status < 500) {
    const auto to = redirect_by_rules(*visit->website, visit->of, error.http_status);
    if (to) co_return redirect_answer(*to);
    if (visit->website->error_document) {
      std::string key = visit->website->error_document->key;
      auto reading = read(visit, std::move(key), Conditions::none);
      auto document = co_await as_result(std::move(reading));
      if (document) {
        document->status = error.http_status;
        add_error_headers(error, *document);
        co_return std::move(*document);
      }
      document_error = std::move(document.error());
    }
  }
  page.body =
      error_page(error, document_error ? &*document_error : nullptr, visit->context.request_id);
  page.headers.set("Content-Type", "text/html; charset=utf-8");
  add_error_headers(error, page);
  co_return std::move(page);
}

}  // namespace virga::s3
