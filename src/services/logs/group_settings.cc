// Single settings of log groups, and the short list of them. Source: CloudWatch Logs API Reference,
// the pages of these operations.
#include "api/logs/associate_kms_key.h"
#include "api/logs/disassociate_kms_key.h"
#include "api/logs/list_log_groups.h"
#include "api/logs/put_log_group_deletion_protection.h"
#include "api/logs/shapes/log_group_summary.h"
#include "services/logs/errors.h"
#include "services/logs/names.h"
#include "services/logs/service.h"
#include "services/logs/tokens.h"

namespace virga::logs {
namespace {

constexpr int32_t kGroupsListed = 50;

// `^prefix` and a part of the name are all that the model's pattern allows.
bool name_matches(const std::string& name, std::string_view pattern) {
  if (pattern.starts_with('^')) return name.starts_with(pattern.substr(1));
  return name.find(pattern) != std::string::npos;
}

}  // namespace

Task<api::AssociateKmsKeyOutput> Service::associate_kms_key(Ctx ctx,
                                                            api::AssociateKmsKeyInput input) {
  const std::string name = co_await group_name(input.log_group_name, input.resource_identifier);
  co_await edit_group(ctx, name, [&](Group& g) -> Result<void> {
    g.kms_key = input.kms_key_id;
    return {};
  });
  co_return api::AssociateKmsKeyOutput();
}

Task<api::DisassociateKmsKeyOutput> Service::disassociate_kms_key(
    Ctx ctx, api::DisassociateKmsKeyInput input) {
  const std::string name = co_await group_name(input.log_group_name, input.resource_identifier);
  co_await edit_group(ctx, name, [](Group& g) -> Result<void> {
    g.kms_key.clear();
    return {};
  });
  co_return api::DisassociateKmsKeyOutput();
}

Task<api::PutLogGroupDeletionProtectionOutput> Service::put_log_group_deletion_protection(
    Ctx ctx, api::PutLogGroupDeletionProtectionInput input) {
  const std::string name = co_await group_name(std::nullopt, input.log_group_identifier);
  co_await edit_group(ctx, name, [&](Group& g) -> Result<void> {
    g.deletion_protection = input.deletion_protection_enabled;
    return {};
  });
  co_return api::PutLogGroupDeletionProtectionOutput();
}

Task<api::ListLogGroupsOutput> Service::list_log_groups(Ctx ctx, api::ListLogGroupsInput input) {
  const std::string after = co_await read_token(input.next_token);
  const auto limit = static_cast<size_t>(input.limit.value_or(kGroupsListed));
  co_await caught_up();
  const auto view = shard_.snapshot();
  const LogReader reader(*view, ctx->account, ctx->region);
  api::ListLogGroupsOutput output;
  auto& out = output.log_groups.emplace();
  co_await reader.each_group("", [&](Group&& g) {
    if (!after.empty() && g.name <= after) return true;
    if (!name_matches(g.name, input.log_group_name_pattern.value_or(""))) return true;
    if (input.log_group_class && g.group_class != *input.log_group_class) return true;
    if (out.size() == limit) {
      output.next_token = make_token(*out.back().log_group_name);
      return false;
    }
    auto& one = out.emplace_back();
    one.log_group_name = g.name;
    one.log_group_arn = group_arn(*ctx, g.name);
    one.log_group_class = g.group_class;
    return true;
  });
  co_return output;
}

}  // namespace virga::logs
