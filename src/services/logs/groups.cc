#include <algorithm>
#include <array>
#include <set>

#include "api/logs/create_log_group.h"
#include "api/logs/delete_log_group.h"
#include "api/logs/delete_retention_policy.h"
#include "api/logs/describe_log_groups.h"
#include "api/logs/put_retention_policy.h"
#include "api/logs/shapes/log_group.h"
#include "services/logs/errors.h"
#include "services/logs/names.h"
#include "services/logs/service.h"
#include "services/logs/tokens.h"

namespace virga::logs {
namespace {

constexpr int32_t kGroupsPerPage = 50;
constexpr size_t kTagsMax = 50;
// Source: CloudWatch Logs API Reference, PutRetentionPolicy, retentionInDays.
constexpr std::array kRetentionDays{1,   3,   5,   7,   14,   30,   60,   90,   120,  150,  180,
                                    365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653};

api::LogGroup to_log_group(const RequestContext& context, const Group& g, size_t metric_filters) {
  api::LogGroup out;
  out.log_group_name = g.name;
  out.creation_time = g.created_millis;
  if (g.retention_days) out.retention_in_days = g.retention_days;
  out.metric_filter_count = static_cast<int32_t>(metric_filters);
  out.log_group_arn = group_arn(context, g.name);
  out.arn = *out.log_group_arn + ":*";
  out.stored_bytes = 0;
  if (!g.kms_key.empty()) out.kms_key_id = g.kms_key;
  out.log_group_class = g.group_class;
  out.deletion_protection_enabled = g.deletion_protection;
  return out;
}

// The groups that DescribeLogGroups is asked for by name or ARN; nullopt: all of them.
Result<std::optional<std::set<std::string>>> names_of(const api::DescribeLogGroupsInput& input) {
  using Names = std::optional<std::set<std::string>>;
  if (!input.log_group_identifiers) return Names();
  if (input.log_group_name_prefix || input.log_group_name_pattern) {
    return fail(errors::invalid_parameter(
        "logGroupIdentifiers cannot be used together with a name prefix or pattern."));
  }
  Names names(std::in_place);
  for (const auto& identifier : *input.log_group_identifiers) {
    VIRGA_TRY(name, group_name(std::nullopt, identifier));
    names->insert(std::move(name));
  }
  return names;
}

Result<void> check_retention(int32_t days) {
  if (std::find(kRetentionDays.begin(), kRetentionDays.end(), days) != kRetentionDays.end())
    return {};
  std::string all;
  for (const int d : kRetentionDays) all += (all.empty() ? "" : ", ") + std::to_string(d);
  return fail(errors::invalid_parameter(
      "1 validation error detected: Value '" + std::to_string(days) +
      "' at 'retentionInDays' failed to satisfy constraint: Member must satisfy enum value set: [" +
      all + "]"));
}

}  // namespace

Task<void> Service::edit_group(Ctx ctx, std::string name,
                               std::function<Result<void>(Group&)> edit) {
  co_await write(ctx, [&](LogTransaction& logs) -> Result<void> {
    VIRGA_TRY(group, logs.group(name));
    VIRGA_TRY_VOID(edit(group));
    logs.put(group);
    return {};
  });
  co_return ok();
}

Task<api::CreateLogGroupOutput> Service::create_log_group(Ctx ctx, api::CreateLogGroupInput input) {
  if (input.log_group_name.starts_with("aws/")) {
    co_return fail(
        errors::invalid_parameter("Log groups starting with AWS/ are reserved for AWS."));
  }
  Group group{.name = input.log_group_name, .created_millis = ctx->now.at.millis()};
  group.kms_key = input.kms_key_id.value_or("");
  group.group_class = input.log_group_class.value_or("STANDARD");
  group.deletion_protection = input.deletion_protection_enabled.value_or(false);
  if (input.tags) group.tags = *input.tags;
  if (group.tags.size() > kTagsMax) co_return fail(errors::too_many_tags());
  co_await write(ctx, [&](LogTransaction& logs) -> Result<void> {
    VIRGA_TRY(found, logs.find_group(group.name));
    if (found) return fail(errors::group_exists());
    logs.add(group);
    return {};
  });
  co_return api::CreateLogGroupOutput();
}

Task<api::DeleteLogGroupOutput> Service::delete_log_group(Ctx ctx, api::DeleteLogGroupInput input) {
  co_await write(ctx, [&](LogTransaction& logs) -> Result<void> {
    VIRGA_TRY(group, logs.group(input.log_group_name));
    if (group.deletion_protection) return fail(errors::protected_group());
    targets_.clear();
    logs.erase(group);
    return {};
  });
  co_return api::DeleteLogGroupOutput();
}

Task<api::DescribeLogGroupsOutput> Service::describe_log_groups(Ctx ctx,
                                                                api::DescribeLogGroupsInput input) {
  if (input.log_group_name_prefix && input.log_group_name_pattern) {
    co_return fail(errors::invalid_parameter(
        "LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters."));
  }
  const auto wanted = co_await names_of(input);
  const std::string after = co_await read_token(input.next_token);
  const auto limit = static_cast<size_t>(input.limit.value_or(kGroupsPerPage));
  const std::string pattern = input.log_group_name_pattern.value_or("");
  co_await caught_up();
  const auto view = shard_.snapshot();
  const LogReader reader(*view, ctx->account, ctx->region);
  api::DescribeLogGroupsOutput output;
  auto& out = output.log_groups.emplace();
  co_await reader.each_group(input.log_group_name_prefix.value_or(""), [&](Group&& g) {
    if (!after.empty() && g.name <= after) return true;
    if (g.name.find(pattern) == std::string::npos) return true;
    if (wanted && !wanted->contains(g.name)) return true;
    if (input.log_group_class && g.group_class != *input.log_group_class) return true;
    if (out.size() == limit) {
      output.next_token = make_token(*out.back().log_group_name);
      return false;
    }
    const auto filters = reader.count_settings(Setting::metric_filter, g.id);
    out.push_back(to_log_group(*ctx, g, filters.value_or(0)));
    return true;
  });
  co_return output;
}

Task<api::PutRetentionPolicyOutput> Service::put_retention_policy(
    Ctx ctx, api::PutRetentionPolicyInput input) {
  co_await check_retention(input.retention_in_days);
  co_await edit_group(ctx, input.log_group_name, [&](Group& g) -> Result<void> {
    g.retention_days = input.retention_in_days;
    return {};
  });
  co_return api::PutRetentionPolicyOutput();
}

Task<api::DeleteRetentionPolicyOutput> Service::delete_retention_policy(
    Ctx ctx, api::DeleteRetentionPolicyInput input) {
  co_await edit_group(ctx, input.log_group_name, [](Group& g) -> Result<void> {
    g.retention_days = 0;
    return {};
  });
  co_return api::DeleteRetentionPolicyOutput();
}

}  // namespace virga::logs
