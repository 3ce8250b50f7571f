#include "net/http_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include "async/wait.h"
#include "net/http_server.h"
#include "net/test_certificate.h"

namespace virga::net {
namespace {

using testing::HasSubstr;

class Echo final : public HttpHandler {
 public:
  Task<HttpResponse> handle(HttpRequest& request) override {
    ++handled;
    HttpResponse response;
    if (request.path() == "/wait") co_await release.wait();
    if (request.path() == "/stream") {
      response.stream = std::make_unique<async::StringSource>(std::string(300'000, 's'));
      co_return std::move(response);
    }
    std::string body = co_await request.read_body(1 << 20);
    response.status = 201;
    response.headers.add("X-Method", request.method());
    response.headers.add("X-Secure", request.secure() ? "yes" : "no");
    response.headers.add("X-Host", request.authority());
    response.headers.add("X-Given", request.header_or("x-given", "none"));
    response.body = std::string(request.target()) + "|" + body;
    response.close = request.path() == "/close";
    co_return std::move(response);
  }
  int handled = 0;
  async::Event release;
};

class HttpClientTest : public testing::Test {
 protected:
  void SetUp() override {
    port_ = *server_.listen({.host = "127.0.0.1"});
    const TestCertificate made = make_test_certificate();
    tls_port_ = *server_.listen(
        {.host = "127.0.0.1", .tls = *TlsContext::server(made.certificate_pem, made.key_pem)});
    options_.tls = *TlsContext::client(made.certificate_pem);
    client_ = std::make_unique<HttpClient>(loop_, *pool_, options_);
  }
  void TearDown() override {
    client_.reset();
    handler_.release.set();
    server_.abort();
    for (int i = 0; i < 200 && server_.stats().connections != 0; ++i) loop_.run_once(5);
  }
  Result<HttpClientResponse> send(HttpClientRequest request) {
    std::optional<Result<HttpClientResponse>> got;
    loop_.post([&] { start(client_.get(), std::move(request), &got); });
    for (int i = 0; i < 2000 && !got; ++i) loop_.run_once(5);
    CHECK(got.has_value());
    return std::move(*got);
  }
  static async::Detached start(HttpClient* client, HttpClientRequest request,
                               std::optional<Result<HttpClientResponse>>* out) {
    auto got = co_await as_result(client->send(std::move(request)));
    out->emplace(std::move(got));
  }
  std::string url(std::string_view path, bool https = false) const {
    return std::string(https ? "https" : "http") +
           "://127.0.0.1:" + std::to_string(https ? tls_port_ : port_) + std::string(path);
  }

  async::EpollLoop loop_{async::real_env()};
  std::unique_ptr<async::Pool> pool_ = async::make_thread_pool(1);
  Echo handler_;
  HttpServer server_{loop_, handler_};
  HttpClientOptions options_;
  std::unique_ptr<HttpClient> client_;
  int port_ = 0;
  int tls_port_ = 0;
};

TEST_F(HttpClientTest, sends_method_headers_and_body) {
  const auto got = send({.method = "PUT",
                         .url = url("/a?b=c"),
                         .headers = {{"X-Given", "g"}, {"Host", "evil"}, {"Content-Length", "9"}},
                         .body = "hello"});
  ASSERT_TRUE(got) << got.error().message;
  EXPECT_EQ(got->status, 201);
  EXPECT_EQ(got->body, "/a?b=c|hello");
  EXPECT_EQ(*got->find("x-method"), "PUT");
  EXPECT_EQ(*got->find("x-given"), "g");
  EXPECT_EQ(*got->find("x-host"), "127.0.0.1:" + std::to_string(port_));
}

TEST_F(HttpClientTest, keeps_connections_and_gives_them_up_when_told) {
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(send({.url = url("/a")}));
  EXPECT_EQ(server_.stats().connections_accepted, 1u);
  EXPECT_EQ(client_->idle_connections(), 1u);
  ASSERT_TRUE(send({.url = url("/close")}));
  EXPECT_EQ(client_->idle_connections(), 0u);
}

TEST_F(HttpClientTest, a_kept_connection_that_died_is_replaced) {
  ASSERT_TRUE(send({.url = url("/a")}));
  server_.abort();
  for (int i = 0; i < 50 && server_.stats().connections != 0; ++i) loop_.run_once(5);
  HttpServer again(loop_, handler_);
  ASSERT_TRUE(again.listen({.host = "127.0.0.1", .port = port_}));
  const auto got = send({.url = url("/a")});
  EXPECT_TRUE(got) << got.error().message;
  again.abort();
  for (int i = 0; i < 50 && again.stats().connections != 0; ++i) loop_.run_once(5);
}

TEST_F(HttpClientTest, speaks_https_and_resolves_names) {
  const auto by_ip = send({.url = url("/secure", true)});
  ASSERT_TRUE(by_ip) << by_ip.error().message;
  EXPECT_EQ(by_ip->body, "/secure|");
  EXPECT_EQ(*by_ip->find("x-secure"), "yes");
  const auto large = send({.url = url("/stream", true)});
  ASSERT_TRUE(large) << large.error().message;
  EXPECT_EQ(large->body.size(), 300'000u);
  EXPECT_EQ(server_.stats().connections_accepted, 1u);
  const auto posted =
      send({.method = "POST", .url = url("/p", true), .body = std::string(500'000, 'p')});
  ASSERT_TRUE(posted) << posted.error().message;
  EXPECT_EQ(posted->body.size(), 500'003u);
  const auto by_name = send({.url = "http://localhost:" + std::to_string(port_) + "/n"});
  ASSERT_TRUE(by_name) << by_name.error().message;
  EXPECT_EQ(*by_name->find("x-host"), "localhost:" + std::to_string(port_));
}

TEST_F(HttpClientTest, a_port_with_a_certificate_speaks_plain_http_too) {
  const auto plain = send({.url = "http://127.0.0.1:" + std::to_string(tls_port_) + "/plain"});
  ASSERT_TRUE(plain) << plain.error().message;
  EXPECT_EQ(*plain->find("x-secure"), "no");
}

TEST_F(HttpClientTest, refuses_a_certificate_it_cannot_verify) {
  options_.tls = *TlsContext::client();
  client_ = std::make_unique<HttpClient>(loop_, *pool_, options_);
  EXPECT_EQ(send({.url = url("/secure", true)}).error().code, "TlsFailed");
  options_.tls = nullptr;  // the same, made when it is needed
  client_ = std::make_unique<HttpClient>(loop_, *pool_, options_);
  EXPECT_EQ(send({.url = url("/secure", true)}).error().code, "TlsFailed");
}

TEST_F(HttpClientTest, gives_up_at_the_deadline) {
  const auto got = send({.url = url("/wait"), .timeout_ms = 20});
  EXPECT_EQ(got.error().code, "RequestTimeout");
  EXPECT_EQ(got.error().http_status, 504);
}

TEST_F(HttpClientTest, reports_refused_connections_names_and_addresses) {
  EXPECT_EQ(send({.url = "http://127.0.0.1:1/"}).error().code, "ConnectFailed");
  EXPECT_EQ(send({.url = "ftp://127.0.0.1/"}).error().code, "InvalidUrl");
  EXPECT_EQ(send({.url = "http://user@127.0.0.1/"}).error().code, "InvalidUrl");
  options_.allow = [](const SocketAddress& to) { return !is_internal_address(to.host); };
  client_ = std::make_unique<HttpClient>(loop_, *pool_, options_);
  EXPECT_EQ(send({.url = url("/a")}).error().code, "AddressNotAllowed");
  EXPECT_EQ(send({.url = "http://localhost:" + std::to_string(port_) + "/"}).error().code,
            "AddressNotAllowed");
}

TEST_F(HttpClientTest, limits_the_answers_size) {
  EXPECT_EQ(send({.url = url("/stream"), .body_bytes_max = 1000}).error().code, "ResponseTooLarge");
}

// A server that sends what it is told, then closes.
std::string raw_answer_code(std::string_view bytes) {
  async::EpollLoop loop(async::real_env());
  const auto pool = async::make_loop_pool(loop);
  const int listener = *open_listener("127.0.0.1", 0);
  HttpClient client(loop, *pool);
  std::optional<Result<HttpClientResponse>> got;
  HttpClientRequest request{
      .url = "http://127.0.0.1:" + std::to_string(local_address(listener).port) + "/"};
  loop.post([&] {
    [](HttpClient* c, HttpClientRequest r,
       std::optional<Result<HttpClientResponse>>* out) -> async::Detached {
      auto answer = co_await as_result(c->send(std::move(r)));
      out->emplace(std::move(answer));
    }(&client, std::move(request), &got);
  });
  int accepted = -1;
  for (int i = 0; i < 1000 && !got; ++i) {
    loop.run_once(2);
    if (accepted < 0) {
      accepted = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
      if (accepted < 0) continue;
      EXPECT_EQ(::send(accepted, bytes.data(), bytes.size(), MSG_NOSIGNAL),
                static_cast<ssize_t>(bytes.size()));
      ::shutdown(accepted, SHUT_WR);
    }
  }
  ::close(accepted);
  ::close(listener);
  CHECK(got.has_value());
  return *got ? std::to_string((*got)->status) + (*got)->body : got->error().code;
}

TEST(HttpClientAnswers, reads_every_framing) {
  EXPECT_EQ(raw_answer_code("HTTP/1.1 200 OK\r\n\r\nto the end"), "200to the end");
  EXPECT_EQ(raw_answer_code("HTTP/1.0 404\r\nContent-Length: 2\r\n\r\nno"), "404no");
  EXPECT_EQ(raw_answer_code("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: "
                            "chunked\r\n\r\n1\r\na\r\n0\r\n\r\n"),
            "200a");
  EXPECT_EQ(raw_answer_code("HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n"), "204");
}

TEST(HttpClientAnswers, refuses_malformed_and_cut_answers) {
  EXPECT_EQ(raw_answer_code("SSH-2.0-OpenSSH\r\n\r\n"), "ResponseMalformed");
  EXPECT_EQ(raw_answer_code("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab"),
            "ResponseMalformed");
  EXPECT_EQ(
      raw_answer_code(
          "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
      "ResponseMalformed");
  EXPECT_EQ(raw_answer_code("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n"),
            "ResponseMalformed");
  EXPECT_EQ(raw_answer_code("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab"), "ConnectFailed");
  EXPECT_EQ(raw_answer_code("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab"),
            "ConnectFailed");
  EXPECT_EQ(raw_answer_code("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"),
            "ResponseMalformed");
  EXPECT_EQ(raw_answer_code(""), "ConnectFailed");
}

TEST(HttpUrl, takes_urls_apart) {
  const auto v6 = parse_http_url("https://[::1]:8443?q");
  ASSERT_TRUE(v6);
  EXPECT_EQ(v6->host, "::1");
  EXPECT_EQ(v6->port, 8443);
  EXPECT_EQ(v6->target, "/?q");
  EXPECT_EQ(parse_http_url("http://h/a#frag")->target, "/a");
  EXPECT_EQ(parse_http_url("https://h")->port, 443);
  for (const char* bad :
       {"h/a", "http://", "http://h:0/", "http://h:x/", "http://h/a b", "http://[::1/"}) {
    EXPECT_FALSE(parse_http_url(bad)) << bad;
  }
}

TEST(InternalAddress, knows_what_is_not_the_internet) {
  for (const char* inside :
       {"127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "0.0.0.0", "::1",
        "::", "fe80::1", "fd00::1", "::ffff:127.0.0.1", "224.0.0.1", "100.64.0.1", "junk"}) {
    EXPECT_TRUE(is_internal_address(inside)) << inside;
  }
  for (const char* outside : {"8.8.8.8", "172.32.0.1", "2001:db8::1", "::ffff:8.8.8.8"}) {
    EXPECT_FALSE(is_internal_address(outside)) << outside;
  }
}

}  // namespace
}  // namespace virga::net
