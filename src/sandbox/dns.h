// The resolver inside a sandbox (UDP 127.0.0.1:53): the platform's names answer with loopback,
// every other name at once with "no such name", so that nothing ever waits for a time-out.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "async/loop.h"
#include "sandbox/fd.h"

namespace virga::sandbox {

// The answer to one query datagram; empty when it deserves none. Source: RFC 1035 §4.1.
std::string answer_dns(std::string_view query);
// The name that the query asks for when it is none of the platform's; empty otherwise.
std::string foreign_name(std::string_view query);

class DnsResponder final : public async::FdHandler {
 public:
  // `on_foreign` is told of names outside.
  DnsResponder(async::Loop& loop, Fd socket,
               std::function<void(const std::string&)> on_foreign = {});
  ~DnsResponder();
  void on_events(uint32_t events) override;

 private:
  async::Loop& loop_;
  Fd socket_;
  const std::function<void(const std::string&)> on_foreign_;
};

}  // namespace virga::sandbox
