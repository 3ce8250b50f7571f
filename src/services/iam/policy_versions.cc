#include <algorithm>

#include "api/iam/create_policy_version.h"
#include "api/iam/delete_policy_version.h"
#include "api/iam/get_policy_version.h"
#include "api/iam/list_policy_versions.h"
#include "api/iam/set_default_policy_version.h"
#include "api/iam/shapes/policy_version.h"
#include "base/strings.h"
#include "platform/managed_policies.h"
#include "services/iam/errors.h"
#include "services/iam/policy_rules.h"
#include "services/iam/service.h"
#include "services/iam/support.h"

namespace virga::iam {
namespace {

constexpr size_t kVersionsMax = 5;  // IAM User Guide, "Versioning IAM policies"

enum class Body { without, with };

api::PolicyVersion to_version(const PolicyRecord& p, const PolicyVersionRecord& v, Body body) {
  api::PolicyVersion out;
  if (body == Body::with) out.document = percent_encode(v.document);
  out.version_id = "v" + std::to_string(v.number);
  out.is_default_version = v.number == p.default_version;
  out.create_date = v.created;
  return out;
}

// An AWS-managed policy as a record with its one version.
PolicyRecord as_record(const platform::ManagedPolicy& m) {
  PolicyRecord p{.name = m.name, .path = m.path, .id = m.id};
  p.versions.push_back({1, m.document, Timestamp::from_seconds(1423171162)});
  return p;
}

Result<PolicyRecord> load(const IamReader& iam, const std::string& arn) {
  if (const platform::ManagedPolicy* managed = platform::find_managed_policy(arn))
    return as_record(*managed);
  VIRGA_TRY(own, iam.find_policy_by_arn(arn));
  if (!own) return fail(errors::policy_not_found(arn));
  return std::move(*own);
}

// The number of "v3"; 0, which no version has, for anything else.
int number_of(const std::string& version_id) {
  const auto dot = version_id.find('.');
  if (!version_id.starts_with("v") || dot != std::string::npos) return 0;
  return static_cast<int>(parse_int(std::string_view(version_id).substr(1)).value_or(0));
}

}  // namespace

// Runs `edit` on a policy of the account and stores it. AWS's own cannot be changed.
Task<void> Service::edit_policy(Ctx ctx, std::string arn,
                                std::function<Result<void>(PolicyRecord&)> edit) {
  co_await write(ctx, [&](IamWriter& iam) -> Result<void> {
    if (platform::find_managed_policy(arn))
      return fail("AccessDenied", 403, "Cannot modify the AWS managed policy " + arn + ".");
    VIRGA_TRY(policy, iam.find_policy_by_arn(arn));
    if (!policy) return fail(errors::policy_not_found(arn));
    VIRGA_TRY_VOID(edit(*policy));
    iam.put(*policy);
    return {};
  });
  co_return ok();
}

Task<api::CreatePolicyVersionOutput> Service::create_policy_version(
    Ctx ctx, api::CreatePolicyVersionInput input) {
  co_await platform::PolicyDocument::parse(input.policy_document, platform::PolicyKind::identity);
  co_await check_managed_size(input.policy_document);
  api::CreatePolicyVersionOutput output;
  co_await edit_policy(ctx, input.policy_arn, [&](PolicyRecord& p) -> Result<void> {
    if (p.versions.size() >= kVersionsMax) {
      return fail(
          errors::limit_exceeded("A managed policy can have up to 5 versions. Before you create a "
                                 "new version, you must delete an existing version."));
    }
    const PolicyVersionRecord version{p.next_version++, input.policy_document, ctx->now.at};
    p.versions.push_back(version);
    if (input.set_as_default.value_or(false)) p.default_version = version.number;
    p.updated = ctx->now.at;
    output.policy_version = to_version(p, version, Body::without);
    return {};
  });
  co_return output;
}

Task<api::GetPolicyVersionOutput> Service::get_policy_version(Ctx ctx,
                                                              api::GetPolicyVersionInput input) {
  const PolicyRecord policy =
      co_await read(ctx, [&](const IamReader& iam) { return load(iam, input.policy_arn); });
  const PolicyVersionRecord* version = policy.version(number_of(input.version_id));
  if (!version)
    co_return fail(errors::policy_version_not_found(input.policy_arn, input.version_id));
  api::GetPolicyVersionOutput output;
  output.policy_version = to_version(policy, *version, Body::with);
  co_return output;
}

// The newest first.
Task<api::ListPolicyVersionsOutput> Service::list_policy_versions(
    Ctx ctx, api::ListPolicyVersionsInput input) {
  const PolicyRecord policy =
      co_await read(ctx, [&](const IamReader& iam) { return load(iam, input.policy_arn); });
  std::vector<PolicyVersionRecord> all(policy.versions.rbegin(), policy.versions.rend());
  api::ListPolicyVersionsOutput output;
  const auto page = co_await page_of(
      all, input.marker, input.max_items, output, [](const PolicyVersionRecord& v) {
        const std::string down =
            std::to_string(1'000'000'000 - v.number);  // descending, of one length
        return down;
      });
  output.versions.emplace();
  for (const PolicyVersionRecord& v : page)
    output.versions->push_back(to_version(policy, v, Body::without));
  co_return output;
}

Task<api::SetDefaultPolicyVersionOutput> Service::set_default_policy_version(
    Ctx ctx, api::SetDefaultPolicyVersionInput input) {
  co_await edit_policy(ctx, input.policy_arn, [&](PolicyRecord& p) -> Result<void> {
    const int number = number_of(input.version_id);
    if (!p.version(number))
      return fail(errors::policy_version_not_found(input.policy_arn, input.version_id));
    p.default_version = number;
    p.updated = ctx->now.at;
    return {};
  });
  co_return api::SetDefaultPolicyVersionOutput();
}

Task<api::DeletePolicyVersionOutput> Service::delete_policy_version(
    Ctx ctx, api::DeletePolicyVersionInput input) {
  co_await edit_policy(ctx, input.policy_arn, [&](PolicyRecord& p) -> Result<void> {
    const int number = number_of(input.version_id);
    if (!p.version(number))
      return fail(errors::policy_version_not_found(input.policy_arn, input.version_id));
    if (number == p.default_version)
      return fail(errors::delete_conflict("Cannot delete the default version of a policy."));
    std::erase_if(p.versions, [&](const PolicyVersionRecord& v) { return v.number == number; });
    p.updated = ctx->now.at;
    return {};
  });
  co_return api::DeletePolicyVersionOutput();
}

}  // namespace virga::iam
