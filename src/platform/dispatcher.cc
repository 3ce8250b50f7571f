#include "platform/dispatcher.h"

#include "base/log.h"
#include "platform/authorizer.h"
#include "platform/resource_arns.h"

namespace virga::platform {

using aws::DecodeNotes;
using aws::InputBox;
using aws::OperationDesc;
using aws::OutputBox;
using aws::ServiceBinding;
using aws::ServiceDesc;

Dispatcher::Dispatcher(storage::Shard& shard, async::Env& env, Metrics& metrics, Options options)
    : shard_(shard), env_(env), metrics_(metrics), options_(options) {}

void Dispatcher::add(ServiceBinding binding) {
  const ServiceDesc* service = binding.service;
  CHECK(bindings_.emplace(service, std::move(binding)).second);
}

const ServiceBinding* Dispatcher::binding(const ServiceDesc& service) const {
  const auto found = bindings_.find(&service);
  return found == bindings_.end() ? nullptr : &found->second;
}

std::vector<std::string> Dispatcher::implemented_services() const {
  std::vector<std::string> names;
  for (const ServiceDesc* service : aws::all_services()) {
    const ServiceBinding* bound = binding(*service);
    if (!bound) continue;
    for (const auto thunk : bound->thunks) {
      if (!thunk) continue;
      names.emplace_back(service->name);
      break;
    }
  }
  return names;
}

Task<OutputBox> Dispatcher::call(const OperationDesc& op, aws::CallContext call, InputBox input) {
  RequestContext context;
  context.env = &env_;
  context.account = call.account.empty() ? call.principal.account : std::move(call.account);
  context.region = std::move(call.region);
  context.partition = partition_of(context.region);
  context.service = op.service->name;
  context.operation = op.name;
  context.request_id = make_request_id(op.service->name, env_.random);
  context.principal = std::move(call.principal);
  context.endpoint = std::move(call.endpoint);
  context.now = env_.cloud.now();
  OutputBox output = co_await run(op, context, std::move(input), DecodeNotes{});
  co_return std::move(output);
}

Task<OutputBox> Dispatcher::run(const OperationDesc& op, RequestContext& context, InputBox input,
                                DecodeNotes notes) {
  const Ctx ctx(context);
  Result<OutputBox> outcome = co_await as_result(stages(&op, ctx, std::move(input), std::move(notes)));
  // A refusal may have been decided by a write that is still in flight: it waits as well.
  if (context.depends_on_lsn > shard_.published()) {
    const Result<void> durable = co_await as_result(shard_.wait_durable(context.depends_on_lsn));
    if (!durable) outcome = fail(durable.error());
  }
  if (!outcome && outcome.error().http_status >= 500 && outcome.error().code == "InternalFailure") {
    metrics_.internal_failures.fetch_add(1, std::memory_order_relaxed);
    LOG_ERROR("internal_failure", kv("service", op.service->name), kv("operation", op.name),
              kv("request_id", context.request_id), kv("message", outcome.error().message));
  }
  co_return std::move(outcome);
}

Task<OutputBox> Dispatcher::stages(const OperationDesc* op, Ctx ctx, InputBox input, DecodeNotes notes) {
  const ServiceBinding* bound = binding(*op->service);
  if (!bound || !bound->implements(*op)) co_return fail(aws::not_implemented(op->service->name, op->name));
  if (const auto own = authorizers_.find(op->service); own != authorizers_.end()) {
    co_await own->second->authorize(*op, ctx, input);
  } else if (options_.strict) {
    co_await authorise(op, ctx, &input);
  }
  co_await aws::validate_input(*op, input, notes);
  OutputBox output = co_await aws::invoke(*bound, *op, ctx, std::move(input));
  co_return std::move(output);
}

Task<void> Dispatcher::authorise(const OperationDesc* op, Ctx ctx, const aws::StructBox* input) {
  // The server acting as itself is bound by what services check of each other (resource policies), not by identities.
  if (op->auth.empty() || ctx->principal.kind == Principal::Kind::service) co_return ok();
  const Principal principal = ctx->principal;
  const PrincipalPolicies policies = co_await identity_->policies_for(principal, nullptr);
  ConditionContext conditions;
  add_global_keys(conditions, *ctx, policies, ctx->account, env_.wall.now(), TransportFacts{});
  add_input_keys(conditions, *op, *input);
  for (const NeededAction& needed : needed_actions(*op, *input, *ctx)) {
    const AuthorizeRequest request{.principal = principal,
                                   .policies = policies,
                                   .action = needed.action,
                                   .resources = needed.resources,
                                   .context = conditions,
                                   .resource_account = account_of_arn(needed.resources.front(), ctx->account),
                                   .style = denial_style(op->service->name)};
    co_await authorize(request);
  }
  co_return ok();
}

std::string make_request_id(std::string_view service, async::Random& random) {
  static constexpr char kAlphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
  const bool dynamodb = service == "dynamodb" || service == "dynamodbstreams";
  if (!dynamodb && service != "s3") return random.uuid();
  // Source: recorded answers; x-amzn-RequestId of DynamoDB has 52 characters, x-amz-request-id of S3 has 16.
  const size_t length = dynamodb ? 52 : 16;
  std::string id;
  id.reserve(length);
  uint64_t word = 0;
  for (size_t i = 0; i < length; ++i) {
    if (i % 8 == 0) word = random.next();
    id.push_back(kAlphabet[(word & 0xff) % 36]);
    word >>= 8;
  }
  return id;
}

}  // namespace virga::platform
