#include "services/iam/ids.h"

#include "base/hashing.h"
#include "base/strings.h"

namespace virga::iam {
namespace {

constexpr std::string_view kBase32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";  // RFC 4648 §6

// The first six of the ten bytes that the 16 characters stand for: a one, the account in 40 bits,
// seven free ones.
constexpr int kAccountShift = 7;
constexpr uint64_t kAccountMask = (uint64_t{1} << 40) - 1;
constexpr uint64_t kTopBit = uint64_t{1} << 47;

}  // namespace

std::string new_unique_id(std::string_view prefix, async::Random& random) {
  std::string id(prefix);
  const std::string bytes = random.bytes(17);
  for (const char b : bytes) id += kBase32[static_cast<unsigned char>(b) % kBase32.size()];
  return id;
}

std::string new_access_key_id(std::string_view prefix, std::string_view account,
                              async::Random& random) {
  const auto number = static_cast<uint64_t>(parse_int(account).value_or(0));
  const uint64_t head =
      kTopBit | ((number & kAccountMask) << kAccountShift) | (random.next() & 0x7f);
  std::string bytes;
  for (int shift = 40; shift >= 0; shift -= 8) bytes += static_cast<char>(head >> shift);
  bytes += random.bytes(4);
  std::string id(prefix);
  uint64_t window = 0;
  int bits = 0;
  for (const char b : bytes) {
    window = (window << 8) | static_cast<unsigned char>(b);
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      id += kBase32[(window >> bits) & 31];
    }
  }
  return id;
}

std::optional<std::string> account_of_access_key(std::string_view id) {
  if (id.size() != 20) return std::nullopt;
  uint64_t head = 0;
  for (const char c :
       id.substr(4, 10)) {  // ten characters hold 50 bits: the six bytes and two bits more
    const size_t digit = kBase32.find(c);
    if (digit == std::string_view::npos) return std::nullopt;
    head = (head << 5) | digit;
  }
  head >>= 2;
  if (!(head & kTopBit)) return std::nullopt;
  std::string account = std::to_string((head >> kAccountShift) & kAccountMask);
  if (account.size() > 12) return std::nullopt;
  return std::string(12 - account.size(), '0') + account;
}

std::string new_secret() {
  return to_base64(secure_random_bytes(30));
}

}  // namespace virga::iam
