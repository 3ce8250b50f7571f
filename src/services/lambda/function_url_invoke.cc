// What the data plane of function URLs asks of the service.
// Source: Lambda Developer Guide, "Control access to Lambda function URLs".
#include "api/lambda/enums.h"
#include "platform/policy.h"
#include "services/lambda/errors.h"
#include "services/lambda/policy.h"
#include "services/lambda/service.h"
#include "services/lambda/support.h"
#include "storage/latest_view.h"

namespace virga::lambda {

Task<std::optional<Service::UrlAddress>> Service::url_address(std::string url_id) {
  const auto view = shard_.snapshot();
  auto target = co_await store::find_url_target(*view, url_id);
  std::optional<UrlAddress> out;
  if (!target) co_return out;
  auto record = co_await store::find_url(*view, store::owner_of(target->function),
                                         target->function_id, target->function.qualifier);
  if (record && record->url_id == url_id) out.emplace(std::move(*target), std::move(*record));
  co_return out;
}

// Strict mode: everybody may call a URL of AuthType NONE whose function's policy says so, as on
// AWS.
Task<void> Service::permit_url(UrlAddress address) {
  if (!options_.gate || address.record.auth_type != api::function_url_auth_type::kNone)
    co_return ok();  // who signed it was asked before
  const AwsError denied{
      .code = "AccessDeniedException", .http_status = 403, .message = "Forbidden"};
  const auto& function = address.target.function;
  const auto record = co_await store::find_policy(*shard_.snapshot(), store::owner_of(function),
                                                  address.target.function_id, function.qualifier);
  if (!record) co_return fail(denied);
  const auto policy = co_await platform::PolicyDocument::parse(policy_document(*record),
                                                               platform::PolicyKind::resource);
  platform::ConditionContext context;
  context.set("lambda:FunctionUrlAuthType", address.record.auth_type);
  const std::string arn = function.arn();
  const platform::PolicyRequest request{.action = "lambda:InvokeFunctionUrl",
                                        .resource = arn,
                                        .context = context,
                                        .caller = {.anonymous = true}};
  const auto verdict = policy->evaluate(request);
  if (verdict.denied || !verdict.allowed()) co_return fail(denied);
  co_return ok();
}

Task<Service::RunRequest> Service::request_for_url(UrlCall call) {
  co_await permit_url(call.address);
  const auto& name = call.address.target.function;
  const double chance = static_cast<double>(env().random.below(1000)) / 1000;
  auto what = co_await runnables_.find(storage::LatestView(shard_), name, chance);
  co_await must_be_invocable(name, what->version);
  RunRequest request{
      .name = name, .what = std::move(what), .request_id = std::move(call.request_id)};
  request.payload = std::move(call.event);
  request.trace_id = make_trace_id(env());
  co_return std::move(request);
}

Task<Service::StreamedRunRef> Service::stream_for_url(UrlCall call) {
  auto request = co_await request_for_url(std::move(call));
  auto run = co_await run_streamed(std::move(request));
  co_return std::move(run);
}

Task<Service::Ran> Service::invoke_for_url(UrlCall call) {
  auto request = co_await request_for_url(std::move(call));
  auto running = run(std::move(request));
  auto ran = co_await std::move(running);
  co_await write_usage(ran.usage);
  co_return std::move(ran);
}

}  // namespace virga::lambda
