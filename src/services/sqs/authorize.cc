// Strict mode: identities' policies and the queue's own. The door cannot ask it, because a queue is
// named by a URL and its policy stands in its attributes. Source: SQS Developer Guide, "Using
// identity-based policies with Amazon SQS" and "Custom policies"; Service Authorization Reference,
// "Amazon SQS".
#include "base/strings.h"
#include "platform/authorizer.h"
#include "services/sqs/service.h"

namespace virga::sqs {
namespace {

// Batches need the permission of the single operation. SQS says actions in lower case when it
// refuses.
std::string action_of(std::string_view operation) {
  if (operation.ends_with("Batch")) operation.remove_suffix(5);
  return "sqs:" + to_lower(operation);
}

}  // namespace

Task<void> Service::permit(Ctx ctx, QueueAddress address, std::string_view operation) {
  // TODO(security): services that act for a resource (S3 events, SNS) are to be held to the queue's
  // policy with the resource's aws:SourceArn, which an in-process call does not carry yet.
  if (ctx->principal.kind == Principal::Kind::service) co_return ok();
  const std::string action = action_of(operation);
  co_await async::switch_to(shard_.owner());
  const auto looked = shard_.transact_now(
      {}, [&](storage::Txn& txn) -> Result<QueueRef> { return begin(txn).find(address); });
  const QueueRef queue = co_await Result<QueueRef>(looked.result);
  ctx->depends_on(looked.lsn);
  const Principal principal = ctx->principal;
  const platform::PrincipalPolicies policies =
      co_await options_.identities->policies_for(principal, nullptr);
  platform::ConditionContext conditions;
  platform::add_global_keys(conditions, *ctx, policies, address.account, env_.wall.now(),
                            platform::TransportFacts{});
  const std::vector<std::string> resources{arn_of(address)};
  const platform::AuthorizeRequest request{.principal = principal,
                                           .policies = policies,
                                           .action = action,
                                           .resources = resources,
                                           .context = conditions,
                                           .resource_account = address.account,
                                           .resource_policy = queue ? queue->policy.get() : nullptr,
                                           .style = platform::DenialStyle::rest_json};
  co_await platform::authorize(request);
  co_return ok();
}

}  // namespace virga::sqs
