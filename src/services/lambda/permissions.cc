// AddPermission, RemovePermission, GetPolicy. Source: Lambda API Reference, the pages of these
// operations; Lambda Developer Guide, "Using resource-based policies for Lambda".
#include <algorithm>

#include "api/lambda/add_permission.h"
#include "api/lambda/get_policy.h"
#include "api/lambda/remove_permission.h"
#include "base/document.h"
#include "base/json.h"
#include "platform/gate.h"
#include "platform/transact.h"
#include "services/lambda/errors.h"
#include "services/lambda/policy.h"
#include "services/lambda/service.h"
#include "services/lambda/support.h"

namespace virga::lambda {
namespace {

// The qualifier must exist: policies of what is not there cannot be written.
Result<void> check_qualifier(const storage::View& view, const FunctionName& name) {
  if (name.qualifier.empty()) return {};
  if (name.qualifier == kLatest) {
    return fail(
        errors::invalid_parameter("We currently do not support adding policies for $LATEST."));
  }
  VIRGA_TRY(found, store::resolve(view, name, 1.0));
  return {};
}

}  // namespace

Task<api::AddPermissionOutput> Service::add_permission(Ctx ctx, api::AddPermissionInput input) {
  const auto name = co_await parse_name(ctx, input.function_name, input.qualifier);
  const auto owner = store::owner_of(name);
  if (input.function_url_auth_type && input.action != "lambda:InvokeFunctionUrl") {
    co_return fail(errors::invalid_parameter(
        "FunctionUrlAuthType is only supported for lambda:InvokeFunctionUrl action"));
  }
  const Document statement = co_await make_statement(input, name);
  const std::string text = to_json(statement);
  const std::string revision = new_revision_id(ctx);
  auto add = [&](storage::Txn& txn) -> Result<bool> {
    VIRGA_TRY(record, store::get_function(txn, name));
    VIRGA_TRY_VOID(check_qualifier(txn, name));
    VIRGA_TRY(found, store::find_policy(txn, owner, record.id, name.qualifier));
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
    policy.statements.push_back({.id = input.statement_id, .json = text});
    policy.revision_id = revision;
    const size_t size = policy_document(policy).size();
    if (size > kPolicyBytesMax) {
      return fail(AwsError{.code = "PolicyLengthExceededException",
                           .http_status = 400,
                           .message = "The final policy size (" + std::to_string(size) +
                                      ") is bigger than the limit (" +
                                      std::to_string(kPolicyBytesMax) + ")."});
    }
    store::put_policy(txn, owner, record.id, name.qualifier, policy);
    return true;
  };
  const bool added = co_await platform::transact(ctx, shard_, std::move(add));
  api::AddPermissionOutput out;
  if (added) out.statement = text;
  co_return out;
}

Task<api::RemovePermissionOutput> Service::remove_permission(Ctx ctx,
                                                             api::RemovePermissionInput input) {
  const auto name = co_await parse_name(ctx, input.function_name, input.qualifier);
  const auto owner = store::owner_of(name);
  const std::string revision = new_revision_id(ctx);
  auto remove = [&](storage::Txn& txn) -> Result<bool> {
    VIRGA_TRY(record, store::get_function(txn, name));
    VIRGA_TRY(found, store::find_policy(txn, owner, record.id, name.qualifier));
    if (!found)
      return fail(errors::resource_not_found("No policy is associated with the given resource."));
    if (input.revision_id && *input.revision_id != found->revision_id)
      return fail(errors::policy_revision_mismatch());
    const size_t gone = std::erase_if(found->statements, [&](const auto& statement) {
      return statement.id == input.statement_id;
    });
    if (gone == 0) {
      return fail(errors::resource_not_found("Statement " + input.statement_id +
                                             " is not found in resource policy."));
    }
    found->revision_id = revision;
    store::put_policy(txn, owner, record.id, name.qualifier, *found);
    return true;
  };
  co_await platform::transact(ctx, shard_, std::move(remove));
  co_return api::RemovePermissionOutput();
}

Task<api::GetPolicyOutput> Service::get_policy(Ctx ctx, api::GetPolicyInput input) {
  const auto name = co_await parse_name(ctx, input.function_name, input.qualifier);
  const auto view = shard_.snapshot();
  const auto record = co_await store::get_function(*view, name);
  const auto policy =
      co_await store::find_policy(*view, store::owner_of(name), record.id, name.qualifier);
  if (!policy)
    co_return fail(errors::resource_not_found("The resource you requested does not exist."));
  api::GetPolicyOutput out;
  out.policy = policy_document(*policy);
  out.revision_id = policy->revision_id;
  co_return out;
}

// Strict mode: may `call.principal` invoke the function for `call.source_arn`, or the role that the
// call names?
Task<void> Service::permit(platform::InvokeCall call, FunctionName name) {
  platform::Gate* gate = options_.gate;
  if (!gate) co_return ok();
  RequestContext caller;
  caller.env = &home_.env();
  caller.account = call.account;
  caller.region = call.region;
  caller.principal.kind = Principal::Kind::service;
  caller.principal.service = call.principal;
  if (!call.role_arn.empty()) {
    caller.principal = co_await gate->assume(call.role_arn, call.principal, "invocation");
  }
  platform::GateQuestion question{.request = &caller, .action = "lambda:InvokeFunction"};
  question.resources.push_back(name.arn());
  question.source_arn = call.source_arn;
  question.source_account = call.account;
  question.style = platform::DenialStyle::rest_json;
  co_await gate->check(std::move(question));
  co_return ok();
}

Task<void> Service::must_be_assumable(std::string role_arn) {
  if (!options_.gate) co_return ok();
  const auto assumed =
      co_await as_result(options_.gate->assume(role_arn, "lambda.amazonaws.com", "check"));
  if (!assumed) {
    co_return fail(errors::invalid_parameter(
        "The role defined for the function cannot be assumed by Lambda."));
  }
  co_return ok();
}

}  // namespace virga::lambda
