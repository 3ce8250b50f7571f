#include "api/lambda/binding.h"

#include "services/lambda/service.h"

namespace virga::lambda {

aws::ServiceBinding make_binding(Service& service) {
  return api::bind(service, {
                                {"CreateFunction", "KMSKeyArn, TracingConfig and SnapStart are stored without effect"},
                                {"CreateFunction", "Images, layers, VPC, file systems and dead-letter targets "
                                                   "are refused with NotImplemented"},
                                {"UpdateFunctionConfiguration", "as CreateFunction"},
                                {"Invoke", "DurableExecutionName and TenantId are refused with NotImplemented"},
                                {"PutFunctionEventInvokeConfig", "destinations are refused with NotImplemented"},
                            });
}

}  // namespace virga::lambda
