#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string.h>

#include "async/loop.h"
#include "sandbox/dns.h"
#include "sandbox/egress_policy.h"
#include "sandbox/fd.h"
#include "sandbox/init.h"

namespace virga::sandbox {
namespace {

Destination judge(const char* address, const std::vector<in6_addr>& allowed = {}) {
  const std::vector<in6_addr> own = {*parse_address("127.0.0.1"), *parse_address("10.1.2.3"),
                                     *parse_address("2001:db8::7")};
  return destination_of(*parse_address(address), own, allowed);
}

TEST(EgressPolicy, loopback_is_the_sandboxs_own) {
  for (const char* address :
       {"127.0.0.1", "127.255.0.9", "::1", "0.0.0.0", "::", "::ffff:127.0.0.1"})
    EXPECT_EQ(judge(address), Destination::inside) << address;
}

TEST(EgressPolicy, other_machines_are_reached) {
  for (const char* address : {"10.1.2.4", "192.168.0.1", "93.184.216.34", "2001:db8::8",
                              "::ffff:10.1.2.4", "100.64.0.1", "128.0.0.1", "fd00::1"})
    EXPECT_EQ(judge(address), Destination::outside) << address;
}

TEST(EgressPolicy, this_machine_its_link_and_nobody_are_refused) {
  for (const char* address :
       {"10.1.2.3", "::ffff:10.1.2.3", "2001:db8::7", "169.254.169.254", "::ffff:169.254.169.254",
        "fe80::1", "fec0::1", "224.0.0.1", "239.1.1.1", "255.255.255.255", "240.0.0.1", "0.0.0.1",
        "ff02::1", "::10.1.2.4", "fd00:ec2::254", "fd20:ce::254", "100.100.100.200",
        "168.63.129.16", "64:ff9b::a9fe:a9fe"})
    EXPECT_EQ(judge(address), Destination::refused) << address;
}

TEST(EgressPolicy, an_allowed_address_is_reached) {
  const std::vector<in6_addr> allowed = {*parse_address("10.1.2.3"), *parse_address("127.0.0.2")};
  EXPECT_EQ(judge("10.1.2.3", allowed), Destination::outside);
  EXPECT_EQ(judge("::ffff:127.0.0.2", allowed), Destination::outside);
  EXPECT_EQ(judge("127.0.0.1", allowed), Destination::inside);
  EXPECT_EQ(judge("2001:db8::7", allowed), Destination::refused);
}

TEST(EgressPolicy, the_machines_addresses_are_found) {
  const auto own = own_addresses();
  ASSERT_TRUE(own);
  EXPECT_THAT(*own, ::testing::Contains(::testing::Truly([](const in6_addr& a) {
    const in6_addr loopback = *parse_address("127.0.0.1");
    return memcmp(&a, &loopback, sizeof a) == 0;
  })));
  EXPECT_FALSE(parse_address("localhost"));
  EXPECT_FALSE(parse_address("10.0.0.0/8"));
}

// A question for a name's address (RFC 1035 section 4.1).
std::string question(const std::string& number, const std::string& name) {
  std::string out = number + std::string("\1\0\0\1\0\0\0\0\0\0", 10);
  size_t at = 0;
  while (at < name.size()) {
    const size_t dot = std::min(name.find('.', at), name.size());
    out += static_cast<char>(dot - at) + name.substr(at, dot - at);
    at = dot + 1;
  }
  return out + std::string("\0\0\1\0\1", 5);
}

sockaddr_in address_of(int fd) {
  sockaddr_in out{};
  socklen_t size = sizeof out;
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&out), &size);
  return out;
}

class ForwardedNames : public ::testing::Test {
 protected:
  ForwardedNames() : loop_(async::real_env()) {
    Fd inside(open_loopback(SOCK_DGRAM, 0));
    upstream_ = Fd(open_loopback(SOCK_DGRAM, 0));
    DnsServer server;
    const sockaddr_in there = address_of(upstream_.get());
    memcpy(&server.address, &there, sizeof there);
    server.size = sizeof there;
    const sockaddr_in here = address_of(inside.get());
    responder_ = std::make_unique<DnsResponder>(loop_, std::move(inside), nullptr, server);
    client_ = Fd(open_loopback(SOCK_DGRAM, 0));
    ::connect(client_.get(), reinterpret_cast<const sockaddr*>(&here), sizeof here);
  }

  void ask(const std::string& query) { ::send(client_.get(), query.data(), query.size(), 0); }
  // Runs the loop until the socket has a datagram.
  std::string next(int fd, sockaddr_in* from = nullptr) {
    char bytes[4096];
    sockaddr_in sender{};
    const auto until = loop_.now().plus_millis(20'000);
    while (loop_.now() < until) {
      socklen_t size = sizeof sender;
      const ssize_t got = ::recvfrom(fd, bytes, sizeof bytes, MSG_DONTWAIT,
                                     reinterpret_cast<sockaddr*>(&sender), &size);
      if (got >= 0) {
        if (from) *from = sender;
        return {bytes, static_cast<size_t>(got)};
      }
      loop_.run_once(10);
    }
    return "nothing";
  }

  async::EpollLoop loop_;
  Fd upstream_, client_;
  std::unique_ptr<DnsResponder> responder_;
};

TEST_F(ForwardedNames, a_name_outside_is_asked_of_the_machines_resolver) {
  ask(question("ab", "example.com"));
  sockaddr_in from{};
  const std::string seen = next(upstream_.get(), &from);
  EXPECT_EQ(seen.substr(2), question("ab", "example.com").substr(2));
  // An answer under a number that nobody asked with is dropped, the right one arrives.
  const std::string answer = "\x81\x80 the answer";
  std::string wrong = seen.substr(0, 2);
  wrong[0] ^= 1;
  for (const std::string& text : {wrong + answer, seen.substr(0, 2) + answer})
    ::sendto(upstream_.get(), text.data(), text.size(), 0, reinterpret_cast<sockaddr*>(&from),
             sizeof from);
  EXPECT_EQ(next(client_.get()), "ab" + answer);
}

TEST_F(ForwardedNames, the_platforms_names_stay_here) {
  ask(question("cd", "s3.localhost.localstack.cloud"));
  const std::string answer = next(client_.get());
  EXPECT_EQ(answer.substr(0, 2), "cd");
  EXPECT_EQ(answer.substr(answer.size() - 4), std::string("\x7f\0\0\1", 4));
}

}  // namespace
}  // namespace virga::sandbox
