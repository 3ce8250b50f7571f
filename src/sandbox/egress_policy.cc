#include "sandbox/egress_policy.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <string.h>

#include <algorithm>

namespace virga::sandbox {
namespace {

bool contains(const std::vector<in6_addr>& list, const in6_addr& address) {
  return std::any_of(list.begin(), list.end(),
                     [&](const in6_addr& a) { return memcmp(&a, &address, sizeof a) == 0; });
}

// The first `bits` bits of the address are those of `prefix`.
bool begins_with(const in6_addr& address, const char* prefix, int bits) {
  const auto wanted = parse_address(prefix);
  for (int i = 0; i < bits; ++i) {
    const int mask = 0x80 >> (i % 8);
    if ((address.s6_addr[i / 8] & mask) != (wanted->s6_addr[i / 8] & mask)) return false;
  }
  return true;
}

struct Block {
  const char* prefix;
  int bits;
};

// Source: IANA's registries of special-purpose addresses (RFC 6890).
constexpr Block kLoopback[] = {{"127.0.0.0", 104}, {"::1", 128}, {"0.0.0.0", 128}, {"::", 128}};
constexpr Block kRefused[] = {
    {"0.0.0.0", 104},      // this network
    {"169.254.0.0", 112},  // link-local: metadata services of clouds among them
    {"224.0.0.0", 100},    // multicast
    {"240.0.0.0", 100},    // reserved, and broadcast
    {"fe80::", 10},        // link-local
    {"fec0::", 10},        // site-local, deprecated
    {"ff00::", 8},         // multicast
    {"::", 96},            // IPv4-compatible, deprecated
    {"64:ff9b::", 96},     // translated to IPv4 by somebody else (RFC 6052)
    // Metadata services outside of the link-local block: EC2, Google Cloud, Alibaba, Azure.
    {"fd00:ec2::", 32},
    {"fd20:ce::254", 128},
    {"100.100.100.200", 128},
    {"168.63.129.16", 128},
};

template <size_t N>
bool in_blocks(const in6_addr& address, const Block (&blocks)[N]) {
  return std::any_of(blocks, blocks + N, [&](const Block& block) {
    return begins_with(address, block.prefix, block.bits);
  });
}

}  // namespace

in6_addr mapped_address(const in_addr& v4) {
  in6_addr out{};
  out.s6_addr[10] = out.s6_addr[11] = 0xff;
  memcpy(out.s6_addr + 12, &v4, sizeof v4);
  return out;
}

bool is_mapped(const in6_addr& address) {
  return IN6_IS_ADDR_V4MAPPED(&address);
}

std::optional<in6_addr> parse_address(std::string_view text) {
  const std::string owned(text);
  in_addr v4{};
  if (::inet_pton(AF_INET, owned.c_str(), &v4) == 1) return mapped_address(v4);
  in6_addr v6{};
  if (::inet_pton(AF_INET6, owned.c_str(), &v6) == 1) return v6;
  return std::nullopt;
}

std::optional<std::vector<in6_addr>> own_addresses() {
  std::vector<in6_addr> out;
  ifaddrs* all = nullptr;
  if (::getifaddrs(&all) != 0) return std::nullopt;
  for (const ifaddrs* one = all; one != nullptr; one = one->ifa_next) {
    if (one->ifa_addr == nullptr) continue;
    if (one->ifa_addr->sa_family == AF_INET)
      out.push_back(mapped_address(reinterpret_cast<const sockaddr_in*>(one->ifa_addr)->sin_addr));
    if (one->ifa_addr->sa_family == AF_INET6)
      out.push_back(reinterpret_cast<const sockaddr_in6*>(one->ifa_addr)->sin6_addr);
  }
  ::freeifaddrs(all);
  return out;
}

Destination destination_of(const in6_addr& address, const std::vector<in6_addr>& own,
                           const std::vector<in6_addr>& allowed) {
  if (contains(allowed, address)) return Destination::outside;
  if (in_blocks(address, kLoopback)) return Destination::inside;
  if (in_blocks(address, kRefused) || contains(own, address)) return Destination::refused;
  return Destination::outside;
}

}  // namespace virga::sandbox
