#include <algorithm>

#include "api/iam/list_instance_profile_tags.h"
#include "api/iam/list_policy_tags.h"
#include "api/iam/list_role_tags.h"
#include "api/iam/list_user_tags.h"
#include "api/iam/tag_instance_profile.h"
#include "api/iam/tag_policy.h"
#include "api/iam/tag_role.h"
#include "api/iam/tag_user.h"
#include "api/iam/untag_instance_profile.h"
#include "api/iam/untag_policy.h"
#include "api/iam/untag_role.h"
#include "api/iam/untag_user.h"
#include "platform/managed_policies.h"
#include "services/iam/errors.h"
#include "services/iam/service.h"
#include "services/iam/support.h"

namespace virga::iam {
namespace {

// One page, in the order of the keys.
template <class Input, class Output>
Result<std::vector<api::Tag>> page_of_tags(TagList tags, const Input& input, Output& output) {
  std::sort(tags.begin(), tags.end());
  VIRGA_TRY(page, page_of(tags, input.marker, input.max_items, output,
                          [](const auto& tag) { return tag.first; }));
  return to_tags(page);
}

// AWS's own policies have no tags.
Result<PolicyRecord> tags_of_policy(const IamReader& iam, const std::string& arn) {
  if (platform::find_managed_policy(arn)) return PolicyRecord();
  VIRGA_TRY(own, iam.find_policy_by_arn(arn));
  if (!own) return fail(errors::policy_not_found(arn));
  return std::move(*own);
}

}  // namespace

Task<void> Service::tag(Ctx ctx, Kind kind, std::string name, std::vector<api::Tag> tags) {
  co_await write(ctx, [&](IamWriter& iam) -> Result<void> {
    VIRGA_TRY(e, iam.entity(kind, name));
    VIRGA_TRY_VOID(add_tags(e.tags, tags, kind == Kind::user ? "TagsPerUser" : "TagsPerRole"));
    iam.put(e);
    return {};
  });
  co_return ok();
}

Task<void> Service::untag(Ctx ctx, Kind kind, std::string name, std::vector<std::string> keys) {
  co_await write(ctx, [&](IamWriter& iam) -> Result<void> {
    VIRGA_TRY(e, iam.entity(kind, name));
    remove_tags(e.tags, keys);
    iam.put(e);
    return {};
  });
  co_return ok();
}

Task<api::TagUserOutput> Service::tag_user(Ctx ctx, api::TagUserInput input) {
  co_await tag(ctx, Kind::user, input.user_name, std::move(input.tags));
  co_return api::TagUserOutput();
}

Task<api::UntagUserOutput> Service::untag_user(Ctx ctx, api::UntagUserInput input) {
  co_await untag(ctx, Kind::user, input.user_name, std::move(input.tag_keys));
  co_return api::UntagUserOutput();
}

Task<api::ListUserTagsOutput> Service::list_user_tags(Ctx ctx, api::ListUserTagsInput input) {
  const auto record = co_await read(
      ctx, [&](const IamReader& iam) { return iam.entity(Kind::user, input.user_name); });
  api::ListUserTagsOutput output;
  output.tags = co_await page_of_tags(record.tags, input, output);
  co_return output;
}

Task<api::TagRoleOutput> Service::tag_role(Ctx ctx, api::TagRoleInput input) {
  co_await tag(ctx, Kind::role, input.role_name, std::move(input.tags));
  co_return api::TagRoleOutput();
}

Task<api::UntagRoleOutput> Service::untag_role(Ctx ctx, api::UntagRoleInput input) {
  co_await untag(ctx, Kind::role, input.role_name, std::move(input.tag_keys));
  co_return api::UntagRoleOutput();
}

Task<api::ListRoleTagsOutput> Service::list_role_tags(Ctx ctx, api::ListRoleTagsInput input) {
  const auto record = co_await read(
      ctx, [&](const IamReader& iam) { return iam.entity(Kind::role, input.role_name); });
  api::ListRoleTagsOutput output;
  output.tags = co_await page_of_tags(record.tags, input, output);
  co_return output;
}

Task<api::TagPolicyOutput> Service::tag_policy(Ctx ctx, api::TagPolicyInput input) {
  co_await edit_policy(ctx, input.policy_arn, [&](PolicyRecord& p) {
    return add_tags(p.tags, input.tags, "TagsPerPolicy");
  });
  co_return api::TagPolicyOutput();
}

Task<api::UntagPolicyOutput> Service::untag_policy(Ctx ctx, api::UntagPolicyInput input) {
  co_await edit_policy(ctx, input.policy_arn, [&](PolicyRecord& p) -> Result<void> {
    remove_tags(p.tags, input.tag_keys);
    return {};
  });
  co_return api::UntagPolicyOutput();
}

Task<api::ListPolicyTagsOutput> Service::list_policy_tags(Ctx ctx, api::ListPolicyTagsInput input) {
  const auto record = co_await read(
      ctx, [&](const IamReader& iam) { return tags_of_policy(iam, input.policy_arn); });
  api::ListPolicyTagsOutput output;
  output.tags = co_await page_of_tags(record.tags, input, output);
  co_return output;
}

Task<api::TagInstanceProfileOutput> Service::tag_instance_profile(
    Ctx ctx, api::TagInstanceProfileInput input) {
  co_await edit_profile(ctx, input.instance_profile_name, [&](InstanceProfileRecord& p) {
    return add_tags(p.tags, input.tags, "TagsPerInstanceProfile");
  });
  co_return api::TagInstanceProfileOutput();
}

Task<api::UntagInstanceProfileOutput> Service::untag_instance_profile(
    Ctx ctx, api::UntagInstanceProfileInput input) {
  co_await edit_profile(ctx, input.instance_profile_name,
                        [&](InstanceProfileRecord& p) -> Result<void> {
                          remove_tags(p.tags, input.tag_keys);
                          return {};
                        });
  co_return api::UntagInstanceProfileOutput();
}

Task<api::ListInstanceProfileTagsOutput> Service::list_instance_profile_tags(
    Ctx ctx, api::ListInstanceProfileTagsInput input) {
  const auto record = co_await read(
      ctx, [&](const IamReader& iam) { return iam.instance_profile(input.instance_profile_name); });
  api::ListInstanceProfileTagsOutput output;
  output.tags = co_await page_of_tags(record.tags, input, output);
  co_return output;
}

}  // namespace virga::iam
