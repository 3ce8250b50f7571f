#include "net/http_server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "async/file_source.h"
#include "async/wait.h"
#include "net/socket.h"

namespace virga::net {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class TextSource final : public async::ByteSource {
 public:
  TextSource(std::vector<std::string> pieces, std::optional<uint64_t> size, bool fails = false)
      : pieces_(std::move(pieces)), size_(size), fails_(fails) {}
  Task<std::string> read(size_t) override {
    if (at_ == pieces_.size() && fails_) co_return fail("Broken", 500, "the source broke");
    if (at_ == pieces_.size()) co_return std::string();
    co_return pieces_[at_++];
  }
  std::optional<uint64_t> size() const override { return size_; }

 private:
  std::vector<std::string> pieces_;
  std::optional<uint64_t> size_;
  bool fails_;
  size_t at_ = 0;
};

// A text, then slices of a file; `said` is the size it promises for the whole.
class SlicedSource final : public async::FileSource {
 public:
  SlicedSource(std::string text, int fd, uint64_t in_file, uint64_t said)
      : text_(std::move(text)), fd_(fd), left_(in_file), said_(said) {}
  Task<std::string> read(size_t) override { co_return std::exchange(text_, {}); }
  Task<std::optional<async::FileSlice>> slice(uint64_t max) override {
    if (!text_.empty() || left_ == 0) co_return std::nullopt;
    const uint64_t count = std::min<uint64_t>({max, left_, 300'000});
    async::FileSlice out{.open = nullptr, .fd = fd_, .offset = at_, .count = count};
    at_ += count;
    left_ -= count;
    co_return std::move(out);
  }
  std::optional<uint64_t> size() const override { return said_; }

 private:
  std::string text_;
  int fd_;
  uint64_t at_ = 0, left_, said_;
};

constexpr size_t kSlicedBytes = 3'000'001;

// A file of "0123456789", again and again; it has no name.
int sliced_file() {
  static const int fd = [] {
    const int made = ::memfd_create("sliced", MFD_CLOEXEC);
    std::string text;
    while (text.size() < kSlicedBytes) text += "0123456789";
    text.resize(kSlicedBytes);
    EXPECT_EQ(::write(made, text.data(), text.size()), static_cast<ssize_t>(text.size()));
    return made;
  }();
  return fd;
}

// What the tests ask for by path.
class Handler final : public HttpHandler {
 public:
  Task<HttpResponse> handle(HttpRequest& request) override {
    ++handled;
    HttpResponse response;
    const std::string path(request.path());
    if (path == "/echo") {
      std::string body = co_await request.read_body(1000);
      response.body = std::string(request.method()) + " " + body;
    } else if (path == "/pieces") {
      for (;;) {
        const std::string piece = co_await request.read(3);
        if (piece.empty()) break;
        response.body += "[" + piece + "]";
      }
      for (const auto& [name, value] : request.trailers()) response.body += name + "=" + value;
    } else if (path == "/peek") {
      const auto body = request.buffered_body();
      response.body = body ? "have " + std::string(*body) : "not yet";
    } else if (path == "/wait") {
      co_await release.wait();
      response.body = "released";
    } else if (path == "/stream") {
      response.stream =
          std::make_unique<TextSource>(std::vector<std::string>{"one", "two"}, std::nullopt);
    } else if (path == "/sized") {
      response.stream = std::make_unique<TextSource>(std::vector<std::string>{"one", "two"}, 6);
    } else if (path == "/breaks") {
      response.stream =
          std::make_unique<TextSource>(std::vector<std::string>{"one"}, std::nullopt, true);
    } else if (path == "/short") {
      response.stream = std::make_unique<TextSource>(std::vector<std::string>{"one"}, 6);
    } else if (path == "/slices") {
      response.stream =
          std::make_unique<SlicedSource>("text:", sliced_file(), kSlicedBytes, kSlicedBytes + 5);
    } else if (path == "/slices-short") {  // the file ends before it was said to
      response.stream =
          std::make_unique<SlicedSource>("", sliced_file(), kSlicedBytes + 1, kSlicedBytes + 1);
    } else if (path == "/large") {
      response.body.assign(8 << 20, 'x');
    } else if (path == "/none") {
      response.status = 204;
    } else if (path == "/inject") {
      response.headers.add("X-Evil", "a\r\nSet-Cookie: b");
      response.headers.add("Content-Length", "99");
      response.headers.add("Transfer-Encoding", "chunked");
    } else if (path == "/head") {
      response.head_length = 67108864;
    } else if (path == "/fails") {
      co_return fail("Teapot", 418, "short and stout");
    } else {
      response.body =
          path + "|" + std::string(request.query()) + "|" + std::string(request.authority());
    }
    co_return std::move(response);
  }
  int handled = 0;
  async::Event release;
};

class HttpServerTest : public testing::Test {
 protected:
  HttpServerTest() { start({}); }
  ~HttpServerTest() override {
    handler_.release.set();
    server_->abort();
    for (int i = 0; i < 200 && server_->stats().connections != 0; ++i) loop_.run_once(5);
    server_.reset();
  }

  void start(HttpServerOptions options) {
    server_ = std::make_unique<HttpServer>(loop_, handler_, options);
    const auto port = server_->listen({.tag = "test", .host = "127.0.0.1"});
    ASSERT_TRUE(port) << port.error().message;
    port_ = *port;
  }

  class Client {
   public:
    Client(HttpServerTest& test) : test_(test) {
      fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
      sockaddr_in to{};
      to.sin_family = AF_INET;
      to.sin_port = htons(static_cast<uint16_t>(test.port_));
      to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
      CHECK(::connect(fd_, reinterpret_cast<sockaddr*>(&to), sizeof to) == 0);
      ::fcntl(fd_, F_SETFL, O_NONBLOCK);
    }
    ~Client() { close(); }
    void close() {
      if (fd_ >= 0) ::close(fd_);
      fd_ = -1;
    }
    void send(std::string_view bytes) {
      while (!bytes.empty()) {
        const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (sent > 0) {
          bytes.remove_prefix(static_cast<size_t>(sent));
        } else if (errno != EAGAIN) {
          return;
        }
        test_.loop_.run_once(1);
      }
    }
    // Gone before the server has seen anything.
    void send_and_close(std::string_view bytes) {
      CHECK(::send(fd_, bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(bytes.size()));
      close();
    }
    // Lets the server work until `until` was received, or the connection ended, or nothing more
    // comes.
    std::string receive(std::string_view until = "\r\n\r\n") {
      for (int quiet = 0; quiet < 60;) {
        test_.loop_.run_once(2);
        char bytes[65536];
        const ssize_t got = ::recv(fd_, bytes, sizeof bytes, 0);
        if (got > 0) {
          received_.append(bytes, static_cast<size_t>(got));
          quiet = 0;
        } else if (got == 0 || errno != EAGAIN) {
          ended_ = true;
          break;
        } else {
          ++quiet;
        }
        if (const size_t at = received_.find(until); at != std::string::npos) {
          std::string head = received_.substr(0, at + until.size());
          received_.erase(0, at + until.size());
          return head;
        }
      }
      return std::exchange(received_, {});
    }
    std::string exchange(std::string_view bytes, std::string_view until) {
      send(bytes);
      return receive(until);
    }
    bool ended() {
      if (!ended_) received_ += receive(std::string_view("\0never", 6));
      return ended_;
    }

   private:
    HttpServerTest& test_;
    int fd_ = -1;
    bool ended_ = false;
    std::string received_;
  };

  // Sends the bytes on a connection of its own and returns all that comes back.
  std::string all(std::string_view bytes) {
    Client client(*this);
    return client.exchange(bytes, std::string_view("\0never", 6));
  }

  async::FakeEnv env_;
  async::EpollLoop loop_{env_.env()};
  Handler handler_;
  std::unique_ptr<HttpServer> server_;
  int port_ = 0;
};

TEST_F(HttpServerTest, answers_a_get_with_date_and_length) {
  Client client(*this);
  const std::string got =
      client.exchange("GET /a/b?x=1 HTTP/1.1\r\nHost: here:1\r\n\r\n", "|here:1");
  EXPECT_THAT(got, StartsWith("HTTP/1.1 200 OK\r\nDate: Sun, 01 Mar 2026 12:00:00 GMT\r\n"));
  EXPECT_THAT(got, HasSubstr("Content-Length: 15\r\n\r\n/a/b|x=1|here:1"));
}

TEST_F(HttpServerTest, serves_pipelined_requests_in_order) {
  const std::string one = "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc";
  Client client(*this);
  client.send(one + one + "GET /last HTTP/1.1\r\nHost: h\r\n\r\n");
  const std::string got = client.receive("/last||h");
  EXPECT_THAT(got, HasSubstr("POST abcHTTP/1.1 200 OK"));
  EXPECT_EQ(handler_.handled, 3);
}

TEST_F(HttpServerTest, takes_a_request_byte_by_byte) {
  Client client(*this);
  const std::string request = "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc";
  for (const char c : request) client.send(std::string_view(&c, 1));
  EXPECT_THAT(client.receive("POST abc"), HasSubstr("200 OK"));
}

TEST_F(HttpServerTest, reads_chunked_bodies_and_trailers) {
  Client client(*this);
  const std::string got = client.exchange(
      "POST /pieces HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
      "5;a=b\r\nhello\r\n2\r\n!!\r\n0\r\nx-sum: 7\r\n\r\n",
      "x-sum=7");
  EXPECT_THAT(got, HasSubstr("\r\n\r\n[hel][lo!][!]x-sum=7"));
}

TEST_F(HttpServerTest, hands_out_a_buffered_body_without_copy) {
  Client client(*this);
  const std::string request = "PUT /peek HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\n";
  EXPECT_THAT(client.exchange(request + "abc", "have abc"), HasSubstr("200 OK"));
  EXPECT_THAT(client.exchange(request + "abc", "have abc"), HasSubstr("200 OK"));
}

TEST_F(HttpServerTest, asks_for_a_body_only_when_it_is_wanted) {
  Client client(*this);
  client.send(
      "POST /echo HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
  EXPECT_EQ(client.receive(), "HTTP/1.1 100 Continue\r\n\r\n");
  EXPECT_THAT(client.exchange("hi", "POST hi"), HasSubstr("200 OK"));
  const std::string unwanted = client.exchange(
      "POST /peek HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n",
      "not yet");
  EXPECT_THAT(unwanted, Not(HasSubstr("100 Continue")));
  EXPECT_THAT(unwanted, HasSubstr("Connection: close"));
  EXPECT_TRUE(client.ended());
}

TEST_F(HttpServerTest, refuses_a_body_over_the_limit_with_413) {
  EXPECT_THAT(
      all("POST /echo HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 1001\r\n\r\n"),
      StartsWith("HTTP/1.1 413 "));
  EXPECT_THAT(all("POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n" +
                  std::string(1001, 'x') + "\r\n0\r\n\r\n"),
              StartsWith("HTTP/1.1 413 "));
}

TEST_F(HttpServerTest, skips_an_unread_body_and_serves_on) {
  Client client(*this);
  EXPECT_THAT(client.exchange("POST /skip HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\nabc",
                              "/skip||h"),
              HasSubstr("200"));
  EXPECT_THAT(
      client.exchange(std::string(97, 'z') + "GET /next HTTP/1.1\r\nHost: h\r\n\r\n", "/next||h"),
      HasSubstr("200"));
}

TEST_F(HttpServerTest, ends_the_connection_after_a_large_unread_body) {
  Client client(*this);
  const std::string got = client.exchange(
      "POST /skip HTTP/1.1\r\nHost: h\r\nContent-Length: 99999999\r\n\r\nabc", "/skip||h");
  EXPECT_THAT(got, HasSubstr("Connection: close"));
  EXPECT_TRUE(client.ended());
}

TEST_F(HttpServerTest, streams_chunked_sized_and_to_old_clients) {
  EXPECT_THAT(all("GET /stream HTTP/1.1\r\nHost: h\r\n\r\n"),
              HasSubstr("Transfer-Encoding: chunked\r\n\r\n3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n"));
  EXPECT_THAT(all("GET /sized HTTP/1.1\r\nHost: h\r\n\r\n"),
              HasSubstr("Content-Length: 6\r\n\r\nonetwo"));
  const std::string old = all("GET /stream HTTP/1.0\r\n\r\n");
  EXPECT_THAT(old, HasSubstr("Connection: close\r\n\r\nonetwo"));
  EXPECT_THAT(old, Not(HasSubstr("chunked")));
}

TEST_F(HttpServerTest, cuts_the_connection_when_a_stream_breaks_or_is_short) {
  for (const char* path : {"/breaks", "/short"}) {
    Client client(*this);
    const std::string got = client.exchange(
        std::string("GET ") + path + " HTTP/1.1\r\nHost: h\r\n\r\n", "\r\n0\r\n\r\n");
    EXPECT_THAT(got, HasSubstr("one"));
    EXPECT_THAT(got, Not(HasSubstr("0\r\n\r\n")));
    EXPECT_TRUE(client.ended());
  }
}

TEST_F(HttpServerTest, sends_slices_of_files_between_other_pieces) {
  std::string body = "text:";
  while (body.size() < kSlicedBytes + 5) body += "0123456789";
  body.resize(kSlicedBytes + 5);
  const std::string request = "GET /slices HTTP/1.1\r\nHost: h\r\n\r\n";
  std::string got = all(request + request);  // the connection goes on behind them
  for (int i = 0; i < 2; ++i) {
    const size_t head = got.find("\r\n\r\n") + 4;
    EXPECT_THAT(got.substr(0, head), HasSubstr("Content-Length: 3000006\r\n"));
    EXPECT_TRUE(got.substr(head, body.size()) == body);
    got.erase(0, head + body.size());
  }
  EXPECT_EQ(got, "");
}

TEST_F(HttpServerTest, outlives_a_client_that_leaves_before_the_slices) {
  Client leaves(*this);
  leaves.send_and_close("GET /slices HTTP/1.1\r\nHost: h\r\n\r\n");
  for (int turn = 0; turn < 20; ++turn) loop_.run_once(1);
  EXPECT_THAT(all("GET /b HTTP/1.1\r\nHost: h\r\n\r\n"), HasSubstr("/b||h"));
}

TEST_F(HttpServerTest, cuts_the_connection_when_a_sliced_file_is_short) {
  Client client(*this);
  const std::string got = client.exchange("GET /slices-short HTTP/1.1\r\nHost: h\r\n\r\n",
                                          std::string_view("\0never", 6));
  EXPECT_EQ(got.size() - got.find("\r\n\r\n") - 4, kSlicedBytes);
  EXPECT_TRUE(client.ended());
}

TEST_F(HttpServerTest, sends_a_large_answer_at_the_readers_pace) {
  const std::string got = all("GET /large HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(got.size() - got.find("\r\n\r\n") - 4, size_t{8 << 20});
}

TEST_F(HttpServerTest, head_and_204_have_no_body) {
  const std::string head = all("HEAD /some HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_THAT(head, HasSubstr("Content-Length: 8\r\n"));
  EXPECT_THAT(head, testing::EndsWith("\r\n\r\n"));
  EXPECT_THAT(all("HEAD /head HTTP/1.1\r\nHost: h\r\n\r\n"),
              HasSubstr("Content-Length: 67108864\r\n"));
  EXPECT_THAT(all("GET /none HTTP/1.1\r\nHost: h\r\n\r\n"), Not(HasSubstr("Content-Length")));
}

TEST_F(HttpServerTest, keeps_handlers_from_adding_lines_or_framing) {
  const std::string got = all("GET /inject HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_THAT(got, HasSubstr("X-Evil: a  Set-Cookie: b\r\n"));
  EXPECT_THAT(got, HasSubstr("Content-Length: 0\r\n"));
  EXPECT_THAT(got, Not(HasSubstr("99")));
  EXPECT_THAT(got, Not(HasSubstr("chunked")));
}

TEST_F(HttpServerTest, http_1_0_keeps_alive_only_when_asked) {
  Client plain(*this);
  EXPECT_THAT(plain.exchange("GET /a HTTP/1.0\r\n\r\n", "/a||"), HasSubstr("Connection: close"));
  EXPECT_TRUE(plain.ended());
  Client keeps(*this);
  EXPECT_THAT(keeps.exchange("GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", "/a||"),
              HasSubstr("Connection: keep-alive"));
  EXPECT_THAT(keeps.exchange("GET /b HTTP/1.0\r\n\r\n", "/b||"), HasSubstr("200"));
}

TEST_F(HttpServerTest, a_handlers_error_is_answered_and_the_connection_lives) {
  Client client(*this);
  EXPECT_THAT(client.exchange("GET /fails HTTP/1.1\r\nHost: h\r\n\r\n", "stout\n"),
              StartsWith("HTTP/1.1 418 "));
  EXPECT_THAT(client.exchange("GET /b HTTP/1.1\r\nHost: h\r\n\r\n", "/b||h"), HasSubstr("200"));
}

TEST_F(HttpServerTest, refuses_what_is_no_request_and_hangs_up) {
  EXPECT_THAT(all("GET / HTTP/1.1\nHost: h\n\n"), StartsWith("HTTP/1.1 400 "));
  EXPECT_THAT(all("\x16\x03\x01"), StartsWith("HTTP/1.1 400 "));
  EXPECT_THAT(all("GET / HTTP/2.0\r\n\r\n"), StartsWith("HTTP/1.1 505 "));
  EXPECT_THAT(all("GET /" + std::string(20000, 'a')), StartsWith("HTTP/1.1 414 "));
  EXPECT_THAT(all("GET / HTTP/1.1\r\nA: " + std::string(70000, 'a')), StartsWith("HTTP/1.1 431 "));
  EXPECT_THAT(all("GET / HTTP/1.1\r\nHost: h\r\nExpect: cake\r\n\r\n"),
              StartsWith("HTTP/1.1 417 "));
  EXPECT_THAT(all("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip\r\n\r\n"),
              StartsWith("HTTP/1.1 501 "));
  EXPECT_EQ(handler_.handled, 0);
  EXPECT_EQ(server_->stats().refusals, 7u);
}

TEST_F(HttpServerTest, a_malformed_chunk_ends_the_connection) {
  Client client(*this);
  const std::string got = client.exchange(
      "POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "never");
  EXPECT_THAT(got, StartsWith("HTTP/1.1 400 "));
  EXPECT_THAT(got, HasSubstr("Connection: close"));
  EXPECT_TRUE(client.ended());
}

TEST_F(HttpServerTest, times_out_slow_heads_bodies_and_idle_connections) {
  Client head(*this);
  head.send("GET / HT");
  Client body(*this);
  body.send("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nab");
  Client idle(*this);
  idle.exchange("GET /a HTTP/1.1\r\nHost: h\r\n\r\n", "/a||h");
  loop_.run_once(5);
  env_.advance_millis(31'000);
  EXPECT_THAT(head.receive(), StartsWith("HTTP/1.1 408 "));
  EXPECT_THAT(body.receive(), StartsWith("HTTP/1.1 408 "));
  EXPECT_EQ(server_->stats().connections, 3u);
  env_.advance_millis(50'000);
  EXPECT_TRUE(idle.ended());
}

TEST_F(HttpServerTest, drops_do_not_extend_the_heads_time) {
  Client client(*this);
  for (const char* drop : {"G", "E", "T", " "}) {
    client.send(drop);
    loop_.run_once(5);
    env_.advance_millis(4'000);
    loop_.run_once(5);
  }
  EXPECT_THAT(client.receive(), StartsWith("HTTP/1.1 408 "));
}

TEST_F(HttpServerTest, pipelined_bytes_wait_while_a_handler_is_busy) {
  Client client(*this);
  const std::string waits = "GET /wait HTTP/1.1\r\nHost: h\r\n\r\n";
  client.send(waits);
  client.send("GET /a HTTP/1.1\r\nHost: h\r\n\r\n");
  for (int i = 0; i < 5; ++i) loop_.run_once(1);
  EXPECT_EQ(handler_.handled, 1);
  EXPECT_EQ(server_->stats().in_flight, 1u);
  loop_.post([&] { handler_.release.set(); });
  EXPECT_THAT(client.receive("/a||h"), HasSubstr("released"));
}

TEST_F(HttpServerTest, a_client_that_goes_away_does_not_cancel_the_handler) {
  Client client(*this);
  client.send("GET /wait HTTP/1.1\r\nHost: h\r\n\r\n");
  loop_.run_once(5);
  client.close();
  for (int i = 0; i < 5; ++i) loop_.run_once(1);
  EXPECT_EQ(server_->stats().in_flight, 1u);
  loop_.post([&] { handler_.release.set(); });
  for (int i = 0; i < 50 && server_->stats().connections != 0; ++i) loop_.run_once(5);
  EXPECT_EQ(server_->stats().in_flight, 0u);
  EXPECT_EQ(server_->stats().connections, 0u);
}

Task<void> drain_then(HttpServer* server, bool* done) {
  co_await server->drain();
  *done = true;
  co_return ok();
}

TEST_F(HttpServerTest, drain_finishes_requests_in_flight_and_closes_idle_connections) {
  Client busy(*this);
  busy.send("GET /wait HTTP/1.1\r\nHost: h\r\n\r\n");
  Client idle(*this);
  idle.exchange("GET /a HTTP/1.1\r\nHost: h\r\n\r\n", "/a||h");
  bool drained = false;
  async::TaskScope scope;
  loop_.post([&] { scope.spawn("drain", drain_then(server_.get(), &drained)); });
  EXPECT_TRUE(idle.ended());
  EXPECT_FALSE(drained);
  loop_.post([&] { handler_.release.set(); });
  const std::string got = busy.receive("released");
  EXPECT_THAT(got, HasSubstr("Connection: close"));
  EXPECT_TRUE(busy.ended());
  for (int i = 0; i < 50 && !drained; ++i) loop_.run_once(5);
  EXPECT_TRUE(drained);
  for (int i = 0; i < 5; ++i) loop_.run_once(1);
}

TEST_F(HttpServerTest, answers_503_over_the_connection_limit) {
  server_->abort();
  server_.reset();
  start({.connections_max = 1});
  Client first(*this);
  first.exchange("GET /a HTTP/1.1\r\nHost: h\r\n\r\n", "/a||h");
  Client second(*this);
  EXPECT_THAT(second.receive(), StartsWith("HTTP/1.1 503 "));
  EXPECT_EQ(server_->stats().connections_refused, 1u);
}

TEST_F(HttpServerTest, an_adopted_listener_serves_until_it_is_closed) {
  const auto fd = open_listener("::1", 0);
  if (!fd) GTEST_SKIP() << "no IPv6 loopback here";
  const int port = local_address(*fd).port;
  const uint64_t number = server_->adopt(*fd, {.tag = "sandbox", .id = "s1"});
  EXPECT_GT(port, 0);
  server_->close_listener(number);
  const int again = *open_listener("::1", port);
  ::close(again);
}

TEST_F(HttpServerTest, a_port_that_somebody_listens_at_is_taken_though_loops_may_share_it) {
  const int fd = *open_listener("127.0.0.1", 0);
  const int port = local_address(fd).port;
  const auto taken = refuse_taken("127.0.0.1", port);
  ASSERT_FALSE(taken);
  EXPECT_EQ(taken.error().code, "ListenFailed");
  const int shared = *open_listener("127.0.0.1", port);
  ::close(shared);
  ::close(fd);
  EXPECT_TRUE(refuse_taken("127.0.0.1", port));
}

// Gives every connection to another loop's server, whatever it asks for.
class Giver final : public HttpHandler {
 public:
  explicit Giver(HttpServer& other) : other_(other) {}
  HttpServer* elsewhere(const HttpRequest&) override { return &other_; }
  Task<HttpResponse> handle(HttpRequest&) override {
    co_return fail("Unexpected", 500, "nothing stays here");
  }

 private:
  HttpServer& other_;
};

TEST_F(HttpServerTest, a_connection_moves_to_another_loops_server_with_what_it_has_sent) {
  async::EpollLoop first(async::real_env());
  Giver giver(*server_);
  HttpServer front(first, giver);
  const auto port = front.listen({.tag = "service", .id = "s3", .host = "127.0.0.1"});
  ASSERT_TRUE(port);
  const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(static_cast<uint16_t>(*port));
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ASSERT_EQ(::connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof to), 0);
  // Two requests at once, the second one's body not complete: the second server sees both whole.
  const std::string_view sent =
      "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\noneGET /peek HTTP/1.1\r\nHost: "
      "h\r\n\r\n";
  ASSERT_EQ(::send(fd, sent.data(), sent.size(), 0), static_cast<ssize_t>(sent.size()));
  for (int i = 0; i < 100 && front.stats().connections_accepted == 0; ++i) first.run_once(5);
  std::string got;
  for (int i = 0; i < 200 && got.find("have ") == std::string::npos; ++i) {
    first.run_once(0);
    loop_.run_once(5);
    char buffer[4096];
    const ssize_t n = ::recv(fd, buffer, sizeof buffer, MSG_DONTWAIT);
    if (n > 0) got.append(buffer, static_cast<size_t>(n));
  }
  EXPECT_THAT(got, HasSubstr("POST one"));
  EXPECT_THAT(got, HasSubstr("have "));
  EXPECT_EQ(front.stats().connections, 0u);
  EXPECT_EQ(server_->stats().connections, 1u);
  ::close(fd);
  for (int i = 0; i < 20 && server_->stats().connections != 0; ++i) loop_.run_once(5);
}

TEST(MemoryRequest, reads_like_any_other) {
  const auto request = make_memory_request("POST", "/a?b", {{"X-Amz-Target", "T"}}, "body");
  EXPECT_EQ(request->path(), "/a");
  EXPECT_EQ(request->header_or("x-amz-target", ""), "T");
  EXPECT_EQ(request->buffered_body(), "body");
  EXPECT_EQ(request->authority(), "localhost");
}

}  // namespace
}  // namespace virga::net
