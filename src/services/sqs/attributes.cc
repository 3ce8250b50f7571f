// GetQueueAttributes, SetQueueAttributes. Source: SQS API Reference, the pages of these operations.
#include <algorithm>

#include "api/sqs/get_queue_attributes.h"
#include "api/sqs/set_queue_attributes.h"
#include "services/sqs/service.h"

namespace virga::sqs {
namespace {

// All names that GetQueueAttributes knows, beside All.
constexpr std::string_view kNames[] = {"Policy",
                                       "VisibilityTimeout",
                                       "MaximumMessageSize",
                                       "MessageRetentionPeriod",
                                       "ApproximateNumberOfMessages",
                                       "ApproximateNumberOfMessagesNotVisible",
                                       "CreatedTimestamp",
                                       "LastModifiedTimestamp",
                                       "QueueArn",
                                       "ApproximateNumberOfMessagesDelayed",
                                       "DelaySeconds",
                                       "ReceiveMessageWaitTimeSeconds",
                                       "RedrivePolicy",
                                       "FifoQueue",
                                       "ContentBasedDeduplication",
                                       "KmsMasterKeyId",
                                       "KmsDataKeyReusePeriodSeconds",
                                       "DeduplicationScope",
                                       "FifoThroughputLimit",
                                       "RedriveAllowPolicy",
                                       "SqsManagedSseEnabled"};

// Nothing for an attribute that the queue does not have.
std::string value_of(const Queue& queue, const Counts& counts, std::string_view name) {
  if (name == "ApproximateNumberOfMessages") return std::to_string(counts.visible);
  if (name == "ApproximateNumberOfMessagesNotVisible") return std::to_string(counts.in_flight);
  if (name == "ApproximateNumberOfMessagesDelayed") return std::to_string(counts.delayed);
  if (name == "CreatedTimestamp") return std::to_string(queue.record.created_at);
  if (name == "LastModifiedTimestamp") return std::to_string(queue.record.modified_at);
  if (name == "QueueArn") return queue.arn;
  return effective_value(queue.record.attributes, name, queue.settings.fifo);
}

}  // namespace

Task<api::GetQueueAttributesOutput> Service::get_queue_attributes(
    Ctx ctx, api::GetQueueAttributesInput input) {
  const QueueAddress address = co_await address_of_url(*ctx, input.queue_url);
  const auto names = input.attribute_names.value_or({});
  const bool all = std::find(names.begin(), names.end(), "All") != names.end();
  auto read = [&](Work& work, Queue& queue) -> Result<AttributeMap> {
    for (const auto& name : names) {
      if (name != "All" &&
          std::find(std::begin(kNames), std::end(kNames), name) == std::end(kNames)) {
        return fail(errors::unknown_attribute(name));
      }
    }
    VIRGA_TRY(messages, work.messages(queue));
    const Counts counts = messages->counts(work.now);
    AttributeMap out;
    for (const auto name : kNames) {
      if (!all && std::find(names.begin(), names.end(), name) == names.end()) continue;
      std::string value = value_of(queue, counts, name);
      if (!value.empty()) out[std::string(name)] = std::move(value);
    }
    ctx->depends_on(queue.changed_at);
    return out;
  };
  auto attributes = co_await on_queue(ctx, address, std::move(read));
  api::GetQueueAttributesOutput out;
  if (!attributes.empty()) out.attributes = std::move(attributes);
  co_return out;
}

Task<api::SetQueueAttributesOutput> Service::set_queue_attributes(
    Ctx ctx, api::SetQueueAttributesInput input) {
  const QueueAddress address = co_await address_of_url(*ctx, input.queue_url);
  const AttributeMap wanted = input.attributes.value_or({});
  if (wanted.empty()) co_return fail(errors::missing_parameter("Attribute.Name"));
  auto set = [&](Work& work, Queue& queue) -> Result<bool> {
    VIRGA_TRY(given, check_attributes(wanted, queue.settings.fifo));
    QueueRecord record = queue.record;
    for (const auto& [name, value] : given) {
      if (value.empty()) {
        record.attributes.erase(name);
      } else {
        record.attributes[name] = value;
      }
    }
    // One kind of encryption takes the other's place.
    if (given.contains("KmsMasterKeyId") && !given.contains("SqsManagedSseEnabled"))
      record.attributes.erase("SqsManagedSseEnabled");
    const auto managed = given.find("SqsManagedSseEnabled");
    if (managed != given.end() && managed->second == "true" && !given.contains("KmsMasterKeyId"))
      record.attributes.erase("KmsMasterKeyId");
    VIRGA_TRY_VOID(check_together(record.attributes));
    VIRGA_TRY_VOID(check_dead_letter_target(work, address, given));
    record.modified_at = work.now / 1'000'000;
    work.queues.change(work.txn, queue, std::move(record));
    return true;
  };
  co_await on_queue(ctx, address, std::move(set));
  co_return api::SetQueueAttributesOutput();
}

}  // namespace virga::sqs
