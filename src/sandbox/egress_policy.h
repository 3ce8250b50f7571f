// Where connections that functions open may lead with --function-network egress.
#pragma once

#include <netinet/in.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace virga::sandbox {

// IPv4 addresses stand as ::ffff:a.b.c.d throughout (RFC 4291 section 2.5.5.2).
std::optional<in6_addr> parse_address(std::string_view text);
in6_addr mapped_address(const in_addr& v4);
bool is_mapped(const in6_addr& address);

// Those of this machine's interfaces; nullopt when they cannot be known.
std::optional<std::vector<in6_addr>> own_addresses();

enum class Destination {
  inside,   // loopback: the sandbox's own
  outside,  // another machine
  refused,  // this machine, its link, or nobody
};

// `own`: addresses of this machine; `allowed`: those that functions may reach all the same.
Destination destination_of(const in6_addr& address, const std::vector<in6_addr>& own,
                           const std::vector<in6_addr>& allowed);

}  // namespace virga::sandbox
