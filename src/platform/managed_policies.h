#pragma once

#include <span>
#include <string>
#include <string_view>

#include "platform/policy.h"

namespace virga::platform {

// One of the AWS-managed policies that are commonly attached: they exist in every account, can be
// read and attached, and are evaluated. Made at the first use and kept for the life of the process;
// read from any thread.
struct ManagedPolicy {
  std::string name;      // "AWSLambdaBasicExecutionRole"
  std::string path;      // "/service-role/"
  std::string id;        // ANPA…, 21 characters
  std::string document;  // the default version's JSON
  PolicyRef compiled;
  std::string arn(std::string_view partition) const;  // arn:aws:iam::aws:policy/service-role/…
};

std::span<const ManagedPolicy> managed_policies();  // in the order of their names
// By ARN of any partition; null for one we do not carry.
const ManagedPolicy* find_managed_policy(std::string_view arn);

}  // namespace virga::platform
