#pragma once

#include <string>
#include <utility>

#include "aws/context.h"
#include "aws/operation.h"
#include "base/document.h"

namespace virga::aws {

// Who makes a call from inside, and where it goes. A service acts as itself
// (Principal::Kind::service) or on behalf of a role whose principal it has.
struct CallContext {
  Principal principal;
  std::string account;  // whose resources; empty: the principal's account
  std::string region;
  Endpoint endpoint;       // URLs in answers are built from it
  std::string source_arn;  // aws:SourceArn and aws:SourceAccount of the call, when a service acts
                           // for a resource
  std::string source_account;
};

// The one way into a service. Calls from inside skip the bytes, never the rules: the door resolves
// resources, authorises, checks constraints, throttles, handles, meters and records. Owned by the
// composition root; outlives every client. The input has the operation's input structure, the
// answer its output structure.
class Door {
 public:
  virtual ~Door() = default;
  virtual Task<OutputBox> call(const OperationDesc& op, CallContext call, InputBox input) = 0;
};

template <class Out, class In>
Task<Out> call_typed(Door& door, const OperationDesc& op, CallContext call, In input) {
  InputBox box = InputBox::hold<In>(std::move(input));
  OutputBox answer = co_await door.call(op, std::move(call), std::move(box));
  co_return std::move(answer.as<Out>());
}

// Call by name, for state machines, schedules and integrations: `service` is the model's name
// ("dynamodb"), `operation` "PutItem", the input a JSON object with the members' model names.
// Unknown names answer UnknownOperationException; a document that does not fit answers
// SerializationException.
Task<Document> call_by_name(Door& door, CallContext call, std::string service,
                            std::string operation, Document input);

}  // namespace virga::aws
