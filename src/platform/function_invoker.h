#pragma once

#include <string>

#include "async/task.h"

namespace virga::platform {

// A synchronous call of a function on behalf of an AWS service principal: HTTP API integrations,
// Lambda authorizers. Calls by IAM principals go through the generated Lambda client instead.
struct InvokeCall {
  std::string account;  // of the calling resource (the API), 12 digits
  std::string region;
  std::string function_arn;  // arn:…:lambda:REGION:ACCOUNT:function:NAME, without qualifier;
                             // account may differ from ours
  std::string qualifier;     // version or alias; empty for $LATEST
  std::string payload;       // the event, JSON
  std::string principal;     // "apigateway.amazonaws.com"
  std::string source_arn;    // what calls, for the function policy's aws:SourceArn
  std::string
      role_arn;  // when set, the role to call with instead of the function's resource policy
};

struct InvokeReply {
  std::string function_error;    // empty, or "Unhandled"
  std::string payload;           // what the function answered, JSON as it came
  std::string executed_version;  // "$LATEST", "7"
};

// Implemented by the Lambda service; everyone else holds a reference that server/ handed over.
// Lives as long as the server; may be called from any loop, the answer comes on the calling loop.
//
// Errors: those of Lambda's Invoke (ResourceNotFoundException, TooManyRequestsException, …), and
// AccessDeniedException when strict mode finds no permission for the principal and source. A
// function that failed is no error: see function_error.
class FunctionInvoker {
 public:
  virtual ~FunctionInvoker() = default;
  virtual Task<InvokeReply> invoke(InvokeCall call) = 0;
};

}  // namespace virga::platform
