#include "api/lambda/binding.h"

#include "services/lambda/service.h"

namespace virga::lambda {

aws::ServiceBinding make_binding(Service& service) {
  return api::bind(
      service,
      {
          {"CreateFunction", "KMSKeyArn, TracingConfig and SnapStart are stored without effect"},
          {"CreateFunction", "Images, VPC and file systems are refused with NotImplemented"},
          {"UpdateFunctionConfiguration", "as CreateFunction"},
          {"Invoke", "DurableExecutionName and TenantId are refused with NotImplemented"},
          {"PutRuntimeManagementConfig", "is stored without effect"},
          {"PutFunctionRecursionConfig", "is stored without effect"},
          {"CreateEventSourceMapping",
           "SQS queues and DynamoDB streams; ParallelizationFactor is stored without effect"},
      });
}

}  // namespace virga::lambda
