#pragma once

#include <algorithm>
#include <cctype>
#include <set>
#include <string>
#include <string_view>

#include "api/sqs/service.h"
#include "base/error.h"
#include "services/sqs/errors.h"

// What the three batch operations share.
namespace virga::sqs {

inline constexpr size_t kBatchMax = 10;

// The rules for a batch as a whole. Source: SQS API Reference, "Errors" of SendMessageBatch.
template <class Entry>
Result<void> check_batch(const std::vector<Entry>& entries, std::string_view entry_name) {
  if (entries.empty()) return fail(errors::empty_batch(entry_name));
  if (entries.size() > kBatchMax) return fail(errors::too_many_entries(entries.size()));
  for (const Entry& entry : entries) {
    const bool good = !entry.id.empty() && entry.id.size() <= 80 &&
                      std::all_of(entry.id.begin(), entry.id.end(), [](unsigned char c) {
                        return std::isalnum(c) || c == '-' || c == '_';
                      });
    if (!good) return fail(errors::invalid_batch_id());
  }
  std::set<std::string_view> ids;
  for (const Entry& entry : entries) {
    if (!ids.insert(entry.id).second) return fail(errors::batch_ids_not_distinct(entry.id));
  }
  return {};
}

// What became of one entry. In a list of failures codes are spelled as the query protocol does.
template <class ErrorEntry>
ErrorEntry failed_entry(const std::string& id, const AwsError& error) {
  const aws::ErrorDesc* known = aws::find_error(api::service_desc(), error.code);
  ErrorEntry out;
  out.id = id;
  out.sender_fault = error.http_status < 500;
  out.code = known ? std::string(known->code) : error.code;
  out.message = error.message;
  return out;
}

}  // namespace virga::sqs
