// An HTTP/1.1 load generator: replays prepared requests over keep-alive connections and prints
// rates and latencies as one JSON object. Requests are prepared (signed) ahead, so that their cost
// is not in the measurement.
//
//   load HOST PORT REQUESTS_FILE CONNECTIONS SECONDS [option...]
//
// REQUESTS_FILE: for each request a little-endian u32 length and the bytes. Exit code 1 when an
// answer was not 2xx. Options:
//   cycle     every connection sends all requests in turn, with the last answer's receipt handle in
//             the place of a run of '@' of the same length (send, receive, delete)
//   rate=R    R requests a second in all instead of as many as go; latencies count from the moment
//             when a request was due
//   number=N  ten '#' in a request become the next number from 0 on; ends after N numbers
//   random=N  ten '#' in a request become some number below N
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
#include <random>
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

struct Options {
  bool cycle = false;
  double rate = 0;
  uint64_t number = 0;
  uint64_t random = 0;
};

Options read_options(int argc, char** argv) {
  Options out;
  for (int i = 6; i < argc; ++i) {
    const std::string_view word = argv[i];
    const auto value = [&](std::string_view name) {
      return word.starts_with(name) ? virga::parse_int(word.substr(name.size())) : std::nullopt;
    };
    if (word == "cycle") {
      out.cycle = true;
    } else if (const auto rate = value("rate=")) {
      out.rate = static_cast<double>(*rate);
    } else if (const auto number = value("number=")) {
      out.number = static_cast<uint64_t>(*number);
    } else if (const auto random = value("random=")) {
      out.random = static_cast<uint64_t>(*random);
    } else {
      CHECK(!"an unknown option");
    }
  }
  return out;
}

constexpr std::string_view kNumberPlace = "##########";

class Load {
 public:
  Load(char** argv, Options options)
      : options_(options),
        requests_(read_requests(argv[3])),
        connections_(static_cast<size_t>(std::atoi(argv[4]))),
        seconds_(std::atof(argv[5])),
        epoll_fd_(::epoll_create1(EPOLL_CLOEXEC)) {
    for (auto& c : connections_) {
      c.fd = connect_to(argv[1], std::atoi(argv[2]));
      epoll_event event{};
      event.events = EPOLLIN;
      event.data.ptr = &c;
      CHECK(::epoll_ctl(epoll_fd_, EPOLL_CTL_ADD, c.fd, &event) == 0);
    }
    latencies_us_.reserve(1 << 20);
  }

  int run() {
    const int64_t begin = now_ns();
    const int64_t deadline = begin + static_cast<int64_t>(seconds_ * 1e9);
    next_due_ = begin;
    for (auto& c : connections_) send_or_wait(c);
    int64_t now = begin;
    while (now < deadline && (busy_ > 0 || !resting_.empty())) {
      epoll_event events[256];
      const int n = ::epoll_pwait2(epoll_fd_, events, 256, patience(now), nullptr);
      for (int i = 0; i < n; ++i) receive(*static_cast<Connection*>(events[i].data.ptr));
      now = now_ns();
      while (!resting_.empty() && next_due_ <= now) {
        Connection& c = *resting_.back();
        resting_.pop_back();
        send_or_wait(c);
      }
    }
    return report(static_cast<double>(now - begin) / 1e9);
  }

 private:
  // Until the next request is due; a second at most.
  const timespec* patience(int64_t now) {
    int64_t ns = 1'000'000'000;
    if (!resting_.empty()) ns = std::clamp<int64_t>(next_due_ - now, 0, ns);
    wait_ = {.tv_sec = ns / 1'000'000'000, .tv_nsec = ns % 1'000'000'000};
    return &wait_;
  }

  void send_or_wait(Connection& c) {
    if (options_.number != 0 && numbered_ >= options_.number) return;  // all is sent
    if (options_.rate == 0) return send_next(c, now_ns());
    if (next_due_ > now_ns()) {
      resting_.push_back(&c);
      return;
    }
    const int64_t due = next_due_;
    next_due_ += static_cast<int64_t>(1e9 / options_.rate);
    send_next(c, due);
  }

  void send_next(Connection& c, int64_t since) {
    ++busy_;
    const size_t which = options_.cycle ? c.next++ : next_++;
    const std::string* request = &requests_[which % requests_.size()];
    if (options_.cycle || options_.number != 0 || options_.random != 0) {
      edited_ = *request;
      if (options_.cycle) put_receipt(edited_, c.receipt);
      put_numbers(edited_);
      request = &edited_;
    }
    c.sent_at = since;
    for (size_t at = 0; at < request->size();) {
      const ssize_t n = ::send(c.fd, request->data() + at, request->size() - at, MSG_NOSIGNAL);
      CHECK(n > 0);
      at += static_cast<size_t>(n);
    }
  }

  void put_numbers(std::string& request) {
    if (options_.number == 0 && options_.random == 0) return;
    size_t at = 0;
    while ((at = request.find(kNumberPlace, at)) != std::string::npos) {
      uint64_t n = numbered_++;
      if (options_.random != 0) n = random_() % options_.random;
      for (size_t i = kNumberPlace.size(); i-- > 0; n /= 10)
        request[at + i] = static_cast<char>('0' + n % 10);
      at += kNumberPlace.size();
    }
  }

  void receive(Connection& c) {
    const ssize_t got = ::recv(c.fd, buffer_, sizeof buffer_, MSG_DONTWAIT);
    CHECK(got > 0);
    c.in.append(buffer_, static_cast<size_t>(got));
    int status = 0;
    const size_t bytes = complete_answer(c.in, status);
    if (bytes == 0) return;
    --busy_;
    latencies_us_.push_back(static_cast<uint32_t>((now_ns() - c.sent_at) / 1000));
    if (status / 100 != 2 && refused_++ == 0) first_refusal_ = c.in.substr(0, bytes);
    if (options_.cycle) c.receipt = receipt_in(std::string_view(c.in).substr(0, bytes));
    c.in.erase(0, bytes);
    send_or_wait(c);
  }

  int report(double seconds) {
    std::sort(latencies_us_.begin(), latencies_us_.end());
    const auto quantile = [&](double q) {
      return latencies_us_.empty() ? 0
                                   : latencies_us_[static_cast<size_t>(
                                         q * static_cast<double>(latencies_us_.size() - 1))];
    };
    std::printf(
        "{\"requests\": %zu, \"seconds\": %.3f, \"per_second\": %.0f, \"p50_us\": %u, \"p99_us\": "
        "%u, \"refused\": %lu}\n",
        latencies_us_.size(), seconds, static_cast<double>(latencies_us_.size()) / seconds,
        quantile(0.5), quantile(0.99), static_cast<unsigned long>(refused_));
    if (refused_) std::fprintf(stderr, "%s\n", first_refusal_.c_str());
    return refused_ ? 1 : 0;
  }

  const Options options_;
  const std::vector<std::string> requests_;
  std::vector<Connection> connections_;
  const double seconds_;
  const int epoll_fd_;
  std::vector<Connection*> resting_;  // without a request: none is due
  size_t busy_ = 0;
  size_t next_ = 0;
  int64_t next_due_ = 0;
  uint64_t numbered_ = 0;
  std::minstd_rand random_{1};
  timespec wait_{};
  std::string edited_;
  char buffer_[65536];
  std::vector<uint32_t> latencies_us_;
  uint64_t refused_ = 0;
  std::string first_refusal_;
};

}  // namespace

int main(int argc, char** argv) {
  CHECK(argc >= 6);
  Load load(argv, read_options(argc, argv));
  return load.run();
}
