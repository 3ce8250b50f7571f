#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "async/loop.h"
#include "async/offload.h"
#include "async/task.h"
#include "net/socket.h"
#include "net/tls.h"

namespace virga::net {

// A request to another server. Host, Content-Length and Connection are the client's business: such
// lines are replaced.
struct HttpClientRequest {
  std::string method = "GET";
  std::string url;  // http:// or https://, absolute; path and query already encoded
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  int64_t timeout_ms = 30'000;  // from the call to the answer's last byte
  size_t body_bytes_max = 10 * 1024 * 1024;
};

struct HttpClientResponse {
  int status = 0;
  std::vector<std::pair<std::string, std::string>> headers;  // in order, names as sent
  std::string body;
  const std::string* find(std::string_view name) const;  // any case; the first
};

struct HttpClientOptions {
  // For https. Null: TlsContext::client(), made on the pool at the first https call: reading the
  // machine's authorities takes longer than the whole server's start.
  std::shared_ptr<TlsContext> tls;
  // Whether an address may be called, asked after the name is resolved, so that no name can point
  // around it. Empty: any.
  std::function<bool(const SocketAddress&)> allow;
  size_t idle_connections_max = 64;
  int64_t idle_ms = 10'000;
};

// An HTTP/1.1 client for calls that the server makes: HTTP integrations, key sets, webhooks. One
// per loop; used there. Connections are kept for a while. An idempotent request whose kept
// connection turns out dead is sent once more. Errors, status 502 or 504: RequestTimeout,
// InvalidUrl, NameNotFound, AddressNotAllowed, ConnectFailed, TlsFailed, ResponseMalformed,
// ResponseTooLarge. Redirects are answers like any other. Names are resolved on `pool`: a server
// that does not answer holds its threads, so it should have no other work.
class HttpClient {
 public:
  HttpClient(async::Loop& loop, async::Pool& pool, HttpClientOptions options = {});
  ~HttpClient();  // no send() may be waiting
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  Task<HttpClientResponse> send(HttpClientRequest request);
  size_t idle_connections() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

struct HttpUrl {
  bool https = false;
  std::string host;  // without brackets
  int port = 80;
  std::string target;     // path and query, begins with '/'
  std::string authority;  // as in the Host header
};
Result<HttpUrl> parse_http_url(std::string_view url);

// Loopback, link-local, private, multicast and unspecified addresses: where a tenant's calls do not
// go in strict mode.
bool is_internal_address(std::string_view ip);

}  // namespace virga::net
