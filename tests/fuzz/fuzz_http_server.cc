// The whole server on a socket: whatever a client sends, in whatever parts, the server answers with
// well-formed answers (read by libhttp-parser), one per request the handler saw or one refusal,
// lets go of the connection, and never hangs. Planted fault: VIRGA_PLANT=wrong_length (the
// handler's stream gives less than its size).
#include <http_parser.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>

#include "fuzz.h"
#include "net/http_server.h"

namespace {

using namespace virga;
using namespace virga::net;

class ShortSource final : public async::ByteSource {
 public:
  Task<std::string> read(size_t) override { co_return std::exchange(text_, {}); }
  std::optional<uint64_t> size() const override { return 10; }

 private:
  std::string text_ = "short";
};

class Handler final : public HttpHandler {
 public:
  Task<HttpResponse> handle(HttpRequest& request) override {
    ++handled;
    HttpResponse response;
    response.headers.add("X-Echo", request.query());
    if (fuzz::planted("wrong_length")) {
      response.stream = std::make_unique<ShortSource>();
      co_return std::move(response);
    }
    switch (request.path().size() % 4) {
      case 0:
        response.body = co_await request.read_body(1000);
        break;
      case 1:
        for (;;) {
          const std::string piece = co_await request.read(7);
          if (piece.empty()) break;
          response.body += piece;
        }
        break;
      case 2:
        response.stream = std::make_unique<async::StringSource>("streamed");
        break;
      default:
        response.body = request.buffered_body().value_or("none");
        break;
    }
    co_return std::move(response);
  }
  size_t handled = 0;
};

// Counts complete answers; REQUIREs that nothing else is there.
struct AnswerReader {
  AnswerReader() {
    http_parser_init(&parser, HTTP_RESPONSE);
    parser.data = this;
    http_parser_settings_init(&settings);
    settings.on_message_complete = [](http_parser* p) {
      auto& self = *static_cast<AnswerReader*>(p->data);
      self.in_message = false;
      if (p->status_code >= 200) ++self.answers;
      return 0;
    };
    settings.on_message_begin = [](http_parser* p) {
      static_cast<AnswerReader*>(p->data)->in_message = true;
      return 0;
    };
  }
  void take(const char* bytes, size_t size) {
    const size_t used = http_parser_execute(&parser, &settings, bytes, size);
    REQUIRE(used == size);
    REQUIRE(HTTP_PARSER_ERRNO(&parser) == HPE_OK);
  }
  http_parser parser;
  http_parser_settings settings;
  size_t answers = 0;
  bool in_message = false;
};

struct World {
  async::FakeEnv env;
  async::EpollLoop loop{env.env()};
  Handler handler;
  HttpServer server{
      loop,
      handler,
      {.limits = {.target_bytes_max = 512, .head_bytes_max = 4096, .header_count_max = 32}}};
  sockaddr_un address{};
  socklen_t address_size = 0;

  World() {
    const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    address.sun_family = AF_UNIX;  // abstract: no file
    const int length =
        std::snprintf(address.sun_path + 1, sizeof address.sun_path - 1, "virga-fuzz-%d", getpid());
    address_size =
        static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + static_cast<size_t>(length));
    REQUIRE(::bind(fd, reinterpret_cast<sockaddr*>(&address), address_size) == 0);
    REQUIRE(::listen(fd, 16) == 0);
    server.adopt(fd, {.tag = "fuzz"});
  }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static World* const world = new World;
  World& w = *world;
  fuzz::Input input(data, size);
  const size_t step = size_t{1} << (input.byte() % 12);
  std::string_view bytes = input.rest();
  if (bytes.size() / step > 200) return 0;
  // The tail of a request that would wait for ever tells nothing new: HEAD answers have no body for
  // the reader.
  if (bytes.find("HEAD ") != std::string_view::npos) return 0;

  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  REQUIRE(::connect(fd, reinterpret_cast<sockaddr*>(&w.address), w.address_size) == 0);
  w.loop.run_once(0);
  const size_t handled_before = w.handler.handled;
  const uint64_t refused_before = w.server.stats().refusals;
  AnswerReader reader;
  bool ended = false;
  const auto pump = [&] {
    w.loop.run_once(0);
    char buffer[16384];
    for (ssize_t got; !ended && (got = ::recv(fd, buffer, sizeof buffer, 0)) != -1;) {
      if (got == 0) ended = true;
      reader.take(buffer, static_cast<size_t>(got));
    }
  };
  while (!bytes.empty() && !ended) {
    const std::string_view part = bytes.substr(0, step);
    if (::send(fd, part.data(), part.size(), MSG_NOSIGNAL) < 0) break;
    bytes.remove_prefix(part.size());
    pump();
  }
  for (int i = 0; i < 3; ++i) pump();
  ::shutdown(fd, SHUT_WR);
  for (int i = 0; i < 20 && !ended; ++i) pump();
  for (int i = 0; i < 20 && !ended; ++i) {  // what waits for more bytes ends by its timeout
    w.env.advance_millis(40'000);
    pump();
  }
  REQUIRE(ended);
  REQUIRE(!reader.in_message);
  const size_t handled = w.handler.handled - handled_before;
  const size_t refused = static_cast<size_t>(w.server.stats().refusals - refused_before);
  REQUIRE(refused <= 1);
  REQUIRE(reader.answers <= handled + refused);
  ::close(fd);
  for (int i = 0; i < 10 && w.server.stats().connections != 0; ++i) w.loop.run_once(0);
  REQUIRE(w.server.stats().connections == 0);
  REQUIRE(w.server.stats().in_flight == 0);
  return 0;
}
