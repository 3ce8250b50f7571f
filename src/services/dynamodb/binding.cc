#include "api/dynamodb/binding.h"

#include "services/dynamodb/service.h"

namespace virga::dynamodb {

aws::ServiceBinding make_binding(Service& service) {
  return api::bind(service, {
                                {"CreateTable", "StreamSpecification, ResourcePolicy and global tables are refused"},
                                {"CreateTable", "SSESpecification, TableClass, WarmThroughput and OnDemandThroughput have no effect"},
                                {"CreateTable", "provisioned capacity does not throttle"},
                                {"UpdateTable", "StreamSpecification and replicas are refused"},
                            });
}

}  // namespace virga::dynamodb
