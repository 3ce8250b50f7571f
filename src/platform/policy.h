#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "platform/policy_condition.h"
#include "platform/policy_pattern.h"

namespace virga {
class Document;
}

namespace virga::platform {

// Where a document stands decides what it must and must not hold.
enum class PolicyKind {
  identity,  // managed and inline policies, permissions boundaries: no Principal, version
             // 2012-10-17
  session,   // AssumeRole's Policy parameter: as identity
  trust,     // a role's AssumeRolePolicyDocument: Principal, no Resource, sts actions
  resource,  // policies on functions, buckets, queues: Principal
};

// Who asks, as policies see them.
struct PolicyCaller {
  std::string_view account;        // 12 digits; empty for anonymous callers and services
  std::string_view arn;            // the user's, or the session's arn:aws:sts::…:assumed-role/…
  std::string_view principal_arn;  // the user's, or the role's arn:aws:iam::…:role/…; the root's
                                   // for the account itself
  std::string_view service;  // "lambda.amazonaws.com" for a service
  bool anonymous = false;
};

// What a request asks for. The views live as long as the evaluation.
struct PolicyRequest {
  std::string_view action;    // "dynamodb:PutItem"
  std::string_view resource;  // an ARN, or "*" where the action has no resources
  const ConditionContext& context;
  PolicyCaller caller;
};

// What one document says to a request. `direct`: it names the caller (or everybody), so that within
// one account no identity-based policy is needed; `account`: it names the caller's account, which
// only delegates; `session`: it names the very session, which session policies then do not limit.
// Source: IAM User Guide, "Policy evaluation logic" and "Principal".
enum class Grant { none, account, direct, session };
struct PolicyVerdict {
  bool denied = false;
  Grant grant = Grant::none;
  bool allowed() const { return grant != Grant::none; }
};

struct PolicyStatement;

// A compiled policy document: immutable, shared by whoever caches it, from any thread.
class PolicyDocument {
 public:
  // MalformedPolicyDocument in IAM's words on anything that IAM refuses in a document of this kind.
  static Result<std::shared_ptr<const PolicyDocument>> parse(std::string_view json,
                                                             PolicyKind kind);

  PolicyDocument();
  ~PolicyDocument();
  PolicyDocument(const PolicyDocument&) = delete;
  PolicyDocument& operator=(const PolicyDocument&) = delete;

  PolicyVerdict evaluate(const PolicyRequest& request) const;

 private:
  PolicyKind kind_ = PolicyKind::identity;
  std::vector<PolicyStatement> statements_;
};

using PolicyRef = std::shared_ptr<const PolicyDocument>;

// A statement after its syntax was checked. Internal to the policy files.
struct PolicyStatement {
  struct Named {
    enum class Kind { any, account, arn, service, other };
    Kind kind;
    std::string value;
  };
  bool deny = false;
  bool not_action = false;
  bool not_resource = false;
  bool not_principal = false;
  bool has_resource = false;
  bool has_principal = false;
  std::vector<Pattern> actions;
  std::vector<Pattern> resources;
  std::vector<Named> principals;
  std::vector<Condition> conditions;

  bool covers_action_and_resource(const PolicyRequest& request) const;
  bool conditions_hold(const ConditionContext& context) const;
  Grant principal_grant(const PolicyCaller& caller) const;
};

// Checks of policy_validate.cc: what IAM says about a document that parses as JSON. `document` is
// the whole policy.
Result<void> validate_policy(const Document& document, PolicyKind kind);

// MalformedPolicyDocument, 400.
AwsError malformed_policy(std::string message);

}  // namespace virga::platform
