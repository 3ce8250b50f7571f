#pragma once

#include "aws/operation.h"

namespace virga::sqs {

class Service;
// The service joined to its model, for the door. The service outlives it.
aws::ServiceBinding make_binding(Service& service);

}  // namespace virga::sqs
