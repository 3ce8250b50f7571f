#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "services/lambda/function_store.h"

// Provisioned concurrency as it is kept. Key, below Space::lambda:
//   account | region | 2 | id | 6 | qualifier → ProvisionedRecord
namespace virga::lambda {

struct ProvisionedRecord {
  FunctionName function;  // with the version or alias as its qualifier
  int requested = 0;
  Timestamp modified;
};

namespace store {

Result<std::optional<ProvisionedRecord>> find_provisioned(const storage::View& view,
                                                          const Owner& owner, uint64_t id,
                                                          std::string_view qualifier);
void put_provisioned(storage::Txn& txn, uint64_t id, const ProvisionedRecord& record);
void erase_provisioned(storage::Txn& txn, const Owner& owner, uint64_t id,
                       std::string_view qualifier);
// In the order of their qualifiers.
Result<std::vector<ProvisionedRecord>> list_provisioned(const storage::View& view,
                                                        const Owner& owner, uint64_t id);
// Of all functions of all accounts.
Result<std::vector<ProvisionedRecord>> all_provisioned(const storage::View& view);

}  // namespace store
}  // namespace virga::lambda
