// The resolver inside a sandbox (UDP 127.0.0.1:53): the platform's names answer with loopback,
// every other name at once with "no such name", so that nothing ever waits for a time-out; or,
// where functions reach other machines, with what the machine's own resolver says.
#pragma once

#include <netinet/in.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "async/loop.h"
#include "sandbox/fd.h"

namespace virga::sandbox {

// The answer to one query datagram; empty when it deserves none. Source: RFC 1035 §4.1.
std::string answer_dns(std::string_view query);
// The name that the query asks for when it is none of the platform's; empty otherwise.
std::string foreign_name(std::string_view query);

// Where a resolver listens.
struct DnsServer {
  sockaddr_storage address{};
  socklen_t size = 0;
};
// The first one of /etc/resolv.conf; none without such a line.
std::optional<DnsServer> machine_resolver();

class DnsResponder final : public async::FdHandler {
 public:
  // `on_foreign` is told of names outside that get no answer. Those are asked of `upstream` when
  // there is one.
  DnsResponder(async::Loop& loop, Fd socket,
               std::function<void(const std::string&)> on_foreign = {},
               std::optional<DnsServer> upstream = {});
  ~DnsResponder();
  void on_events(uint32_t events) override;

 private:
  class Forwarder;

  async::Loop& loop_;
  Fd socket_;
  const std::function<void(const std::string&)> on_foreign_;
  const std::optional<DnsServer> upstream_;
  std::unique_ptr<Forwarder> forwarder_;  // from the first question on
};

}  // namespace virga::sandbox
