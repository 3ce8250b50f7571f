#pragma once

#include <string>

#include "base/document.h"
#include "base/error.h"
#include "services/lambda/function_name.h"
#include "services/lambda/records.h"

namespace virga::lambda {

namespace api {
struct AddPermissionInput;
}

// Source: Lambda quotas page: "Function resource-based policy: 20 KB".
inline constexpr size_t kPolicyBytesMax = 20'480;

// The statement that a permission becomes; InvalidParameterValueException for a principal or action
// that is none.
Result<Document> make_statement(const api::AddPermissionInput& input, const FunctionName& name);

// {"Version":"2012-10-17","Id":"default","Statement":[…]}
std::string policy_document(const PolicyRecord& policy);

// True when the policy of a layer's version lets another account read it.
bool layer_is_shared_with(const PolicyRecord& policy, const std::string& version_arn,
                          const std::string& account);

}  // namespace virga::lambda
