// Event source mappings. Source: Lambda API Reference, CreateEventSourceMapping and its family;
// texts from recorded answers.
#include "api/lambda/create_event_source_mapping.h"
#include "api/lambda/delete_event_source_mapping.h"
#include "api/lambda/get_event_source_mapping.h"
#include "api/lambda/list_event_source_mappings.h"
#include "api/lambda/shapes.h"
#include "api/lambda/update_event_source_mapping.h"
#include "platform/transact.h"
#include "services/lambda/destinations.h"
#include "services/lambda/errors.h"
#include "services/lambda/service.h"
#include "services/lambda/settings.h"
#include "services/lambda/source_events.h"
#include "services/lambda/support.h"

namespace virga::lambda {
namespace {

// Source: CreateEventSourceMapping, BatchSize: defaults.
constexpr int kQueueBatch = 10;
constexpr int kStreamBatch = 100;
constexpr int kBatchWithoutWindowMax = 10;
constexpr int kFifoBatchMax = 10;
// Source: Lambda Developer Guide, "Control which events Lambda sends to your function".
constexpr size_t kFiltersMax = 5;

AwsError no_mapping() {
  return errors::resource_not_found("The resource you requested does not exist.");
}

AwsError already_mapped(const EventSourceRecord& wanted, const std::string& uuid) {
  const std::string end = " Please update or delete the existing mapping with UUID " + uuid;
  if (wanted.kind() == SourceKind::queue) {
    return errors::resource_conflict("An event source mapping with SQS arn (\" " +
                                     wanted.source_arn + " \") and function (\" " +
                                     wanted.function.name + " \") already exists." + end);
  }
  return errors::resource_conflict("The event source arn (\" " + wanted.source_arn +
                                   " \") and function (\" " + wanted.function.name +
                                   " \") provided mapping already exists." + end);
}

template <class Input>
Result<void> refuse_what_is_missing(const Input& in) {
  VIRGA_TRY_VOID(
      refuse_unsupported(in.tumbling_window_in_seconds.value_or(0) > 0, "TumblingWindowInSeconds"));
  VIRGA_TRY_VOID(refuse_unsupported(
      in.source_access_configurations && !in.source_access_configurations->empty(),
      "SourceAccessConfigurations"));
  VIRGA_TRY_VOID(refuse_unsupported(in.kms_key_arn && !in.kms_key_arn->empty(), "KMSKeyArn"));
  VIRGA_TRY_VOID(
      refuse_unsupported(in.metrics_config && in.metrics_config->metrics, "MetricsConfig"));
  VIRGA_TRY_VOID(refuse_unsupported(in.logging_config.has_value(), "LoggingConfig"));
  VIRGA_TRY_VOID(
      refuse_unsupported(in.provisioned_poller_config.has_value(), "ProvisionedPollerConfig"));
  return refuse_unsupported(in.amazon_managed_kafka_event_source_config.has_value() ||
                                in.self_managed_kafka_event_source_config.has_value() ||
                                in.document_db_event_source_config.has_value(),
                            "An event source other than SQS and DynamoDB");
}

// What only streams have.
template <class Input>
Result<void> check_queue_members(const Input& in) {
  const auto refuse = [](std::string_view member) {
    return fail(
        errors::invalid_parameter(std::string(member) + " is not valid for SQS event sources."));
  };
  if (in.parallelization_factor) return refuse("ParallelizationFactor");
  if (in.maximum_record_age_in_seconds) return refuse("MaximumRecordAgeInSeconds");
  if (in.bisect_batch_on_function_error) return refuse("BisectBatchOnFunctionError");
  if (in.maximum_retry_attempts) return refuse("MaximumRetryAttempts");
  if (in.destination_config && in.destination_config->on_failure &&
      in.destination_config->on_failure->destination)
    return refuse("DestinationConfig");
  return {};
}

// What Create and Update have in common.
template <class Input>
Result<void> apply(const Input& in, EventSourceRecord& record) {
  if (in.enabled) record.enabled = *in.enabled;
  if (in.batch_size) record.batch_size = *in.batch_size;
  if (in.maximum_batching_window_in_seconds)
    record.window_seconds = *in.maximum_batching_window_in_seconds;
  if (in.filter_criteria) {
    record.filters.clear();
    if (in.filter_criteria->filters) {
      for (const auto& filter : *in.filter_criteria->filters)
        record.filters.push_back(filter.pattern.value_or(""));
    }
  }
  if (in.function_response_types) record.report_failures = !in.function_response_types->empty();
  if (in.scaling_config) record.concurrency = in.scaling_config->maximum_concurrency;
  if (in.parallelization_factor) record.parallelization = *in.parallelization_factor;
  if (in.bisect_batch_on_function_error) record.bisect = *in.bisect_batch_on_function_error;
  if (in.maximum_retry_attempts) record.retries = *in.maximum_retry_attempts;
  if (in.maximum_record_age_in_seconds) record.age_seconds = *in.maximum_record_age_in_seconds;
  if (in.destination_config) {
    const auto& failure = in.destination_config->on_failure;
    record.on_failure = failure ? failure->destination.value_or("") : "";
  }

  if (record.filters.size() > kFiltersMax || !SourceFilter::parse(record.filters))
    return fail(errors::invalid_parameter("Invalid filter pattern definition."));
  if (record.kind() == SourceKind::stream) {
    if (record.concurrency) {
      return fail(
          errors::invalid_parameter("ScalingConfig is not supported for this event source type."));
    }
    // Source: CreateEventSourceMapping, MaximumRecordAgeInSeconds: "The minimum valid value for
    // maximum record age is 60s", or -1.
    if (record.age_seconds != -1 && record.age_seconds < 60) {
      return fail(errors::invalid_parameter(
          "MaximumRecordAgeInSeconds must be -1 or between 60 and 604800."));
    }
    return {};
  }
  VIRGA_TRY_VOID(check_queue_members(in));
  if (is_fifo(record.source_arn)) {
    if (record.window_seconds > 0) {
      return fail(errors::invalid_parameter("Batching window is not supported for FIFO queues"));
    }
    if (record.batch_size > kFifoBatchMax) {
      return fail(errors::validation(std::to_string(record.batch_size), "batchSize",
                                     "Member must have value less than or equal to 10"));
    }
  } else if (record.batch_size > kBatchWithoutWindowMax && record.window_seconds == 0) {
    return fail(errors::invalid_parameter(
        "Maximum batch window in seconds must be greater than 0 if maximum batch size is greater "
        "than 10"));
  }
  return {};
}

Result<void> check_start(const api::CreateEventSourceMappingInput& in, SourceKind kind) {
  if (kind == SourceKind::queue) {
    if (!in.starting_position && !in.starting_position_timestamp) return {};
    return fail(errors::invalid_parameter("StartingPosition is not valid for SQS event sources."));
  }
  if (!in.starting_position) {
    return fail(errors::invalid_parameter(
        "1 validation error detected: Value null at 'startingPosition' failed to satisfy "
        "constraint: Member must not be null."));
  }
  if (*in.starting_position == "AT_TIMESTAMP") {
    return fail(errors::invalid_parameter("Unsupported starting position for arn type: " +
                                          *in.event_source_arn));
  }
  return {};
}

api::EventSourceMappingConfiguration render_mapping(const EventSourceRecord& record,
                                                    std::string state, std::string last_result) {
  api::EventSourceMappingConfiguration out;
  out.uuid = record.uuid;
  out.event_source_mapping_arn = record.arn();
  out.event_source_arn = record.source_arn;
  out.function_arn = record.function.arn();
  out.batch_size = record.batch_size;
  out.maximum_batching_window_in_seconds = record.window_seconds;
  out.last_modified = record.modified;
  out.state = std::move(state);
  auto& responses = out.function_response_types.emplace();
  if (record.report_failures) responses.push_back("ReportBatchItemFailures");
  if (!record.filters.empty()) {
    auto& filters = out.filter_criteria.emplace().filters.emplace();
    for (const auto& pattern : record.filters) filters.emplace_back().pattern = pattern;
  }
  if (record.concurrency) out.scaling_config.emplace().maximum_concurrency = *record.concurrency;
  if (record.kind() == SourceKind::queue) {
    out.state_transition_reason = "USER_INITIATED";
    return out;
  }
  out.state_transition_reason = "User action";
  out.starting_position = record.starting_position;
  out.last_processing_result = std::move(last_result);
  out.parallelization_factor = record.parallelization;
  out.bisect_batch_on_function_error = record.bisect;
  out.maximum_retry_attempts = record.retries;
  out.maximum_record_age_in_seconds = record.age_seconds;
  out.tumbling_window_in_seconds = record.tumbling_seconds;
  auto& failure = out.destination_config.emplace().on_failure.emplace();
  if (!record.on_failure.empty()) failure.destination = record.on_failure;
  return out;
}

// With --lifecycle-delay a mapping says for a while what it is doing.
void begin_transition(EventSourceRecord& record, std::string state, const RequestContext& ctx,
                      int64_t delay_ms) {
  record.modified = ctx.now.at;
  record.pending_state = std::move(state);
  record.pending_until = delay_ms > 0 ? ctx.now.plus_millis(delay_ms).at : Timestamp{};
}

Result<void> must_be_settled(const EventSourceRecord& record, std::string_view verb,
                             Timestamp now) {
  if (now >= record.pending_until) return {};
  return fail(AwsError{
      .code = "ResourceInUseException",
      .http_status = 400,
      .message = "Cannot " + std::string(verb) + " the event source mapping because it is in use.",
      .detail = nullptr});
}

}  // namespace

Task<api::CreateEventSourceMappingOutput> Service::create_event_source_mapping(
    Ctx ctx, api::CreateEventSourceMappingInput input) {
  const auto name = co_await parse_name(ctx, input.function_name);
  co_await refuse_unsupported(input.self_managed_event_source || input.topics || input.queues,
                              "An event source other than SQS and DynamoDB");
  co_await refuse_what_is_missing(input);
  EventSourceRecord record{.uuid = ctx->env->random.uuid(),
                           .source_arn = input.event_source_arn.value_or(""),
                           .function = name};
  const SourceKind kind = record.kind();
  if (kind == SourceKind::other)
    co_return fail(errors::invalid_parameter("Unrecognized event source."));
  co_await check_start(input, kind);
  record.batch_size = kind == SourceKind::queue ? kQueueBatch : kStreamBatch;
  record.starting_position = input.starting_position.value_or("");
  record.created = ctx->now.at;
  if (input.tags) record.tags = *input.tags;
  co_await check_tags(record.tags);
  co_await apply(input, record);
  co_await check_destination(record.on_failure, name, options_.has_service);
  const auto resolved = co_await store::resolve(*shard_.snapshot(), name, 1.0);
  co_await must_be_readable(record);
  std::optional<StreamPosition> position;
  if (record.starting_position == "LATEST") position = co_await newest_position(record);
  begin_transition(record, "Creating", *ctx, options_.lifecycle_delay_ms);

  const auto owner = store::owner_of(name);
  auto create = [&](storage::Txn& txn) -> Result<bool> {
    VIRGA_TRY(others, store::list_event_sources(txn, owner, ""));
    for (const auto& other : others) {
      if (other.source_arn == record.source_arn && other.function.arn() == name.arn())
        return fail(already_mapped(record, other.uuid));
    }
    store::put_event_source(txn, owner, record);
    if (position) store::put_position(txn, owner, record.uuid, *position);
    txn.on_published([this, owner, uuid = record.uuid] { sources_.changed(owner, uuid); });
    return true;
  };
  co_await platform::transact(ctx, shard_, std::move(create));
  co_return render_mapping(record, "Creating", "No records processed");
}

Task<api::GetEventSourceMappingOutput> Service::get_event_source_mapping(
    Ctx ctx, api::GetEventSourceMappingInput input) {
  const store::Owner owner{ctx->account, ctx->region};
  const auto record = co_await store::find_event_source(*shard_.snapshot(), owner, input.uuid);
  if (!record) co_return fail(no_mapping());
  co_return render_mapping(*record, record->state(ctx->now.at), sources_.last_result(record->uuid));
}

Task<api::ListEventSourceMappingsOutput> Service::list_event_source_mappings(
    Ctx ctx, api::ListEventSourceMappingsInput input) {
  std::optional<FunctionName> function;
  if (input.function_name) function = co_await parse_name(ctx, *input.function_name);
  const auto after = co_await read_marker("event-sources", input.marker);
  // Source: ListEventSourceMappings, MaxItems: at most 100, whatever is asked.
  const int asked = input.max_items.value_or(100);
  const auto limit = static_cast<size_t>(asked < 1 || asked > 100 ? 100 : asked);
  const store::Owner owner{ctx->account, ctx->region};
  const auto records = co_await store::list_event_sources(*shard_.snapshot(), owner, after);
  api::ListEventSourceMappingsOutput out;
  auto& rows = out.event_source_mappings.emplace();
  std::string last;
  for (const auto& record : records) {
    if (input.event_source_arn && *input.event_source_arn != record.source_arn) continue;
    if (function && function->arn() != record.function.arn()) continue;
    if (rows.size() == limit) {
      out.next_marker = make_marker("event-sources", last);
      break;
    }
    last = record.uuid;
    rows.push_back(
        render_mapping(record, record.state(ctx->now.at), sources_.last_result(record.uuid)));
  }
  co_return out;
}

Task<api::UpdateEventSourceMappingOutput> Service::update_event_source_mapping(
    Ctx ctx, api::UpdateEventSourceMappingInput input) {
  co_await refuse_what_is_missing(input);
  const store::Owner owner{ctx->account, ctx->region};
  auto before = co_await store::find_event_source(*shard_.snapshot(), owner, input.uuid);
  if (!before) co_return fail(no_mapping());
  EventSourceRecord wanted = *before;
  if (input.function_name) wanted.function = co_await parse_name(ctx, *input.function_name);
  co_await apply(input, wanted);
  co_await check_destination(wanted.on_failure, wanted.function, options_.has_service);
  if (input.function_name) {
    const auto resolved = co_await store::resolve(*shard_.snapshot(), wanted.function, 1.0);
    co_await must_be_readable(wanted);
  }
  auto update = [&](storage::Txn& txn) -> Result<EventSourceRecord> {
    VIRGA_TRY(record, store::find_event_source(txn, owner, input.uuid));
    if (!record) return fail(no_mapping());
    VIRGA_TRY_VOID(must_be_settled(*record, "update", ctx->now.at));
    const bool was_enabled = record->enabled;
    record->function = wanted.function;
    VIRGA_TRY_VOID(apply(input, *record));
    const char* const state = record->enabled == was_enabled ? "Updating"
                              : record->enabled              ? "Enabling"
                                                             : "Disabling";
    begin_transition(*record, state, *ctx, options_.lifecycle_delay_ms);
    store::put_event_source(txn, owner, *record);
    txn.on_published([this, owner, uuid = record->uuid] { sources_.changed(owner, uuid); });
    return *record;
  };
  const auto record = co_await platform::transact(ctx, shard_, std::move(update));
  co_return render_mapping(record, record.pending_state, sources_.last_result(record.uuid));
}

Task<api::DeleteEventSourceMappingOutput> Service::delete_event_source_mapping(
    Ctx ctx, api::DeleteEventSourceMappingInput input) {
  const store::Owner owner{ctx->account, ctx->region};
  auto erase = [&](storage::Txn& txn) -> Result<EventSourceRecord> {
    VIRGA_TRY(record, store::find_event_source(txn, owner, input.uuid));
    if (!record) return fail(no_mapping());
    VIRGA_TRY_VOID(must_be_settled(*record, "delete", ctx->now.at));
    store::erase_event_source(txn, owner, input.uuid);
    txn.on_published([this, owner, uuid = record->uuid] { sources_.changed(owner, uuid); });
    return *record;
  };
  const auto record = co_await platform::transact(ctx, shard_, std::move(erase));
  co_return render_mapping(record, "Deleting", sources_.last_result(record.uuid));
}

}  // namespace virga::lambda
