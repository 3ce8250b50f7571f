#include "api/logs/list_tags_for_resource.h"
#include "api/logs/list_tags_log_group.h"
#include "api/logs/tag_log_group.h"
#include "api/logs/tag_resource.h"
#include "api/logs/untag_log_group.h"
#include "api/logs/untag_resource.h"
#include "services/logs/errors.h"
#include "services/logs/names.h"
#include "services/logs/service.h"

namespace virga::logs {
namespace {

constexpr size_t kTagsMax = 50;

Result<void> add_tags(Group& group, const std::map<std::string, std::string>& tags) {
  for (const auto& [key, value] : tags) group.tags[key] = value;
  if (group.tags.size() > kTagsMax) return fail(errors::too_many_tags());
  return {};
}

Result<void> remove_tags(Group& group, const std::vector<std::string>& keys) {
  for (const std::string& key : keys) group.tags.erase(key);
  return {};
}

}  // namespace

Task<api::TagResourceOutput> Service::tag_resource(Ctx ctx, api::TagResourceInput input) {
  std::string name = co_await name_of_arn(input.resource_arn);
  co_await edit_group(ctx, std::move(name), [&](Group& g) { return add_tags(g, input.tags); });
  co_return api::TagResourceOutput();
}

Task<api::UntagResourceOutput> Service::untag_resource(Ctx ctx, api::UntagResourceInput input) {
  std::string name = co_await name_of_arn(input.resource_arn);
  co_await edit_group(ctx, std::move(name),
                      [&](Group& g) { return remove_tags(g, input.tag_keys); });
  co_return api::UntagResourceOutput();
}

Task<api::ListTagsForResourceOutput> Service::list_tags_for_resource(
    Ctx ctx, api::ListTagsForResourceInput input) {
  const std::string name = co_await name_of_arn(input.resource_arn);
  co_await caught_up();
  const auto view = shard_.snapshot();
  const Group group = co_await LogReader(*view, ctx->account, ctx->region).group(name);
  api::ListTagsForResourceOutput output;
  output.tags = group.tags;
  co_return output;
}

Task<api::TagLogGroupOutput> Service::tag_log_group(Ctx ctx, api::TagLogGroupInput input) {
  co_await edit_group(ctx, input.log_group_name, [&](Group& g) { return add_tags(g, input.tags); });
  co_return api::TagLogGroupOutput();
}

Task<api::UntagLogGroupOutput> Service::untag_log_group(Ctx ctx, api::UntagLogGroupInput input) {
  co_await edit_group(ctx, input.log_group_name,
                      [&](Group& g) { return remove_tags(g, input.tags); });
  co_return api::UntagLogGroupOutput();
}

Task<api::ListTagsLogGroupOutput> Service::list_tags_log_group(Ctx ctx,
                                                               api::ListTagsLogGroupInput input) {
  co_await caught_up();
  const auto view = shard_.snapshot();
  const Group group =
      co_await LogReader(*view, ctx->account, ctx->region).group(input.log_group_name);
  api::ListTagsLogGroupOutput output;
  output.tags = group.tags;
  co_return output;
}

}  // namespace virga::logs
