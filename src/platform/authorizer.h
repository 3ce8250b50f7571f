#pragma once

#include <span>
#include <string>
#include <string_view>

#include "aws/context.h"
#include "base/error.h"
#include "platform/identity.h"
#include "platform/policy.h"

namespace virga::platform {

// How a service answers a refusal: JSON services of the 1.x protocols with 400
// AccessDeniedException, REST-JSON ones with 403 AccessDeniedException, query and S3 with 403
// AccessDenied.
enum class DenialStyle { json, rest_json, query };

// One call, as the door has resolved it. Views and references live as long as authorize() runs.
struct AuthorizeRequest {
  const Principal& principal;
  const PrincipalPolicies& policies;
  std::string_view action;  // "dynamodb:PutItem"
  std::span<const std::string>
      resources;                      // every one must be allowed; {"*"} where the action has none
  const ConditionContext& context;    // with add_global_keys() applied
  std::string_view resource_account;  // whose the resources are
  const PolicyDocument* resource_policy = nullptr;
  // A role's trust policy, a KMS key's policy: without a grant in it nobody passes, and no reason
  // is told.
  bool resource_policy_decides = false;
  DenialStyle style = DenialStyle::json;
};

// IAM's policy evaluation: an explicit deny anywhere wins; within an account an identity-based or a
// resource-based policy has to allow (and boundaries and session policies not to withhold); between
// accounts both have to. A refusal says which of them it was, in AWS's words. Source: IAM User
// Guide, "Policy evaluation logic", "Troubleshoot access denied error messages".
Result<void> authorize(const AuthorizeRequest& request);

// "User: … is not authorized to perform: … on resource: …" with `reason` behind it (" because …",
// or nothing).
AwsError access_denied(const AuthorizeRequest& request, std::string_view resource,
                       std::string_view reason);

// The keys that every request has: aws:PrincipalArn, aws:username, aws:userid, aws:SourceIp,
// aws:CurrentTime, …. Source: IAM User Guide, "AWS global condition context keys".
struct TransportFacts {
  bool secure = false;
};
void add_global_keys(ConditionContext& context, const RequestContext& request,
                     const PrincipalPolicies& policies, std::string_view resource_account,
                     async::WallTime now, TransportFacts transport);

// The style by model name: dynamodb, logs, … json; lambda, apigatewayv2, … rest_json; iam, sts, s3,
// … query.
DenialStyle denial_style(std::string_view service);

}  // namespace virga::platform
