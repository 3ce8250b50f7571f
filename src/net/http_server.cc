#include "net/http_server.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>

#include "base/log.h"
#include "base/strings.h"
#include "net/http_connection.h"
#include "net/socket.h"

namespace virga::net {
namespace {

constexpr int64_t kSweepMs = 250;
constexpr int kAcceptsPerEvent = 64;  // then others get their turn
constexpr int64_t kAcceptPauseMs = 100;

constexpr std::string_view kOverLimit =
    "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nRetry-After: 1\r\nConnection: "
    "close\r\n\r\n";

}  // namespace

std::optional<std::string_view> HttpRequest::header(std::string_view name) const {
  const HeaderView* const found = head_.find(name);
  if (!found) return std::nullopt;
  return found->value;
}

std::string_view HttpRequest::header_or(std::string_view name, std::string_view otherwise) const {
  const HeaderView* const found = head_.find(name);
  return found ? found->value : otherwise;
}

HttpServer* HttpHandler::elsewhere(const HttpRequest&) {
  return nullptr;
}

HttpResponse HttpHandler::refuse(const ListenerInfo&, int status, std::string_view reason) {
  HttpResponse response;
  response.status = status;
  response.headers.add("Content-Type", "text/plain");
  response.body = std::string(reason) + "\n";
  return response;
}

void HttpListener::arm(bool on) {
  if (on == armed) return;
  armed = on;
  if (on) {
    server->loop.add_fd(fd, EPOLLIN, *this);
  } else {
    server->loop.remove_fd(fd);
  }
}

void HttpListener::on_events(uint32_t) {
  server->accept_from(*this);
}

void HttpServer::Impl::accept_from(HttpListener& listener) {
  for (int i = 0; i < kAcceptsPerEvent; ++i) {
    sockaddr_storage storage{};
    socklen_t length = sizeof storage;
    const int fd = ::accept4(listener.fd, reinterpret_cast<sockaddr*>(&storage), &length,
                             SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
      if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
        LOG_WARN("accept_paused", kv("errno", errno));
        listener.arm(false);
        loop.add_timer(loop.now().plus_millis(kAcceptPauseMs), [this, number = listener.number] {
          for (auto& l : listeners) {
            if (l->number == number && !l->paused) l->arm(true);
          }
        });
        return;
      }
      if (errno == EINTR || errno == ECONNABORTED) continue;
      return;
    }
    ++stats.connections_accepted;
    if (connections.size() >= options.connections_max) {
      ++stats.connections_refused;
      ignore(::send(fd, kOverLimit.data(), kOverLimit.size(), MSG_NOSIGNAL),
             "the client is cut off either way");
      ::close(fd);
      continue;
    }
    const int on = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on,
                 sizeof on);  // fails on Unix sockets, which need none
    add_connection(fd, listener.number, listener.info,
                   socket_address(reinterpret_cast<const sockaddr*>(&storage)));
  }
}

void HttpServer::Impl::add_connection(int fd, uint64_t listener,
                                      std::shared_ptr<const ListenerInfo> info,
                                      const SocketAddress& peer, std::string received) {
  if (connections.empty()) {
    coarse_now = loop.now();
    schedule_sweep();
  }
  auto* const connection =
      new HttpConnection(*this, fd, listener, std::move(info), peer, std::move(received));
  connection->index = connections.size();
  connections.push_back(connection);
  empty.reset();
  HttpConnection::run(connection);
}

void HttpServer::Impl::remove(HttpConnection* connection) {
  connections.back()->index = connection->index;
  connections[connection->index] = connections.back();
  connections.pop_back();
  delete connection;
  if (!connections.empty()) return;
  loop.cancel_timer(sweep_timer);
  sweep_timer = async::TimerId::none;
  empty.set();
}

void HttpServer::Impl::schedule_sweep() {
  sweep_timer = loop.add_timer(loop.now().plus_millis(kSweepMs), [this] { sweep(); });
}

void HttpServer::Impl::sweep() {
  coarse_now = loop.now();
  for (HttpConnection* const connection : connections) connection->time_out_if_due(coarse_now);
  schedule_sweep();
}

const std::string& HttpServer::Impl::current_date_line() {
  const Timestamp now = loop.env().wall.now().at;
  if (const int64_t second = now.seconds(); second != date_second) {
    date_second = second;
    date_line = "Date: " + format_http_date(now) + "\r\n";
  }
  return date_line;
}

HttpServer::HttpServer(async::Loop& loop, HttpHandler& handler, HttpServerOptions options)
    : impl_(std::make_unique<Impl>(loop, handler, options)) {
  impl_->empty.set();
  ::signal(SIGPIPE, SIG_IGN);  // sendfile to a client that has gone; it knows no MSG_NOSIGNAL
}

HttpServer::~HttpServer() {
  CHECK(impl_->connections.empty());
  for (auto& listener : impl_->listeners) {
    listener->arm(false);
    ::close(listener->fd);
  }
}

Result<int> HttpServer::listen(ListenerInfo info) {
  VIRGA_TRY(fd, open_listener(info.host, info.port));
  info.port = 0;
  adopt(fd, std::move(info));
  return impl_->listeners.back()->info->port;
}

uint64_t HttpServer::adopt(int listener_fd, ListenerInfo info) {
  auto listener = std::make_unique<HttpListener>();
  listener->server = impl_.get();
  listener->number = impl_->next_listener++;
  listener->fd = listener_fd;
  if (info.port == 0) info.port = local_address(listener_fd).port;
  listener->info = std::make_shared<ListenerInfo>(std::move(info));
  listener->arm(true);
  impl_->listeners.push_back(std::move(listener));
  return impl_->listeners.back()->number;
}

void HttpServer::adopt_connection(int fd, ListenerInfo info) {
  if (impl_->draining || impl_->connections.size() >= impl_->options.connections_max) {
    ++impl_->stats.connections_refused;
    ::close(fd);
    return;
  }
  ++impl_->stats.connections_accepted;
  sockaddr_storage storage{};
  socklen_t length = sizeof storage;
  ignore(::getpeername(fd, reinterpret_cast<sockaddr*>(&storage), &length),
         "a peer that has gone has no address");
  impl_->add_connection(fd, 0, std::make_shared<const ListenerInfo>(std::move(info)),
                        socket_address(reinterpret_cast<const sockaddr*>(&storage)));
}

void HttpServer::take(MovedConnection connection) {
  impl_->loop.post([impl = impl_.get(), moved = std::move(connection)]() mutable {
    if (impl->draining || impl->connections.size() >= impl->options.connections_max) {
      ++impl->stats.connections_refused;
      ::close(moved.fd);
      return;
    }
    const SocketAddress peer{.host = std::move(moved.peer_ip), .port = moved.peer_port};
    impl->add_connection(moved.fd, 0, std::move(moved.listener), peer, std::move(moved.received));
  });
}

void HttpServer::close_listener(uint64_t number) {
  const auto found = std::find_if(impl_->listeners.begin(), impl_->listeners.end(),
                                  [&](const auto& l) { return l->number == number; });
  if (found == impl_->listeners.end()) return;
  (*found)->arm(false);
  ::close((*found)->fd);
  for (HttpConnection* const connection : impl_->connections) {
    if (connection->listener_number() == number) connection->close_when_idle();
  }
  impl_->listeners.erase(found);
}

void HttpServer::pause_listener(uint64_t number, bool paused) {
  for (auto& listener : impl_->listeners) {
    if (listener->number != number) continue;
    listener->paused = paused;
    listener->arm(!paused);
  }
}

Task<void> HttpServer::drain() {
  impl_->draining = true;
  while (!impl_->listeners.empty()) close_listener(impl_->listeners.back()->number);
  for (HttpConnection* const connection : impl_->connections) connection->close_when_idle();
  co_await impl_->empty.wait();
  co_return ok();
}

void HttpServer::abort() {
  impl_->draining = true;
  while (!impl_->listeners.empty()) close_listener(impl_->listeners.back()->number);
  for (HttpConnection* const connection : impl_->connections) connection->abort();
}

HttpServerStats HttpServer::stats() const {
  HttpServerStats stats = impl_->stats;
  stats.connections = impl_->connections.size();
  return stats;
}

}  // namespace virga::net
