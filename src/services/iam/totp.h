#pragma once

#include <cstdint>
#include <string>
#include <string_view>

// Time-based one-time passwords as virtual MFA devices make them: six digits of HMAC-SHA-1, a new
// one every 30 seconds (RFC 6238, RFC 4226).
namespace virga::iam {

std::string to_base32(std::string_view bytes);  // RFC 4648 §6, upper case, without padding
std::string totp_code(std::string_view secret, int64_t step);

// Two codes that follow each other, the first not far from now: clocks of devices drift.
bool are_consecutive_codes(std::string_view secret, std::string_view first, std::string_view second,
                           int64_t now_s);

}  // namespace virga::iam
