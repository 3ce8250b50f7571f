// AddLayerVersionPermission, RemoveLayerVersionPermission, GetLayerVersionPolicy.
// Source: Lambda API Reference, the pages of these operations.
#include "api/lambda/add_layer_version_permission.h"
#include "api/lambda/get_layer_version_policy.h"
#include "api/lambda/remove_layer_version_permission.h"
#include "base/json.h"
#include "platform/transact.h"
#include "services/lambda/errors.h"
#include "services/lambda/layer_store.h"
#include "services/lambda/policy.h"
#include "services/lambda/service.h"
#include "services/lambda/support.h"

namespace virga::lambda {
namespace {

Result<LayerVersionName> named(Ctx ctx, const std::string& layer, int64_t version) {
  VIRGA_TRY(name, LayerName::parse(layer, ctx->account, ctx->region, ctx->partition));
  if (version < 1) return fail(errors::invalid_parameter("Layer Version Cannot be less than 1."));
  return LayerVersionName{std::move(name), static_cast<uint64_t>(version)};
}

AwsError no_version(const LayerVersionName& name) {
  return errors::resource_not_found("Layer version " + name.layer.version_arn(name.version) +
                                    " does not exist.");
}

AwsError no_policy() {
  return errors::resource_not_found("No policy is associated with the given resource.");
}

std::string make_statement(const api::AddLayerVersionPermissionInput& in,
                           const LayerVersionName& name) {
  Document statement = Document::object();
  statement.set("Sid", in.statement_id).set("Effect", "Allow");
  if (in.principal == "*") {
    statement.set("Principal", "*");
  } else {
    const bool arn = in.principal.starts_with("arn:");
    statement.set("Principal",
                  Document::object().set("AWS", arn ? in.principal
                                                    : "arn:" + name.layer.partition +
                                                          ":iam::" + in.principal + ":root"));
  }
  statement.set("Action", in.action).set("Resource", name.layer.version_arn(name.version));
  if (in.organization_id) {
    statement.set("Condition", Document::object().set("StringEquals",
                                                      Document::object().set("aws:PrincipalOrgID",
                                                                             *in.organization_id)));
  }
  return to_json(statement);
}

}  // namespace

Task<api::AddLayerVersionPermissionOutput> Service::add_layer_version_permission(
    Ctx ctx, api::AddLayerVersionPermissionInput input) {
  const auto name = co_await named(ctx, input.layer_name, input.version_number);
  const auto owner = store::owner_of(name.layer);
  const std::string statement = make_statement(input, name);
  const std::string revision = new_revision_id(ctx);
  auto add = [&](storage::Txn& txn) -> Result<bool> {
    VIRGA_TRY(version, store::find_layer_version(txn, owner, name.layer.name, name.version));
    if (!version) return fail(no_version(name));
    VIRGA_TRY(found, store::find_layer_policy(txn, owner, name.layer.name, name.version));
    PolicyRecord policy = found.value_or(PolicyRecord{});
    if (input.revision_id && *input.revision_id != policy.revision_id)
      return fail(errors::policy_revision_mismatch());
    for (const auto& other : policy.statements) {
      if (other.id == input.statement_id) {
        return fail(errors::resource_conflict(
            "The statement id (" + input.statement_id +
            ") provided already exists. Please provide a new statement id, or remove "
            "the existing statement."));
      }
    }
    policy.statements.push_back({.id = input.statement_id, .json = statement});
    policy.revision_id = revision;
    store::put_layer_policy(txn, owner, name.layer.name, name.version, policy);
    return true;
  };
  co_await platform::transact(ctx, shard_, std::move(add));
  api::AddLayerVersionPermissionOutput out;
  out.statement = statement;
  out.revision_id = revision;
  co_return out;
}

Task<api::RemoveLayerVersionPermissionOutput> Service::remove_layer_version_permission(
    Ctx ctx, api::RemoveLayerVersionPermissionInput input) {
  const auto name = co_await named(ctx, input.layer_name, input.version_number);
  const auto owner = store::owner_of(name.layer);
  const std::string revision = new_revision_id(ctx);
  auto remove = [&](storage::Txn& txn) -> Result<bool> {
    VIRGA_TRY(version, store::find_layer_version(txn, owner, name.layer.name, name.version));
    if (!version) return fail(no_version(name));
    VIRGA_TRY(policy, store::find_layer_policy(txn, owner, name.layer.name, name.version));
    if (!policy) return fail(no_policy());
    if (input.revision_id && *input.revision_id != policy->revision_id)
      return fail(errors::policy_revision_mismatch());
    const size_t gone = std::erase_if(policy->statements, [&](const auto& statement) {
      return statement.id == input.statement_id;
    });
    if (gone == 0) {
      return fail(errors::resource_not_found("Statement " + input.statement_id +
                                             " is not found in resource policy."));
    }
    policy->revision_id = revision;
    store::put_layer_policy(txn, owner, name.layer.name, name.version, *policy);
    return true;
  };
  co_await platform::transact(ctx, shard_, std::move(remove));
  co_return api::RemoveLayerVersionPermissionOutput();
}

Task<api::GetLayerVersionPolicyOutput> Service::get_layer_version_policy(
    Ctx ctx, api::GetLayerVersionPolicyInput input) {
  const auto name = co_await named(ctx, input.layer_name, input.version_number);
  const auto owner = store::owner_of(name.layer);
  const auto view = shard_.snapshot();
  const auto version =
      co_await store::find_layer_version(*view, owner, name.layer.name, name.version);
  if (!version) co_return fail(no_version(name));
  const auto policy =
      co_await store::find_layer_policy(*view, owner, name.layer.name, name.version);
  if (!policy) co_return fail(no_policy());
  api::GetLayerVersionPolicyOutput out;
  out.policy = policy_document(*policy);
  out.revision_id = policy->revision_id;
  co_return out;
}

}  // namespace virga::lambda
