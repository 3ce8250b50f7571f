#include "platform/dispatcher.h"

#include <array>
#include <cstring>

#include "async/call_on.h"
#include "base/log.h"
#include "platform/resource_arns.h"

namespace virga::platform {
namespace {

// Every two characters of a request id: "AA", "AB", ….
constexpr size_t kIdPairCount = 36 * 36;
constexpr std::array<char, 2 * kIdPairCount> kIdPairs = [] {
  constexpr char kAlphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
  std::array<char, 2 * kIdPairCount> pairs{};
  for (size_t i = 0; i < kIdPairCount; ++i) {
    pairs[2 * i] = kAlphabet[i / 36];
    pairs[2 * i + 1] = kAlphabet[i % 36];
  }
  return pairs;
}();

void tell_charge(const aws::OperationDesc& op, aws::OutputBox& output) {
  const aws::MemberDesc* const member = aws::find_member(*op.output, "RequestCharged");
  if (member) *static_cast<std::string*>(aws::set_member(*member, output.object())) = "requester";
}

}  // namespace

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
  WithoutEffect without_effect(binding);
  CHECK(bindings_.emplace(service, Bound{std::move(binding), std::move(without_effect)}).second);
}

const ServiceBinding* Dispatcher::binding(const ServiceDesc& service) const {
  const auto found = bindings_.find(&service);
  return found == bindings_.end() ? nullptr : &found->second.binding;
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

void Dispatcher::run_anywhere(const ServiceDesc& service,
                              std::span<const std::string_view> operations) {
  std::vector<bool>& flags = anywhere_[&service];
  flags.resize(service.operations.size());
  for (const std::string_view name : operations) {
    const OperationDesc* const op = aws::find_operation(service, name);
    CHECK(op);
    flags[op->index] = true;
  }
}

bool Dispatcher::must_go_home(const OperationDesc& op) const {
  if (!home_ || async::Loop::current() == home_) return false;
  const auto found = anywhere_.find(op.service);
  return found == anywhere_.end() || !found->second[op.index];
}

Task<OutputBox> Dispatcher::call(const OperationDesc& op, aws::CallContext call, InputBox input) {
  RequestContext context;
  context.env = &env_;
  context.account = call.account.empty() ? call.principal.account : std::move(call.account);
  context.region = std::move(call.region);
  context.partition = partition_of(context.region);
  context.service = op.service->name;
  context.operation = op.name;
  context.request_id = make_request_id(*op.service, env_.random);
  context.principal = std::move(call.principal);
  context.endpoint = std::move(call.endpoint);
  context.now = env_.cloud.now();
  Source source{.arn = std::move(call.source_arn), .account = std::move(call.source_account)};
  OutputBox output = co_await run(op, context, std::move(input), DecodeNotes{}, std::move(source));
  co_return std::move(output);
}

Task<OutputBox> Dispatcher::run(const OperationDesc& op, RequestContext& context, InputBox input,
                                DecodeNotes notes, Source source) {
  const Ctx ctx(context);
  auto staged = stages(&op, ctx, std::move(input), std::move(notes), &source);
  Result<OutputBox> outcome = co_await as_result(std::move(staged));
  // A refusal may have been decided by a write that is still in flight: it waits as well.
  if (context.depends_on_lsn > shard_.published()) {
    const Result<void> durable = co_await as_result(shard_.wait_durable(context.depends_on_lsn));
    if (!durable) outcome = fail(durable.error());
  }
  if (options_.check_answers) {
    const Result<void> modelled = hold_against_model(op, outcome);
    if (!modelled) outcome = fail(modelled.error());
  }
  if (!outcome && outcome.error().http_status >= 500 && outcome.error().code == "InternalFailure") {
    metrics_.internal_failures.fetch_add(1, std::memory_order_relaxed);
    LOG_ERROR("internal_failure", kv("service", op.service->name), kv("operation", op.name),
              kv("request_id", context.request_id), kv("message", outcome.error().message));
  }
  co_return std::move(outcome);
}

Task<OutputBox> Dispatcher::stages(const OperationDesc* op, Ctx ctx, InputBox input,
                                   DecodeNotes notes, const Source* source) {
  const auto found = bindings_.find(op->service);
  const Bound* bound = found == bindings_.end() ? nullptr : &found->second;
  if (!bound || !bound->binding.implements(*op))
    co_return fail(aws::not_implemented(op->service->name, op->name));
  Admission admission;
  if (const auto own = authorizers_.find(op->service); own != authorizers_.end()) {
    admission = co_await own->second->authorize(*op, ctx, input);
  } else if (options_.strict) {
    co_await authorise(op, ctx, &input, source);
  }
  co_await aws::validate_input(*op, input, notes);
  const uint64_t used = bound->without_effect.used(*op, input);
  Task<OutputBox> handling = aws::invoke(bound->binding, *op, ctx, std::move(input));
  OutputBox output;
  if (must_go_home(*op)) {
    Result<OutputBox> there = co_await async::call_on(*home_, std::move(handling));
    output = co_await std::move(there);
  } else {
    output = co_await std::move(handling);
  }
  if (used != 0) bound->without_effect.log(*op, used);
  if (admission.requester_pays) tell_charge(*op, output);
  co_return std::move(output);
}

Task<void> Dispatcher::authorise(const OperationDesc* op, Ctx ctx, const aws::StructBox* input,
                                 const Source* source) {
  if (op->auth.empty()) co_return ok();
  ConditionContext conditions;
  add_input_keys(conditions, *op, *input);
  for (NeededAction& needed : needed_actions(*op, *input, *ctx)) {
    GateQuestion question{.request = &*ctx, .action = std::string(needed.action)};
    question.resources = std::move(needed.resources);
    question.conditions = conditions;
    question.source_arn = source->arn;
    question.source_account = source->account;
    question.style = denial_style(op->service->name);
    co_await gate_->check(std::move(question));
  }
  co_return ok();
}

std::string make_request_id(const aws::ServiceDesc& service, async::Random& random) {
  const size_t length = service.request_id_length;
  if (length == 0) return random.uuid();
  constexpr size_t kPerWord = 8;
  std::string id(length + kPerWord, '\0');
  for (size_t i = 0; i < length; i += kPerWord) {
    // Sixteen bits for two characters, scaled instead of divided: 0..1295, even to 2 %.
    const uint64_t word = random.next();
    for (size_t k = 0; k < kPerWord; k += 2)
      std::memcpy(&id[i + k], &kIdPairs[((word >> (8 * k) & 0xffff) * kIdPairCount >> 16) * 2], 2);
  }
  id.resize(length);
  return id;
}

}  // namespace virga::platform
