#include "services/apigatewayv2/binding.h"

#include "api/apigatewayv2/binding.h"
#include "services/apigatewayv2/service.h"

namespace virga::apigatewayv2 {

aws::ServiceBinding make_binding(Service& service) {
  return api::bind(
      service,
      {{"CreateApi", "IpAddressType is stored without effect; WebSocket APIs are refused"},
       {"UpdateApi", "IpAddressType is stored without effect"},
       {"CreateIntegration",
        "of IntegrationSubtypes SQS only; VPC_LINK connections and TlsConfig are refused"},
       {"UpdateIntegration",
        "of IntegrationSubtypes SQS only; VPC_LINK connections and TlsConfig are refused"},
       {"CreateDomainName",
        "MutualTlsAuthentication and routing rules are refused; certificates are checked for form"},
       {"UpdateDomainName",
        "MutualTlsAuthentication and routing rules are refused; certificates are checked for form"},
       {"ImportApi", "JSON definitions only; Basepath and schemas are not looked at"},
       {"ReimportApi", "JSON definitions only; Basepath and schemas are not looked at"},
       {"CreateStage",
        "DetailedMetricsEnabled, DataTraceEnabled and LoggingLevel are stored without effect"},
       {"UpdateStage",
        "DetailedMetricsEnabled, DataTraceEnabled and LoggingLevel are stored without effect"}});
}

}  // namespace virga::apigatewayv2
