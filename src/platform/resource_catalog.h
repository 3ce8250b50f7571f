#pragma once

#include <string>

#include "async/task.h"
#include "platform/identity.h"
#include "platform/policy.h"

namespace virga::platform {

// What the door has to know of a resource before a call to it may pass.
struct ResourceFacts {
  std::string arn;  // as policies name it, where a call names less (IAM's paths); empty: as it was
                    // asked for
  std::string account;  // the owner's, where the ARN does not say it (S3); empty: what the ARN says
  PolicyRef policy;     // its resource-based policy; null: none
  TagList tags;         // aws:ResourceTag/…
};

// Given to the door by a service that has resources with policies or tags. A resource that is not
// there has no facts and is no error: whether the caller may know that is decided first. Any loop
// may ask.
class ResourceCatalog {
 public:
  virtual ~ResourceCatalog() = default;
  virtual Task<ResourceFacts> facts_of(std::string arn) = 0;
};

}  // namespace virga::platform
