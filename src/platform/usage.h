#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/time.h"
#include "storage/shard.h"

namespace virga::platform {

// One metered event: what a bill is made of. Written once where the event ends, read by whoever
// adds up. Keys, below Space::usage: account | region | service | time in microseconds | id; the
// value is a format byte and a JSON object.
struct UsageRecord {
  std::string account;
  std::string region;
  std::string service;    // model name: "lambda"
  std::string operation;  // "Invoke"
  std::string resource;   // ARN
  std::string id;         // the request's id
  Timestamp at;           // when it began
  struct Quantity {
    std::string name;  // "billed_millis"
    int64_t value = 0;
  };
  std::vector<Quantity> quantities;
};

void put_usage(storage::Txn& txn, const UsageRecord& record);
// Of one account, region and service with `from` <= at < `to`, in order of time; at most `limit`.
Result<std::vector<UsageRecord>> read_usage(const storage::View& view, std::string_view account,
                                            std::string_view region, std::string_view service,
                                            Timestamp from, Timestamp to, size_t limit);

}  // namespace virga::platform
