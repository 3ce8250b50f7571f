#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "storage/shard.h"

// ClientRequestTokens of transactions: kept with a fingerprint of their request for ten minutes, in
// the transaction's own commit, so that a repeated request is known even after a crash. Source:
// DynamoDB API Reference, TransactWriteItems, ClientRequestToken.
namespace virga::dynamodb {

inline constexpr int64_t kTokenMicros = 10LL * 60 * 1'000'000;

// The fingerprint kept with the token, if it is still valid.
Result<std::optional<std::string>> find_request_token(storage::Txn& txn, std::string_view account,
                                                      std::string_view region,
                                                      std::string_view token, int64_t now_micros);
// Keeps it, and drops a few that have expired.
Result<void> keep_request_token(storage::Txn& txn, std::string_view account,
                                std::string_view region, std::string_view token,
                                std::string_view fingerprint, int64_t now_micros);

}  // namespace virga::dynamodb
