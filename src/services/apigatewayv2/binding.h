#pragma once

#include "aws/operation.h"

namespace virga::apigatewayv2 {

class Service;

// Joins the service to its model. The service must outlive the binding.
aws::ServiceBinding make_binding(Service& service);

}  // namespace virga::apigatewayv2
