#pragma once

#include <map>
#include <string>
#include <vector>

#include "async/task.h"
#include "aws/context.h"
#include "platform/authorizer.h"
#include "platform/identity.h"
#include "platform/resource_catalog.h"

namespace virga::platform {

// One action on some resources, as the gate is asked about it. `request` lives until the answer.
struct GateQuestion {
  const RequestContext* request =
      nullptr;         // who calls (its principal), from where; its account owns ARNs without one
  std::string action;  // "lambda:InvokeFunction"
  std::vector<std::string>
      resources;                // ARNs, each must be allowed; {"*"} where the action has none
  ConditionContext conditions;  // keys of this call; the global ones are added
  std::string
      source_arn;  // aws:SourceArn and aws:SourceAccount, when a service acts for a resource
  std::string source_account;
  DenialStyle style = DenialStyle::json;
  TransportFacts transport;
};

// Strict mode's authorisation: brings the caller's policies, the resources' own policies and tags,
// and the keys of the call before IAM's evaluation. One for the server; services are added before
// the first call, any loop asks. Source: IAM User Guide, "Policy evaluation logic", "Cross-account
// policy evaluation logic".
class Gate {
 public:
  Gate(IdentityStore& identity, async::Env& env) : identity_(identity), env_(env) {}

  // Whoever has the resources of ARNs arn:…:SERVICE:… ("lambda"). The catalog outlives the gate.
  void add(std::string service, ResourceCatalog& catalog) {
    catalogs_[std::move(service)] = &catalog;
  }

  // AccessDenied in the style's spelling, saying which kind of policy withholds the permission.
  Task<void> check(GateQuestion question);

  // Who a service is when it acts with a customer's role. AccessDenied when the role is gone or
  // does not trust the service.
  Task<Principal> assume(std::string role_arn, std::string service, std::string session_name);

 private:
  Task<ResourceFacts> facts_of(std::string arn);

  IdentityStore& identity_;
  async::Env& env_;
  std::map<std::string, ResourceCatalog*, std::less<>> catalogs_;
};

}  // namespace virga::platform
