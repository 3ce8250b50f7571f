#pragma once

#include "async/task.h"
#include "aws/context.h"
#include "aws/operation.h"
#include "aws/shape.h"

namespace virga::platform {

// What a service says of a call that it lets in.
struct Admission {
  // The caller is charged, not the resource's owner: answers that can (RequestCharged) tell so.
  bool requester_pays = false;
};

// For a service whose resources have a say of their own in who may use them (S3: policies, access
// control lists, anonymous callers): the dispatcher asks it, in open and strict mode alike, instead
// of deciding from the operation's actions alone.
class ServiceAuthorizer {
 public:
  virtual ~ServiceAuthorizer() = default;
  // Fails with what the caller is answered. `op` and `input` live until the answer is sent.
  virtual Task<Admission> authorize(const aws::OperationDesc& op, Ctx ctx,
                                    const aws::StructBox& input) = 0;
};

}  // namespace virga::platform
