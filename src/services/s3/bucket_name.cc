#include "services/s3/bucket_name.h"

#include <algorithm>

#include "base/hashing.h"
#include "base/strings.h"

namespace virga::s3 {
namespace {

bool looks_like_ip(std::string_view name) {
  const auto parts = split(name, '.');
  return parts.size() == 4 && std::all_of(parts.begin(), parts.end(), [](std::string_view part) {
           return !part.empty() && part.size() <= 3 && parse_int(part).has_value();
         });
}

}  // namespace

bool is_legal_bucket_name(std::string_view name) {
  if (name.size() < 3 || name.size() > 63) return false;
  const auto letter_or_digit = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
  };
  if (!letter_or_digit(name.front()) || !letter_or_digit(name.back())) return false;
  for (const char c : name) {
    if (!letter_or_digit(c) && c != '.' && c != '-') return false;
  }
  for (const std::string_view neighbours : {"..", ".-", "-."}) {
    if (name.find(neighbours) != std::string_view::npos) return false;
  }
  if (looks_like_ip(name)) return false;
  for (const std::string_view prefix : {"xn--", "sthree-", "amzn-s3-demo-"}) {
    if (name.starts_with(prefix)) return false;
  }
  for (const std::string_view suffix : {"-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3"}) {
    if (name.ends_with(suffix)) return false;
  }
  return true;
}

std::string canonical_user_id(std::string_view account) {
  constexpr size_t kIdDigits = 64;
  // Every request asks for its caller's, and the next caller is mostly the same.
  static thread_local std::string last_account, last_id;
  if (last_id.empty() || last_account != account) {
    const std::string hash =
        to_hex(as_bytes(sha256("virga s3 canonical user " + std::string(account))));
    last_account = account;
    last_id = hash.substr(0, kIdDigits - std::min(kIdDigits, account.size())) + last_account;
  }
  return last_id;
}

}  // namespace virga::s3
