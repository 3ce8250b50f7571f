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
          {"InvokeWithResponseStream", "the chunks leave when the function has ended"},
          {"CreateFunctionUrlConfig",
           "AuthType AWS_IAM is refused with NotImplemented; InvokeMode "
           "RESPONSE_STREAM is stored, answers are buffered"},
      });
}

}  // namespace virga::lambda
