// A closed-loop HTTP/1.1 load generator: replays prepared requests over keep-alive connections and
// prints rates and latencies as one JSON object. Requests are prepared (signed) ahead, so that
// their cost is not in the measurement.
//
//   load HOST PORT REQUESTS_FILE CONNECTIONS SECONDS [cycle]
//
// REQUESTS_FILE: for each request a little-endian u32 length and the bytes. Exit code 1 when an
// answer was not 2xx. cycle: every connection sends all requests in turn, with the last answer's
// receipt handle in the place of a run of '@' of the same length (send, receive, delete).
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "base/strings.h"

namespace {

int64_t now_ns() {
  timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1'000'000'000 + t.tv_nsec;
}

struct Connection {
  int fd = -1;
  int64_t sent_at = 0;
  std::string in;
  size_t next = 0;
  std::string receipt;
};

constexpr std::string_view kReceiptKey = "\"ReceiptHandle\":\"";

std::string receipt_in(std::string_view answer) {
  const auto begin = answer.find(kReceiptKey);
  if (begin == std::string_view::npos) return {};
  answer.remove_prefix(begin + kReceiptKey.size());
  return std::string(answer.substr(0, answer.find('"')));
}

void put_receipt(std::string& request, const std::string& receipt) {
  const auto at =
      receipt.empty() ? std::string::npos : request.find(std::string(receipt.size(), '@'));
  if (at != std::string::npos) request.replace(at, receipt.size(), receipt);
}

// Bytes of the first complete answer in `in`, 0 when there is none yet.
size_t complete_answer(std::string_view in, int& status) {
  const auto end = in.find("\r\n\r\n");
  if (end == std::string_view::npos) return 0;
  status = std::atoi(in.data() + 9);
  std::string_view head = in.substr(0, end + 2);
  size_t length = 0;
  for (size_t at = 0; at < head.size();) {
    const auto line_end = head.find("\r\n", at);
    const auto line = head.substr(at, line_end - at);
    const auto colon = line.find(':');
    if (colon != std::string_view::npos &&
        virga::iequals(line.substr(0, colon), "content-length")) {
      length =
          static_cast<size_t>(virga::parse_int(virga::trim(line.substr(colon + 1))).value_or(0));
    }
    at = line_end + 2;
  }
  const size_t total = end + 4 + length;
  return in.size() >= total ? total : 0;
}

std::vector<std::string> read_requests(const char* path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  const std::string bytes = text.str();
  std::vector<std::string> out;
  for (size_t at = 0; at + 4 <= bytes.size();) {
    uint32_t length;
    memcpy(&length, bytes.data() + at, 4);
    out.push_back(bytes.substr(at + 4, length));
    at += 4 + length;
  }
  CHECK(!out.empty());
  return out;
}

int connect_to(const char* host, int port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  CHECK(::inet_pton(AF_INET, host, &address.sin_addr) == 1);
  CHECK(::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  const int one = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  return fd;
}

}  // namespace

int main(int argc, char** argv) {
  CHECK(argc == 6 || (argc == 7 && std::string_view(argv[6]) == "cycle"));
  const bool cycle = argc == 7;
  const auto requests = read_requests(argv[3]);
  const int count = std::atoi(argv[4]);
  const int64_t deadline = now_ns() + static_cast<int64_t>(std::atof(argv[5]) * 1e9);
  const int epoll_fd = ::epoll_create1(EPOLL_CLOEXEC);
  std::vector<Connection> connections(static_cast<size_t>(count));
  size_t next = 0;
  const auto send_next = [&](Connection& c) {
    std::string cycled;
    if (cycle) {
      cycled = requests[c.next++ % requests.size()];
      put_receipt(cycled, c.receipt);
    }
    const std::string& request = cycle ? cycled : requests[next++ % requests.size()];
    c.sent_at = now_ns();
    for (size_t at = 0; at < request.size();) {
      const ssize_t n = ::send(c.fd, request.data() + at, request.size() - at, MSG_NOSIGNAL);
      CHECK(n > 0);
      at += static_cast<size_t>(n);
    }
  };
  for (auto& c : connections) {
    c.fd = connect_to(argv[1], std::atoi(argv[2]));
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.ptr = &c;
    CHECK(::epoll_ctl(epoll_fd, EPOLL_CTL_ADD, c.fd, &event) == 0);
  }
  const int64_t begin = now_ns();
  for (auto& c : connections) send_next(c);
  std::vector<uint32_t> latencies_us;
  latencies_us.reserve(1 << 20);
  uint64_t refused = 0;
  std::string first_refusal;
  int64_t now = begin;
  while (now < deadline) {
    epoll_event events[256];
    const int n = ::epoll_wait(epoll_fd, events, 256, 1000);
    for (int i = 0; i < n; ++i) {
      auto& c = *static_cast<Connection*>(events[i].data.ptr);
      char buffer[65536];
      const ssize_t got = ::recv(c.fd, buffer, sizeof buffer, MSG_DONTWAIT);
      CHECK(got > 0);
      c.in.append(buffer, static_cast<size_t>(got));
      int status = 0;
      const size_t bytes = complete_answer(c.in, status);
      if (bytes == 0) continue;
      now = now_ns();
      latencies_us.push_back(static_cast<uint32_t>((now - c.sent_at) / 1000));
      if (status / 100 != 2) {
        if (refused++ == 0) first_refusal = c.in.substr(0, bytes);
      }
      if (cycle) c.receipt = receipt_in(std::string_view(c.in).substr(0, bytes));
      c.in.erase(0, bytes);
      send_next(c);
    }
    now = now_ns();
  }
  const double seconds = static_cast<double>(now - begin) / 1e9;
  std::sort(latencies_us.begin(), latencies_us.end());
  const auto quantile = [&](double q) {
    return latencies_us.empty() ? 0
                                : latencies_us[static_cast<size_t>(
                                      q * static_cast<double>(latencies_us.size() - 1))];
  };
  std::printf(
      "{\"requests\": %zu, \"seconds\": %.3f, \"per_second\": %.0f, \"p50_us\": %u, \"p99_us\": "
      "%u, \"refused\": %lu}\n",
      latencies_us.size(), seconds, static_cast<double>(latencies_us.size()) / seconds,
      quantile(0.5), quantile(0.99), static_cast<unsigned long>(refused));
  if (refused) std::fprintf(stderr, "%s\n", first_refusal.c_str());
  return refused ? 1 : 0;
}
