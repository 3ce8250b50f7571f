#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/error.h"
#include "services/iam/iam_store.h"

// Rules about policies that several operations share.
namespace virga::iam {

// Whether a policy of this ARN exists, AWS-managed or of the account.
Result<bool> policy_exists(const IamReader& iam, std::string_view arn);
// NoSuchEntity unless it can be a permissions boundary.
Result<void> check_boundary(const IamReader& iam, std::string_view arn);
// InvalidInput unless it is an ARN of a policy.
Result<void> check_policy_arn_form(std::string_view arn);
// LimitExceeded when inline policies of a user, role or group get too large (2048, 10240, 5120
// characters in all), the trust policy (2048), or a managed one (6144). Source: IAM User Guide,
// "IAM and AWS STS quotas".
Result<void> check_inline_size(const Entity& e);
Result<void> check_trust_size(std::string_view document);
Result<void> check_managed_size(std::string_view document);

// How often policies are used in the account, by ARN.
struct PolicyUse {
  int32_t attachments = 0;
  int32_t boundaries = 0;
};
Result<std::map<std::string, PolicyUse>> policy_uses(const IamReader& iam);

}  // namespace virga::iam
