// Resource policies and saved queries of an account in a region. Source: CloudWatch Logs API
// Reference, the pages of these operations; quota "Resource policies": 10 per account and region.
#include "api/logs/delete_query_definition.h"
#include "api/logs/delete_resource_policy.h"
#include "api/logs/describe_query_definitions.h"
#include "api/logs/describe_resource_policies.h"
#include "api/logs/put_query_definition.h"
#include "api/logs/put_resource_policy.h"
#include "api/logs/shapes/query_definition.h"
#include "api/logs/shapes/resource_policy.h"
#include "base/json.h"
#include "services/logs/errors.h"
#include "services/logs/service.h"
#include "services/logs/settings.h"
#include "services/logs/tokens.h"

namespace virga::logs {
namespace {

constexpr size_t kPoliciesMax = 10;
constexpr size_t kQueriesMax = 1000;
constexpr int32_t kPerPage = 50;

// One page of an account's settings of one kind, after `token`; `name_of` gives a record's key.
template <class T, class NameOf>
Result<std::vector<T>> page_of(const LogReader& reader, Setting kind,
                               const std::optional<std::string>& token, size_t limit,
                               std::optional<std::string>& next, NameOf name_of,
                               std::string_view prefix = {}) {
  VIRGA_TRY(after, read_token(token));
  std::vector<T> out;
  Result<void> decoded;
  VIRGA_TRY_VOID(reader.each_setting(kind, kAccountWide, [&](std::string_view bytes) {
    auto record = decode_setting<T>(bytes);
    if (!record) {
      decoded = fail(record.error());
      return false;
    }
    if (!after.empty() && name_of(*record) <= after) return true;
    if constexpr (requires { record->name; }) {
      if (!record->name->starts_with(prefix)) return true;
    }
    if (out.size() == limit) {
      next = make_token(name_of(out.back()));
      return false;
    }
    out.push_back(std::move(*record));
    return true;
  }));
  VIRGA_TRY_VOID(decoded);
  return out;
}

Result<void> account_policies_only(const std::optional<std::string>& resource_arn) {
  if (!resource_arn) return {};
  return fail("NotImplemented", 501,
              "NotImplemented: policies of single log groups (resourceArn) are not implemented.");
}

}  // namespace

Task<api::PutResourcePolicyOutput> Service::put_resource_policy(Ctx ctx,
                                                                api::PutResourcePolicyInput input) {
  co_await account_policies_only(input.resource_arn);
  if (!input.policy_name || !input.policy_document) {
    co_return fail(errors::invalid_parameter("Policy name and policy document are required."));
  }
  const auto parsed = parse_json(*input.policy_document);
  if (!parsed || !parsed->is_object()) {
    co_return fail(errors::invalid_parameter("This policy contains invalid JSON"));
  }
  api::ResourcePolicy policy;
  policy.policy_name = *input.policy_name;
  policy.policy_document = *input.policy_document;
  policy.last_updated_time = ctx->now.at.millis();
  co_await write(ctx, [&](LogTransaction& logs) -> Result<void> {
    VIRGA_TRY(found,
              logs.find_setting(Setting::resource_policy, kAccountWide, *policy.policy_name));
    VIRGA_TRY(count, logs.count_settings(Setting::resource_policy, kAccountWide));
    if (!found && count >= kPoliciesMax) return fail(errors::limit_exceeded());
    logs.put_setting(Setting::resource_policy, kAccountWide, *policy.policy_name,
                     encode_setting(policy));
    return {};
  });
  api::PutResourcePolicyOutput output;
  output.resource_policy = policy;
  co_return output;
}

Task<api::DescribeResourcePoliciesOutput> Service::describe_resource_policies(
    Ctx ctx, api::DescribeResourcePoliciesInput input) {
  co_await account_policies_only(input.resource_arn);
  const auto view = shard_.snapshot();
  const LogReader reader(*view, ctx->account, ctx->region);
  api::DescribeResourcePoliciesOutput output;
  output.resource_policies = co_await page_of<api::ResourcePolicy>(
      reader, Setting::resource_policy, input.next_token,
      static_cast<size_t>(input.limit.value_or(kPerPage)), output.next_token,
      [](const auto& p) { return *p.policy_name; });
  co_return output;
}

Task<api::DeleteResourcePolicyOutput> Service::delete_resource_policy(
    Ctx ctx, api::DeleteResourcePolicyInput input) {
  co_await account_policies_only(input.resource_arn);
  const std::string name = input.policy_name.value_or("");
  co_await write(ctx, [&](LogTransaction& logs) -> Result<void> {
    VIRGA_TRY(found, logs.find_setting(Setting::resource_policy, kAccountWide, name));
    if (!found) return fail(errors::no_such_resource_policy(name));
    logs.erase_setting(Setting::resource_policy, kAccountWide, name);
    return {};
  });
  co_return api::DeleteResourcePolicyOutput();
}

Task<api::PutQueryDefinitionOutput> Service::put_query_definition(
    Ctx ctx, api::PutQueryDefinitionInput input) {
  api::QueryDefinition query;
  query.query_definition_id = input.query_definition_id.value_or(ctx->env->random.uuid());
  query.name = input.name;
  query.query_string = input.query_string;
  query.last_modified = ctx->now.at.millis();
  if (input.log_group_names) query.log_group_names = *input.log_group_names;
  co_await write(ctx, [&](LogTransaction& logs) -> Result<void> {
    VIRGA_TRY(found, logs.find_setting(Setting::query, kAccountWide, *query.query_definition_id));
    if (input.query_definition_id && !found) return fail(errors::no_such_query_definition());
    VIRGA_TRY(count, logs.count_settings(Setting::query, kAccountWide));
    if (!found && count >= kQueriesMax) return fail(errors::limit_exceeded());
    logs.put_setting(Setting::query, kAccountWide, *query.query_definition_id,
                     encode_setting(query));
    return {};
  });
  api::PutQueryDefinitionOutput output;
  output.query_definition_id = query.query_definition_id;
  co_return output;
}

Task<api::DescribeQueryDefinitionsOutput> Service::describe_query_definitions(
    Ctx ctx, api::DescribeQueryDefinitionsInput input) {
  const auto view = shard_.snapshot();
  const LogReader reader(*view, ctx->account, ctx->region);
  api::DescribeQueryDefinitionsOutput output;
  output.query_definitions = co_await page_of<api::QueryDefinition>(
      reader, Setting::query, input.next_token,
      static_cast<size_t>(input.max_results.value_or(kPerPage)), output.next_token,
      [](const auto& q) { return *q.query_definition_id; },
      input.query_definition_name_prefix.value_or(""));
  co_return output;
}

Task<api::DeleteQueryDefinitionOutput> Service::delete_query_definition(
    Ctx ctx, api::DeleteQueryDefinitionInput input) {
  co_await write(ctx, [&](LogTransaction& logs) -> Result<void> {
    VIRGA_TRY(found, logs.find_setting(Setting::query, kAccountWide, input.query_definition_id));
    if (!found) return fail(errors::no_such_query_definition());
    logs.erase_setting(Setting::query, kAccountWide, input.query_definition_id);
    return {};
  });
  api::DeleteQueryDefinitionOutput output;
  output.success = true;
  co_return output;
}

}  // namespace virga::logs
