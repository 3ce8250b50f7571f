#include "platform/dispatcher.h"

#include "base/log.h"
#include "platform/authorizer.h"

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
  if (options_.strict) co_await authorise(op, ctx, &input);
  co_await aws::validate_input(*op, input, notes);
  OutputBox output = co_await aws::invoke(*bound, *op, ctx, std::move(input));
  co_return std::move(output);
}

Task<void> Dispatcher::authorise(const OperationDesc* op, Ctx ctx, const aws::StructBox* input) {
  // The server acting as itself is bound by what services check of each other (resource policies), not by identities.
  if (op->auth.empty() || ctx->principal.kind == Principal::Kind::service) co_return ok();
  const Principal principal = ctx->principal;
  const PrincipalPolicies policies = co_await identity_->policies_for(principal, nullptr);
  for (const aws::AuthDesc& auth : op->auth) {
    const std::vector<std::string> resources = resources_of(auth, *ctx, *input);
    ConditionContext conditions;
    add_global_keys(conditions, *ctx, policies, ctx->account, env_.wall.now(), TransportFacts{});
    const AuthorizeRequest request{.principal = principal,
                                   .policies = policies,
                                   .action = auth.action,
                                   .resources = resources,
                                   .context = conditions,
                                   .resource_account = ctx->account,
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

namespace {

// The texts a member stands for: itself, a list's elements, a map's keys.
std::vector<std::string> texts_of(const aws::StructBox& input, std::string_view name) {
  std::vector<std::string> out;
  const aws::MemberDesc* member = aws::find_member(input.desc(), name);
  if (!member) return out;
  const void* value = aws::get_member(*member, input.object());
  if (!value) return out;
  const aws::TypeDesc& type = *member->type;
  if (type.kind == aws::Kind::string) {
    out.push_back(*static_cast<const std::string*>(value));
  } else if (type.kind == aws::Kind::list && type.element->kind == aws::Kind::string) {
    for (size_t i = 0; i < aws::list_size(type, value); ++i) {
      out.push_back(*static_cast<const std::string*>(aws::list_at(type, value, i)));
    }
  } else if (type.kind == aws::Kind::map) {
    type.map->each(type, value, &out, [](void* self, const std::string& key, const void*) {
      static_cast<std::vector<std::string>*>(self)->push_back(key);
    });
  }
  return out;
}

void expand(std::string_view text, const RequestContext& context, const aws::StructBox& input, std::string done,
            std::vector<std::string>& out) {
  const auto open = text.find('{');
  if (open == std::string_view::npos) {
    out.push_back(std::move(done.append(text)));
    return;
  }
  const auto close = text.find('}', open);
  const bool variable = open > 0 && text[open - 1] == '$';
  const auto name = text.substr(open + 1, close - open - 1);
  const auto rest = text.substr(close + 1);
  done.append(text.substr(0, variable ? open - 1 : open));
  if (variable) {
    done.append(name == "Partition" ? context.partition : name == "Region" ? context.region : context.account);
    expand(rest, context, input, std::move(done), out);
    return;
  }
  const auto values = texts_of(input, name);
  if (values.empty()) expand(rest, context, input, done + "*", out);
  for (const auto& value : values) {
    if (value.starts_with("arn:")) {
      out.push_back(value);
    } else {
      expand(rest, context, input, done + value, out);
    }
  }
}

}  // namespace

std::vector<std::string> resources_of(const aws::AuthDesc& auth, const RequestContext& context,
                                      const aws::StructBox& input) {
  std::vector<std::string> out;
  for (const auto text : auth.resources) expand(text, context, input, {}, out);
  if (out.empty()) out.emplace_back("*");
  return out;
}

}  // namespace virga::platform
