#include "sandbox/dns.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/epoll.h>

#include <fstream>
#include <map>
#include <sstream>
#include <utility>

#include "base/hashing.h"
#include "base/strings.h"

namespace virga::sandbox {
namespace {

constexpr uint16_t kDnsPort = 53;
constexpr size_t kDatagramMax = 4096;  // what resolvers offer with EDNS at most
constexpr size_t kHead = 12;
constexpr size_t kNameMax = 255;  // RFC 1035 §2.3.4
constexpr uint16_t kTypeA = 1, kTypeAaaa = 28, kClassIn = 1;

uint16_t read16(std::string_view bytes, size_t at) {
  return static_cast<uint16_t>(static_cast<unsigned char>(bytes[at]) << 8 |
                               static_cast<unsigned char>(bytes[at + 1]));
}

// The first question's name in lower case, dots between labels; `*end` is behind it. False when
// malformed.
bool read_name(std::string_view query, std::string* name, size_t* end) {
  size_t at = kHead;
  while (at < query.size()) {
    const size_t length = static_cast<unsigned char>(query[at++]);
    if (length == 0) {
      *end = at;
      return true;
    }
    if (length > 63 || at + length > query.size() || name->size() + length > kNameMax)
      return false;  // no compression here
    if (!name->empty()) *name += '.';
    *name += to_lower(query.substr(at, length));
    at += length;
  }
  return false;
}

bool is_platform(std::string_view name) {
  for (const std::string_view own :
       {"localhost", "localhost.localstack.cloud", "host.docker.internal", "sandbox"}) {
    if (name == own) return true;
    if (name.size() > own.size() && name.ends_with(own) &&
        name[name.size() - own.size() - 1] == '.')
      return true;
  }
  return name == "sandbox.localdomain";
}

}  // namespace

std::string answer_dns(std::string_view query) {
  if (query.size() < kHead + 5 || (query[2] & 0x80) != 0 || read16(query, 4) != 1) return {};
  std::string name;
  size_t end = 0;
  if (!read_name(query, &name, &end) || end + 4 > query.size()) return {};
  const uint16_t type = read16(query, end), cls = read16(query, end + 2);
  const bool ours = is_platform(name) && cls == kClassIn;
  std::string address;
  if (ours && type == kTypeA) address.assign("\x7f\0\0\1", 4);
  if (ours && type == kTypeAaaa) address = std::string(15, '\0') + '\1';

  std::string out(query.substr(0, 2));
  out += static_cast<char>(0x84 | (query[2] & 0x01));  // answer, authoritative, recursion as asked
  out += static_cast<char>(0x80 | (ours ? 0 : 3));     // recursion available; 3: no such name
  out.append({'\0', '\1', '\0', address.empty() ? '\0' : '\1', '\0', '\0', '\0', '\0'});
  out += query.substr(kHead, end + 4 - kHead);
  if (!address.empty()) {
    out.append("\xc0\x0c", 2);  // the name above
    out += query.substr(end, 4);
    out.append({'\0', '\0', '\0', '\x3c', '\0', static_cast<char>(address.size())});
    out += address;
  }
  return out;
}

std::string foreign_name(std::string_view query) {
  std::string name;
  size_t end = 0;
  if (query.size() < kHead + 5 || (query[2] & 0x80) != 0 || !read_name(query, &name, &end))
    return {};
  for (const char c : name) {
    if (c < '!' || c > '~') return {};
  }
  return is_platform(name) ? std::string() : name;
}

std::optional<DnsServer> machine_resolver() {
  std::ifstream file("/etc/resolv.conf");
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string key, value;
    if (!(words >> key >> value) || key != "nameserver") continue;
    DnsServer out;
    auto* v4 = reinterpret_cast<sockaddr_in*>(&out.address);
    auto* v6 = reinterpret_cast<sockaddr_in6*>(&out.address);
    if (::inet_pton(AF_INET, value.c_str(), &v4->sin_addr) == 1) {
      v4->sin_family = AF_INET;
      v4->sin_port = htons(kDnsPort);
      out.size = sizeof *v4;
      return out;
    }
    if (::inet_pton(AF_INET6, value.c_str(), &v6->sin6_addr) == 1) {
      v6->sin6_family = AF_INET6;
      v6->sin6_port = htons(kDnsPort);
      out.size = sizeof *v6;
      return out;
    }
  }
  return std::nullopt;
}

// Asks another resolver under numbers of our own. What it does not answer is asked again by
// whoever asked.
class DnsResponder::Forwarder final : public async::FdHandler {
 public:
  Forwarder(async::Loop& loop, int inside, const DnsServer& server)
      : loop_(loop),
        inside_(inside),
        socket_(::socket(server.address.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) {
    if (::connect(socket_.get(), reinterpret_cast<const sockaddr*>(&server.address), server.size) !=
        0)
      socket_ = Fd();
    if (socket_.get() >= 0) loop_.add_fd(socket_.get(), EPOLLIN, *this);
  }
  ~Forwarder() {
    if (socket_.get() >= 0) loop_.remove_fd(socket_.get());
  }

  void ask(std::string query, const sockaddr_in& from) {
    if (questions_.size() >= kQuestionsMax) questions_.clear();
    const std::string number = secure_random_bytes(2);
    questions_[number] = {query.substr(0, 2), from};
    query.replace(0, 2, number);
    ::send(socket_.get(), query.data(), query.size(), MSG_NOSIGNAL);
  }

  void on_events(uint32_t) override {
    for (int i = 0; i < 32; ++i) {
      char bytes[kDatagramMax];
      const ssize_t got = ::recv(socket_.get(), bytes, sizeof bytes, 0);
      if (got < 0) return;
      std::string answer(bytes, static_cast<size_t>(got));
      const auto found = questions_.find(answer.substr(0, 2));
      if (got < static_cast<ssize_t>(kHead) || found == questions_.end()) continue;
      answer.replace(0, 2, found->second.number);
      ::sendto(inside_, answer.data(), answer.size(), 0,
               reinterpret_cast<const sockaddr*>(&found->second.from), sizeof(sockaddr_in));
      questions_.erase(found);
    }
  }

 private:
  static constexpr size_t kQuestionsMax = 256;
  struct Question {
    std::string number;  // the function's own
    sockaddr_in from;
  };

  async::Loop& loop_;
  const int inside_;
  Fd socket_;
  std::map<std::string, Question> questions_;  // by our number
};

DnsResponder::DnsResponder(async::Loop& loop, Fd socket,
                           std::function<void(const std::string&)> on_foreign,
                           std::optional<DnsServer> upstream)
    : loop_(loop),
      socket_(std::move(socket)),
      on_foreign_(std::move(on_foreign)),
      upstream_(std::move(upstream)) {
  loop_.add_fd(socket_.get(), EPOLLIN, *this);
}

DnsResponder::~DnsResponder() {
  loop_.remove_fd(socket_.get());
}

void DnsResponder::on_events(uint32_t) {
  for (int i = 0; i < 32; ++i) {
    char query[kDatagramMax];
    sockaddr_in from{};
    socklen_t size = sizeof from;
    const ssize_t got = ::recvfrom(socket_.get(), query, sizeof query, 0,
                                   reinterpret_cast<sockaddr*>(&from), &size);
    if (got < 0) return;
    const std::string foreign = foreign_name({query, static_cast<size_t>(got)});
    if (!foreign.empty() && upstream_) {
      if (!forwarder_) forwarder_ = std::make_unique<Forwarder>(loop_, socket_.get(), *upstream_);
      forwarder_->ask({query, static_cast<size_t>(got)}, from);
      continue;
    }
    if (!foreign.empty() && on_foreign_) on_foreign_(foreign);
    const std::string answer = answer_dns({query, static_cast<size_t>(got)});
    // A full socket buffer loses the answer, as any datagram may be lost.
    if (!answer.empty())
      ::sendto(socket_.get(), answer.data(), answer.size(), 0, reinterpret_cast<sockaddr*>(&from),
               size);
  }
}

}  // namespace virga::sandbox
