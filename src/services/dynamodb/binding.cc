#include "api/dynamodb/binding.h"

#include "api/dynamodbstreams/binding.h"
#include "services/dynamodb/service.h"
#include "services/dynamodb/streams_service.h"

namespace virga::dynamodb {

std::span<const std::string_view> operations_of_any_loop() {
  static constexpr std::string_view kNames[] = {
      "BatchGetItem", "BatchWriteItem",   "DeleteItem",         "GetItem",   "PutItem", "Query",
      "Scan",         "TransactGetItems", "TransactWriteItems", "UpdateItem"};
  return kNames;
}

aws::ServiceBinding make_binding(Service& service) {
  return api::bind(
      service,
      {
          {"CreateTable", "global tables are refused"},
          {"CreateTable",
           "SSESpecification, TableClass, WarmThroughput and OnDemandThroughput have no effect"},
          {"CreateTable", "provisioned capacity does not throttle"},
          {"UpdateTable", "replicas are refused"},
      });
}

aws::ServiceBinding make_binding(StreamsService& service) {
  return dynamodbstreams::api::bind(service);
}

}  // namespace virga::dynamodb
