#pragma once

#include <functional>
#include <string>
#include <vector>

#include "async/task.h"
#include "base/document.h"
#include "net/http_server.h"
#include "platform/metrics.h"

namespace virga::server {

// One request being served, for /_virga/requests.
struct RequestInFlight {
  std::string request_id;
  std::string service;
  std::string operation;
  int64_t age_us = 0;
};

// What the admin endpoint may do; wiring.cc fills it in.
struct AdminHooks {
  std::function<Task<void>()> reset;  // durable when it returns
  // Strict mode: whether the request may pass, by its signature; null in open mode.
  std::function<Task<void>(net::HttpRequest&, std::string_view body)> authorise;
  std::function<Task<std::vector<RequestInFlight>>()> requests_in_flight;
  std::function<std::vector<std::string>()>
      implemented_services;  // services with at least one operation
  std::function<std::string()> info_json;
  std::function<Document()> init_json;  // what the init scripts did
  std::string region;
};

// The local endpoints beside the AWS protocols:
// /_virga/{health,info,reset,metrics,requests,log-level,clock}, and the addresses people know from
// other local clouds: /_localstack/{health,info,init}, /moto-api/reset. In strict mode all but
// health and init ask for the root key, and nothing resets. Never reachable from a sandbox; unknown
// Host names are refused, so that a web page cannot reach it by rebinding.
class Admin {
 public:
  Admin(platform::Metrics& metrics, async::Env& env, AdminHooks hooks);

  Task<net::HttpResponse> handle(net::HttpRequest& request);

  // What a browser, or curl, sees at /.
  net::HttpResponse home(const net::HttpRequest& request) const;

  // The name of a host that may be used for the admin endpoint: an IP literal, localhost, or a name
  // below localhost or localhost.localstack.cloud.
  static bool allowed_host(std::string_view authority);

 private:
  net::HttpResponse health() const;
  net::HttpResponse foreign_health() const;
  net::HttpResponse log_level(std::string_view method, const std::string& body);
  net::HttpResponse clock(std::string_view method, const std::string& body);
  Task<net::HttpResponse> requests() const;

  platform::Metrics& metrics_;
  async::Env& env_;
  AdminHooks hooks_;
};

}  // namespace virga::server
