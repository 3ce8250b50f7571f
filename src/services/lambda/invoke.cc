// Invoke, and the same for callers inside. Source: Lambda API Reference, Invoke; Lambda Developer
// Guide, "Understanding Lambda function invocation methods", "Lambda quotas".
#include "api/lambda/invoke.h"

#include "api/lambda/enums.h"
#include "async/call_on.h"
#include "base/json_check.h"
#include "base/log.h"
#include "base/strings.h"
#include "platform/transact.h"
#include "platform/usage.h"
#include "services/lambda/errors.h"
#include "services/lambda/invocation_log.h"
#include "services/lambda/render.h"
#include "services/lambda/service.h"
#include "services/lambda/settings.h"
#include "services/lambda/support.h"
#include "storage/latest_view.h"

namespace virga::lambda {
namespace {

constexpr size_t kSynchronousBytesMax = 6'291'456;
constexpr size_t kAsynchronousBytesMax = 1'048'576;
constexpr size_t kClientContextBytesMax =
    3583;  // Source: Invoke, ClientContext: "Up to 3,583 bytes of base64-encoded data".

double chance_of(async::Random& random) {
  return static_cast<double>(random.next() >> 11) * 0x1.0p-53;
}

// The lowest `digits` digits, from `at` on.
void write_hex(std::string& out, size_t at, uint64_t value, size_t digits) {
  for (; digits-- > 0; value >>= 4) out[at + digits] = "0123456789abcdef"[value & 15];
}

}  // namespace

Result<void> Service::must_be_invocable(const FunctionName& name, const VersionRecord& version) {
  if (!is_pending(version, home_.env().cloud.now().at)) return {};
  if (version.created) return fail(errors::function_pending("Pending"));
  return fail(errors::update_in_progress(name.unqualified_arn()));
}

Result<void> check_payload(const std::string& payload, std::string_view type) {
  const bool event = type == api::invocation_type::kEvent;
  const size_t limit = event ? kAsynchronousBytesMax : kSynchronousBytesMax;
  if (payload.size() > limit) return fail(errors::request_too_large(payload.size(), type, limit));
  const auto valid = check_json(payload);
  if (!valid) return fail(errors::invalid_request_content(valid.error().message));
  return {};
}

Result<std::string> decode_client_context(const std::optional<std::string>& text) {
  if (!text || text->empty()) return std::string();
  const auto json = from_base64(*text);
  if (text->size() > kClientContextBytesMax || !json || !check_json(*json)) {
    return fail(errors::invalid_request_content(
        "Client context must be a valid Base64-encoded JSON object."));
  }
  return *json;
}

// Root=1-<time>-<96 random bits>;Parent=<64>;Sampled=0. Source: X-Ray Developer Guide, "Tracing
// header".
std::string make_trace_id(async::Env& env) {
  std::string out = "Root=1-........-........................;Parent=................;Sampled=0";
  write_hex(out, 7, static_cast<uint64_t>(env.wall.now().at.seconds()), 8);
  write_hex(out, 16, env.random.next(), 16);
  write_hex(out, 32, env.random.next(), 8);
  write_hex(out, 48, env.random.next(), 16);
  return out;
}

Task<Service::Ran> Service::run(RunRequest request) {
  const auto& function = *request.what->function;
  const auto& version = request.what->version;
  const int reserved =
      co_await store::account_reserved(storage::LatestView(shard_), store::owner_of(request.name));
  const ConcurrencyLimits limits{.account = options_.account_concurrency,
                                 .account_reserved = reserved,
                                 .reserved = function.reserved_concurrency};
  RunnableVersion what{.function_id = function.id,
                       .version = version.version,
                       .generation = version.generation,
                       .spec = request.what->spec};
  Invocation invocation{.request_id = request.request_id,
                        .invoked_function_arn = request.name.arn(),
                        .payload = std::move(request.payload),
                        .client_context = std::move(request.client_context),
                        .trace_id = std::move(request.trace_id),
                        .stream = std::move(request.stream)};
  auto executing = scheduler_.execute(std::move(what), limits, std::move(invocation));
  auto executed = co_await async::call_on(home_, std::move(executing));
  if (!executed) co_return fail(executed.error());

  InvocationReport report{
      .request_id = request.request_id, .version = version.version, .memory_mb = version.memory_mb};
  report.json = version.log_format == "JSON";
  report.system_log_level = version.system_log_level;
  const auto runtime =
      executed->init_micros ? compute_.runtime_version(version.runtime) : std::nullopt;
  if (runtime) {
    report.runtime_description = runtime->description;
    report.runtime_version_arn =
        runtime_version_arn(*runtime, request.name.region, request.name.partition);
  }
  const auto lines = full_log(*executed, report);
  platform::LogAppend append{.account = request.name.account,
                             .region = request.name.region,
                             .group = version.log_group,
                             .stream = executed->log_stream};
  append.events.reserve(lines.size());
  for (const auto& line : lines) append.events.push_back({line.at.millis(), line.text});
  const auto logged = co_await as_result(logs_.append(std::move(append)));
  if (!logged)
    LOG_WARN("lambda_log_lost", kv("function", request.name.name),
             kv("error", logged.error().message));

  Ran out{.executed_version = version.version};
  if (request.want_log_tail) out.log_tail = log_tail(lines);
  if (executed->outcome.kind == OutcomeKind::success) {
    out.payload = std::move(executed->outcome.payload);
    out.content_type = std::move(executed->outcome.content_type);
  } else {
    out.function_error = "Unhandled";
    out.payload = error_payload(executed->outcome, request.request_id);
  }
  platform::UsageRecord usage{.account = request.name.account,
                              .region = request.name.region,
                              .service = "lambda",
                              .operation = "Invoke",
                              .resource = request.what->arn,
                              .id = request.request_id,
                              .at = executed->started};
  usage.quantities = {{"duration_micros", executed->outcome.duration_micros},
                      {"init_micros", executed->init_micros.value_or(0)},
                      {"billed_millis", billed_millis(*executed)},
                      {"memory_mb", version.memory_mb},
                      {"arm64", version.architecture == "arm64" ? 1 : 0},
                      {"error", executed->outcome.kind == OutcomeKind::success ? 0 : 1}};
  out.usage = std::move(usage);
  co_return out;
}

Task<void> Service::write_usage(platform::UsageRecord usage) {
  auto write = [&usage](storage::Txn& txn) -> Result<bool> {
    platform::put_usage(txn, usage);
    return true;
  };
  const auto done =
      co_await as_result(shard_.transact(storage::CommitClass::joined, std::move(write)));
  if (!done || !done->result) LOG_ERROR("lambda_usage_lost", kv("request", usage.id));
  co_return ok();
}

Task<api::InvokeOutput> Service::invoke(Ctx ctx, api::InvokeInput input) {
  const auto name = co_await parse_name(ctx, input.function_name, input.qualifier);
  co_await refuse_unsupported(input.durable_execution_name.has_value(), "DurableExecutionName");
  co_await refuse_unsupported(input.tenant_id.has_value(), "TenantId");
  const std::string type = input.invocation_type.value_or(api::invocation_type::kRequestResponse);
  std::string payload = std::move(input.payload).value_or("");
  if (payload.empty()) payload = "{}";
  auto what =
      co_await runnables_.find(storage::LatestView(shard_), name, chance_of(ctx->env->random));
  co_await must_be_invocable(name, what->version);
  api::InvokeOutput out;
  if (type == api::invocation_type::kDryRun) {
    out.status_code = 204;
    co_return out;
  }
  co_await check_payload(payload, type);
  std::string client_context = co_await decode_client_context(input.client_context);
  if (type == api::invocation_type::kEvent) {
    co_await enqueue_event(ctx, name, std::move(payload), std::move(client_context),
                           make_trace_id(*ctx->env));
    out.status_code = 202;
    co_return out;
  }
  RunRequest request{.name = name, .what = std::move(what), .request_id = ctx->request_id};
  request.payload = std::move(payload);
  request.client_context = std::move(client_context);
  request.trace_id = make_trace_id(*ctx->env);
  request.want_log_tail = input.log_type.value_or("None") == api::log_type::kTail;
  auto ran = co_await run(std::move(request));
  co_await write_usage(std::move(ran.usage));
  out.status_code = 200;
  if (!ran.function_error.empty()) out.function_error = ran.function_error;
  if (!ran.log_tail.empty()) out.log_result = to_base64(ran.log_tail);
  out.executed_version = ran.executed_version;
  out.payload = std::move(ran.payload);
  co_return out;
}

Task<platform::InvokeReply> Service::invoke_for_service(platform::InvokeCall call) {
  const std::string partition(partition_of(call.region));
  std::optional<std::string_view> qualifier;
  if (!call.qualifier.empty()) qualifier = call.qualifier;
  const auto name = co_await FunctionName::parse(call.function_arn, qualifier, call.account,
                                                 call.region, partition);
  async::Env& env = home_.env();
  auto what = co_await runnables_.find(storage::LatestView(shard_), name, chance_of(env.random));
  co_await must_be_invocable(name, what->version);
  co_await permit(call, name);
  co_await check_payload(call.payload, api::invocation_type::kRequestResponse);
  RunRequest request{.name = name, .what = std::move(what), .request_id = env.random.uuid()};
  request.payload = std::move(call.payload);
  request.trace_id = make_trace_id(env);
  auto ran = co_await run(std::move(request));
  co_await write_usage(std::move(ran.usage));
  co_return platform::InvokeReply{.function_error = std::move(ran.function_error),
                                  .payload = std::move(ran.payload),
                                  .executed_version = std::move(ran.executed_version)};
}

}  // namespace virga::lambda
