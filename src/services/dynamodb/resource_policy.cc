#include "services/dynamodb/resource_policy.h"

#include "api/dynamodb/delete_resource_policy.h"
#include "api/dynamodb/get_resource_policy.h"
#include "api/dynamodb/put_resource_policy.h"
#include "base/json.h"
#include "platform/policy.h"
#include "services/dynamodb/errors.h"
#include "services/dynamodb/service.h"

namespace virga::dynamodb {
namespace {

// Source: DynamoDB Developer Guide, "Resource-based policy considerations": the document's size,
// white space included.
constexpr size_t kPolicyBytesMax = 20 * 1024;

// A revision is expected to be the current one; NO_POLICY: none yet.
Result<void> check_revision(const Table& table, const std::optional<std::string>& expected) {
  if (!expected) return {};
  const std::string current = table.resource_policy.empty() ? "NO_POLICY" : table.policy_revision;
  if (*expected == current) return {};
  return fail(errors::policy_not_found());
}

}  // namespace

Result<void> check_resource_policy(const std::string& policy) {
  if (policy.size() > kPolicyBytesMax) {
    return fail(errors::invalid_parameter("Maximum policy size of " +
                                          std::to_string(kPolicyBytesMax) + " bytes exceeded"));
  }
  const auto document = parse_json(policy);
  if (!document || !document->is_object()) {
    return fail(
        errors::invalid_parameter("Invalid policy document: This policy contains invalid Json"));
  }
  const auto checked = platform::validate_policy(*document, platform::PolicyKind::resource);
  if (!checked)
    return fail(errors::invalid_parameter("Invalid policy document: " + checked.error().message));
  return {};
}

void set_resource_policy(const std::string& policy, Timestamp now, Table& table) {
  if (policy == table.resource_policy) return;
  // Revisions are times, as the service's are; two within a millisecond still differ.
  std::string revision = std::to_string(now.millis());
  if (revision == table.policy_revision) revision = std::to_string(now.millis() + 1);
  table.policy_revision = std::move(revision);
  table.resource_policy = policy;
}

// The same policy again keeps its revision. Source: DynamoDB API Reference, PutResourcePolicy.
Task<api::PutResourcePolicyOutput> Service::put_resource_policy(Ctx ctx,
                                                                api::PutResourcePolicyInput input) {
  const TableRef known = co_await table_of_arn(*ctx, input.resource_arn);
  co_await check_resource_policy(input.policy);
  const TableRef table =
      co_await change_table(ctx, known, [&](Table& changed, storage::Txn&) -> Result<void> {
        VIRGA_TRY_VOID(check_revision(changed, input.expected_revision_id));
        set_resource_policy(input.policy, ctx->now.at, changed);
        return {};
      });
  api::PutResourcePolicyOutput output;
  output.revision_id = table->policy_revision;
  co_return std::move(output);
}

// Source: DynamoDB API Reference, GetResourcePolicy.
Task<api::GetResourcePolicyOutput> Service::get_resource_policy(Ctx ctx,
                                                                api::GetResourcePolicyInput input) {
  const TableRef table = co_await table_of_arn(*ctx, input.resource_arn);
  if (table->resource_policy.empty()) co_return fail(errors::policy_not_found());
  api::GetResourcePolicyOutput output;
  output.policy = table->resource_policy;
  output.revision_id = table->policy_revision;
  co_return std::move(output);
}

// Deleting what is not there succeeds with an empty revision. Source: DynamoDB API Reference,
// DeleteResourcePolicy.
Task<api::DeleteResourcePolicyOutput> Service::delete_resource_policy(
    Ctx ctx, api::DeleteResourcePolicyInput input) {
  const TableRef known = co_await table_of_arn(*ctx, input.resource_arn);
  std::string revision;
  co_await change_table(ctx, known, [&](Table& changed, storage::Txn&) -> Result<void> {
    VIRGA_TRY_VOID(check_revision(changed, input.expected_revision_id));
    revision = std::exchange(changed.policy_revision, "");
    changed.resource_policy.clear();
    return {};
  });
  api::DeleteResourcePolicyOutput output;
  output.revision_id = revision;
  co_return std::move(output);
}

}  // namespace virga::dynamodb
