#include "server/admin.h"

#include "base/json.h"
#include "base/log.h"
#include "base/strings.h"
#include "base/version.h"

namespace virga::server {
namespace {

constexpr size_t kBodyBytesMax = 64 * 1024;

net::HttpResponse json_answer(int status, const Document& body) {
  net::HttpResponse r;
  r.status = status;
  r.headers.add("Content-Type", "application/json");
  append_json(r.body, body);
  return r;
}

net::HttpResponse message(int status, std::string text) {
  return json_answer(status, Document::object().set("message", std::move(text)));
}

// Text of a request inside a page.
std::string html_escape(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '<' || c == '>' || c == '&' || c == '"' || c == '\'') {
      out += "&#" + std::to_string(static_cast<int>(c)) + ";";
    } else {
      out += c;
    }
  }
  return out;
}

std::string_view host_of(std::string_view authority) {
  if (authority.starts_with('[')) return authority.substr(0, authority.find(']') + 1);
  return authority.substr(0, authority.find(':'));
}

bool is_ipv4(std::string_view host) {
  const auto parts = split(host, '.');
  if (parts.size() != 4) return false;
  for (const auto part : parts) {
    const auto n = parse_int(part);
    if (!n || *n < 0 || *n > 255) return false;
  }
  return true;
}

}  // namespace

Admin::Admin(platform::Metrics& metrics, async::Env& env, AdminHooks hooks)
    : metrics_(metrics), env_(env), hooks_(std::move(hooks)) {}

bool Admin::allowed_host(std::string_view authority) {
  const std::string host = to_lower(host_of(authority));
  return host.starts_with('[') || is_ipv4(host) || host == "localhost" ||
         host.ends_with(".localhost") || host == "localhost.localstack.cloud" ||
         host.ends_with(".localhost.localstack.cloud");
}

net::HttpResponse Admin::health() const {
  return json_answer(200, Document::object().set("status", "ok").set("version", kVersion));
}

// Clients of other local clouds ask which services run. Source: the health document's members
// "services", "edition", "version" as those clients read them.
net::HttpResponse Admin::foreign_health() const {
  Document services = Document::object();
  for (const auto& name : hooks_.implemented_services()) services.set(name, "running");
  return json_answer(200, Document::object()
                              .set("services", std::move(services))
                              .set("edition", "virga")
                              .set("version", kVersion));
}

net::HttpResponse Admin::log_level(std::string_view method, const std::string& body) {
  if (method == "PUT" || method == "POST") {
    const auto parsed = parse_json(body);
    LogLevel level;
    if (!parsed || !parse_log_level(parsed->string_or("level", ""), level)) {
      return message(400, "the body is {\"level\": \"debug|info|warn|error|off\"}");
    }
    set_log_level(level);
  }
  return json_answer(200, Document::object().set("level", log_level_name(virga::log_level())));
}

// {"freeze": "2026-03-01T12:00:00Z"}, {"step_ms": 60000} or {"follow": true} moves the cloud clock.
net::HttpResponse Admin::clock(std::string_view method, const std::string& body) {
  if (method == "PUT" || method == "POST") {
    const auto parsed = parse_json(body);
    const Document* freeze = parsed ? parsed->find("freeze") : nullptr;
    const Document* step = parsed ? parsed->find("step_ms") : nullptr;
    const Document* follow = parsed ? parsed->find("follow") : nullptr;
    if (freeze && freeze->is_string() && parse_iso8601(freeze->as_string())) {
      env_.cloud.freeze({*parse_iso8601(freeze->as_string())});
    } else if (step && step->is_int()) {
      env_.cloud.step_millis(step->as_int());
    } else if (follow && follow->is_bool() && follow->as_bool()) {
      env_.cloud.follow_wall();
    } else {
      return message(
          400, "the body has one of freeze (a timestamp), step_ms (a number) or follow (true)");
    }
  }
  return json_answer(200, Document::object()
                              .set("now", format_iso8601_millis(env_.cloud.now().at))
                              .set("frozen", env_.cloud.frozen()));
}

Task<net::HttpResponse> Admin::requests() const {
  Document list = Document::array();
  const std::vector<RequestInFlight> in_flight = co_await hooks_.requests_in_flight();
  for (const auto& one : in_flight) {
    list.push(Document::object()
                  .set("requestId", one.request_id)
                  .set("service", one.service)
                  .set("operation", one.operation)
                  .set("ageMicroseconds", one.age_us));
  }
  co_return json_answer(200, Document::object().set("requests", std::move(list)));
}

net::HttpResponse Admin::home(const net::HttpRequest& request) const {
  std::string services;
  for (const auto& name : hooks_.implemented_services())
    services += (services.empty() ? "" : ", ") + name;
  const std::string base =
      std::string(request.secure() ? "https" : "http") + "://" + std::string(request.authority());
  const std::string title = std::string("Virga ") + kVersion;
  net::HttpResponse r;
  if (request.header_or("Accept", {}).find("text/html") != std::string_view::npos) {
    r.headers.add("Content-Type", "text/html; charset=utf-8");
    r.body =
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>" + title +
        "</title><body><h1>" + title +
        "</h1><p>An endpoint for AWS clients: <code>AWS_ENDPOINT_URL=" + html_escape(base) +
        "</code></p><p>Services: " + services +
        "</p><ul><li><a href=\"/_virga/health\">health</a><li><a href=\"/_virga/info\">info</a>"
        "<li><a href=\"/_virga/requests\">requests</a><li><a "
        "href=\"/_virga/metrics\">metrics</a></ul></body></html>\n";
  } else {
    r.headers.add("Content-Type", "text/plain; charset=utf-8");
    r.body = title + ": an endpoint for AWS clients.\n  export AWS_ENDPOINT_URL=" + base +
             "\nServices: " + services +
             "\nLook at /_virga/health, /_virga/info, /_virga/requests and /_virga/metrics.\n";
  }
  return r;
}

Task<net::HttpResponse> Admin::handle(net::HttpRequest& request) {
  const std::string_view path = request.path();
  if (!allowed_host(request.authority()))
    co_return message(403, "this host name may not be used here");
  if (path == "/_virga/health") co_return health();
  if (path == "/_localstack/health") co_return foreign_health();
  if (path == "/_localstack/init") {
    co_return json_answer(200, hooks_.init_json());
  }
  const std::string body = co_await request.read_body(kBodyBytesMax);
  if (hooks_.authorise) {
    const auto allowed = co_await as_result(hooks_.authorise(request, body));
    if (!allowed) co_return message(allowed.error().http_status, allowed.error().message);
  }

  if (path == "/_virga/info" || path == "/_localstack/info") {
    net::HttpResponse r;
    r.headers.add("Content-Type", "application/json");
    r.body = hooks_.info_json();
    co_return std::move(r);
  }
  if (path == "/_virga/metrics") {
    net::HttpResponse r;
    r.headers.add("Content-Type", "text/plain; version=0.0.4");
    r.body = metrics_.prometheus();
    co_return std::move(r);
  }
  if (path == "/_virga/requests") {
    net::HttpResponse list = co_await requests();
    co_return std::move(list);
  }
  if (path == "/_virga/log-level") {
    co_return log_level(request.method(), body);
  }
  if (path == "/_virga/clock") {
    co_return clock(request.method(), body);
  }
  if (path == "/_virga/reset" || path == "/moto-api/reset") {
    if (request.method() != "POST") co_return message(405, "reset is a POST");
    if (hooks_.authorise) co_return message(403, "nothing resets the state in strict mode");
    co_await hooks_.reset();
    LOG_INFO("state_reset");
    co_return json_answer(200, Document::object().set("status", "ok"));
  }
  co_return message(404, "no such endpoint: " + std::string(path));
}

}  // namespace virga::server
