#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "async/byte_stream.h"
#include "async/loop.h"
#include "net/http_message.h"
#include "net/http_parser.h"

namespace virga::net {

class TlsContext;

// What a listener was opened for; requests carry a pointer to it.
struct ListenerInfo {
  std::string tag;  // whose it is, in the opener's words: "", "dynamodb", "sandbox"
  std::string id;   // within the tag: a sandbox's id
  std::string host;
  int port = 0;  // filled in from the socket when 0
  // Null: plain. Otherwise the port speaks both: a connection whose first byte is a TLS record's is
  // encrypted. Shared by the listeners of all loops (net/tls.h).
  std::shared_ptr<TlsContext> tls;
};

// One request and, by read(), its body. Everything a view points to lives until the answer is sent.
// As a ByteSource it gives the body without transfer coding; size() is its Content-Length. The body
// of `Expect: 100-continue` is asked for by the first read. Errors of reads: RequestTimeout 408,
// IncompleteBody 400, malformed chunks 400; the connection ends after the answer then.
class HttpRequest : public async::ByteSource {
 public:
  std::string_view method() const { return head_.method; }
  std::string_view target() const { return head_.target; }        // as sent
  std::string_view authority() const { return head_.authority; }  // Host, or of an absolute target
  std::string_view path() const { return head_.path; }            // as sent, not decoded
  std::string_view query() const { return head_.query; }          // as sent, without '?'
  int version_minor() const { return head_.version_minor; }
  const std::vector<HeaderView>& headers() const { return head_.headers; }
  std::optional<std::string_view> header(std::string_view name) const;
  std::string_view header_or(std::string_view name, std::string_view otherwise) const;
  std::optional<uint64_t> content_length() const { return head_.content_length; }
  const RequestHead& head() const { return head_; }

  const std::string& peer_ip() const { return peer_ip_; }
  int peer_port() const { return peer_port_; }
  const ListenerInfo& listener() const { return *listener_; }
  bool secure() const { return secure_; }  // came over TLS

  // The whole body, if it has already arrived with a Content-Length (or there is none) and nothing
  // of it was read: no copy, no suspension. Otherwise nullopt: use read_body.
  virtual std::optional<std::string_view> buffered_body() = 0;
  // The whole rest of the body; more than `limit` bytes is RequestEntityTooLarge 413, before they
  // are read if possible.
  virtual Task<std::string> read_body(size_t limit) = 0;
  // Trailer lines of a chunked body, once read() has returned its end.
  virtual const std::vector<std::pair<std::string, std::string>>& trailers() const = 0;
  // The client has gone: an answer will not arrive. Noticed late or not at all while nothing is
  // read or written.
  virtual bool disconnected() const = 0;

  std::optional<uint64_t> size() const override {
    if (head_.chunked) return std::nullopt;
    return head_.content_length.value_or(0);
  }

 protected:
  RequestHead head_;
  std::string peer_ip_;
  int peer_port_ = 0;
  std::shared_ptr<const ListenerInfo> listener_;
  bool secure_ = false;
};

// A request made in memory, for tests and for calls that never were bytes.
std::unique_ptr<HttpRequest> make_memory_request(
    std::string_view method, std::string_view target,
    std::vector<std::pair<std::string, std::string>> headers, std::string body);

class HttpServer;

// Answers requests. An error that leaves handle() becomes refuse(its status, its message).
class HttpHandler {
 public:
  virtual ~HttpHandler() = default;
  // `request` lives until the answer is sent. A client that goes away does not cancel the handler.
  virtual Task<HttpResponse> handle(HttpRequest& request) = 0;
  // The server, on another loop, that is to have the request, and with it the connection from now
  // on; null: this one. Asked before the body is read. Encrypted connections stay where they are.
  virtual HttpServer* elsewhere(const HttpRequest& request);
  // The answer to bytes that never became a request (400, 408, 413, 414, 417, 431, 501, 503, 505)
  // and to handlers' errors.
  virtual HttpResponse refuse(const ListenerInfo& listener, int status, std::string_view reason);
};

// A connection on its way to another loop's server: the descriptor, and what was received but not
// yet served.
struct MovedConnection {
  int fd = -1;
  std::shared_ptr<const ListenerInfo> listener;
  std::string peer_ip;
  int peer_port = 0;
  std::string received;
};

// Limits against slow and greedy clients. Times in milliseconds.
struct HttpServerOptions {
  HttpLimits limits;
  size_t connections_max = 20'000;  // per loop; above, 503 and close
  int64_t idle_ms = 75'000;         // between requests; AWS SDKs drop pooled connections after 60 s
  int64_t head_ms = 15'000;         // from a head's first byte to its last
  int64_t grace_ms = 30'000;  // a body, or an answer, may always take this long, plus its bytes at
  int64_t bytes_per_second_min = 2048;
  int64_t linger_ms = 2'000;  // for the client to read a refusal before the connection is cut
  size_t discard_bytes_max = 256 * 1024;  // of an unread body, to save the connection
};

struct HttpServerStats {
  uint64_t connections_accepted = 0;
  uint64_t connections_refused = 0;  // over the limit
  uint64_t requests = 0;
  uint64_t refusals = 0;   // bytes that never became a request
  size_t connections = 0;  // now
  size_t in_flight = 0;    // requests being handled or answered, now
};

// The HTTP/1.1 server of one loop: all of it, and every handler it calls, runs there. One read and
// one writev per small exchange. Destroy it only after drain() or abort() and an empty
// stats().connections.
class HttpServer {
 public:
  HttpServer(async::Loop& loop, HttpHandler& handler, HttpServerOptions options = {});
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  // Opens a listener at an IP literal (see open_listener); the port in use. Port 0: the kernel's
  // choice.
  Result<int> listen(ListenerInfo info);
  // Serves an already listening descriptor (from the supervisor, or from inside a sandbox's network
  // namespace) and owns it from now on. The number serves close_listener.
  uint64_t adopt(int listener_fd, ListenerInfo info);
  // Serves one accepted, non-blocking connection (a sandbox's engine accepts its own) and owns it
  // from now on.
  void adopt_connection(int fd, ListenerInfo info);
  // From any thread: serves a connection that another loop's server gave away. This server must
  // outlive that one.
  void take(MovedConnection connection);
  // Closes the listener; its idle connections end now, its busy ones after their answer.
  void close_listener(uint64_t number);
  // A listener that does not accept for now (its sandbox is frozen).
  void pause_listener(uint64_t number, bool paused);

  // Closes listeners and idle connections, lets requests in flight finish, returns when no
  // connection is left.
  Task<void> drain();
  // Cuts every connection now; handlers in flight go on and their answers are dropped.
  void abort();

  HttpServerStats stats() const;

  struct Impl;  // net/http_connection.h

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace virga::net
