#include "services/dynamodb/request_tokens.h"

#include <vector>

#include "storage/keys.h"

namespace virga::dynamodb {
namespace {

using storage::Key;
using storage::KeyReader;
using storage::Space;

// Per transaction at most this many expired tokens go; more than one, so that they cannot pile up.
constexpr size_t kDroppedMax = 4;

std::string token_key(std::string_view account, std::string_view region, std::string_view token) {
  return Key(Space::platform)
      .text("dynamodb-token")
      .account(account)
      .region(region)
      .text(token)
      .str();
}
// Tokens by the time of their end; the value is the token's key.
std::string expiry_key(int64_t end_micros, std::string_view key) {
  return Key(Space::platform).text("dynamodb-token-end").i64(end_micros).raw(key).str();
}

}  // namespace

Result<std::optional<std::string>> find_request_token(storage::Txn& txn, std::string_view account,
                                                      std::string_view region,
                                                      std::string_view token, int64_t now_micros) {
  VIRGA_TRY(value, txn.get(token_key(account, region, token)));
  if (!value) return std::optional<std::string>();
  KeyReader reader(*value);
  const int64_t end = reader.i64();
  if (!reader.ok() || end <= now_micros) return std::optional<std::string>();
  return std::optional<std::string>(reader.rest());
}

Result<void> keep_request_token(storage::Txn& txn, std::string_view account,
                                std::string_view region, std::string_view token,
                                std::string_view fingerprint, int64_t now_micros) {
  std::vector<std::pair<std::string, std::string>> expired;
  const std::string begin = Key(Space::platform).text("dynamodb-token-end").str();
  VIRGA_TRY_VOID(txn.scan(begin, expiry_key(now_micros, ""), storage::Direction::forward,
                          [&](std::string_view key, std::string_view value) {
                            expired.emplace_back(key, value);
                            return expired.size() < kDroppedMax;
                          }));
  for (const auto& [key, token_of] : expired) {
    txn.erase(key);
    // A token that was used again after its end has a later one.
    VIRGA_TRY(value, txn.get(token_of));
    if (value && KeyReader(*value).i64() <= now_micros) txn.erase(token_of);
  }
  const std::string key = token_key(account, region, token);
  const int64_t end = now_micros + kTokenMicros;
  std::string value;
  for (int shift = 56; shift >= 0; shift -= 8) {
    value.push_back(static_cast<char>((static_cast<uint64_t>(end) ^ (uint64_t{1} << 63)) >> shift));
  }
  value += fingerprint;
  txn.put(key, value);
  txn.put(expiry_key(end, key), key);
  return {};
}

}  // namespace virga::dynamodb
