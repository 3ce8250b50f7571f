// The HTTP server alone: answers every request with its own body, or with 16 bytes when it has
// none. Prints CPU per request every second.
//   build/bench/http_echo [port] [threads] & wrk -t1 -c64 -d5 http://127.0.0.1:PORT/
#include <signal.h>
#include <sys/resource.h>

#include <cstdio>
#include <cstdlib>
#include <thread>
#include <vector>

#include "net/http_server.h"

namespace {

using namespace virga;

class Echo final : public net::HttpHandler {
 public:
  Task<net::HttpResponse> handle(net::HttpRequest& request) override {
    net::HttpResponse response;
    response.headers.add("Content-Type", "application/x-amz-json-1.0");
    response.headers.add("x-amzn-RequestId",
                         "4KBNVRGD25RG1KEO9UT4V3FQDJVV4KQNSO5AEMVJF66Q9ASUAAJG");
    if (const auto body = request.buffered_body()) {
      response.body = body->empty() ? "{\"hello\":\"you\"}\n" : std::string(*body);
    } else {
      response.body = co_await request.read_body(64 << 20);
    }
    co_return std::move(response);
  }
};

double cpu_seconds() {
  rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
         static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

void serve(int port, bool report) {
  async::EpollLoop loop(async::real_env());
  Echo echo;
  net::HttpServer server(loop, echo);
  const auto bound = server.listen({.host = "127.0.0.1", .port = port});
  if (!bound) {
    std::fprintf(stderr, "%s\n", bound.error().message.c_str());
    std::exit(1);
  }
  double cpu_before = 0;
  uint64_t before = 0;
  async::Callback tick;
  std::function<void()> show = [&] {
    const double cpu = cpu_seconds();
    const uint64_t requests = server.stats().requests;
    if (requests > before) {
      std::printf("%llu requests/s, %.2f us CPU each\n",
                  static_cast<unsigned long long>(requests - before),
                  (cpu - cpu_before) * 1e6 / static_cast<double>(requests - before));
      std::fflush(stdout);
    }
    cpu_before = cpu;
    before = requests;
    loop.add_timer(loop.now().plus_millis(1000), [&] { show(); });
  };
  if (report) loop.post([&] { show(); });
  loop.run();
}

}  // namespace

int main(int argc, char** argv) {
  const int port = argc > 1 ? std::atoi(argv[1]) : 8081;
  const int threads = argc > 2 ? std::atoi(argv[2]) : 1;
  std::vector<std::thread> others;
  for (int i = 1; i < threads; ++i) others.emplace_back(serve, port, false);
  serve(port, true);
}
