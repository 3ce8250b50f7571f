#include "net/http_client.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>

#include "async/wait.h"
#include "base/strings.h"
#include "net/fd_ready.h"
#include "net/http_client_connection.h"

namespace virga::net {
namespace {

using Connection = std::unique_ptr<ClientConnection>;

struct Address {
  sockaddr_storage storage{};
  socklen_t length = 0;
};

AwsError invalid_url(std::string_view why) {
  return {.code = "InvalidUrl",
          .http_status = 400,
          .message = "The URL is not usable: " + std::string(why)};
}

// Blocks: runs on the pool, until getaddrinfo's own time-out whatever the request's deadline.
Result<std::vector<Address>> resolve(const std::string& host, int port) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int error = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found);
  if (error != 0)
    return fail("NameNotFound", 502, "Cannot resolve " + host + ": " + gai_strerror(error));
  std::vector<Address> addresses;
  for (const addrinfo* at = found; at && addresses.size() < 8; at = at->ai_next) {
    Address& address = addresses.emplace_back();
    memcpy(&address.storage, at->ai_addr, at->ai_addrlen);
    address.length = at->ai_addrlen;
  }
  ::freeaddrinfo(found);
  return addresses;
}

std::optional<Address> literal(const std::string& host, int port) {
  Address address;
  auto* const v4 = reinterpret_cast<sockaddr_in*>(&address.storage);
  auto* const v6 = reinterpret_cast<sockaddr_in6*>(&address.storage);
  if (inet_pton(AF_INET, host.c_str(), &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons(static_cast<uint16_t>(port));
    address.length = sizeof *v4;
    return address;
  }
  if (inet_pton(AF_INET6, host.c_str(), &v6->sin6_addr) == 1) {
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(static_cast<uint16_t>(port));
    address.length = sizeof *v6;
    return address;
  }
  return std::nullopt;
}

Task<Connection> connect_to(Address address) {
  const int fd = ::socket(address.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) co_return fail("ConnectFailed", 502, strerror(errno));
  auto connection = std::make_unique<ClientConnection>(fd);
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  int error = 0;
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&address.storage), address.length) != 0)
    error = errno;
  if (error == EINPROGRESS) {
    const Result<void> waited = co_await FdReady(fd, EPOLLOUT);
    if (!waited) co_return fail(waited.error());
    socklen_t size = sizeof error;
    ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
  }
  if (error == 0) co_return std::move(connection);
  const SocketAddress to = socket_address(reinterpret_cast<const sockaddr*>(&address.storage));
  co_return fail(
      "ConnectFailed", 502,
      "Cannot connect to " + to.host + " port " + std::to_string(to.port) + ": " + strerror(error));
}

bool has_body(const HttpClientRequest& request) {
  return !request.body.empty() || request.method == "POST" || request.method == "PUT" ||
         request.method == "PATCH";
}

Result<std::string> text_of(const HttpClientRequest& request, const HttpUrl& url) {
  if (!is_http_token(request.method)) return fail("InvalidUrl", 400, "The method is not usable.");
  HeaderBlock headers;
  headers.add("Host", url.authority);
  for (const auto& [name, value] : request.headers) {
    if (!is_http_token(name)) continue;
    static constexpr std::string_view kOurs[] = {
        "host",       "content-length", "connection", "transfer-encoding",
        "keep-alive", "upgrade",        "te",         "expect"};
    const bool ours =
        std::any_of(std::begin(kOurs), std::end(kOurs), [&](auto n) { return iequals(n, name); });
    if (!ours) headers.add(name, value);
  }
  if (has_body(request)) headers.add("Content-Length", std::to_string(request.body.size()));
  std::string text = request.method + " " + url.target + " HTTP/1.1\r\n" + headers.text() + "\r\n";
  text += request.body;
  return text;
}

bool is_idempotent(std::string_view method) {
  return method == "GET" || method == "HEAD" || method == "PUT" || method == "DELETE" ||
         method == "OPTIONS";
}

}  // namespace

const std::string* HttpClientResponse::find(std::string_view name) const {
  for (const auto& [n, value] : headers) {
    if (iequals(n, name)) return &value;
  }
  return nullptr;
}

struct HttpClient::Impl {
  async::Loop& loop;
  async::Pool& pool;
  const HttpClientOptions options;
  std::shared_ptr<TlsContext> tls;
  std::vector<Connection> idle;  // oldest first
  async::TimerId prune_timer = async::TimerId::none;

  // A kept connection that still looks alive.
  Connection take_idle(const std::string& key) {
    for (auto at = idle.rbegin(); at != idle.rend(); ++at) {
      if ((*at)->key != key) continue;
      Connection connection = std::move(*at);
      idle.erase(std::next(at).base());
      char byte;
      const ssize_t got = ::recv(connection->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
      if (got < 0 && (errno == EAGAIN || errno == EINTR)) return connection;
      return nullptr;  // closed, or bytes that nobody asked for
    }
    return nullptr;
  }
  void keep(Connection connection) {
    connection->idle_since = loop.now();
    connection->answered = false;
    idle.push_back(std::move(connection));
    if (idle.size() > options.idle_connections_max) idle.erase(idle.begin());
    if (prune_timer == async::TimerId::none) schedule_prune();
  }
  void schedule_prune() {
    prune_timer = loop.add_timer(idle.front()->idle_since.plus_millis(options.idle_ms), [this] {
      prune_timer = async::TimerId::none;
      const async::SteadyTime now = loop.now();
      std::erase_if(idle, [&](const Connection& c) {
        return now >= c->idle_since.plus_millis(options.idle_ms);
      });
      if (!idle.empty()) schedule_prune();
    });
  }

  Task<Connection> connect(HttpUrl url);
  Task<ClientAnswer> exchange(ClientConnection* connection, const HttpClientRequest* request,
                              const std::string* text);
  Task<HttpClientResponse> send(const HttpClientRequest* request);
};

Task<Connection> HttpClient::Impl::connect(HttpUrl url) {
  std::vector<Address> addresses;
  if (const auto address = literal(url.host, url.port)) {
    addresses.push_back(*address);
  } else {
    const std::string host = url.host;
    const int port = url.port;
    Result<std::vector<Address>> found =
        co_await async::offload(pool, [host, port] { return resolve(host, port); });
    if (!found) co_return fail(std::move(found.error()));
    addresses = std::move(*found);
  }
  AwsError last{
      .code = "NameNotFound", .http_status = 502, .message = "No address for " + url.host};
  for (const Address& address : addresses) {
    const SocketAddress to = socket_address(reinterpret_cast<const sockaddr*>(&address.storage));
    if (options.allow && !options.allow(to)) {
      last = {.code = "AddressNotAllowed",
              .http_status = 502,
              .message = "Calls to " + to.host + " are not allowed."};
      continue;
    }
    Result<Connection> got = co_await as_result(connect_to(address));
    if (!got) {
      last = std::move(got.error());
      continue;
    }
    if (url.https) {
      (*got)->tls.emplace(*tls, url.host);
      co_await client_handshake(got->get());
    }
    co_return std::move(*got);
  }
  co_return fail(std::move(last));
}

Task<ClientAnswer> HttpClient::Impl::exchange(ClientConnection* connection,
                                              const HttpClientRequest* request,
                                              const std::string* text) {
  connection->answered = false;
  co_await client_write(connection, *text);
  ClientAnswer answer =
      co_await client_read_answer(connection, request->method == "HEAD", request->body_bytes_max);
  co_return std::move(answer);
}

Task<HttpClientResponse> HttpClient::Impl::send(const HttpClientRequest* request) {
  const HttpUrl url = co_await parse_http_url(request->url);
  if (url.https && !tls) {
    Result<std::shared_ptr<TlsContext>> made =
        co_await async::offload(pool, [] { return TlsContext::client(); });
    if (!made) co_return fail(std::move(made.error()));
    tls = std::move(*made);
  }
  const std::string text = co_await text_of(*request, url);
  const std::string key = (url.https ? "s" : "p") + url.host + ":" + std::to_string(url.port);
  if (Connection kept = take_idle(key)) {
    Result<ClientAnswer> got = co_await as_result(exchange(kept.get(), request, &text));
    if (got) {
      if (got->reusable) keep(std::move(kept));
      co_return std::move(got->response);
    }
    if (got.error().code != "ConnectFailed" || kept->answered || !is_idempotent(request->method)) {
      co_return fail(std::move(got.error()));
    }
  }
  Connection fresh = co_await connect(url);
  fresh->key = key;
  ClientAnswer answer = co_await exchange(fresh.get(), request, &text);
  if (answer.reusable) keep(std::move(fresh));
  co_return std::move(answer.response);
}

HttpClient::HttpClient(async::Loop& loop, async::Pool& pool, HttpClientOptions options)
    : impl_(new Impl{.loop = loop, .pool = pool, .options = std::move(options)}) {
  impl_->tls = impl_->options.tls;
}

HttpClient::~HttpClient() {
  if (impl_->prune_timer != async::TimerId::none) impl_->loop.cancel_timer(impl_->prune_timer);
}

Task<HttpClientResponse> HttpClient::send(HttpClientRequest request) {
  const async::SteadyTime at = impl_->loop.now().plus_millis(request.timeout_ms);
  AwsError late{.code = "RequestTimeout",
                .http_status = 504,
                .message = "The server did not answer in time."};
  HttpClientResponse response =
      co_await async::with_deadline(impl_->send(&request), at, std::move(late));
  co_return std::move(response);
}

size_t HttpClient::idle_connections() const {
  return impl_->idle.size();
}

Result<HttpUrl> parse_http_url(std::string_view url) {
  HttpUrl out;
  const size_t scheme_end = url.find("://");
  if (scheme_end == std::string_view::npos) return fail(invalid_url("no scheme"));
  const std::string_view scheme = url.substr(0, scheme_end);
  out.https = iequals(scheme, "https");
  if (!out.https && !iequals(scheme, "http")) return fail(invalid_url("neither http nor https"));
  url.remove_prefix(scheme_end + 3);
  url = url.substr(0, url.find('#'));
  for (const char c : url) {
    if (static_cast<unsigned char>(c) <= 0x20 || static_cast<unsigned char>(c) >= 0x7f)
      return fail(invalid_url("a character that must be encoded"));
  }
  const size_t authority_end = std::min(url.find_first_of("/?"), url.size());
  std::string_view authority = url.substr(0, authority_end);
  out.authority = authority;
  out.target = url.substr(authority_end);
  if (out.target.empty() || out.target.front() != '/') out.target.insert(0, "/");
  if (authority.find('@') != std::string_view::npos)
    return fail(invalid_url("user names are not supported"));
  const size_t bracket = authority.find(']');
  const size_t colon = authority.find(':', bracket == std::string_view::npos ? 0 : bracket);
  out.port = out.https ? 443 : 80;
  if (colon != std::string_view::npos) {
    const auto port = parse_int(authority.substr(colon + 1));
    if (!port || *port < 1 || *port > 65535) return fail(invalid_url("the port"));
    out.port = static_cast<int>(*port);
    authority = authority.substr(0, colon);
  }
  if (authority.size() >= 2 && authority.front() == '[' && authority.back() == ']')
    authority = authority.substr(1, authority.size() - 2);
  if (authority.empty() || authority.find_first_of("[]") != std::string_view::npos)
    return fail(invalid_url("the host"));
  out.host = authority;
  return out;
}

bool is_internal_address(std::string_view ip) {
  const std::string text(ip);
  unsigned char a[16];
  if (inet_pton(AF_INET6, text.c_str(), a) == 1) {
    static constexpr unsigned char kMapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    if (memcmp(a, kMapped, sizeof kMapped) != 0) {
      const bool low = std::all_of(a, a + 15, [](unsigned char c) { return c == 0; });  // ::, ::1
      return low || a[0] == 0xff || (a[0] & 0xfe) == 0xfc ||
             (a[0] == 0xfe && (a[1] & 0xc0) == 0x80);
    }
    memmove(a, a + 12, 4);
  } else if (inet_pton(AF_INET, text.c_str(), a) != 1) {
    return true;  // not an address: not known to be outside
  }
  return a[0] == 0 || a[0] == 127 || a[0] == 10 || a[0] >= 224 || (a[0] == 169 && a[1] == 254) ||
         (a[0] == 172 && (a[1] & 0xf0) == 16) || (a[0] == 192 && a[1] == 168) ||
         (a[0] == 100 && (a[1] & 0xc0) == 64);
}

}  // namespace virga::net
