// Roles that belong to a service. Source: IAM User Guide, "Create a service-linked role"; IAM API
// Reference, the pages of these operations.
#include <map>

#include "api/iam/create_service_linked_role.h"
#include "api/iam/delete_service_linked_role.h"
#include "api/iam/get_service_linked_role_deletion_status.h"
#include "base/strings.h"
#include "services/iam/errors.h"
#include "services/iam/ids.h"
#include "services/iam/service.h"
#include "services/iam/support.h"

namespace virga::iam {
namespace {

constexpr std::string_view kTask = "task";

// What follows "AWSServiceRoleFor". Source: IAM User Guide, "AWS services that work with IAM", and
// the services' guides.
std::string name_of(const std::string& service) {
  static const std::map<std::string, std::string> known{
      {"autoscaling.amazonaws.com", "AutoScaling"},
      {"dynamodb.application-autoscaling.amazonaws.com", "ApplicationAutoScaling_DynamoDBTable"},
      {"lambda.application-autoscaling.amazonaws.com", "ApplicationAutoScaling_LambdaConcurrency"},
      {"ecs.application-autoscaling.amazonaws.com", "ApplicationAutoScaling_ECSService"},
      {"ecs.amazonaws.com", "ECS"},
      {"eks.amazonaws.com", "AmazonEKS"},
      {"elasticache.amazonaws.com", "ElastiCache"},
      {"elasticloadbalancing.amazonaws.com", "ElasticLoadBalancing"},
      {"es.amazonaws.com", "AmazonElasticsearchService"},
      {"opensearchservice.amazonaws.com", "AmazonOpenSearchService"},
      {"ops.apigateway.amazonaws.com", "APIGateway"},
      {"rds.amazonaws.com", "RDS"},
      {"replication.dynamodb.amazonaws.com", "DynamoDBReplication"},
      {"kinesisreplication.dynamodb.amazonaws.com", "DynamoDBKinesisDataStreamsReplication"},
      {"spot.amazonaws.com", "EC2Spot"},
      {"ssm.amazonaws.com", "AmazonSSM"}};
  if (const auto it = known.find(service); it != known.end()) return it->second;
  std::string out;
  bool upper = true;
  for (const char c : service.substr(0, service.find('.'))) {
    if (c == '-') {
      upper = true;
      continue;
    }
    out += upper && c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    upper = false;
  }
  return out;
}

std::string trust_of(const std::string& service) {
  return R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":")" +
         service + R"("},"Action":"sts:AssumeRole"}]})";
}

}  // namespace

Task<api::CreateServiceLinkedRoleOutput> Service::create_service_linked_role(
    Ctx ctx, api::CreateServiceLinkedRoleInput input) {
  const std::string& service = input.aws_service_name;
  if (!service.ends_with(".amazonaws.com") || service.find_first_of("\"\\/") != std::string::npos) {
    co_return fail(errors::invalid_input("Service " + service +
                                         " is not a service that can have a service-linked role."));
  }
  Entity role{.kind = Kind::role, .name = "AWSServiceRoleFor" + name_of(service)};
  if (input.custom_suffix) role.name += "_" + *input.custom_suffix;
  role.path = std::string(kServiceLinkedPath) + service + "/";
  role.id = new_unique_id("AROA", ctx->env->random);
  role.created = ctx->now.at;
  role.trust = trust_of(service);
  role.has_description = input.description.has_value();
  role.description = input.description.value_or("");
  co_await write(ctx, [&](IamWriter& iam) -> Result<void> {
    VIRGA_TRY(found, iam.find_entity(Kind::role, role.name));
    if (found) {
      return fail(
          errors::invalid_input("Service role name " + role.name +
                                " has been taken in this account, please try a different suffix."));
    }
    iam.put(role);
    return {};
  });
  api::CreateServiceLinkedRoleOutput output;
  output.role = to_role(*ctx, role, Detail::listed);
  co_return output;
}

Task<api::DeleteServiceLinkedRoleOutput> Service::delete_service_linked_role(
    Ctx ctx, api::DeleteServiceLinkedRoleInput input) {
  api::DeleteServiceLinkedRoleOutput output;
  const std::string id = ctx->env->random.uuid();
  co_await write(ctx, [&](IamWriter& iam) -> Result<void> {
    VIRGA_TRY(role, iam.entity(Kind::role, input.role_name));
    if (!role.path.starts_with(kServiceLinkedPath)) {
      return fail(errors::invalid_input("Role " + role.name + " is not a service-linked role."));
    }
    output.deletion_task_id = std::string(kTask) + role.path + role.name + "/" + id;
    iam.txn().allow_in_low_space();
    iam.erase_entity(Kind::role, role.name);
    return {};
  });
  co_return output;
}

// Nothing keeps a role in use here: a deletion has succeeded when its answer is sent.
Task<api::GetServiceLinkedRoleDeletionStatusOutput>
Service::get_service_linked_role_deletion_status(
    Ctx ctx, api::GetServiceLinkedRoleDeletionStatusInput input) {
  const auto parts = split(input.deletion_task_id, '/');  // task/aws-service-role/SERVICE/ROLE/UUID
  if (parts.size() != 5 || parts[0] != kTask || parts[1] != "aws-service-role") {
    co_return fail(errors::no_such_entity_text("Deletion task " + input.deletion_task_id +
                                               " cannot be found."));
  }
  api::GetServiceLinkedRoleDeletionStatusOutput output;
  output.status = "SUCCEEDED";
  co_return output;
}

}  // namespace virga::iam
