#include "sandbox/dns.h"

#include <netinet/in.h>
#include <sys/epoll.h>

#include "base/strings.h"

namespace virga::sandbox {
namespace {

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

DnsResponder::DnsResponder(async::Loop& loop, Fd socket,
                           std::function<void(const std::string&)> on_foreign)
    : loop_(loop), socket_(std::move(socket)), on_foreign_(std::move(on_foreign)) {
  loop_.add_fd(socket_.get(), EPOLLIN, *this);
}

DnsResponder::~DnsResponder() {
  loop_.remove_fd(socket_.get());
}

void DnsResponder::on_events(uint32_t) {
  for (int i = 0; i < 32; ++i) {
    char query[1500];
    sockaddr_in from{};
    socklen_t size = sizeof from;
    const ssize_t got = ::recvfrom(socket_.get(), query, sizeof query, 0,
                                   reinterpret_cast<sockaddr*>(&from), &size);
    if (got < 0) return;
    const std::string foreign = foreign_name({query, static_cast<size_t>(got)});
    if (!foreign.empty() && on_foreign_) on_foreign_(foreign);
    const std::string answer = answer_dns({query, static_cast<size_t>(got)});
    // A full socket buffer loses the answer, as any datagram may be lost.
    if (!answer.empty())
      ::sendto(socket_.get(), answer.data(), answer.size(), 0, reinterpret_cast<sockaddr*>(&from),
               size);
  }
}

}  // namespace virga::sandbox
