#pragma once

#include "services/dynamodb/errors.h"

namespace virga::dynamodb {

// Source: DynamoDB Developer Guide, "Amazon DynamoDB Transactions: How it works".
inline constexpr size_t kTransactionItemsMax = 100;
inline constexpr size_t kTransactionBytesMax = 4 * 1024 * 1024;

inline Result<void> check_transaction_length(size_t items) {
  if (items >= 1 && items <= kTransactionItemsMax) return {};
  return fail(errors::validation(
      "1 validation error detected: Value at 'transactItems' failed to satisfy constraint: Member "
      "must have length " +
      std::string(items == 0 ? "greater than or equal to 1" : "less than or equal to 100")));
}
inline AwsError transaction_too_large() {
  return errors::validation(
      "The aggregate size of the items in the transaction cannot exceed 4 MB");
}
inline AwsError multiple_operations_on_one_item() {
  return errors::validation("Transaction request cannot include multiple operations on one item");
}

}  // namespace virga::dynamodb
