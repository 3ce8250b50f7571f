#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "aws/wire.h"
#include "net/http_server.h"
#include "platform/dispatcher.h"
#include "platform/identify.h"
#include "platform/origin_rules.h"
#include "platform/routing.h"

namespace virga::platform {

// A call being served, for the admin endpoint's list. Lives in the front's own frame.
struct InFlight {
  const RequestContext* context = nullptr;
  async::SteadyTime since;
  InFlight* prev = nullptr;
  InFlight* next = nullptr;
};

// Requests of a data plane that is no AWS protocol: an HTTP API's own callers, a function URL's.
class DataPlaneHandler {
 public:
  virtual ~DataPlaneHandler() = default;
  // Whether a customer gave this host (lower case, no port) to something it serves.
  virtual bool claims(std::string_view) const { return false; }
  // `request` lives until the answer is sent.
  virtual Task<net::HttpResponse> handle(net::HttpRequest& request) = 0;
};

struct HttpFrontOptions {
  IdentifyOptions identify;
  std::vector<std::string> cors_origins;  // besides loopback; "*" allows all
  async::Pool* pool = nullptr;            // hashes large bodies; null: the loop does
};

// The door's first stages for everything that arrives by HTTP: route → identify → decode, then the
// Dispatcher, then encode. One per loop. Loops other than the first one keep the services whose
// operations run anywhere (Dispatcher::run_anywhere); connections that ask for anything else move
// to the first loop's server.
class HttpFront final : public net::HttpHandler {
 public:
  HttpFront(Dispatcher& dispatcher, IdentityStore& identity, async::Env& env, Metrics& metrics,
            HttpFrontOptions options);

  // Optional neighbours; without them their paths answer 404.
  std::function<Task<net::HttpResponse>(net::HttpRequest&)> admin;
  std::function<net::HttpResponse(const net::HttpRequest&)>
      home;  // GET / of somebody who looks what is here
  DataPlaneHandler* execute_api = nullptr;
  // The first loop's server; null: this is the first loop.
  net::HttpServer* first_server = nullptr;
  OriginRules* s3_origins =
      nullptr;  // buckets' own cross-origin rules; without them the front's hold for S3 too
  DataPlaneHandler* function_url = nullptr;
  DataPlaneHandler* website = nullptr;  // buckets as websites

  Task<net::HttpResponse> handle(net::HttpRequest& request) override;
  net::HttpServer* elsewhere(const net::HttpRequest& request) override;

  // Calls being served on this loop, oldest first.
  const InFlight* in_flight() const { return oldest_; }

 private:
  struct Call;
  static RouteQuestion question_of(const net::HttpRequest& request, std::string_view host);
  // A request to a bucket, under the bucket's own cross-origin rules. nullopt: they have no say.
  Task<std::optional<net::HttpResponse>> under_bucket_rules(net::HttpRequest* request,
                                                            const aws::ServiceDesc* service);
  // `form`: the body, if finding the service has read it.
  Task<net::HttpResponse> aws_call(net::HttpRequest* request, const aws::ServiceDesc* service,
                                   std::optional<std::string> form);
  Task<aws::OutputBox> run(Call* call);
  Task<aws::OutputBox> run_form(Call* call);
  Task<void> take_body(Call* call);
  Task<void> open_body(Call* call, Identified* who);
  void fill_context(Call& call, Identified&& who);
  void link(InFlight& one);
  void unlink(InFlight& one);

  Dispatcher& dispatcher_;
  async::Env& env_;
  Metrics& metrics_;
  HttpFrontOptions options_;
  Identifier identifier_;
  InFlight* oldest_ = nullptr;
  InFlight* newest_ = nullptr;
  std::unordered_map<const aws::OperationDesc*, Metrics::Operation*> metrics_of_;
};

// True for pages served from this machine: http(s)://localhost, *.localhost, 127.0.0.0/8, [::1],
// any port; and for "null" never. Source: Fetch standard, "Origin header".
bool is_loopback_origin(std::string_view origin);

}  // namespace virga::platform
