// The resolver inside a sandbox (UDP 127.0.0.1:53): the platform's names answer with loopback, every other name at once with
// "no such name", so that nothing ever waits for a time-out.
#pragma once

#include <string>
#include <string_view>

#include "async/loop.h"
#include "sandbox/fd.h"

namespace virga::sandbox {

// The answer to one query datagram; empty when it deserves none. Source: RFC 1035 §4.1.
std::string answer_dns(std::string_view query);

class DnsResponder final : public async::FdHandler {
 public:
  DnsResponder(async::Loop& loop, Fd socket);
  ~DnsResponder();
  void on_events(uint32_t events) override;

 private:
  async::Loop& loop_;
  Fd socket_;
};

}  // namespace virga::sandbox
