// InvokeAsync, the older way to Invoke with InvocationType Event. Source: Lambda API Reference,
// InvokeAsync (deprecated).
#include "api/lambda/invoke_async.h"

#include "api/lambda/enums.h"
#include "async/byte_stream.h"
#include "services/lambda/errors.h"
#include "services/lambda/service.h"
#include "services/lambda/support.h"

namespace virga::lambda {
namespace {

constexpr size_t kArgumentBytesMax = 1'048'576;  // Source: Lambda quotas page, asynchronous

}  // namespace

Task<api::InvokeAsyncOutput> Service::invoke_async(Ctx ctx, api::InvokeAsyncInput input) {
  const auto name = co_await parse_name(ctx, input.function_name);
  const auto found = co_await store::resolve(*shard_.snapshot(), name, 1.0);
  co_await must_be_invocable(name, found.version);
  AwsError too_large = errors::request_too_large(kArgumentBytesMax + 1,
                                                 api::invocation_type::kEvent, kArgumentBytesMax);
  std::string payload =
      co_await async::read_all(*input.invoke_args, kArgumentBytesMax, std::move(too_large));
  co_await check_payload(payload, api::invocation_type::kEvent);
  co_await enqueue_event(ctx, name, std::move(payload), "", make_trace_id(*ctx->env));
  api::InvokeAsyncOutput out;
  out.status = 202;
  co_return out;
}

}  // namespace virga::lambda
