#include "services/iam/totp.h"

#include "base/hashing.h"

namespace virga::iam {
namespace {

constexpr int64_t kStepSeconds = 30;
// How far a device's clock may be off when its codes are shown the first time.
constexpr int64_t kDriftSteps = 20;

std::string hmac_sha1(std::string_view key, std::string_view bytes) {
  static constexpr size_t kBlockBytes = 64;
  std::string padded(key.size() > kBlockBytes ? sha1(key) : std::string(key));
  padded.resize(kBlockBytes, '\0');
  std::string inner, outer;
  for (const char c : padded) {
    inner += static_cast<char>(c ^ 0x36);
    outer += static_cast<char>(c ^ 0x5c);
  }
  return sha1(outer + sha1(inner + std::string(bytes)));
}

}  // namespace

std::string to_base32(std::string_view bytes) {
  static constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  std::string out;
  uint32_t window = 0;
  int bits = 0;
  for (const char b : bytes) {
    window = (window << 8) | static_cast<unsigned char>(b);
    for (bits += 8; bits >= 5; bits -= 5) out += kDigits[(window >> (bits - 5)) & 31];
  }
  if (bits > 0) out += kDigits[(window << (5 - bits)) & 31];
  return out;
}

std::string totp_code(std::string_view secret, int64_t step) {
  std::string counter;
  for (int shift = 56; shift >= 0; shift -= 8) counter += static_cast<char>(step >> shift);
  const std::string mac = hmac_sha1(secret, counter);
  const size_t at = static_cast<unsigned char>(mac[19]) & 15;
  uint32_t number = 0;
  for (size_t i = 0; i < 4; ++i) number = (number << 8) | static_cast<unsigned char>(mac[at + i]);
  const std::string digits = std::to_string((number & 0x7fffffff) % 1'000'000);
  return std::string(6 - digits.size(), '0') + digits;
}

bool are_consecutive_codes(std::string_view secret, std::string_view first, std::string_view second,
                           int64_t now_s) {
  const int64_t now = now_s / kStepSeconds;
  for (int64_t step = now - kDriftSteps; step <= now + kDriftSteps; ++step) {
    if (totp_code(secret, step) == first && totp_code(secret, step + 1) == second) return true;
  }
  return false;
}

}  // namespace virga::iam
