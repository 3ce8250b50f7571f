// CreateQueue. Source: SQS API Reference, CreateQueue.
#include "api/sqs/create_queue.h"

#include "base/strings.h"
#include "services/sqs/service.h"
#include "services/sqs/tags.h"

namespace virga::sqs {
namespace {

// Source: SQS API Reference, CreateQueue: "You must wait 60 seconds after deleting a queue".
constexpr int64_t kDeletedRecentlyMicros = 60'000'000;

// The same queue again is no error; one that differs is.
Result<void> check_same(const Queue& queue, const AttributeMap& wanted) {
  for (const auto& [name, value] : wanted) {
    if (!same_value(name, effective_value(queue.record.attributes, name, queue.settings.fifo),
                    value)) {
      return fail(errors::queue_name_exists(name));
    }
  }
  return {};
}

// Removals ("Policy" = "") have nothing to remove in a new queue.
AttributeMap without_removals(AttributeMap attributes) {
  std::erase_if(attributes, [](const auto& entry) { return entry.second.empty(); });
  return attributes;
}

}  // namespace

Task<api::CreateQueueOutput> Service::create_queue(Ctx ctx, api::CreateQueueInput input) {
  const QueueAddress address{ctx->account, ctx->region, input.queue_name};
  if (input.queue_name.empty()) co_return fail(errors::missing_parameter("QueueName"));
  const AttributeMap given = input.attributes.value_or({});
  const auto fifo_flag = given.find("FifoQueue");
  // A standard queue has no such attribute, not even with the value false.
  const bool fifo = fifo_flag != given.end() && to_lower(fifo_flag->second) == "true";
  if (fifo_flag != given.end() && to_lower(fifo_flag->second) == "false")
    co_return fail(errors::unknown_attribute("FifoQueue"));
  co_await check_queue_name(input.queue_name, fifo);
  const auto checked = co_await check_attributes(given, fifo || fifo_flag != given.end());
  const AttributeMap attributes = without_removals(checked);
  co_await check_together(attributes);
  const auto tags = input.tags.value_or({});
  co_await check_tags(tags, address.name);

  auto create = [&](Work& work) -> Result<bool> {
    VIRGA_TRY(existing, work.find(address));
    if (existing) {
      VIRGA_TRY_VOID(check_same(*existing, attributes));
      return false;
    }
    if (options_.lifecycle_delay_ms > 0) {
      VIRGA_TRY(deleted, Queues::deleted_at(work.txn, address));
      if (deleted && *deleted + kDeletedRecentlyMicros > work.now)
        return fail(errors::queue_deleted_recently());
    }
    VIRGA_TRY_VOID(check_dead_letter_target(work, address, attributes));
    const int64_t seconds = work.now / 1'000'000;
    const QueueRecord record{
        .created_at = seconds, .modified_at = seconds, .attributes = attributes, .tags = tags};
    work.created(work.queues.create(work.txn, address, record));
    return true;
  };
  co_await transact(ctx, std::move(create));
  api::CreateQueueOutput out;
  out.queue_url = url_of(*ctx, address);
  co_return out;
}

// The queue that a redrive policy names must exist, be of the same kind, and let itself be used.
Result<void> Service::check_dead_letter_target(Work& work, const QueueAddress& source,
                                               const AttributeMap& attributes) {
  const auto found = attributes.find("RedrivePolicy");
  if (found == attributes.end() || found->second.empty()) return {};
  const auto bad = [&](std::string_view reason) {
    return fail(errors::invalid_value(found->second, "RedrivePolicy", reason));
  };
  VIRGA_TRY(policy, parse_redrive_policy(found->second));
  const auto target_address = address_of_arn(policy.dead_letter_arn);
  if (!target_address) return bad("Invalid value for deadLetterTargetArn.");
  VIRGA_TRY(target, work.find(*target_address));
  if (!target || target_address->account != source.account ||
      target_address->region != source.region) {
    return bad("Dead letter target does not exist.");
  }
  if (target->settings.fifo != is_fifo_name(source.name)) {
    return bad("Dead-letter queue must be same type of queue as the source.");
  }
  const auto allowed = target->record.attributes.find("RedriveAllowPolicy");
  if (allowed != target->record.attributes.end() &&
      !allows_redrive_from(allowed->second, arn_of(source))) {
    return bad(
        "Dead letter target does not allow this queue to use it: see its RedriveAllowPolicy.");
  }
  return {};
}

}  // namespace virga::sqs
