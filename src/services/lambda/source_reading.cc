// What event source mappings need of the service: whom they read as, how they call.
#include <optional>

#include "api/dynamodbstreams/client.h"
#include "api/dynamodbstreams/describe_stream.h"
#include "api/dynamodbstreams/get_shard_iterator.h"
#include "api/dynamodbstreams/shapes.h"
#include "api/sqs/client.h"
#include "api/sqs/get_queue_attributes.h"
#include "async/call_on.h"
#include "base/strings.h"
#include "platform/gate.h"
#include "services/lambda/destinations.h"
#include "services/lambda/errors.h"
#include "services/lambda/service.h"
#include "services/lambda/support.h"

namespace virga::lambda {

SourceParts Service::source_parts() {
  return {
      .shard = shard_,
      .home = home_,
      .wakeups = options_.stream_wakeups,
      .door = nullptr,  // known at start_event_sources()
      .run = [this](FunctionName name,
                    std::string payload) { return run_batch(std::move(name), std::move(payload)); },
      .caller = [this](EventSourceRecord source) { return source_caller(std::move(source)); },
      .give_up = [this](storage::Txn& txn, const GivenUp& what) { enqueue_given_up(txn, what); }};
}

Result<void> Service::start_event_sources() {
  VIRGA_TRY_VOID(start_provisioned());
  if (!door_ || !options_.stream_wakeups) return {};
  return sources_.start(*door_);
}

Task<void> Service::stop_event_sources() {
  auto stopped = co_await async::call_on(home_, sources_.stop());
  co_return std::move(stopped);
}

Task<BatchRun> Service::run_batch(FunctionName name, std::string payload) {
  async::Env& env = home_.env();
  const double chance = static_cast<double>(env.random.below(1000)) / 1000;
  auto what = co_await runnables_.find(*shard_.snapshot(), name, chance);
  co_await must_be_invocable(name, what->version);
  RunRequest request{.name = name, .what = std::move(what), .request_id = env.random.uuid()};
  request.payload = std::move(payload);
  request.trace_id = make_trace_id(env);
  BatchRun out{.request_id = request.request_id};
  auto ran = co_await run(std::move(request));
  co_await write_usage(std::move(ran.usage));
  out.function_error = std::move(ran.function_error);
  out.payload = std::move(ran.payload);
  out.executed_version = std::move(ran.executed_version);
  co_return std::move(out);
}

Task<aws::CallContext> Service::act_as_role(FunctionName function, std::string role_arn,
                                            std::string target_arn) {
  aws::CallContext out = role_context(function, role_arn, target_arn);
  if (options_.gate) {
    auto assuming = options_.gate->assume(role_arn, "lambda.amazonaws.com", function.name);
    out.principal = co_await std::move(assuming);
  }
  co_return std::move(out);
}

Task<aws::CallContext> Service::source_caller(EventSourceRecord source) {
  const auto what = co_await runnables_.find(*shard_.snapshot(), source.function, 0.0);
  auto acting = act_as_role(source.function, what->version.role, source.source_arn);
  auto caller = co_await std::move(acting);
  co_return std::move(caller);
}

// Whether the function's role can read the source, before a mapping is made. Texts: recorded
// answers of CreateEventSourceMapping.
Task<void> Service::must_be_readable(EventSourceRecord source) {
  if (!door_) co_return fail(internal_failure("lambda: no door to event sources"));
  auto caller = co_await source_caller(source);
  if (source.kind() == SourceKind::queue) {
    sqs::api::GetQueueAttributesInput input;
    input.queue_url = queue_url_of_arn(source.source_arn);
    input.attribute_names.emplace().push_back("VisibilityTimeout");
    const sqs::api::Client queues(*door_);
    auto asking = queues.get_queue_attributes(std::move(caller), std::move(input));
    const auto got = co_await as_result(std::move(asking));
    if (!got && got.error().code == "QueueDoesNotExist") {
      co_return fail(
          errors::invalid_parameter("Error occurred while ReceiveMessage. SQS Error Code: "
                                    "AWS.SimpleQueueService.NonExistentQueue. SQS Error Message: "
                                    "The specified queue does not "
                                    "exist."));
    }
    if (!got && got.error().http_status == 403) {
      co_return fail(errors::invalid_parameter(
          "The function execution role does not have permissions to call ReceiveMessage on SQS"));
    }
    if (!got) co_return fail(got.error());
    const auto found = got->attributes ? got->attributes->find("VisibilityTimeout")
                                       : std::map<std::string, std::string>::const_iterator();
    const auto seconds = got->attributes && found != got->attributes->end()
                             ? parse_int(found->second)
                             : std::nullopt;
    const auto what = co_await runnables_.find(*shard_.snapshot(), source.function, 0.0);
    const int timeout = what->version.timeout_seconds;
    if (seconds && *seconds < timeout) {
      co_return fail(errors::invalid_parameter(
          "Queue visibility timeout: " + std::to_string(*seconds) +
          " seconds is less than Function timeout: " + std::to_string(timeout) + " seconds"));
    }
    co_return ok();
  }
  dynamodbstreams::api::DescribeStreamInput input;
  input.stream_arn = source.source_arn;
  const dynamodbstreams::api::Client streams(*door_);
  auto asking = streams.describe_stream(std::move(caller), std::move(input));
  const auto got = co_await as_result(std::move(asking));
  if (got) co_return ok();
  if (got.error().http_status == 403 || got.error().code == "AccessDeniedException") {
    co_return fail(errors::invalid_parameter("Cannot access stream " + source.source_arn +
                                             ". Please ensure the role can perform the GetRecords, "
                                             "GetShardIterator, DescribeStream, and "
                                             "ListStreams Actions on your stream in IAM."));
  }
  if (got.error().http_status >= 500) co_return fail(got.error());
  co_return fail(errors::invalid_parameter("Stream not found: " + source.source_arn));
}

// Behind all that the stream has now.
Task<StreamPosition> Service::newest_position(EventSourceRecord source) {
  namespace streams = dynamodbstreams::api;
  const streams::Client client(*door_);
  StreamPosition out;
  std::optional<std::string> after;
  do {
    auto caller = co_await source_caller(source);
    streams::DescribeStreamInput input;
    input.stream_arn = source.source_arn;
    input.exclusive_start_shard_id = after;
    auto got = co_await client.describe_stream(std::move(caller), std::move(input));
    if (!got.stream_description || !got.stream_description->shards) break;
    for (const auto& shard : *got.stream_description->shards)
      out.shard = shard.shard_id.value_or("");
    after = got.stream_description->last_evaluated_shard_id;
  } while (after);
  if (out.shard.empty()) co_return std::move(out);
  streams::GetShardIteratorInput input;
  input.stream_arn = source.source_arn;
  input.shard_id = out.shard;
  input.shard_iterator_type = "LATEST";
  auto caller = co_await source_caller(source);
  auto got = co_await client.get_shard_iterator(std::move(caller), std::move(input));
  out.iterator = got.shard_iterator.value_or("");
  co_return std::move(out);
}

}  // namespace virga::lambda
