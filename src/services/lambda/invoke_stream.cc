// InvokeWithResponseStream. Source: Lambda API Reference, InvokeWithResponseStream; Lambda
// Developer Guide, "Response streaming for Lambda functions".
#include "api/lambda/enums.h"
#include "api/lambda/invoke_with_response_stream.h"
#include "api/lambda/shapes.h"
#include "async/byte_stream.h"
#include "aws/event_source.h"
#include "base/strings.h"
#include "services/lambda/service.h"
#include "services/lambda/settings.h"
#include "services/lambda/support.h"
#include "storage/latest_view.h"

namespace virga::lambda {
namespace {

using Event = api::InvokeWithResponseStreamResponseEvent;

constexpr size_t kChunkBytes = 64 * 1024;  // of one PayloadChunk

Event completion_of(const Result<Service::Ran>& ran) {
  Event event;
  auto& complete = event.invoke_complete.emplace();
  if (!ran) {
    complete.error_code = ran.error().code;
    complete.error_details = ran.error().message;
    return event;
  }
  if (!ran->function_error.empty()) {
    complete.error_code = ran->function_error;
    complete.error_details = ran->payload;
  }
  if (!ran->log_tail.empty()) complete.log_result = to_base64(ran->log_tail);
  return event;
}

// An answer that was collected: what the function answered comes first, its failure is in the last
// event.
std::deque<Event> events_of(const Service::Ran& ran) {
  std::deque<Event> out;
  if (ran.function_error.empty()) {
    for (size_t at = 0; at < ran.payload.size(); at += kChunkBytes) {
      out.emplace_back().payload_chunk.emplace().payload = ran.payload.substr(at, kChunkBytes);
    }
  }
  out.push_back(completion_of(ran));
  return out;
}

// An answer that is being written: a chunk for what there is, then how it ended.
class StreamedEvents final : public aws::EventSource<Event> {
 public:
  StreamedEvents(std::unique_ptr<async::ByteSource> body, Service::StreamedRunRef run)
      : body_(std::move(body)), run_(std::move(run)) {}

  Task<std::optional<Event>> next() override {
    std::optional<Event> event;
    if (completed_) co_return std::move(event);
    auto reading = body_->read(kChunkBytes);
    auto piece = co_await as_result(std::move(reading));
    if (piece && !piece->empty()) {
      event.emplace().payload_chunk.emplace().payload = std::move(*piece);
    } else {  // the run has ended: what it left is not changed any more
      completed_ = true;
      event = completion_of(*run_->done);
    }
    co_return std::move(event);
  }

 private:
  std::unique_ptr<async::ByteSource> body_;
  Service::StreamedRunRef run_;
  bool completed_ = false;
};

}  // namespace

Task<api::InvokeWithResponseStreamOutput> Service::invoke_with_response_stream(
    Ctx ctx, api::InvokeWithResponseStreamInput input) {
  const auto name = co_await parse_name(ctx, input.function_name, input.qualifier);
  co_await refuse_unsupported(input.tenant_id.has_value(), "TenantId");
  std::string payload = std::move(input.payload).value_or("");
  if (payload.empty()) payload = "{}";
  const double chance = static_cast<double>(ctx->env->random.below(1000)) / 1000;
  auto what = co_await runnables_.find(storage::LatestView(shard_), name, chance);
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
  const std::string version = request.what->version.version;
  const StreamedRunRef run = co_await run_streamed(std::move(request));
  out.executed_version = version;
  const std::string content_type =
      run->answer->begun() ? run->answer->content_type() : (*run->done)->content_type;
  out.response_stream_content_type =
      content_type.empty() ? "application/octet-stream" : content_type;
  if (run->answer->begun()) {
    out.event_stream = std::make_unique<StreamedEvents>(body_of(run), run);
  } else {
    out.event_stream = std::make_unique<aws::EventList<Event>>(events_of(**run->done));
  }
  co_return std::move(out);
}

}  // namespace virga::lambda
