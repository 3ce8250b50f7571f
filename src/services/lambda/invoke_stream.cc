// InvokeWithResponseStream. Source: Lambda API Reference, InvokeWithResponseStream; Lambda
// Developer Guide, "Response streaming for Lambda functions".
#include "api/lambda/enums.h"
#include "api/lambda/invoke_with_response_stream.h"
#include "api/lambda/shapes.h"
#include "aws/event_source.h"
#include "base/strings.h"
#include "services/lambda/service.h"
#include "services/lambda/settings.h"
#include "services/lambda/support.h"

namespace virga::lambda {
namespace {

using Event = api::InvokeWithResponseStreamResponseEvent;

constexpr size_t kChunkBytes = 64 * 1024;  // of one PayloadChunk

std::deque<Event> events_of(const Service::Ran& ran) {
  std::deque<Event> out;
  // What the function answered comes first; its failure is in the last event.
  if (ran.function_error.empty()) {
    for (size_t at = 0; at < ran.payload.size(); at += kChunkBytes) {
      out.emplace_back().payload_chunk.emplace().payload = ran.payload.substr(at, kChunkBytes);
    }
  }
  auto& complete = out.emplace_back().invoke_complete.emplace();
  if (!ran.function_error.empty()) {
    complete.error_code = ran.function_error;
    complete.error_details = ran.payload;
  }
  if (!ran.log_tail.empty()) complete.log_result = to_base64(ran.log_tail);
  return out;
}

}  // namespace

Task<api::InvokeWithResponseStreamOutput> Service::invoke_with_response_stream(
    Ctx ctx, api::InvokeWithResponseStreamInput input) {
  const auto name = co_await parse_name(ctx, input.function_name, input.qualifier);
  co_await refuse_unsupported(input.tenant_id.has_value(), "TenantId");
  std::string payload = std::move(input.payload).value_or("");
  if (payload.empty()) payload = "{}";
  const double chance = static_cast<double>(ctx->env->random.below(1000)) / 1000;
  auto what = co_await runnables_.find(*shard_.snapshot(), name, chance);
  co_await must_be_invocable(name, what->version);
  api::InvokeWithResponseStreamOutput out;
  out.status_code = 200;
  if (input.invocation_type.value_or("") == api::response_streaming_invocation_type::kDryRun) {
    out.status_code = 204;
    out.event_stream = std::make_unique<aws::EventList<Event>>(std::deque<Event>());
    co_return std::move(out);
  }
  co_await check_payload(payload, api::invocation_type::kRequestResponse);
  std::string client_context = co_await decode_client_context(input.client_context);
  RunRequest request{.name = name, .what = std::move(what), .request_id = ctx->request_id};
  request.payload = std::move(payload);
  request.client_context = std::move(client_context);
  request.trace_id = make_trace_id(*ctx->env);
  request.want_log_tail = input.log_type.value_or("None") == api::log_type::kTail;
  auto running = run(std::move(request));
  auto ran = co_await std::move(running);
  co_await write_usage(ran.usage);
  out.executed_version = ran.executed_version;
  out.response_stream_content_type =
      ran.content_type.empty() ? "application/octet-stream" : ran.content_type;
  out.event_stream = std::make_unique<aws::EventList<Event>>(events_of(ran));
  co_return std::move(out);
}

}  // namespace virga::lambda
