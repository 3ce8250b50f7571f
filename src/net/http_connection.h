#pragma once

#include <coroutine>
#include <limits>

#include "async/file_source.h"
#include "async/loop.h"
#include "async/task.h"
#include "async/wait.h"
#include "net/http_server.h"
#include "net/socket.h"
#include "net/tls.h"

// Inside of the HTTP server; nobody else includes this.
namespace virga::net {

class HttpConnection;

// A listening descriptor.
struct HttpListener final : async::FdHandler {
  HttpServer::Impl* server = nullptr;
  std::shared_ptr<ListenerInfo> info;
  uint64_t number = 0;
  int fd = -1;
  bool paused = false;  // by its owner
  bool armed = false;   // in the loop's set
  void on_events(uint32_t events) override;
  void arm(bool on);
};

struct HttpServer::Impl {
  Impl(async::Loop& l, HttpHandler& h, HttpServerOptions o) : loop(l), handler(h), options(o) {}

  async::Loop& loop;
  HttpHandler& handler;
  const HttpServerOptions options;
  std::vector<std::unique_ptr<HttpListener>> listeners;
  std::vector<HttpConnection*> connections;  // owned; each knows its index
  HttpServerStats stats;
  uint64_t next_listener = 1;
  bool draining = false;
  async::Event empty;  // set while there are no connections
  std::unique_ptr<char[]> scratch;

  // The time as of the last sweep: exact enough for timeouts of seconds, and free.
  async::SteadyTime coarse_now;
  async::TimerId sweep_timer = async::TimerId::none;
  std::string date_line;  // "Date: …\r\n" of date_second
  int64_t date_second = -1;

  void accept_from(HttpListener& listener);
  void add_connection(int fd, uint64_t listener, std::shared_ptr<const ListenerInfo> info,
                      const SocketAddress& peer, std::string received = {});
  void remove(HttpConnection* connection);
  void sweep();
  void schedule_sweep();
  const std::string& current_date_line();
};

// One client connection and, since HTTP/1.1 answers in order, its one current request. A coroutine
// (serve) reads, handles, writes; every wait of it is a Ready below, ended by the socket, the
// sweep's timeout, drain or abort.
class HttpConnection final : public HttpRequest, public async::FdHandler {
 public:
  HttpConnection(HttpServer::Impl& server, int fd, uint64_t listener,
                 std::shared_ptr<const ListenerInfo> info, const SocketAddress& peer,
                 std::string received);
  ~HttpConnection();

  static async::Detached run(HttpConnection* self);
  void on_events(uint32_t events) override;

  // HttpRequest
  Task<std::string> read(size_t max) override;
  std::optional<std::string_view> buffered_body() override;
  Task<std::string> read_body(size_t limit) override;
  const std::vector<std::pair<std::string, std::string>>& trailers() const override {
    return decoder_.trailers();
  }
  bool disconnected() const override { return hung_up_; }

  void time_out_if_due(async::SteadyTime now);
  void close_when_idle();
  void abort();
  uint64_t listener_number() const { return listener_number_; }
  size_t index = 0;  // in Impl::connections

 private:
  friend struct Ready;
  enum class Io { done, again, closed };
  enum class Body { none, length, chunked };

  Task<void> serve();
  Task<void> serve_one();
  Task<bool> refuse(HttpRefusal refusal);
  Io fill();
  Io write_some(std::string_view& a, std::string_view& b);
  Task<void> write_all(std::string_view a, std::string_view b);
  Task<void> send_stream(std::unique_ptr<async::ByteSource> stream, bool chunked,
                         std::optional<uint64_t> length);
  Task<void> send_slice(async::FileSlice slice);
  Task<void> wait_to_write(async::SteadyTime since, uint64_t sent);
  Task<void> linger();
  Task<void> discard_body();
  Task<void> wait_for_body();

  void begin_request(size_t head_bytes);
  void move_to(HttpServer& other);
  void begin_body();
  AwsError fail_body(AwsError error);
  bool body_can_be_discarded();
  std::string take_buffered(size_t max);
  std::string receive_directly(uint64_t max, Io& io);
  void take_whole();
  bool encrypted() const { return tls_.has_value(); }
  bool shaking_hands() const { return tls_ && tls_->state() == TlsSession::State::handshake; }
  Io write_tls(std::string_view& a, std::string_view& b);
  Io flush_tls();
  bool prepare_head(HttpResponse& response, bool keep);
  void wake();
  void watch(uint32_t events);
  size_t buffered() const { return in_.size() - in_at_; }
  std::string_view buffer() const { return std::string_view(in_).substr(in_at_); }
  bool closing() const { return close_when_idle_ || server_.draining; }

  HttpServer::Impl& server_;
  uint64_t listener_number_;
  int fd_;
  std::optional<TlsSession> tls_;
  bool may_be_tls_ = false;  // nothing was received yet that tells
  bool registered_ = false;
  uint32_t armed_ = 0;   // what the loop watches for us
  uint32_t wanted_ = 0;  // what waiter_ waits for
  std::coroutine_handle<> waiter_;
  async::SteadyTime deadline_{std::numeric_limits<int64_t>::max()};
  bool timed_out_ = false;
  bool hung_up_ = false;
  bool aborted_ = false;
  bool close_when_idle_ = false;
  bool in_request_ = false;

  std::string in_;  // received, from in_at_ on not yet consumed
  size_t in_at_ = 0;
  size_t scanned_ = 0;     // of the head in `in_`
  std::string head_text_;  // the current request's head: what head_ points into
  std::string out_;        // the answer's head, or a chunk's frame

  Body body_ = Body::none;
  uint64_t body_left_ = 0;  // Body::length
  ChunkedDecoder decoder_;
  bool body_done_ = true;
  bool body_touched_ = false;
  bool continue_due_ = false;
  std::optional<AwsError> body_error_;
  async::SteadyTime body_since_;
  uint64_t body_received_ = 0;
};

}  // namespace virga::net
